import { resolve } from 'node:path';
import type { Command } from 'commander';
import { plain, Shell } from '../shell.ts';

interface Report {
  readonly rows: number;
  readonly dropped: readonly { readonly reason: string; readonly count: number }[];
  readonly problems: readonly { readonly code?: string; readonly place?: string; readonly found?: string; readonly allowed?: string }[];
}

/** `TABLE=PATH` or `PATH`, with the path made absolute: the peer may run in another folder. */
function absolute(file: string): string {
  const [, table, path] = /^([A-Za-z_][A-Za-z0-9_]*)=(.+)$/s.exec(file) ?? [];
  return path === undefined ? resolve(file) : `${table}=${resolve(path)}`;
}

/** `dataset bind`, `dataset check`, `dataset list`. */
export function addDataCommands(program: Command): void {
  const dataset = program.command('dataset').description("this member's own data; rows never leave");
  dataset
    .command('bind')
    .argument('<name>', 'a name of your own')
    .argument('<files...>', 'CSV files, as PATH or TABLE=PATH')
    .description('tie a name to local files; binding again takes their new content')
    .addHelpText('after', '\nExample:\n  schwarm dataset bind heart patients=./patients.csv\n')
    .action(async (name: string, files: readonly string[], _flags: object, command: Command) => {
      const shell = new Shell(command);
      const binding = await shell.api().send<{ dataVersion: string }>('PUT', `/v1/datasets/${encodeURIComponent(name)}`, { files: files.map(absolute) });
      shell.print(binding, [`bound ${name} · version ${binding.dataVersion.slice(0, 12)}`]);
      shell.next(`check it against a study with \`schwarm dataset check ${name} STUDY\``);
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
      const problems = report.problems.map((problem) => `problem: ${plain([problem.place, problem.found, problem.allowed].filter(Boolean).join(' · '))}`);
      shell.print(report, [`${report.rows} rows fit the study`, ...dropped, ...problems]);
      if (report.problems.length > 0) process.exitCode = 5;
    });
  dataset
    .command('list')
    .description('bound data sets')
    .action(async (_flags: object, command: Command) => {
      const shell = new Shell(command);
      const document = await shell.api().get<{ dataSets: readonly { name: string; dataVersion: string; files: readonly unknown[] }[] }>('/v1/datasets');
      shell.print(
        document,
        document.dataSets.map(({ name, dataVersion, files }) => `${name} · ${files.length} files · version ${dataVersion.slice(0, 12)}`),
      );
    });
}
