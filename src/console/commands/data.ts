import { resolve } from 'node:path';
import type { Command } from 'commander';
import { readRecord, writeDummyData } from '../../peer/index.ts';
import { plain, Shell } from '../shell.ts';

interface Bound {
  readonly name: string;
  readonly dataVersion: string;
  readonly files: readonly { readonly table?: string; readonly path: string; readonly origin?: string; readonly leftOut?: number }[];
}

interface Report {
  readonly rows: number;
  readonly dropped: readonly { readonly reason: string; readonly count: number }[];
  readonly problems: readonly {
    readonly place: string;
    readonly column: string;
    readonly found: string;
    readonly allowed: string;
    readonly line?: number;
    readonly row?: number;
  }[];
}

/** What was taken from another source than a plain file. */
function snapshotLines({ files }: Bound): readonly string[] {
  return files
    .filter(({ origin }) => origin !== undefined)
    .map(({ table, origin, leftOut = 0 }) => plain(`${table} from ${origin}${leftOut === 0 ? '' : ` · ${leftOut} rows without consent left out`}`));
}

function problemLine({ place, column, found, allowed, line, row }: Report['problems'][number]): string {
  const first = line === undefined ? (row === undefined ? [] : [`first in row ${row}`]) : [`first in line ${line}`];
  return `problem: ${plain([place, column, found, ...first, allowed].join(' · '))}`;
}

/** `TABLE=PATH` or `PATH`, with the path made absolute: the peer may run in another folder. */
function absolute(file: string): string {
  const [, table, path] = /^([A-Za-z_][A-Za-z0-9_]*)=(.+)$/s.exec(file) ?? [];
  return path === undefined ? resolve(file) : `${table}=${resolve(path)}`;
}

/** `dataset bind`, `dummy`, `check`, `list`. */
export function addDataCommands(program: Command): void {
  const dataset = program.command('dataset').description("this member's own data; rows never leave");
  dataset
    .command('bind')
    .argument('<name>', 'a name of your own')
    .argument('<files...>', 'CSV or Parquet files, as PATH or TABLE=PATH; or one binding file (.toml) for any other source')
    .description('tie a name to local data; binding again takes its new content')
    .addHelpText('after', '\nExample:\n  schwarm dataset bind heart patients=./patients.csv\n  schwarm dataset bind heart ./binding.toml\n')
    .action(async (name: string, files: readonly string[], _flags: object, command: Command) => {
      const shell = new Shell(command);
      const binding = await shell.api().send<Bound>('PUT', `/v1/datasets/${encodeURIComponent(name)}`, { files: files.map(absolute) });
      shell.print(binding, [`bound ${name} · version ${binding.dataVersion.slice(0, 12)}`, ...snapshotLines(binding)]);
      shell.next(`check it against a study with \`schwarm dataset check ${name} STUDY\``);
    });
  dataset
    .command('dummy')
    .argument('<record>', 'a record.toml')
    .requiredOption('--out <folder>', 'a folder that does not exist yet')
    .option('--rows <number>', 'rows of each table', Number, 500)
    .option('--seed <number>', 'another seed gives other rows', Number, 1)
    .description('write made-up rows that fit a record: from the record alone, the same on every machine')
    .addHelpText('after', '\nExample:\n  schwarm dataset dummy record.toml --out dummy --rows 500\n')
    .action(async (file: string, flags: { out: string; rows: number; seed: number }, command: Command) => {
      const shell = new Shell(command);
      const record = await readRecord(resolve(file));
      const files = await writeDummyData(record, resolve(flags.out), flags);
      shell.print({ record: record.name, folder: resolve(flags.out), files }, [`wrote ${files.join(', ')} to ${flags.out} · ${flags.rows} made-up rows each`]);
      shell.next(`bind them like real ones: \`schwarm dataset bind ${record.name} ${flags.out}/*.csv\``);
    });
  dataset
    .command('check')
    .argument('<name>', 'name of the data set')
    .argument('<study>', 'id of a study, or its first digits')
    .description('run a study over the data set here and report types, ranges and missing values, in numbers')
    .action(async (name: string, study: string, _flags: object, command: Command) => {
      const shell = new Shell(command);
      const { report } = await shell.api().send<{ report: Report }>('POST', `/v1/datasets/${encodeURIComponent(name)}/check`, { study });
      const dropped = report.dropped.map(({ reason, count }) => `left out: ${count} rows (${plain(reason)})`);
      shell.print(report, [`${report.rows} rows fit the study`, ...dropped, ...report.problems.map(problemLine)]);
      if (report.problems.length > 0) process.exitCode = 5;
    });
  dataset
    .command('list')
    .description('bound data sets')
    .action(async (_flags: object, command: Command) => {
      const shell = new Shell(command);
      const document = await shell.api().get<{ dataSets: readonly Bound[] }>('/v1/datasets');
      shell.print(
        document,
        document.dataSets.flatMap((bound) => [
          `${bound.name} · ${bound.files.length} files · version ${bound.dataVersion.slice(0, 12)}`,
          ...snapshotLines(bound).map((line) => `  ${line}`),
        ]),
      );
    });
}
