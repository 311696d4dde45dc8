/** Main module of the data child: one order, one answer. It holds one database, in memory or in its own folder, and ends with its parent. */
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { concat } from '../common/index.ts';
import { serveParent } from '../sandbox/index.ts';
import type { LoadedHeader, LoadHeader } from './child-messages.ts';
import { collect, onlyProblems } from './collect.ts';
import { collectRecords, onlyRecordProblems } from './collect-records.ts';
import { openDatabase, openFileDatabase, settleDatabase } from './database.ts';
import { fitsIntoMemory } from './expected-size.ts';
import { loadTable } from './load-tables.ts';
import type { DatasetProblem, FileReport, QualityReport } from './report.ts';
import { checkOneStatement, lockDoors, runSelect, whileRowsAreRead } from './select.ts';

/** What an order gave: its report, and the arrays of its rows. */
interface Work {
  readonly report: QualityReport;
  readonly arrays: readonly ArrayBufferView[];
}

async function work(connection: DuckDBConnection, { tables, sql, terms }: LoadHeader, settle: (connection: DuckDBConnection) => Promise<void>): Promise<Work> {
  await checkOneStatement(connection, sql);
  const files: FileReport[] = [];
  const problems: DatasetProblem[] = [];
  for (const { table, files: toLoad } of tables) {
    const loaded = await loadTable(connection, table, toLoad);
    files.push(...loaded.files);
    problems.push(...loaded.problems);
  }
  await settle(connection);
  await lockDoors(connection);
  const select = async <T>(read: (result: DuckDBResult) => Promise<T>): Promise<T> => whileRowsAreRead(sql, async () => read(await runSelect(connection, sql)));
  if ('unit' in terms) {
    const collected = problems.length > 0 ? onlyRecordProblems(problems) : await select((result) => collectRecords(result, terms));
    const { positions, units, values, unitKeys, report } = collected;
    return { report: { files, ...report }, arrays: [positions, units, values, unitKeys] };
  }
  const collected = problems.length > 0 ? onlyProblems(problems) : await select((result) => collect(result, terms));
  const { features, labels, split, report } = collected;
  return { report: { files, ...report }, arrays: [features, labels, split] };
}

/** Loads and asks in memory where the tables fit there, or else in a file of this process's own folder. */
async function workFor(order: LoadHeader): ReturnType<typeof work> {
  if (await fitsIntoMemory(order.tables)) return await work(await openDatabase(), order, async () => undefined);
  return await work(await openFileDatabase(process.cwd(), { spills: false }), order, settleDatabase);
}

serveParent({
  load: async (header) => {
    // The parent is the same code in the same version: the header is a LoadHeader.
    const { report, arrays } = await workFor(header as LoadHeader);
    const parts = report.problems.length > 0 ? [] : arrays.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
    const answer: LoadedHeader = { report, bytes: parts.map(({ length }) => length) };
    return { header: answer, body: concat(...parts) };
  },
});
