import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { createLogger, foundConsortium, readEnrolment, serveEmbeddedLedger, systemClock } from '../../peer/index.ts';
import { consoleErrors } from '../errors.ts';
import { collect, plain, Shell } from '../shell.ts';

interface ServeFlags {
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  readonly chainId: number;
  readonly member?: readonly string[];
  readonly certificate?: string;
  readonly key?: string;
}

async function serve(shell: Shell, flags: ServeFlags): Promise<void> {
  const logger = createLogger('warn', 'schwarm-ledger');
  const stopped = Promise.withResolvers<undefined>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.resolve(undefined));
  const { host, port, chainId, certificate, key } = flags;
  if ((certificate === undefined) !== (key === undefined)) throw consoleErrors.CONSOLE_USAGE({ problem: '--certificate and --key go together' });
  const tls = certificate && key ? { tls: { certificateFile: certificate, keyFile: key } } : {};
  const folder = resolve(flags.folder);
  await using ledger = await serveEmbeddedLedger({ folder, host, port, chainId, members: flags.member ?? [], ...tls }, { clock: systemClock, logger });
  shell.print({ ready: true, url: ledger.url, chainId: ledger.chainId, engine: ledger.engine, tokens: `${folder}/tokens.json`, pid: process.pid }, [
    `embedded ledger: one process, one operator, for trying out · ${ledger.url} · chain ${ledger.chainId}`,
    flags.member
      ? `hand over ${folder}/tokens/NAME.token to each member: it goes into its folder as ledger.token`
      : `the token for this machine is in ${folder}/tokens.json`,
  ]);
  const ended = await Promise.race([stopped.promise, ledger.ended]);
  if (ended) throw ended;
}

/** `ledger serve`, `ledger deploy`, `ledger status`. */
export function addLedgerCommands(program: Command): void {
  const ledger = program.command('ledger').description('the ledger that the members share');
  ledger
    .command('serve')
    .description('run the embedded ledger until Ctrl-C: for trying out, one process under one operator')
    .requiredOption('--folder <folder>', 'where the chain is kept')
    .option('--host <address>', 'where to listen; off loopback TLS is required', '127.0.0.1')
    .option('--port <port>', 'port, 0 for a free one', Number, 8545)
    .option('--chain-id <id>', 'number of a new chain', Number, 7341)
    .option('--member <name>', 'make a token for this member, repeatable; without it one token serves everybody on this machine', collect)
    .option('--certificate <file>', 'TLS certificate, PEM')
    .option('--key <file>', 'TLS key, PEM')
    .addHelpText('after', '\nExample:\n  schwarm ledger serve --folder ./ledger\n')
    .action(async (flags: ServeFlags, command: Command) => serve(new Shell(command), flags));
  ledger
    .command('deploy')
    .description('found the consortium: contracts with the founding members; writes consortium.json')
    .requiredOption('--founder <file>', 'enrolment.json of a founding member, repeatable', collect)
    .option('--url <url>', 'JSON-RPC address of the ledger', 'http://127.0.0.1:8545')
    .option('--mode <mode>', 'embedded or consortium', 'embedded')
    .option('--vote-percent <percent>', 'a proposal needs more than this share of the members', Number, 50)
    .option('--certificate <file>', "PEM of the ledger's certificate, to be pinned by every member")
    .addHelpText(
      'after',
      '\nExample:\n  schwarm ledger deploy --home ./a --founder ./a/enrolment.json --founder ./b/enrolment.json --founder ./c/enrolment.json\n',
    )
    .action(async (flags: { founder: string[]; url: string; mode: string; votePercent: number; certificate?: string }, command: Command) => {
      const shell = new Shell(command);
      const { signal } = new AbortController();
      if (flags.mode !== 'embedded' && flags.mode !== 'consortium')
        throw consoleErrors.CONSOLE_USAGE({ problem: `--mode is embedded or consortium, not "${flags.mode}"` });
      const founders = await Promise.all(flags.founder.map((file) => readEnrolment(file, { signal })));
      const certificate = flags.certificate === undefined ? {} : { certificate: await readFile(flags.certificate, 'utf8') };
      const parts = { clock: systemClock, logger: createLogger('warn', 'schwarm') };
      const file = await foundConsortium(
        { home: shell.home, url: flags.url, mode: flags.mode, founders, votePercent: flags.votePercent, ...certificate },
        parts,
        { signal },
      );
      shell.print(file, [
        `founded with ${founders.length} members: ${founders.map(({ name }) => plain(name)).join(', ')}`,
        `contract ${file.contract} on chain ${file.chainId}`,
      ]);
      shell.next(`give ${shell.home}/consortium.json to every member, then \`schwarm up\` at each`);
    });
  ledger
    .command('status')
    .description('where the ledger stands, and its newest facts')
    .action(async (_flags: object, command: Command) => {
      const shell = new Shell(command);
      const api = shell.api();
      const { ledger: state } = await api.get<{
        ledger: { mode: string; url: string; chainId: number; contract: string; block: number; timeS: number; silentS: number };
      }>('/v1/status');
      const { facts, count } = await api.get<{ facts: readonly { block: number; words: string; run?: number; round?: number }[]; count: number }>('/v1/ledger');
      const lines = facts
        .slice(0, 15)
        .map((fact) => `block ${fact.block}  ${plain(fact.words)}${fact.round === undefined ? '' : `  run ${fact.run} round ${fact.round}`}`);
      shell.print({ ...state, facts: count }, [
        `${state.mode} · ${state.url} · chain ${state.chainId} · contract ${state.contract} · block ${state.block} · ${count} facts`,
        ...lines,
      ]);
    });
}
