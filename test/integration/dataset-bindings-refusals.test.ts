/** What a binding refuses: files that are none, damaged or hostile ones, and a binding file with mistakes in it. Each ends in one error with a code, and nothing is left behind. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { writeXlsx } from 'hucre/xlsx';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkStamps, stampsOf } from '../../src/dataset/binding.ts';
import { Site, saidBy, writeParquet } from '../support/bindings.ts';

let site: Site;
let kept: readonly string[];
let temporary: string;
const usual = process.env['TMPDIR'];

beforeAll(async () => {
  site = await Site.create();
  temporary = join(site.folder, 'temporary');
  mkdirSync(temporary);
  // Children have their folders in a place where nobody else has.
  process.env['TMPDIR'] = temporary;
  chmodSync(site.folder, 0o755);
});
afterAll(() => {
  if (usual === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = usual;
  site[Symbol.dispose]();
});
beforeEach(() => {
  kept = site.kept();
});
afterEach(() => {
  expect(site.kept()).toEqual(kept);
  expect(readdirSync(temporary)).toEqual([]);
});

const table = (source: string, more = '') => `[[table]]\nname = "patients"\nsource = { ${source} }\n${more}`;
const csv = 'patient_id,age,systolic,smoker,seen,outcome\na,50,120,,,0\nb,51,121,,,1\n';

describe('files that are none', () => {
  const cases: readonly (readonly [what: string, make: (path: string) => void, says: RegExp])[] = [
    ['a link that leads nowhere', (path) => symlinkSync('nowhere', path), /does not exist/],
    ['a link to itself', (path) => symlinkSync(path, path), /a link that leads nowhere/],
    ['a pipe that nobody writes into', (path) => execFileSync('mkfifo', [path]), /not a regular file/],
    ['a folder', (path) => mkdirSync(path), /not a regular file/],
    ['a device', (path) => symlinkSync('/dev/zero', path), /not a regular file/],
  ];

  test.each(cases)('%s is refused by name and in a binding file', async (_what, make, says) => {
    for (const extension of ['csv', 'parquet', 'sqlite', 'xlsx']) {
      const path = join(site.folder, `none.${extension}`);
      rmSync(path, { recursive: true, force: true });
      make(path);
      const kind = { csv: 'csv', parquet: 'parquet', sqlite: 'sqlite', xlsx: 'excel' }[extension];
      const more = extension === 'sqlite' ? ', table = "t"' : extension === 'csv' ? ', encoding = "windows-1252"' : '';
      expect(await saidBy(site.bind(table(`kind = "${kind}", path = "none.${extension}"${more}`)))).toMatchObject({
        code: 'DATASET_UNREADABLE_FILE',
        message: expect.stringMatching(says),
      });
      if (extension === 'csv' || extension === 'parquet')
        expect(await saidBy(site.bindFiles(path))).toMatchObject({ code: 'DATASET_UNREADABLE_FILE', message: expect.stringMatching(says) });
      rmSync(path, { recursive: true, force: true });
    }
  });

  test('a link to a file is that file', async () => {
    const path = join(site.folder, 'linked.csv');
    symlinkSync(site.file('target.csv', csv), path);
    const binding = await site.bindFiles(path);
    site.file('target.csv', csv.replace('51', '52'));
    expect(await saidBy(site.load(binding))).toMatchObject({ code: 'DATASET_CHANGED', message: expect.stringMatching(/linked\.csv/) });
  });

  test('a file that is written to while it is read, even with what it held before', async () => {
    const path = site.file('busy.csv', csv);
    const binding = await site.bindFiles(path);
    const stamps = await stampsOf(binding);
    await checkStamps(binding, stamps);
    site.file('busy.csv', csv);
    expect(await saidBy(checkStamps(binding, stamps))).toMatchObject({ code: 'DATASET_CHANGED', message: expect.stringMatching(/busy\.csv/) });
  });

  test('a file that this user may not read', () => {
    const path = site.file('secret.csv', csv);
    chmodSync(path, 0o000);
    const program = `import { bindDataset } from ${JSON.stringify(new URL('../../src/dataset/index.ts', import.meta.url).href)};
      bindDataset('a', [${JSON.stringify(path)}], { signal: new AbortController().signal }).then(() => console.log('bound'), (error) => console.log(error.code, error.message));`;
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      ...user,
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/DATASET_UNREADABLE_FILE .*secret\.csv cannot be read: this user may not read it/);
  });

  test('a kind that needs a binding file, a binding file among others, one without a peer', async () => {
    for (const files of [[site.file('a.xlsx', 'x')], [site.file('a.toml', ''), site.file('b.csv', csv)], [`patients=${site.file('a.toml', '')}`]])
      expect(await saidBy(site.bindFiles(...files))).toMatchObject({ code: 'DATASET_BAD_BINDING', message: expect.stringMatching(/binding file/) });
  });
});

describe('damaged files', () => {
  test('Parquet that is cut short, or damaged within', async () => {
    const path = await writeParquet(
      join(site.folder, 'whole.parquet'),
      "SELECT 'canary' || range AS patient_id, 50 AS age, 120 AS systolic, true AS smoker, NULL AS seen, 1 AS outcome FROM range(5000)",
    );
    const bytes = readFileSync(path);
    const cut = site.file('cut.parquet', bytes.subarray(0, bytes.length - 100));
    expect(await saidBy(site.bindFiles(cut))).toMatchObject({ code: 'DATASET_UNREADABLE_FILE', message: expect.stringMatching(/cut short/) });
    for (const at of [100, bytes.length - 30]) {
      const spoiled = Buffer.from(bytes);
      for (let byte = at; byte < at + 20; byte++) spoiled[byte] = 255;
      const binding = await site.bindFiles(site.file('spoiled.parquet', spoiled));
      const said = await saidBy(site.load(binding));
      expect(said).toMatchObject({ code: 'DATASET_UNREADABLE_FILE', message: expect.stringMatching(/spoiled\.parquet cannot be read: it is a damaged/) });
      expect(said.message).not.toContain('canary');
    }
  });

  test('SQLite that is none, damaged, empty, without the table, or with binary data', async () => {
    const refused = async (name: string, content: string | Uint8Array, says: RegExp, more = 'table = "t"') => {
      site.file(name, content);
      expect(await saidBy(site.bind(table(`kind = "sqlite", path = "${name}", ${more}`)))).toMatchObject({
        code: 'DATASET_SOURCE_FAILED',
        message: expect.stringMatching(says),
      });
    };
    await refused('noise.sqlite', 'no database at all, canary'.repeat(100), /no SQLite database/);
    await refused('empty.sqlite', '', /no such table: t/);
    const path = join(site.folder, 'good.sqlite');
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE t (a, b); INSERT INTO t VALUES ('canary', x'00ff')");
    database.exec(
      `INSERT INTO t SELECT 'canary' || value, 1 FROM (${Array.from({ length: 10 }, (_, at) => `SELECT ${at} AS value`).join(' UNION ALL ')}), (SELECT 1 UNION ALL SELECT 2)`,
    );
    database.close();
    await refused('blob.sqlite', readFileSync(path), /column "b" holds binary data/);
    await refused('writes.sqlite', readFileSync(path), /writes|no columns/, 'query = "DELETE FROM t"');
    await refused('returning.sqlite', readFileSync(path), /writes/, 'query = "DELETE FROM t RETURNING a"');
    await refused('two.sqlite', readFileSync(path), /several statements/, 'query = "SELECT a FROM t; DELETE FROM t"');
    await refused('attach.sqlite', readFileSync(path), /no columns|writes/, `query = "ATTACH 'x.sqlite' AS x"`);
    await refused('function.sqlite', readFileSync(path), /./, `query = "SELECT load_extension('x')"`);
    const bytes = readFileSync(path);
    bytes.fill(255, 4096, 4200);
    await refused('damaged.sqlite', bytes, /damaged|SQLite error/);
  });

  test('SQLite with a view that never ends is ended with the bind, one with a trigger changes nothing', async () => {
    const path = join(site.folder, 'hostile.sqlite');
    const database = new DatabaseSync(path);
    database.exec(
      'CREATE TABLE t (a); CREATE TABLE log (x); CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END; INSERT INTO t VALUES (1); CREATE VIEW endless AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) AS c FROM n',
    );
    database.close();
    const content = readFileSync(path);
    const stop = new AbortController();
    const bound = saidBy(site.bind(table('kind = "sqlite", path = "hostile.sqlite", table = "endless"'), stop.signal));
    setTimeout(() => stop.abort(), 1_500);
    expect(await bound).toMatchObject({ code: 'COMMON_CANCELLED' });
    expect(readFileSync(path)).toEqual(content);
  });
});

describe('workbooks', () => {
  const refused = async (name: string, content: Uint8Array | string, says: RegExp, more = '') => {
    site.file(name, content);
    expect(await saidBy(site.bind(table(`kind = "excel", path = "${name}"${more}`)))).toMatchObject({
      code: expect.stringMatching(/DATASET_(SOURCE_FAILED|PROCESS_LOST)/),
      message: expect.stringMatching(says),
    });
  };

  test('one that is none, cut short, without the sheet or the header, and one of the old kind', async () => {
    const good = await writeXlsx({ sheets: [{ name: 'x', rows: [['a'], ['b']] }] });
    await refused('noise.xlsx', 'canary', /no \.xlsx workbook/);
    await refused('cut.xlsx', good.subarray(0, good.length - 50), /no \.xlsx workbook/);
    await refused('sheet.xlsx', good, /no sheet y/, ', sheet = "y"');
    await refused('header.xlsx', good, /nothing from row 3/, ', header = 3');
    await refused('old.xlsx', Buffer.from('d0cf11e0a1b11ae1', 'hex'), /no \.xlsx workbook/);
  });

  /** A workbook whose part `name` is replaced by other bytes; what it says of their size may be a lie. */
  function bomb(good: Uint8Array, name: string, unpacked: Uint8Array, saidSize: number): Uint8Array {
    const bytes = Buffer.from(good);
    const packed = deflateRawSync(unpacked);
    const directoryAt = bytes.readUInt32LE(bytes.length - 22 + 16);
    const entries: { readonly local: number; readonly central: Buffer; readonly name: string }[] = [];
    for (let at = directoryAt; bytes.readUInt32LE(at) === 0x02014b50; ) {
      const length = 46 + bytes.readUInt16LE(at + 28) + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
      entries.push({
        local: bytes.readUInt32LE(at + 42),
        central: bytes.subarray(at, at + length),
        name: bytes.subarray(at + 46, at + 46 + bytes.readUInt16LE(at + 28)).toString(),
      });
      at += length;
    }
    const entry = entries.find((one) => one.name === name);
    if (entry === undefined) throw new Error(`no ${name}`);
    const central = Buffer.from(entry.central);
    const header = Buffer.from(bytes.subarray(entry.local, entry.local + 30 + bytes.readUInt16LE(entry.local + 26)));
    header.writeUInt16LE(0, 28);
    for (const [part, at] of [
      [header, 18],
      [central, 20],
    ] as const) {
      part.writeUInt32LE(packed.length, at);
      part.writeUInt32LE(saidSize, at + 4);
    }
    header.writeUInt16LE(8, 8);
    central.writeUInt16LE(8, 10);
    central.writeUInt32LE(directoryAt, 42);
    const directory = Buffer.concat(entries.map((one) => (one === entry ? central : one.central)));
    const body = Buffer.concat([bytes.subarray(0, directoryAt), header, packed]);
    const end = Buffer.from(bytes.subarray(bytes.length - 22));
    end.writeUInt32LE(directory.length, 12);
    end.writeUInt32LE(body.length, 16);
    return Buffer.concat([body, directory, end]);
  }

  test('a bomb ends at a limit, whatever it says of its size', async () => {
    const good = await writeXlsx({ sheets: [{ name: 'x', rows: [['a'], ['text']] }] });
    const zeros = Buffer.alloc(300_000_000, 32);
    const sheet = 'xl/worksheets/sheet1.xml';
    await refused('honest.xlsx', bomb(good, sheet, zeros, 2_000_000_000), /would unpack to 20\d+ bytes/);
    await refused('lying.xlsx', bomb(good, sheet, zeros, 1_000), /damaged workbook/);
    await refused('silent.xlsx', bomb(good, sheet, zeros, 0), /damaged/);
    await refused('strings.xlsx', bomb(good, 'xl/sharedStrings.xml', zeros, 1_000), /damaged workbook/);
    const wide = Buffer.from(
      '<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="ZZZZZ1"><v>1</v></c></row></sheetData></worksheet>',
    );
    await refused('wide.xlsx', bomb(good, sheet, wide, wide.length), /damaged workbook/);
  });
});

