/** `doctor`: everything that must hold before a peer joins, each finding with its remedy. */
import { access, constants, statfs } from 'node:fs/promises';
import { isSwarmError } from '../common/index.ts';
import { probe, readConfig, readConsortium, systemClock } from '../peer/index.ts';
import { plain, type Shell } from './shell.ts';

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  readonly remedy: string;
}

async function finding(what: string, look: () => Promise<string> | string, remedy: string): Promise<Finding> {
  try {
    return { what, ok: true, found: await look(), remedy: '' };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { what, ok: false, found: text, remedy: isSwarmError(error) ? error.remedy : remedy };
  }
}

async function writableFolder(home: string): Promise<string> {
  await access(home, constants.R_OK | constants.W_OK);
  return home;
}

const freeBytesNeeded = 512 * 1024 * 1024;

async function freeSpace(home: string): Promise<string> {
  const { bavail, bsize } = await statfs(home);
  const free = bavail * bsize;
  if (free < freeBytesNeeded) throw new RangeError(`${Math.round(free / 1e6)} MB free, 512 MB wanted`);
  return `${Math.round(free / 1e9)} GB free`;
}

/** Prints all findings; exit code 5 where one fails. */
export async function doctor(shell: Shell): Promise<void> {
  const { home } = shell;
  const findings = [
    await finding('node', () => `${process.version} on ${process.platform} ${process.arch}`, 'Use the Node that comes with Schwarm: `npx schwarm`.'),
    await finding('home', () => writableFolder(home), 'Make a peer with `schwarm init`.'),
    await finding('disk', () => freeSpace(home), 'Make room on the disk.'),
    await finding('config.toml', () => readConfig(home).name, 'Correct the lines named above.'),
    await finding('consortium.json', () => `${readConsortium(home).mode}, chain ${readConsortium(home).chainId}`, 'Copy it from the founding member.'),
    await finding('keys', async () => (await probe.identity(home)).peerId, 'Make a peer with `schwarm init`.'),
    await finding('ledger', async () => await probe.ledger(home, { clock: systemClock }), 'Check address, token and firewall.'),
    await finding('port', () => probe.ports(home), 'Stop the process that uses the port, or change `listen`.'),
  ];
  const lines = findings.map(
    ({ what, ok, found, remedy }) => `${ok ? 'ok    ' : 'FAILED'}  ${what.padEnd(16)} ${plain(found)}${ok ? '' : `\n        ${remedy}`}`,
  );
  shell.print({ findings }, lines);
  if (findings.some(({ ok }) => !ok)) process.exitCode = 5;
}
