/** Main module of the data child: one order, one answer. It holds one database in memory and ends with its parent. */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { concat } from '../common/index.ts';
import { serveParent } from '../sandbox/index.ts';
import type { LoadedHeader, LoadHeader } from './child-messages.ts';
import { type Collected, collect, onlyProblems } from './collect.ts';
import { databaseSettings } from './database.ts';
import { loadTable } from './load-tables.ts';
import type { DatasetProblem, FileReport } from './report.ts';
import { checkOneStatement, lockDoors, runSelect, whileRowsAreRead } from './select.ts';

async function work(
  connection: DuckDBConnection,
  { tables, sql, terms }: LoadHeader,
): Promise<{ readonly files: readonly FileReport[]; readonly collected: Collected }> {
  await checkOneStatement(connection, sql);
  const files: FileReport[] = [];
  const problems: DatasetProblem[] = [];
  for (const { table, paths } of tables) {
    const loaded = await loadTable(connection, table, paths);
    files.push(...loaded.files);
    problems.push(...loaded.problems);
  }
  await lockDoors(connection);
  const collected = problems.length > 0 ? onlyProblems(problems) : await whileRowsAreRead(sql, async () => collect(await runSelect(connection, sql), terms));
  return { files, collected };
}

serveParent({
  load: async (header) => {
    const instance = await DuckDBInstance.create(':memory:', databaseSettings);
    const connection = await instance.connect();
    // The parent is the same code in the same version: the header is a LoadHeader.
    const { files, collected } = await work(connection, header as LoadHeader);
    const { features, labels, split, report } = collected;
    const parts =
      report.problems.length > 0 ? [] : [features, labels, split].map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
    const [a = 0, b = 0, c = 0] = parts.map(({ length }) => length);
    const answer: LoadedHeader = { report: { files, ...report }, bytes: [a, b, c] };
    return { header: answer, body: concat(...parts) };
  },
});
