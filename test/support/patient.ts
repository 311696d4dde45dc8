/** One patient whose resource has everything that paths are tried on, another resource beside it, and a view of one cell over them. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { compileView } from '../../src/dataset/index.ts';
import { resourceTable, rowsOf } from './resources.ts';

/** Two resources as a JSON list. */
export const patients = JSON.stringify([
  {
    resourceType: 'Patient',
    id: 'a',
    active: true,
    birthDate: '1980-02',
    deceasedDateTime: '2024-03-01T10:00:00+02:00',
    multipleBirthInteger: 2,
    name: [
      { use: 'official', family: 'Groß', given: ['Ä', null, 'B'], period: { start: '2001-01-01' } },
      { family: "O'Neil; DROP TABLE resources; --", given: ['"', '\\'] },
    ],
    identifier: [
      { system: 's', value: '1' },
      { system: 't', value: '2' },
    ],
    extension: [
      { url: `it's "so"`, valueDecimal: 0.1 },
      { url: 'u', valueString: '[1]' },
    ],
    managingOrganization: { reference: 'https://x.example/fhir/Organization/o1/_history/3' },
    generalPractitioner: [
      { reference: 'Practitioner/p1' },
      { reference: 'urn:uuid:1' },
      { reference: '#c' },
      { reference: 'Organization/o2' },
      { display: 'nobody' },
    ],
    contained: [
      { resourceType: 'Organization', id: 'o', name: 'Org' },
      { resourceType: 'Patient', id: 'p' },
    ],
    count: 7,
    nothing: null,
  },
  { resourceType: 'Observation', id: 'o', status: 'final', active: 'not a boolean' },
]);

/** A view of patients with these columns. */
export const withColumns = (column: readonly object[], more: object = {}) => ({ resource: 'Patient', select: [{ column }], ...more });

/** The cell that a path gives over `connection`, where the resources are. */
export async function cellIn(connection: DuckDBConnection, path: string, change: object = {}, more: object = {}): Promise<unknown> {
  const compiled = compileView(withColumns([{ name: 'x', path, ...change }], more), resourceTable);
  return (await rowsOf(connection, compiled))[0]?.['x'];
}
