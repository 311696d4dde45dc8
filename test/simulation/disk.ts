/**
 * What survives a crash: journal, vault and content of one member, in memory. Same calls as `src/peer/store`, each whole or not at all.
 * Every durable step and every step that leaves the house goes through `Access.act`, which is where a crash strikes: before it or after it.
 */
import { deserialize, serialize } from 'node:v8';
import type { Account, Digest } from '../../src/common/index.ts';
import type { LedgerCursor, LedgerEvent } from '../../src/ledger/index.ts';
import { contentRoot } from '../../src/peer/store/blobs.ts';
import type { JournalEntry } from '../../src/peer/store/journal.ts';
import type { RoundSecrets } from '../../src/peer/store/vault.ts';
import type { Input } from '../../src/round/index.ts';
import type { RoundKey } from '../../src/wire/index.ts';

/** Ends an incarnation of a member. */
export class Crash extends Error {}

/** What an incarnation does that a crash can come before or after. */
export type Action = 'journal' | 'vault' | 'blob' | 'send' | 'submit';

/** One crash: at the member's `action`-th action since the beginning, or in all its time in one phase, before or after that action took effect. */
export interface PlannedCrash {
  readonly action: number;
  readonly inPhase: string | undefined;
  readonly before: boolean;
  /** Milliseconds until the member starts again; undefined where it never does. */
  readonly downMs: number | undefined;
}

/** The durable values of one member. */
export class Disk {
  readonly events: LedgerEvent[] = [];
  readonly inputs = new Map<string, string[]>();
  readonly notes = new Map<string, string>();
  readonly sealed = new Map<string, Uint8Array>();
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly crashes: PlannedCrash[] = [];
  cursor: LedgerCursor | undefined;
  /** Actions so far, by phase of the newest round and, under an empty name, in all. */
  readonly actions = new Map<string, number>();
}

/** What the world wants to know of what is stored. */
export interface DiskWatcher {
  readonly phase: () => string;
  /** An input of a round was stored. */
  readonly journalled: (kind: Input['kind']) => void;
  readonly crashed: (planned: PlannedCrash, action: Action) => void;
  readonly secretsStored: (key: RoundKey, secrets: RoundSecrets) => void;
  readonly contentStored: (root: Digest) => void;
}

const roundName = ({ run, round }: RoundKey): string => `${run}-${round}`;

/** One incarnation's way to its disk. */
export class Access {
  readonly disk: Disk;
  readonly #watcher: DiskWatcher;
  #dead = false;

  constructor(disk: Disk, watcher: DiskWatcher) {
    this.disk = disk;
    this.#watcher = watcher;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Ends the incarnation: nothing it does from now on has an effect. */
  die(): void {
    this.#dead = true;
  }

  /** Does one step, unless the incarnation is dead or dies here. */
  act(action: Action, work: () => void): void {
    if (this.#dead) throw new Crash();
    const { actions, crashes } = this.disk;
    const phase = this.#watcher.phase();
    for (const name of ['', phase]) actions.set(name, (actions.get(name) ?? 0) + 1);
    const planned = crashes.find(({ inPhase, action: at }) => at === actions.get(inPhase ?? '') && (inPhase ?? phase) === phase);
    if (planned?.before !== true) work();
    if (!planned) return;
    this.#dead = true;
    this.#watcher.crashed(planned, action);
    throw new Crash();
  }

  /** The journal, as `src/peer/store/journal.ts` has it. */
  journal() {
    const { disk } = this;
    const note = <T>(subject: string): T | undefined => {
      const text = disk.notes.get(subject);
      return text === undefined ? undefined : JSON.parse(text);
    };
    const setNote = (subject: string, value: unknown): void => this.act('journal', () => disk.notes.set(subject, JSON.stringify(value)));
    const releases = (base: Digest): readonly (readonly Account[])[] => note<readonly (readonly Account[])[]>(`releases/${base}`) ?? [];
    return {
      append: (entry: JournalEntry): void => {
        this.act('journal', () => append(disk, entry));
        for (const { input } of entry.inputs ?? []) this.#watcher.journalled(input.kind);
      },
      events: () => disk.events,
      cursor: () => disk.cursor,
      inputs: (key: RoundKey): readonly Input[] => (disk.inputs.get(roundName(key)) ?? []).map((text) => JSON.parse(text)),
      forgetRound: (key: RoundKey) => this.act('journal', () => disk.inputs.delete(roundName(key))),
      note,
      notes: () => [],
      setNote,
      releases,
      addRelease: (base: Digest, members: readonly Account[]): void => {
        const known = releases(base);
        if (!known.some((other) => other.join() === members.join())) setNote(`releases/${base}`, [...known, members]);
      },
      dropReleases: (base: Digest): void => this.act('journal', () => disk.notes.delete(`releases/${base}`)),
      [Symbol.dispose]: () => undefined,
    };
  }

  /** The vault, as `src/peer/store/vault.ts` has it; sealing is left out. */
  vault() {
    const { disk } = this;
    return {
      save: (key: RoundKey, secrets: RoundSecrets): void => {
        this.act('vault', () => disk.sealed.set(roundName(key), serialize(secrets)));
        this.#watcher.secretsStored(key, secrets);
      },
      load: (key: RoundKey): RoundSecrets | undefined => {
        const stored = disk.sealed.get(roundName(key));
        return stored && deserialize(stored);
      },
      destroy: (key: RoundKey): void => {
        if (disk.sealed.has(roundName(key))) this.act('vault', () => disk.sealed.delete(roundName(key)));
      },
    };
  }

  /** The content store, as `src/peer/store/blobs.ts` has it. */
  blobs() {
    const { disk } = this;
    return {
      put: (bytes: Uint8Array): Digest => {
        const root = contentRoot(bytes);
        this.#watcher.contentStored(root);
        if (!disk.blobs.has(root)) this.act('blob', () => disk.blobs.set(root, new Uint8Array(bytes)));
        return root;
      },
      get: (root: Digest): Uint8Array | undefined => disk.blobs.get(root),
      remove: (root: Digest): void => {
        disk.blobs.delete(root);
      },
      count: () => disk.blobs.size,
    };
  }
}

function append(disk: Disk, { events, cursor, inputs }: JournalEntry): void {
  disk.events.push(...(events ?? []));
  if (cursor) disk.cursor = cursor;
  for (const { input, ...key } of inputs ?? []) {
    const name = roundName(key);
    const lines = disk.inputs.get(name) ?? [];
    disk.inputs.set(name, lines);
    lines.push(JSON.stringify(input));
  }
}
