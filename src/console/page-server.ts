/** Serves the page without a bundler: our modules with their types stripped, the libraries' own files, one strict content security policy. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Hono } from 'hono';

const pageFolder = fileURLToPath(new URL('./page/', import.meta.url));
const require = createRequire(import.meta.url);

function packageFile(name: string, file: string): string {
  const folders = require.resolve.paths(name) ?? [];
  return join(folders.find((folder) => existsSync(join(folder, name, file))) ?? '', name, file);
}

/** Files of libraries that the page loads, by the path it asks for. */
const libraryFiles = (): Readonly<Record<string, string>> => ({
  '/lib/preact.js': packageFile('preact', 'dist/preact.mjs'),
  '/lib/preact-hooks.js': packageFile('preact', 'hooks/dist/hooks.mjs'),
  '/lib/htm.js': packageFile('htm', 'dist/htm.module.js'),
  '/lib/htm-preact.js': packageFile('htm', 'preact/index.module.js'),
  '/lib/uplot.js': packageFile('uplot', 'dist/uPlot.esm.js'),
  '/lib/uplot.css': packageFile('uplot', 'dist/uPlot.min.css'),
});

const importMap = JSON.stringify({
  imports: { preact: '/lib/preact.js', 'preact/hooks': '/lib/preact-hooks.js', htm: '/lib/htm.js', 'htm/preact': '/lib/htm-preact.js', uplot: '/lib/uplot.js' },
});

function policy(): string {
  const hash = createHash('sha256').update(importMap).digest('base64');
  return `default-src 'none'; script-src 'self' 'sha256-${hash}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

/** Adds the page's files to a server. They hold no figures, so they need no session. */
export function addPage(app: Hono): void {
  const html = readFileSync(join(pageFolder, 'index.html'), 'utf8').replace('{{importmap}}', () => importMap);
  app.get('/', (context) => context.html(html, 200, { 'content-security-policy': policy() }));
  app.get('/page/style.css', (context) => context.body(readFileSync(join(pageFolder, 'style.css'), 'utf8'), 200, { 'content-type': 'text/css' }));
  app.get('/page/:name{[a-z-]+\\.js}', (context) => {
    const source = readFileSync(join(pageFolder, context.req.param('name').replace(/\.js$/, '.ts')), 'utf8');
    const script = stripTypeScriptTypes(source).replaceAll(/(from '\.\/[a-z-]+)\.ts'/g, "$1.js'");
    return context.body(script, 200, { 'content-type': 'text/javascript' });
  });
  for (const [path, file] of Object.entries(libraryFiles())) {
    const type = path.endsWith('.css') ? 'text/css' : 'text/javascript';
    app.get(path, (context) => context.body(readFileSync(file, 'utf8'), 200, { 'content-type': type }));
  }
}