describe('a binding file with mistakes', () => {
  test('every problem at once, with place, what was found and what is allowed', async () => {
    const said = await saidBy(
      site.bind(`
unknown = 1
[[table]]
name = "1st"
source = { kind = "csv", path = "a.csv", encoding = "latin-9", dateFormat = "tt.mm.jjjj", decimal = ";" }
[[table]]
name = "b"
source = { kind = "oracle", path = "a" }
[[table]]
name = "c"
source = { kind = "excel", path = "a.xlsx", sheet = 0, range = "A1" }
consent = { column = "x", values = [] }
`),
    );
    expect(said.code).toBe('DATASET_BINDING_INVALID');
    for (const [place, allowed] of [
      ['unknown', 'only the keys of format schwarm.binding/1'],
      ['table[1].name', 'a name of letters'],
      ['table[1].source.encoding', '"windows-1252"'],
      ['table[1].source.dateFormat', 'as "dd.mm.yyyy"'],
      ['table[1].source.decimal', '","'],
      ['table[2].source', ''],
      ['table[3].source.sheet', ''],
      ['table[3].source.range', 'a range as "B2:F200"'],
      ['table[3].consent.values', '1'],
    ] as const) {
      const line = said.message.split('\n').find((one) => one.trim().startsWith(`${place}:`) || one.trim().startsWith(`${place}.`));
      expect(line, `${place} in ${said.message}`).toContain(allowed);
    }
  });

  test.each([
    [
      'a password in an address',
      'kind = "postgres", url = "postgres://a:canary@h/d", table = "t"',
      /table\[1\]\.source\.url: found an address with a password; allowed: .*passwordFile/,
    ],
    ['an option in an address', 'kind = "postgres", url = "postgres://a@h/d?sslmode=disable", table = "t"', /found the option "sslmode"/],
    ['no database', 'kind = "postgres", url = "postgres://a@h", table = "t"', /without user or database/],
    ['another scheme', 'kind = "postgres", url = "mysql://a@h/d", table = "t"', /no address of PostgreSQL/],
    ['table and query', 'kind = "sqlite", path = "x", table = "t", query = "SELECT 1"', /found table and query; allowed: one of/],
    ['neither', 'kind = "sqlite", path = "x"', /found neither table nor query/],
    ['one sign for two', 'kind = "csv", path = "x", decimal = ",", thousands = ","', /thousands: found ","; allowed: another sign/],
    ['a point between thousands beside a decimal point', 'kind = "csv", path = "x", thousands = "."', /thousands: found "\."/],
    ['a word for both', 'kind = "csv", path = "x", trueWords = ["Ja"], falseWords = ["ja"]', /falseWords: found "Ja", which is in trueWords/],
    ['types without sql', 'kind = "csv", path = "x", types = { a = "date" }', /types: found types without sql/],
  ])('%s', async (_what, source, says) => {
    const said = await saidBy(site.bind(table(source)));
    expect(said).toMatchObject({ code: 'DATASET_BINDING_INVALID', message: expect.stringMatching(says) });
    expect(said.message).not.toContain('canary');
  });

  test('two tables of one name, several sources without a SELECT, no TOML', async () => {
    const one = table('kind = "csv", path = "x"');
    expect(await saidBy(site.bind(one + one.replace('patients', 'PATIENTS')))).toMatchObject({
      message: expect.stringMatching(/table: found "patients" twice/),
    });
    expect(
      await saidBy(site.bind('[[table]]\nname = "a"\n[[table.source]]\nkind = "csv"\npath = "x"\n[[table.source]]\nkind = "csv"\npath = "y"\n')),
    ).toMatchObject({
      message: expect.stringMatching(/table\[1\]\.sql: found nothing; allowed: a SELECT(?:.|\n)*table\[1\]\.source: found "source" twice/),
    });
    expect(await saidBy(site.bind('[[table]\n'))).toMatchObject({ code: 'DATASET_BAD_TOML', message: expect.stringMatching(/line 2/) });
    writeFileSync(join(site.folder, 'big.toml'), '#'.repeat(300_000));
    expect(await saidBy(site.bindFiles(join(site.folder, 'big.toml')))).toMatchObject({ code: 'DATASET_TOO_LARGE' });
  });
});
