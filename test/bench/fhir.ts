/** `npm run bench -- fhir`: 100,000 laboratory Observations as bulk NDJSON, through a ViewDefinition and a pivot, to a table of 25,000 patients. Processor time, and a hand-written SELECT beside it. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../../deploy/demo/result.ts';
import { seededChance } from '../../src/common/index.ts';
import { openDatabase } from '../../src/dataset/database.ts';
import { compileView } from '../../src/dataset/index.ts';
import { quotedText } from '../../src/dataset/sql.ts';

const patients = 25_000;
const labs = [
  { code: '2160-0', name: 'Creatinine [Mass/volume] in Serum or Plasma', unit: 'mg/dL', from: 0.4, to: 4 },
  { code: '718-7', name: 'Hemoglobin [Mass/volume] in Blood', unit: 'g/dL', from: 7, to: 18 },
  { code: '2951-2', name: 'Sodium [Moles/volume] in Serum or Plasma', unit: 'mmol/L', from: 120, to: 155 },
  { code: '1988-5', name: 'C reactive protein [Mass/volume] in Serum or Plasma', unit: 'mg/L', from: 0, to: 300 },
] as const;

/** What a laboratory view needs: the patient's key, the LOINC code among others, when, and how much. */
const view = {
  resource: 'Observation',
  where: [{ path: "status = 'final'" }],
  select: [
    {
      column: [
        { name: 'id', path: 'getResourceKey()' },
        { name: 'patient', path: 'subject.getReferenceKey(Patient)' },
        { name: 'loinc', path: "code.coding.where(system = 'http://loinc.org').code.first()", type: 'code' },
        { name: 'effective', path: 'effective.ofType(dateTime)', type: 'dateTime' },
        { name: 'value', path: 'value.ofType(Quantity).value', type: 'decimal' },
        { name: 'unit', path: 'value.ofType(Quantity).code', type: 'code' },
      ],
    },
  ],
};

/** The same rows where somebody knows which elements are lists: the least that reading can cost, and right for these files only. */
const byHand = (path: string): string =>
  `SELECT 'Observation/' || id AS id, subject.reference AS patient, list_filter(code.coding, lambda c: c.system = 'http://loinc.org')[1].code AS loinc, ` +
  `effectiveDateTime AS effective, valueQuantity.value AS value, valueQuantity.code AS unit FROM read_json(${quotedText(path)}, format = 'newline_delimited', ` +
  `columns = {resourceType: 'VARCHAR', id: 'VARCHAR', status: 'VARCHAR', code: 'STRUCT(coding STRUCT(system VARCHAR, code VARCHAR)[])', subject: 'STRUCT(reference VARCHAR)', ` +
  `effectiveDateTime: 'VARCHAR', valueQuantity: 'STRUCT(value DOUBLE, code VARCHAR)'}) WHERE resourceType = 'Observation' AND status = 'final'`;

/** One row a patient: the latest value of each laboratory code. */
const pivot = (rows: string): string =>
  `SELECT patient, ${labs.map(({ code }) => `arg_max(value, effective) FILTER (loinc = ${quotedText(code)}) AS ${`"${code}"`}`).join(', ')} FROM (${rows}) GROUP BY patient ORDER BY patient`;

function observations(): string {
  const chance = seededChance('bench fhir', 1);
  const share = () => chance.word() / 2 ** 32;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const lines = Array.from({ length: patients * labs.length }, (_, at) => {
    const lab = labs[at % labs.length] ?? labs[0];
    return JSON.stringify({
      resourceType: 'Observation',
      id: `observation-${at}`,
      meta: { profile: ['https://www.medizininformatik-initiative.de/fhir/core/modul-labor/StructureDefinition/ObservationLab'] },
      status: share() < 0.98 ? 'final' : 'preliminary',
      category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }],
      code: {
        coding: [
          { system: 'urn:local', code: `L${at % labs.length}` },
          { system: 'http://loinc.org', code: lab.code, display: lab.name },
        ],
      },
      subject: { reference: `Patient/patient-${Math.floor(at / labs.length)}` },
      effectiveDateTime: `2024-${two(1 + 12 * share())}-${two(1 + 28 * share())}T${two(24 * share())}:${two(60 * share())}:00+01:00`,
      valueQuantity: {
        value: Math.round(100 * (lab.from + (lab.to - lab.from) * share())) / 100,
        unit: lab.unit,
        system: 'http://unitsofmeasure.org',
        code: lab.unit,
      },
    });
  });
  return `${lines.join('\n')}\n`;
}

function row(name: string, value: string): void {
  process.stdout.write(`| ${name.padEnd(86)} | ${value.padStart(22)} |\n`);
}

/** Processor seconds of the view and of the hand-written SELECT, in turns; both must give the same table. */
export async function fhirFigures(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'schwarm-bench-'));
  try {
    const path = join(folder, 'Observation.ndjson');
    writeFileSync(path, observations());
    const connection = await openDatabase();
    const works = { view: () => pivot(compileView(view, { kind: 'files', paths: [path] }).sql), hand: () => pivot(byHand(path)) };
    const seconds = { view: [] as number[], hand: [] as number[] };
    const tables = { view: '', hand: '' };
    for (let pass = 0; pass < 7; pass++)
      for (const way of ['view', 'hand'] as const) {
        const before = process.cpuUsage();
        const result = await connection.runAndReadAll(works[way]());
        const { user, system } = process.cpuUsage(before);
        seconds[way].push((user + system) / 1e6);
        tables[way] = JSON.stringify(result.getRowsJson());
      }
    row('fhir: Observations; megabytes of NDJSON', `${patients * labs.length}; ${(statSync(path).size / 1e6).toFixed(1)}`);
    row('fhir: rows of the patient table; equal to the hand-written one', `${JSON.parse(tables.view).length}; ${tables.view === tables.hand}`);
    row(
      'fhir: processor seconds, view and pivot: median, worst of 7 (goal 0.5)',
      `${median(seconds.view).toFixed(2)}, ${Math.max(...seconds.view).toFixed(2)}`,
    );
    row(
      'fhir: processor seconds, SELECT written for these files: median, worst of 7',
      `${median(seconds.hand).toFixed(2)}, ${Math.max(...seconds.hand).toFixed(2)}`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
