import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { runFolder } from '../../peer/index.ts';
import type { ApiClient } from '../client.ts';
import { watchMs } from '../limits.ts';
import { writeOwnReport } from '../report/own-report.ts';
import { writeTables } from '../report/tables.ts';
import type { RunDocument } from '../run-document.ts';
import { jsonLine, plain, Shell } from '../shell.ts';

function runLine(run: RunDocument): string {
  const loss = run.figures.at(-1)?.meanLoss;
  const waits = run.waiting
    ? ` · ${run.waiting.phase}, waiting for ${run.waiting.members.map(plain).join(', ') || 'the ledger'}, at most ${run.waiting.untilS - run.waiting.sinceS} s`
    : '';
  const suspended = run.suspended.length > 0 ? ` · suspended until their own admin says otherwise: ${run.suspended.map(plain).join(', ')}` : '';
  const end = run.outcome === null ? '' : ` · ${run.outcome}${run.missing.length > 0 ? ` (without ${run.missing.map(plain).join(', ')})` : ''}`;
  return `run ${run.run} · round ${run.finalRounds} of ${run.rounds}${loss === undefined ? '' : ` · loss ${loss.toFixed(4)}`}${waits}${lastRejection(run)}${cutSteps(run)}${suspended}${end}${run.trouble ? ` · trouble here: ${plain(run.trouble)}` : ''}`;
}

/** Who voted against the newest round, if it is VOID for that. */
function lastRejection({ history }: RunDocument): string {
  const last = history.findLast(({ reason }) => reason !== null);
  return last?.reason === 'rejected' ? ` · round ${last.round} was rejected by ${last.rejectedBy.map(plain).join(', ')}` : '';
}

/** Local steps of the newest update, where the time budget ended them early. */
function cutSteps({ figures }: RunDocument): string {
  const steps = figures.at(-1)?.steps;
  return steps && steps.done < steps.asked ? ` · ${steps.done} of ${steps.asked} local steps here within the budget` : '';
}

/** Follows a run to its end: a line whenever something changed, as JSON lines with --json. */
async function watch(shell: Shell, api: ApiClient, number: number): Promise<RunDocument> {
  for (let last = ''; ; await delay(watchMs)) {
    const run = await api.get<RunDocument>(`/v1/runs/${number}`);
    const line = shell.json ? jsonLine(run) : runLine(run);
    if (line !== last) process.stdout.write(`${line}\n`);
    last = line;
    if (run.outcome !== null) return run;
  }
}

async function newest(api: ApiClient, given: number | undefined): Promise<number> {
  if (given !== undefined) return given;
  const { runs } = await api.get<{ runs: readonly RunDocument[] }>('/v1/runs');
  return runs.at(-1)?.run ?? 1;
}

/** `run start`, `watch`, `stop`, `roll-back`, `reinstate`, `report`, and `model export`. */
export function addRunCommands(program: Command): void {
  const run = program.command('run').description('executions of a study by the members that approved it');
  run
    .command('start')
    .argument('<study>', 'id, or its first digits')
    .description('start a run with all members that approved the study')
    .action(async (study: string, _flags: object, command: Command) => {
      const shell = new Shell(command);
      const started = await shell.api().send<{ run: number; notice: string | null }>('POST', '/v1/runs', { study });
      shell.print(started, [`started run ${started.run}`, ...(started.notice === null ? [] : [started.notice])]);
      shell.next(`\`schwarm run watch ${started.run}\``);
    });
  run
    .command('watch')
    .argument('[number]', 'number of the run (default: the newest)', Number)
    .description('follow a run to its end: exit code 0 where it is complete')
    .action(async (number: number | undefined, _flags: object, command: Command) => {
      const shell = new Shell(command);
      const api = shell.api();
      const done = await watch(shell, api, await newest(api, number));
      if (!done.outcome?.startsWith('complete')) process.exitCode = 1;
    });
  run
    .command('stop')
    .argument('<number>', 'number of the run', Number)
    .description('stop a run that this member started, or leave one that another started')
    .action(async (number: number, _flags: object, command: Command) => {
      const shell = new Shell(command);
      const { done } = await shell.api().send<{ done: string }>('POST', `/v1/runs/${number}/stop`, {});
      shell.print({ run: number, done }, [`${done === 'stopped' ? 'stopped' : 'left'} run ${number}`]);
    });
  run
    .command('roll-back')
    .argument('<number>', 'number of the run', Number)
    .requiredOption('--to <round>', 'the FINAL round that stands; everything after it is taken back', Number)
    .description('start again from an earlier round of a run that this member started')
    .action(async (number: number, flags: { to: number }, command: Command) => {
      const shell = new Shell(command);
      await shell.api().send<object>('POST', `/v1/runs/${number}/roll-back`, { to: flags.to });
      shell.print({ run: number, to: flags.to }, [`run ${number} starts again from the state of round ${flags.to}`]);
    });
  run
    .command('reinstate')
    .argument('<number>', 'number of the run', Number)
    .description('take part again after two strikes, once this site has seen to what was wrong')
    .action(async (number: number, _flags: object, command: Command) => {
      const shell = new Shell(command);
      await shell.api().send<object>('POST', `/v1/runs/${number}/reinstate`, {});
      shell.print({ run: number }, [`this member takes part in run ${number} again from the next round`]);
    });
  addResultCommands(run);
  addModelCommands(program);
}

function addResultCommands(run: Command): void {
  run
    .command('report')
    .argument('[number]', 'number of the run (default: the newest)', Number)
    .option('--folder <folder>', 'where to write it (default: runs/ in the home)')
    .description("this member's own figures on a finished run, as report.html, metrics.csv and run.json")
    .action(async (number: number | undefined, flags: { folder?: string }, command: Command) => {
      const shell = new Shell(command);
      const api = shell.api();
      const which = await newest(api, number);
      const folder = flags.folder === undefined ? runFolder(shell.home, which) : resolve(flags.folder);
      const written = await writeOwnReport(api, which, folder);
      shell.print(written.document, [...written.lines, `report ${join(folder, 'report.html')}`]);
    });
  run
    .command('tables')
    .argument('[number]', 'number of the run (default: the newest)', Number)
    .option('--folder <folder>', 'where to write them (default: runs/ in the home)')
    .description('what a finished run counted, as report.html, cells.csv, models.csv and tables.json')
    .action(async (number: number | undefined, flags: { folder?: string }, command: Command) => {
      const shell = new Shell(command);
      const api = shell.api();
      const which = await newest(api, number);
      const folder = flags.folder === undefined ? runFolder(shell.home, which) : resolve(flags.folder);
      const written = await writeTables(api, which, folder);
      shell.print(written.document, [...written.lines, `report ${join(folder, 'report.html')}`]);
    });
}

function addModelCommands(program: Command): void {
  const model = program.command('model').description('trained models');
  model
    .command('export')
    .argument('<file>', 'where to write the ONNX file')
    .option('--run <number>', 'number of the run (default: the newest)', Number)
    .description("write the trained model; it takes the raw output of the study's SELECT")
    .action(async (file: string, flags: { run?: number }, command: Command) => {
      const shell = new Shell(command);
      const api = shell.api();
      const bytes = await api.bytes(`/v1/runs/${await newest(api, flags.run)}/model`);
      await writeFile(file, bytes);
      shell.print({ file: resolve(file), sizeBytes: bytes.length }, [`wrote ${file} · ${bytes.length} bytes`]);
    });
}
