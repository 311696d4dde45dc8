/** Members and ledger that do not run side by side on one machine's loopback, and the ledger's certificate and tokens, which they need then. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Where a member, or the ledger, runs. */
export interface Site {
  /** Words in front of each of its commands. */
  readonly before: readonly string[];
  /** The address on which it listens for the others. */
  readonly host: string;
  /** The port of its console, or of the ledger. The same port on this machine's loopback leads there. */
  readonly port: number;
}

export type SiteOf = (who: number | 'ledger') => Site;

/** Where a peer listens at a site of its own. */
export const peerPort = 4_001;

/** The ledger's certificate, where `makeCertificate` puts it. */
export function certificateOf(folder: string): string {
  return join(folder, 'certificate.pem');
}

/** Makes a certificate and its key for the ledger, as the README does. */
export function makeCertificate(folder: string): void {
  const asked = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj /CN=ledger';
  execFileSync('openssl', [...asked.split(' '), '-keyout', join(folder, 'key.pem'), '-out', certificateOf(folder)], { stdio: 'ignore' });
}

/** Under which name the ledger keeps a member's token. */
export function tokenName(member: number): string {
  return `member-${member}`;
}

/** How the ledger is offered off loopback: with TLS, and a token for each member. */
export function ledgerOffer(folder: string, { host, port }: Site, members: number): readonly string[] {
  const names = Array.from({ length: members }, (_, member) => ['--member', tokenName(member)]);
  return ['--host', host, '--port', String(port), '--certificate', certificateOf(folder), '--key', join(folder, 'key.pem'), ...names.flat()];
}
