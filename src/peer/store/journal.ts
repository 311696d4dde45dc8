/**
 * The journal: one SQLite file that says what happened, in order, before anything is done about it.
 * Opened in exclusive mode, so a second peer on the same home is refused, and a killed one leaves no lock behind.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Account, type Digest, digestOf, utf8 } from '../../common/index.ts';
import type { LedgerCursor, LedgerEvent } from '../../ledger/index.ts';
import type { Input } from '../../round/index.ts';
import type { RoundKey } from '../../wire/index.ts';
import { peerErrors } from '../errors.ts';
import { storeError } from './files.ts';

/** Schema changes in order; `PRAGMA user_version` counts how many were made. */
const migrations = [
  `CREATE TABLE events (id TEXT PRIMARY KEY, at INTEGER NOT NULL UNIQUE, event TEXT NOT NULL) STRICT;
   CREATE TABLE inputs (run INTEGER NOT NULL, round INTEGER NOT NULL, at INTEGER NOT NULL, input TEXT NOT NULL, PRIMARY KEY (run, round, at)) STRICT;
   CREATE TABLE notes (subject TEXT PRIMARY KEY, note TEXT NOT NULL) STRICT;`,
];

/** An input of a round's machine, in its place. */
export interface JournalInput extends RoundKey {
  readonly input: Input;
}

/** Everything that must be stored together. */
export interface JournalEntry {
  readonly events?: readonly LedgerEvent[];
  readonly cursor?: LedgerCursor;
  readonly inputs?: readonly JournalInput[];
}

/** The peer's durable memory of what happened. All calls are synchronous and synced to disk when they return. */
export class Journal implements Disposable {
  readonly #db: DatabaseSync;
  readonly #home: string;
  #eventCount: number;

  constructor(home: string) {
    this.#home = home;
    this.#db = new DatabaseSync(join(home, 'journal.sqlite'));
    try {
      this.#db.exec(
        'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; BEGIN IMMEDIATE; COMMIT',
      );
      this.#migrate();
    } catch (error) {
      this.#db.close();
      if (error instanceof Error && /locked|busy/.test(error.message)) throw peerErrors.PEER_HOME_IN_USE({ folder: home }, error);
      throw storeError(error, home, 'the journal');
    }
    this.#eventCount = Number(this.#db.prepare('SELECT count(*) AS n FROM events').get()?.['n'] ?? 0);
  }

  /** Stores an entry whole or not at all. Throws PEER_DISK_FULL or PEER_STORE_FAILED. */
  append(entry: JournalEntry): void {
    this.#transaction('what happened', () => {
      const insertEvent = this.#db.prepare('INSERT INTO events (id, at, event) VALUES (?, ?, ?)');
      for (const event of entry.events ?? []) insertEvent.run(event.id, this.#eventCount++, JSON.stringify(event));
      const insertInput = this.#db.prepare(
        'INSERT INTO inputs (run, round, at, input) SELECT ?, ?, coalesce(max(at), -1) + 1, ? FROM inputs WHERE run = ? AND round = ?',
      );
      for (const { run, round, input } of entry.inputs ?? []) insertInput.run(run, round, JSON.stringify(input), run, round);
      if (entry.cursor) this.#setNote('cursor', entry.cursor);
    });
  }

  /** All facts of the ledger that this peer has seen, in order. */
  events(): readonly LedgerEvent[] {
    return this.#db
      .prepare('SELECT event FROM events ORDER BY at')
      .all()
      .map((row) => JSON.parse(String(row['event'])));
  }

  /** Where the peer stands on the ledger. */
  cursor(): LedgerCursor | undefined {
    return this.note<LedgerCursor>('cursor');
  }

  /** The inputs of a round in order. */
  inputs({ run, round }: RoundKey): readonly Input[] {
    const rows = this.#db.prepare('SELECT input FROM inputs WHERE run = ? AND round = ? ORDER BY at').all(run, round);
    return rows.map((row) => JSON.parse(String(row['input'])));
  }

  /** Rounds of which inputs are stored. */
  rounds(): readonly RoundKey[] {
    return this.#db
      .prepare('SELECT DISTINCT run, round FROM inputs')
      .all()
      .map((row) => ({ run: Number(row['run']), round: Number(row['round']) }));
  }

  /** Forgets the inputs of a round that is over. */
  forgetRound({ run, round }: RoundKey): void {
    this.#transaction('the end of a round', () => this.#db.prepare('DELETE FROM inputs WHERE run = ? AND round = ?').run(run, round));
  }

  /** A value under a name of the peer's own: bindings, results, releases. */
  note<T>(subject: string): T | undefined {
    const row = this.#db.prepare('SELECT note FROM notes WHERE subject = ?').get(subject);
    return row === undefined ? undefined : JSON.parse(String(row['note']));
  }

  /** All values whose name begins with `prefix`, by name. */
  notes<T>(prefix: string): readonly { readonly subject: string; readonly note: T }[] {
    const rows = this.#db.prepare('SELECT subject, note FROM notes WHERE substr(subject, 1, ?) = ? ORDER BY subject').all(prefix.length, prefix);
    return rows.map((row) => ({ subject: String(row['subject']), note: JSON.parse(String(row['note'])) }));
  }

  /** Stores a value durably. */
  setNote(subject: string, note: unknown): void {
    this.#transaction('a note', () => this.#setNote(subject, note));
  }

  /** Remembers for good that a sum over `members` on a base was opened, or may have been (rule R6). Each list is stored once, however many bases it has. */
  addRelease(base: Digest, members: readonly Account[]): void {
    const known = this.note<readonly string[]>(`releases/${base}`) ?? [];
    const list = digestOf(utf8(members.join()));
    if (known.includes(list)) return;
    this.#transaction('a release', () => {
      this.#setNote(`list/${list}`, members);
      this.#setNote(`releases/${base}`, [...known, list]);
    });
  }

  /** The lists of members over which sums on a base were opened. */
  releases(base: Digest): readonly (readonly Account[])[] {
    return (this.note<readonly string[]>(`releases/${base}`) ?? []).flatMap((list) => [this.note<readonly Account[]>(`list/${list}`) ?? []]);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #setNote(subject: string, note: unknown): void {
    this.#db
      .prepare('INSERT INTO notes (subject, note) VALUES (?, ?) ON CONFLICT (subject) DO UPDATE SET note = excluded.note')
      .run(subject, JSON.stringify(note));
  }

  #transaction(what: string, work: () => void): void {
    try {
      this.#db.exec('BEGIN');
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw storeError(error, this.#home, what);
    }
  }

  #migrate(): void {
    const done = Number(this.#db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    for (const [at, migration] of migrations.entries()) {
      if (at >= done) this.#db.exec(`BEGIN; ${migration} PRAGMA user_version = ${at + 1}; COMMIT`);
    }
  }
}
