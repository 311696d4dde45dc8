/** Where a PostgreSQL database is, from its address: read by ourselves, so that nothing in it reaches the client that a person did not mean. */
import { isIP } from 'node:net';

/** `host` is a name, an address, or a folder with the server's socket. */
export interface PostgresPlace {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Reached without leaving this machine. */
  readonly local: boolean;
}

type Problem = { readonly problem: { readonly found: string; readonly allowed: string } };

const example = 'postgres://user@host:5432/database';

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function parsedUrl(text: string): URL | undefined {
  // An address without a host is none for URL; the socket's folder stands behind it.
  return URL.parse(text.replace(/^(postgres(?:ql)?:\/\/[^/?#@]*@)(?=[/:])/, '$1socket')) ?? undefined;
}

/** The place that an address names, or what is wrong with it; the password is never repeated. */
export function postgresPlace(text: string): PostgresPlace | Problem {
  const url = parsedUrl(text);
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) return { problem: { found: 'no address of PostgreSQL', allowed: example } };
  if (url.password !== '') return { problem: { found: 'an address with a password', allowed: `${example}, and the password in passwordFile` } };
  const folder = url.searchParams.get('host');
  const others = [...url.searchParams.keys()].filter((key) => key !== 'host');
  if (others.length > 0) return { problem: { found: `the option "${others[0]}"`, allowed: `${example}, and tls and certificate beside it` } };
  if (folder !== null && !folder.startsWith('/'))
    return { problem: { found: 'host= that is no folder', allowed: 'the folder of a socket, as ?host=/run/postgresql' } };
  const [user, database] = [decodeURIComponent(url.username), decodeURIComponent(url.pathname.slice(1))];
  if (user === '' || database === '' || database.includes('/')) return { problem: { found: 'an address without user or database', allowed: example } };
  const host = folder ?? url.hostname.replace(/^\[|\]$/g, '');
  if (folder === null && (host === '' || host === 'socket'))
    return { problem: { found: 'an address without host', allowed: `${example}, or ?host=/folder of a socket` } };
  return { host, port: url.port === '' ? 5432 : Number(url.port), user, database, local: folder !== null || isLoopback(host) };
}
