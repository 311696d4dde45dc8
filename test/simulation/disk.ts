/**
 * What survives a crash: journal, vault and content of one member, in memory. Same calls as `src/peer/store`, each whole or not at all.
 * Every durable step and every step that leaves the house goes through `Access.act`, which is where a crash strikes: before it or after it.
 */
import { deserialize, serialize } from 'node:v8';
import type { OpenedShare } from '../../src/aggregation/index.ts';
import { type Account, chunkSizeBytes, type Digest } from '../../src/common/index.ts';
import type { LedgerCursor, LedgerEvent } from '../../src/ledger/index.ts';
import type { Content } from '../../src/network/index.ts';
import { contentRoot, type PartialContent } from '../../src/peer/store/blobs.ts';
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
  /** In the middle: what is one transaction or one rename did not happen, and of a piece of content half a file is left. */
  readonly torn?: boolean;
  /** Counts actions of this kind only. */
  readonly of?: Action | undefined;
  /** Milliseconds until the member starts again; undefined where it never does. */
  readonly downMs: number | undefined;
}

/** The durable values of one member. */
export class Disk {
  readonly events: LedgerEvent[] = [];
  readonly inputs = new Map<string, string[]>();
  readonly notes = new Map<string, string>();
  readonly sealed = new Map<string, Uint8Array | RoundSecrets>();
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly partials = new Map<Digest, { readonly leaves: Uint8Array; readonly chunks: Map<number, Uint8Array> }>();
  readonly words = new Map<string, Uint8Array>();
  /** Records for an auditor with the words beside them; a crash may leave one whose words are still in the vault. */
  readonly records = new Map<string, Uint8Array | undefined>();
  readonly crashes: PlannedCrash[] = [];
  /** Secrets are written as the product writes them; else as a copy of their structure, which is many times faster. */
  exact = false;
  cursor: LedgerCursor | undefined;
  /** Actions so far, by phase of the newest round and, under an empty name, in all. */
  readonly actions = new Map<string, number>();
  /** Content of which a crash left half a file. */
  readonly half = new Set<Digest>();
}

/** A copy of everything durable, as a machine snapshot takes it; the function gives it back to the disk. */
export function snapshot(disk: Disk): () => void {
  const { cursor } = disk;
  const [events, inputs] = [[...disk.events], new Map([...disk.inputs].map(([round, lines]) => [round, [...lines]]))];
  const maps = [new Map(disk.notes), new Map(disk.sealed), new Map(disk.blobs)] as const;
  const refill = <K, V>(into: Map<K, V>, from: ReadonlyMap<K, V>): void => {
    into.clear();
    for (const [key, value] of from) into.set(key, value);
  };
  return () => {
    disk.cursor = cursor;
    disk.events.splice(0, disk.events.length, ...events);
    refill(disk.inputs, inputs);
    refill(disk.notes, maps[0]);
    refill(disk.sealed, maps[1]);
    refill(disk.blobs, maps[2]);
  };
}

/** What the world wants to know of what is stored. */
export interface DiskWatcher {
  readonly phase: () => string;
  /** An input of a round was stored. */
  readonly journalled: (input: Input, round: number) => void;
  readonly crashed: (planned: PlannedCrash, action: Action) => void;
  readonly secretsStored: (key: RoundKey, secrets: RoundSecrets) => void;
  readonly wordsStored: (key: RoundKey, words: Uint8Array) => void;
  readonly contentStored: (root: Digest) => void;
}

const roundName = ({ run, round }: RoundKey): string => `${run}-${round}`;

