/**
 * The institution's own log of what people did at its console: one line of JSON an action, appended and synced, each with the hash of the line before.
 * A line that is changed or taken out breaks the chain; it stays at the institution and never travels.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, sha256, toHex, utf8 } from '../../common/index.ts';
import { peerErrors } from '../errors.ts';
import { readIfThere, storeError } from './files.ts';

/** One thing that somebody did. */
export interface Action {
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** Who, as far as the console knows: a named person, or `console` for whoever may read the home. */
  readonly person: string;
  readonly action: string;
  readonly detail: Readonly<Record<string, string>>;
  /** SHA-256 of the line before in hexadecimal; 64 zeros in the first. */
  readonly before: string;
}

const none = '0'.repeat(64);

/** `actions.jsonl` in a home. */
export class ActionLog {
  readonly #home: string;
  readonly #file: string;
  readonly #clock: Clock;

  constructor(home: string, clock: Clock) {
    this.#home = home;
    this.#file = join(home, 'actions.jsonl');
    this.#clock = clock;
  }

  /** Appends one action durably. Throws PEER_DISK_FULL or PEER_STORE_FAILED. */
  append(person: string, action: string, detail: Readonly<Record<string, string>> = {}): void {
    const last = this.#lines().at(-1);
    const before = last === undefined ? none : toHex(sha256(utf8(last)));
    const line = JSON.stringify({ at: new Date(this.#clock.calendarMs()).toISOString(), person, action, detail, before } satisfies Action);
    try {
      const handle = openSync(this.#file, 'a', 0o600);
      try {
        writeSync(handle, `${line}\n`);
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
    } catch (error) {
      throw storeError(error, this.#home, 'the log of actions');
    }
  }

  /** All actions in order. Throws PEER_LOG_CHANGED where a line does not follow the one before. */
  read(): readonly Action[] {
    let before = none;
    return this.#lines().map((line, at) => {
      const action = parsed(line);
      if (action?.before !== before) throw peerErrors.PEER_LOG_CHANGED({ file: this.#file, line: at + 1 });
      before = toHex(sha256(utf8(line)));
      return action;
    });
  }

  #lines(): readonly string[] {
    const stored = readIfThere(this.#file);
    return stored === undefined ? [] : Buffer.from(stored).toString('utf8').split('\n').filter(Boolean);
  }
}

function parsed(line: string): Action | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
