/** Seeded bugs: each `*.patch` of a folder is a defect that somebody could write, with a first line that says which; it is tried in a copy of the sources. */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A bug by the name of its patch, what it does, and where the patch is. */
export interface SeededBug {
  readonly name: string;
  readonly what: string;
  readonly patch: string;
}

/** All bugs of a folder, by name. */
export function bugsIn(folder: string): readonly SeededBug[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.patch'));
  return names.sort().map((name) => {
    const patch = join(folder, name);
    return { name: basename(name, '.patch'), what: readFileSync(patch, 'utf8').split('\n', 1)[0] ?? '', patch };
  });
}

/** A copy of parts of the tree, in a temporary folder that belongs to no repository. */
export class SourceCopy implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'schwarm-bug-'));

  constructor(...parts: readonly string[]) {
    for (const part of parts) cpSync(join(root, part), join(this.folder, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module" }\n');
  }

  /** Applies a patch, or with `--check` only looks whether it applies. Throws with what git says against it. */
  apply(patch: string, ...flags: readonly '--check'[]): void {
    execFileSync('git', ['apply', ...flags, patch], { cwd: this.folder, env: { ...process.env, GIT_CEILING_DIRECTORIES: this.folder }, stdio: 'pipe' });
  }

  /** What a script of the copy prints. Exit code 1 with a report, known by `isReport`, is what a find looks like; anything else is an error. */
  async run(script: string, args: readonly string[], isReport: RegExp): Promise<readonly string[]> {
    const { stdout } = await promisify(execFile)(process.execPath, [join(this.folder, script), ...args]).catch((error: unknown) => {
      if (error instanceof Error && 'stdout' in error && isReport.test(`\n${error.stdout}`)) return { stdout: String(error.stdout) };
      throw error;
    });
    return stdout.split('\n');
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
