import { resolve } from 'node:path';
import type { Command } from 'commander';
import {
  type AuditResult,
  auditOpening,
  createAuditKey,
  exportRunFacts,
  openSealedRecord,
  readRunFacts,
  readStudy,
  runFactsOf,
  systemClock,
  writeWhole,
} from '../../peer/index.ts';
import { consoleErrors } from '../errors.ts';
import { exitCodes, plain, Shell } from '../shell.ts';

const signal = new AbortController().signal;
const parts = { clock: systemClock };

/** A whole number that an option gave. */
function counted(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw consoleErrors.CONSOLE_USAGE({ problem: `${name} is a whole number` });
  return value;
}

function submittedLines(result: AuditResult & { readonly kind: 'fits' }): string[] {
  const { rows, saturated, meanLoss, norm, clipNorm, roundingNorm, breaches } = result.submitted;
  return [
    'fits        what the ledger has on record: its key bundle, those of the others, its committed vector, FINAL',
    `rows        ${rows}`,
    ...(saturated === undefined ? [] : [`saturated   ${saturated} values were cut to the range`]),
    ...(meanLoss === undefined ? [] : [`loss        ${meanLoss.toFixed(6)}, mean over the rows before training`]),
    ...(norm === undefined ? [] : [`L2 norm     ${norm.toPrecision(6)} of at most ${clipNorm} (rounding adds at most ${roundingNorm?.toExponential(1)})`]),
    ...breaches.map((breach) => `BREACH      ${breach}: no peer of Schwarm makes such words`),
  ];
}

function resultLines(result: AuditResult): string[] {
  const of = `${plain(result.who)} · run ${result.run} · round ${result.round} · attempt ${result.attempt} of ${result.members.map(plain).join(', ')}`;
  return [of, ...(result.kind === 'fits' ? submittedLines(result) : [`DIFFERS     ${plain(result.reason)}`])];
}

/** The check of an opening: exit code 1 where anything does not fit. */
async function check(shell: Shell, file: string, flags: { readonly facts?: string; readonly study?: string; readonly update?: string }): Promise<void> {
  const opening = auditOpening(file);
  const facts = flags.facts === undefined ? runFactsOf(await exportRunFacts(shell.home, opening.run, parts, { signal })) : readRunFacts(flags.facts);
  const study = flags.study === undefined ? undefined : await readStudy(resolve(flags.study), { signal });
  const result = opening.check(facts, study);
  const { update, ...document } = { update: undefined, ...result };
  const written = flags.update !== undefined && update ? [`update      ${update.length / 4} float32 values in ${flags.update}`] : [];
  if (flags.update !== undefined && update) writeWhole(resolve(flags.update), update, 'an update');
  shell.print(document, [...resultLines(result), ...written]);
  if (result.kind === 'differs' || result.submitted.breaches.length > 0) process.exitCode = exitCodes.failed;
}

/** `audit key`, `open`, `export`, `check`. */
export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('show an auditor, of own will, what this member submitted');
  audit
    .command('key')
    .requiredOption('--out <file>', 'where to write the private key, to be taken off this machine')
    .description("make the institution's offline key; sealed records of rounds open only with it")
    .action((flags: { out: string }, command: Command) => {
      const shell = new Shell(command);
      const publicKey = createAuditKey(resolve(flags.out));
      shell.print({ file: resolve(flags.out), publicKey }, ['[audit]', `publicKey = "${publicKey}"`]);
      shell.next(`put these two lines at the end of config.toml, start the peer again, and keep ${flags.out} away from this machine`);
    });
  audit
    .command('open')
    .requiredOption('--run <number>', 'number of the run', Number)
    .requiredOption('--round <number>', 'number of the round', Number)
    .requiredOption('--key <file>', 'the private key that `audit key` wrote')
    .requiredOption('--out <file>', "where to write the opening: it holds this member's own words of the round")
    .description("open this member's own part of a FINAL round, for an auditor")
    .action((flags: { run: number; round: number; key: string; out: string }, command: Command) => {
      const shell = new Shell(command);
      const round = { run: counted('--run', flags.run), round: counted('--round', flags.round) };
      openSealedRecord(shell.home, round, { key: resolve(flags.key), out: resolve(flags.out) });
      shell.print({ file: resolve(flags.out), ...round }, [`wrote ${flags.out}: whoever holds it sees what this member submitted in round ${round.round}`]);
      shell.next(`give it to the auditor, who runs \`schwarm audit check ${flags.out}\``);
    });
  audit
    .command('export')
    .argument('<run>', 'number of the run', Number)
    .requiredOption('--out <file>', 'where to write them')
    .description('read all facts of a run from the ledger, for a check without it')
    .action(async (run: number, flags: { out: string }, command: Command) => {
      const shell = new Shell(command);
      const facts = await exportRunFacts(shell.home, counted('<run>', run), parts, { signal });
      writeWhole(resolve(flags.out), Buffer.from(`${JSON.stringify(facts)}\n`), 'the facts of a run');
      shell.print({ file: resolve(flags.out), facts: facts.events.length }, [`wrote ${facts.events.length} facts to ${flags.out}`]);
    });
  audit
    .command('check')
    .argument('<opening>', 'the file that `audit open` wrote')
    .option('--facts <file>', 'facts that `audit export` wrote (default: the ledger, with the access of --home)')
    .option('--study <folder>', 'the study of the run, where it names the groups that sum')
    .option('--update <file>', 'write the opened update as float32, little-endian')
    .description('compare an opening with the ledger and print what was submitted: exit code 1 where anything does not fit')
    .addHelpText('after', '\nExample:\n  schwarm audit check opening.json --facts facts.json\n')
    .action(async (file: string, flags: { facts?: string; study?: string; update?: string }, command: Command) =>
      check(new Shell(command), resolve(file), flags),
    );
}
