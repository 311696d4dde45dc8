/** FHIR resources in DuckDB, opened and locked as the data child does it. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { openDatabase } from '../../src/dataset/database.ts';
import type { CompiledView, ViewSource } from '../../src/dataset/index.ts';
import { lockDoors } from '../../src/dataset/select.ts';

/** Where `lockedResources` puts them. */
export const resourceTable: ViewSource = { kind: 'table', table: 'resources', column: 'resource' };

/** A locked database with the items of a JSON list in `resourceTable`. Text goes in as it is: parsing it here would turn 1.0 into 1. */
export async function lockedResources(list: string): Promise<DuckDBConnection> {
  const connection = await openDatabase();
  await connection.run('CREATE TABLE resources (resource JSON)');
  await connection.run(`INSERT INTO resources SELECT unnest(from_json($1::JSON, '["JSON"]'))`, [list]);
  await lockDoors(connection);
  return connection;
}

/** The rows of a view, as JSON shows them. */
export async function rowsOf(connection: DuckDBConnection, { sql }: CompiledView) {
  return (await connection.runAndReadAll(sql)).getRowObjectsJson();
}