function keyOf(name: string): RoundKey {
  const [run = 0, round = 0] = name.split('-').map(Number);
  return { run, round };
}

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
  act(action: Action, work: () => void, tear?: () => void): void {
    if (this.#dead) throw new Crash();
    const { actions, crashes } = this.disk;
    const phase = this.#watcher.phase();
    for (const name of ['', phase, `/${action}`, `${phase}/${action}`]) actions.set(name, (actions.get(name) ?? 0) + 1);
    const planned = crashes.find(
      ({ inPhase, action: at, of }) => at === actions.get(`${inPhase ?? ''}${of ? `/${of}` : ''}`) && (inPhase ?? phase) === phase && (of ?? action) === action,
    );
    if (!planned) return work();
    if (planned.torn) tear?.();
    else if (!planned.before) work();
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
        for (const { input, round } of entry.inputs ?? []) this.#watcher.journalled(input, round);
      },
      events: () => disk.events,
      cursor: () => disk.cursor,
      inputs: (key: RoundKey): readonly Input[] => (disk.inputs.get(roundName(key)) ?? []).map((text) => JSON.parse(text)),
      forgetRound: (key: RoundKey) => this.act('journal', () => disk.inputs.delete(roundName(key))),
      rounds: () => [...disk.inputs.keys()].map(keyOf),
      note,
      notes: () => [],
      setNote,
      releases,
      addRelease: (base: Digest, members: readonly Account[]): void => {
        const known = releases(base);
        if (!known.some((other) => other.join() === members.join())) setNote(`releases/${base}`, [...known, members]);
      },
      [Symbol.dispose]: () => undefined,
    };
  }

  /** The vault, as `src/peer/store/vault.ts` has it; sealing is left out. */
  vault() {
    const { disk } = this;
    return {
      save: (key: RoundKey, secrets: RoundSecrets): void => {
        this.act('vault', () => disk.sealed.set(roundName(key), disk.exact ? serialize(secrets) : copied(secrets)));
        this.#watcher.secretsStored(key, secrets);
      },
      load: (key: RoundKey): RoundSecrets | undefined => {
        const stored = disk.sealed.get(roundName(key));
        return stored instanceof Uint8Array ? deserialize(stored) : stored && copied(stored);
      },
      putAside: (key: RoundKey): void => {
        const [name, words] = [roundName(key), disk.words.get(roundName(key))];
        if (!disk.records.has(name)) this.act('vault', () => disk.records.set(name, undefined));
        if (words) this.act('vault', () => disk.records.set(name, words) && disk.words.delete(name));
      },
      destroy: (key: RoundKey): void => {
        disk.words.delete(roundName(key));
        if (disk.sealed.has(roundName(key))) this.act('vault', () => disk.sealed.delete(roundName(key)));
      },
      rounds: () => [...disk.sealed.keys()].map(keyOf),
    };
  }

  /** Content that is being fetched: its chunks survive a crash as they come. */
  #partial({ root }: Content): PartialContent {
    const { disk } = this;
    const alive = (): void => {
      if (this.#dead) throw new Crash();
    };
    return {
      get leaves() {
        return disk.partials.get(root)?.leaves;
      },
      begin: (leaves) => {
        alive();
        if (!disk.partials.has(root)) disk.partials.set(root, { leaves: new Uint8Array(leaves), chunks: new Map() });
      },
      has: (index) => disk.partials.get(root)?.chunks.has(index) === true,
      write: (index, bytes) => {
        alive();
        disk.partials.get(root)?.chunks.set(index, new Uint8Array(bytes));
      },
      complete: async () => {
        const chunks = disk.partials.get(root)?.chunks;
        const isWhole = disk.blobs.has(root) && !disk.half.has(root);
        if (!chunks || isWhole) return isWhole;
        const whole = Buffer.concat([...chunks].sort(([a], [b]) => a - b).map(([, bytes]) => bytes));
        this.#watcher.contentStored(contentRoot(whole));
        this.act('blob', () => disk.blobs.set(root, new Uint8Array(whole)));
        disk.half.delete(root);
        disk.partials.delete(root);
        return true;
      },
    };
  }

  /** A range of whole chunks (the last may be shorter) of content that is here in part. */
  #readPartial(root: Digest, offset: number, size: number): Uint8Array | undefined {
    const chunks = this.disk.partials.get(root)?.chunks;
    const indexes = Array.from({ length: Math.ceil(size / chunkSizeBytes) }, (_, at) => offset / chunkSizeBytes + at);
    const pieces = indexes.map((index) => chunks?.get(index));
    return pieces.every((piece) => piece !== undefined) ? new Uint8Array(Buffer.concat(pieces)).slice(0, size) : undefined;
  }

  /** The sealed words, as `src/peer/store/words.ts` has them; sealing is left out. */
  words() {
    const { disk } = this;
    return {
      put: ({ round }: { readonly round: RoundKey }, words: Uint8Array): void => {
        this.act('vault', () => disk.words.set(roundName(round), new Uint8Array(words)));
        this.#watcher.wordsStored(round, words);
      },
      get: ({ round }: { readonly round: RoundKey }): Uint8Array | undefined => disk.words.get(roundName(round))?.slice(),
    };
  }

  /** The content store, as `src/peer/store/blobs.ts` has it. */
  blobs() {
    const { disk } = this;
    const get = (root: Digest): Uint8Array | undefined => (disk.half.has(root) ? undefined : disk.blobs.get(root));
    return {
      put: (bytes: Uint8Array): Digest => {
        const root = contentRoot(bytes);
        this.#watcher.contentStored(root);
        if (get(root) !== undefined) return root;
        const store = (kept: Uint8Array): void => {
          disk.half[kept.length < bytes.length ? 'add' : 'delete'](root);
          disk.blobs.set(root, kept);
        };
        this.act(
          'blob',
          () => store(new Uint8Array(bytes)),
          () => store(bytes.slice(0, bytes.length >> 1)),
        );
        return root;
      },
      get,
      size: (root: Digest): number | undefined => get(root)?.length,
      read: (root: Digest, offset: number, size: number): Uint8Array | undefined => {
        const bytes = get(root);
        if (!bytes) return this.#readPartial(root, offset, size);
        return offset + size <= bytes.length ? bytes.slice(offset, offset + size) : undefined;
      },
      partial: (content: Content): PartialContent => this.#partial(content),
      remove: (root: Digest): void => {
        disk.blobs.delete(root);
        disk.half.delete(root);
        disk.partials.delete(root);
      },
      count: () => disk.blobs.size,
      keepOnly: (roots: ReadonlySet<string | undefined>): number => {
        const others = [...disk.blobs.keys(), ...disk.partials.keys()].filter((root) => !roots.has(root));
        for (const root of others) for (const store of [disk.blobs, disk.half, disk.partials]) store.delete(root);
        return others.length;
      },
    };
  }
}

/** A copy as deep as the custodian writes: what lies deeper is replaced there and never changed. Schedules that are exact would show another case. */
function copied(secrets: RoundSecrets): RoundSecrets {
  if (!secrets.custodian) return { ...secrets };
  const { seeds, dealt, bundles, pairs, held, revealed, returned } = secrets.custodian;
  const heldCopy: Record<number, Record<number, OpenedShare>> = {};
  for (const owner in held) heldCopy[owner] = { ...held[owner] };
  const custodian = {
    ...secrets.custodian,
    seeds: { ...seeds },
    dealt: { ...dealt },
    bundles: { ...bundles },
    pairs: { ...pairs },
    held: heldCopy,
    revealed: { ...revealed },
    returned: { ...returned },
  };
  return { ...secrets, masks: { ...secrets.masks }, custodian };
}

/** The secrets as they lie on a disk, to be looked at only. */
export function secretsOn(disk: Disk | undefined, key: RoundKey): RoundSecrets | undefined {
  const stored = disk?.sealed.get(roundName(key));
  return stored instanceof Uint8Array ? deserialize(stored) : stored;
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
