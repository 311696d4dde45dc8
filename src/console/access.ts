/** Who may use the console: commands by a token in the home, the page by a one-time link that becomes a cookie. All on 127.0.0.1. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { sha256, toHex, utf8 } from '../common/index.ts';
import { maxLinks, maxSessions, sessionIdleMs } from './limits.ts';

function fresh(): string {
  return randomBytes(32).toString('base64url');
}

function same(a: string, b: string): boolean {
  return timingSafeEqual(sha256(utf8(a)), sha256(utf8(b)));
}

/** Tokens and sessions of one running console; kept in memory only. */
export class Access {
  /** For commands; written to `console.json` in the home. */
  readonly token = fresh();
  readonly #links = new Set<string>();
  readonly #sessions = new Map<string, number>();

  /** A token for one opening of the page. */
  link(): string {
    const token = fresh();
    this.#links.add(token);
    const oldest = this.#links.values().next().value;
    if (this.#links.size > maxLinks && oldest !== undefined) this.#links.delete(oldest);
    return token;
  }

  /** A session for a link's token, which is used up; undefined where it is not one. */
  open(token: string, nowMs: number): string | undefined {
    const link = [...this.#links].find((known) => same(known, token));
    if (link === undefined) return undefined;
    this.#links.delete(link);
    const session = fresh();
    this.#sessions.set(toHex(sha256(utf8(session))), nowMs);
    const oldest = this.#sessions.keys().next().value;
    if (this.#sessions.size > maxSessions && oldest !== undefined) this.#sessions.delete(oldest);
    return session;
  }

  /** Whether a request comes from a command of this home or from an open session. */
  permits(request: { readonly authorization: string | undefined; readonly session: string | undefined }, nowMs: number): boolean {
    const bearer = request.authorization?.startsWith('Bearer ') ? request.authorization.slice(7) : undefined;
    if (bearer !== undefined) return same(bearer, this.token);
    if (request.session === undefined) return false;
    const key = toHex(sha256(utf8(request.session)));
    const last = this.#sessions.get(key);
    if (last === undefined || nowMs - last > sessionIdleMs) return false;
    this.#sessions.set(key, nowMs);
    return true;
  }
}
