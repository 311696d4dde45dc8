/** The console's server on 127.0.0.1: host and origin are checked, then the token or the session, then the API or the page answers. */
import type { Server } from 'node:http';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { homeFiles, type Peer, writeWhole } from '../peer/index.ts';
import { Access } from './access.ts';
import { createApi } from './api.ts';
import { consoleErrors } from './errors.ts';
import { addPage } from './page-server.ts';

/** A console that listens. Dispose it to stop. */
export interface Console extends AsyncDisposable {
  readonly url: string;
  /** A link that opens the page once. */
  link(): string;
}

const cookieName = 'schwarm';

function createApp(peer: Peer, access: Access, hosts: () => readonly string[]): Hono {
  const app = new Hono();
  const { clock } = peer.context;
  app.use(async (context, next) => {
    if (!hosts().includes(context.req.header('host') ?? '')) return context.text('unknown host', 421);
    const origin = context.req.header('origin');
    if (origin !== undefined && !hosts().some((host) => origin === `http://${host}`)) return context.text('unknown origin', 403);
    await next();
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
    context.header('referrer-policy', 'no-referrer');
    context.header('x-frame-options', 'DENY');
    return undefined;
  });
  addPage(app);
  app.post('/v1/session', async (context) => {
    const body: unknown = await context.req.json().catch(() => undefined);
    const token = typeof body === 'object' && body !== null && 'token' in body && typeof body.token === 'string' ? body.token : '';
    const session = access.open(token, clock.nowMs());
    if (session === undefined) return context.json({ error: { code: 'CONSOLE_LINK_USED', message: 'this link was used before, or is not of this peer' } }, 401);
    setCookie(context, cookieName, session, { httpOnly: true, sameSite: 'Strict', path: '/' });
    return context.json({ ok: true });
  });
  app.use('/v1/*', async (context, next) => {
    const permitted = access.permits({ authorization: context.req.header('authorization'), session: getCookie(context, cookieName) }, clock.nowMs());
    if (!permitted)
      return context.json({ error: { code: 'CONSOLE_NO_SESSION', message: 'open the page by the link that `schwarm up` or `schwarm status` prints' } }, 401);
    return next();
  });
  app.get('/v1/link', (context) => context.json({ link: access.link() }));
  app.route('/', createApi(peer));
  return app;
}

/** Serves the console of a peer and writes `console.json` for commands. Throws CONSOLE_PORT_IN_USE. */
export async function serveConsole(peer: Peer): Promise<Console> {
  const access = new Access();
  let port = peer.context.config.console.port;
  const app = createApp(peer, access, () => [`127.0.0.1:${port}`, `localhost:${port}`]);
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, (address) => {
    port = address.port;
    resolve(server as Server);
  });
  server.once('error', (error) => reject(consoleErrors.CONSOLE_PORT_IN_USE({ port }, error)));
  const listening = await promise;
  const url = `http://127.0.0.1:${port}`;
  writeWhole(join(peer.context.home, homeFiles.console), Buffer.from(JSON.stringify({ url, token: access.token })), 'console.json');
  return {
    url,
    link: () => `${url}/#t=${access.link()}`,
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<void>();
      listening.close(() => closed.resolve());
      listening.closeAllConnections();
      await closed.promise;
    },
  };
}
