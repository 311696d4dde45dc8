import type { Command } from 'commander';
import { createHome, createLogger, createPeer, type LogLevel, systemClock } from '../../peer/index.ts';
import { doctor } from '../doctor.ts';
import { serveConsole } from '../server.ts';
import { collect, plain, Shell } from '../shell.ts';

interface Status {
  readonly name: string;
  readonly account: string;
  readonly peerId: string;
  readonly addresses: readonly string[];
  readonly membership: {
    readonly kind: string;
    readonly proposal?: { readonly proposal: number; readonly votes: readonly unknown[]; readonly votesNeeded: number };
    readonly missingVotes?: readonly string[];
  };
  readonly ledger: { readonly mode: string; readonly url: string; readonly chainId: number; readonly block: number; readonly silentS: number };
  readonly connected: number;
  readonly others: number;
  readonly counters: { readonly refusedOutsiders: number };
  readonly versions: readonly number[];
  readonly incompatible: readonly { readonly name: string; readonly versions: readonly number[] }[];
}

/** Whether the peer is a member, and if not, for whom it waits. */
function membershipLine({ membership }: Status): string {
  if (membership.kind !== 'waiting') return membership.kind;
  const { proposal, missingVotes = [] } = membership;
  if (!proposal) return 'waiting: no member has proposed this peer yet; send enrolment.json to one of them';
  return `waiting: proposal ${proposal.proposal} has ${proposal.votes.length} of ${proposal.votesNeeded} votes; still to vote: ${missingVotes.map(plain).join(', ')}`;
}

function statusLines(status: Status): string[] {
  const { ledger } = status;
  return [
    `${plain(status.name)} · ${membershipLine(status)}`,
    `ledger      ${ledger.mode}${ledger.mode === 'embedded' ? ' (one process, one operator: for trying out)' : ''} · ${ledger.url} · chain ${ledger.chainId} · block ${ledger.block}${ledger.silentS > 5 ? ` · silent for ${ledger.silentS} s` : ''}`,
    `connected   ${status.connected} of ${status.others} other members · ${status.counters.refusedOutsiders} connections refused`,
    ...status.incompatible.map(
      ({ name, versions }) =>
        `refused     ${plain(name)} speaks protocol version ${versions.join(', ')}, this peer ${status.versions.join(', ')}: upgrade the one with the lower version`,
    ),
    `account     ${status.account}`,
    ...status.addresses.map((address) => `address     ${address}`),
  ];
}

/** Runs the peer until it is told to stop or cannot go on. */
async function up(shell: Shell, level: LogLevel | undefined): Promise<void> {
  const logger = createLogger(level ?? 'warn', 'schwarm');
  const stopped = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.resolve());
  await using peer = await createPeer(shell.home, { clock: systemClock, logger });
  await using console = await serveConsole(peer);
  const status = peer.status();
  shell.print(
    { ready: true, url: console.url, link: console.link(), peerId: status.peerId, account: status.account, addresses: status.addresses, pid: process.pid },
    [`${plain(status.name)} is up · console ${console.link()}`, ...status.addresses.map((address) => `address ${address}`)],
  );
  let last = '';
  const tell = (): void => {
    const { membership } = peer.status();
    const line =
      membership.kind === 'waiting'
        ? membershipLine({
            membership: { ...membership, ...(membership.proposal ? { proposal: { ...membership.proposal, votes: [...membership.proposal.votes] } } : {}) },
          } as never)
        : membership.kind;
    if (line !== last && !shell.json) shell.note(line === 'member' ? 'this peer is a member' : line);
    last = line;
  };
  tell();
  const quiet = peer.onChange(tell);
  try {
    await Promise.race([stopped.promise, peer.ended]);
  } finally {
    quiet();
  }
}

/** `init`, `up`, `doctor`, `status`, `peers`. */
export function addPeerCommands(program: Command): void {
  program
    .command('init')
    .description('make a peer: keys, config.toml and enrolment.json; works without a ledger')
    .requiredOption('--name <name>', "the institution's name")
    .option('--listen <address>', 'where to listen, repeatable (default /ip4/0.0.0.0/tcp/4001)', collect)
    .option('--announce <address>', 'what others are told instead, repeatable', collect)
    .option('--bootstrap <address>', 'address of any other member with /p2p/…, repeatable', collect)
    .option('--console-port <port>', 'port of the console on 127.0.0.1', Number)
    .addHelpText('after', "\nExample:\n  schwarm init --name 'City Hospital' --announce /dns4/peer.city-hospital.example/tcp/4001\n")
    .action(async (options: { name: string; listen?: string[]; announce?: string[]; bootstrap?: string[]; consolePort?: number }, command: Command) => {
      const shell = new Shell(command);
      const enrolment = await createHome(shell.home, options);
      shell.print({ home: shell.home, enrolment }, [`made ${shell.home}`, `account ${enrolment.account}`, `peer id ${enrolment.peerId}`]);
      shell.next(`send ${shell.home}/enrolment.json to a member, and put the consortium.json you get back beside it`);
    });
  program
    .command('up')
    .description('run the peer until Ctrl-C')
    .option('--log <level>', 'error, warn, info or debug')
    .addHelpText('after', '\nExample:\n  schwarm up --home ./city-hospital\n')
    .action(async (options: { log?: LogLevel }, command: Command) => up(new Shell(command), options.log));
  program
    .command('doctor')
    .description('check everything before joining; each finding with its remedy')
    .addHelpText('after', '\nExample:\n  schwarm doctor --home ./city-hospital\n')
    .action(async (_options: object, command: Command) => doctor(new Shell(command)));
  program
    .command('status')
    .description('the peer at a glance, and a link to its page')
    .action(async (_options: object, command: Command) => {
      const shell = new Shell(command);
      const api = shell.api();
      const status = await api.get<Status>('/v1/status');
      const { link } = await api.get<{ link: string }>('/v1/link');
      shell.print({ ...status, page: `${api.url}/#t=${link}` }, [...statusLines(status), `page        ${api.url}/#t=${link}`]);
    });
  program
    .command('peers')
    .description('members that are connected now')
    .action(async (_options: object, command: Command) => {
      const shell = new Shell(command);
      const { members } = await shell
        .api()
        .get<{ members: readonly { name: string; active: boolean; self: boolean; connected: boolean; address: string | null }[] }>('/v1/members');
      const others = members.filter((member) => !member.self && member.active);
      shell.print(
        { peers: others },
        others.map((member) => `${member.connected ? 'connected    ' : 'not connected'}  ${plain(member.name)}  ${member.address ?? ''}`),
      );
    });
}
