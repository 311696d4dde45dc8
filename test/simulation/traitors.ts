/**
 * Byzantine members: each runs the real member, and one small piece here subverts what leaves it. A kind says what it does to messages, content and
 * transactions on their way out, and what it sends on its own; it knows nothing of the other members' secrets.
 */
import type { KeyAgreement } from '../../src/aggregation/index.ts';
import { type Chance, type Digest, digest, hashFields, toHex } from '../../src/common/index.ts';
import type { LedgerTransaction } from '../../src/ledger/index.ts';
import type { MessageBody, PeerMessage } from '../../src/wire/index.ts';

/** What a traitor works with: its place, chance of its own, and ways to act without being asked. */
export interface TraitorPlace {
  readonly self: number;
  readonly members: number;
  readonly chance: Chance;
  /** Context of the newest round; undefined before the first. */
  readonly context: () => Digest | undefined;
  readonly phase: () => string;
  readonly send: (to: number, message: PeerMessage) => void;
}

/** What a kind may subvert; what it leaves out stays honest. */
export interface Treason {
  /** The messages that leave in place of one. */
  readonly message?: (to: number, message: PeerMessage) => readonly PeerMessage[];
  /** The transactions that leave in place of one. */
  readonly transaction?: (transaction: LedgerTransaction) => readonly LedgerTransaction[];
  /** The bytes that are served in place of others. */
  readonly content?: (root: Digest, bytes: Uint8Array) => Uint8Array | undefined;
  /** The keys it makes. */
  readonly keys?: (keys: KeyAgreement) => KeyAgreement;
  /** Something on its own, at each tick. */
  readonly tick?: () => void;
}

type Make = (place: TraitorPlace) => Treason;
type Body<Kind extends MessageBody['kind']> = Extract<MessageBody, { readonly kind: Kind }>;
type Posted<Kind extends LedgerTransaction['kind']> = Extract<LedgerTransaction, { readonly kind: Kind }>;

const another = (value: Digest): Digest => digest(toHex(hashFields('another', value)));

function flipped(bytes: Uint8Array, at = 0): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at % Math.max(1, copy.length)] = (copy[at % Math.max(1, copy.length)] ?? 0) ^ 0x55;
  return copy;
}

/** Changes or, with undefined, withholds the bodies of one kind. */
const onBody =
  <Kind extends MessageBody['kind']>(kind: Kind, change: (body: Body<Kind>, to: number) => MessageBody | undefined): NonNullable<Treason['message']> =>
  (to, message) => {
    if (message.body.kind !== kind) return [message];
    const body = change(message.body as Body<Kind>, to);
    return body ? [{ ...message, body }] : [];
  };

const onPost =
  <Kind extends LedgerTransaction['kind']>(kind: Kind, change: (posted: Posted<Kind>) => readonly LedgerTransaction[]): NonNullable<Treason['transaction']> =>
  (transaction) =>
    transaction.kind === kind ? change(transaction as Posted<Kind>) : [transaction];

const silentIn =
  (phase: string): Make =>
  (place) => {
    const silent = (): boolean => place.phase() === phase;
    return {
      message: (_, message) => (silent() ? [] : [message]),
      transaction: (transaction) => (silent() ? [] : [transaction]),
      content: (_, bytes) => (silent() ? undefined : bytes),
    };
  };

/** Some others, the same ones all the time: whom it treats badly where it does not treat all so. */
function victims({ self, members, chance }: TraitorPlace): ReadonlySet<number> {
  const all = Array.from({ length: members }, (_, member) => member).filter((member) => member !== self);
  const some = all.filter(() => chance.below(2) === 0);
  return new Set(some.length > 0 ? some : all);
}

/** All kinds by name. */
export const treasons: Readonly<Record<string, Make>> = {
  'equivocating bundle': (place) => {
    const bad = victims(place);
    return { message: onBody('bundle', (body, to) => (bad.has(to) ? { ...body, x25519: flipped(body.x25519) } : body)) };
  },
  'bundle with another hash': () => ({ transaction: onPost('join', (join) => [{ ...join, bundle: another(join.bundle) }]) }),
  'bundle with a bad point': () => ({ keys: (keys) => ({ ...keys, x25519Public: () => new Uint8Array(32) }) }),
  'bundle with a bad KEM key': () => ({
    keys: (keys) => ({ ...keys, kemKeys: (seed) => ({ ...keys.kemKeys(seed), publicKey: new Uint8Array(1184).fill(255) }) }),
  }),
  'wrong shares': (place) => {
    const bad = victims(place);
    return { message: onBody('shares', (body, to) => (bad.has(to) ? { ...body, sealed: flipped(body.sealed, 9) } : body)) };
  },
  'withheld shares': (place) => {
    const bad = victims(place);
    return { message: onBody('shares', (body, to) => (bad.has(to) ? undefined : body)) };
  },
  'KEM ciphertext of garbage': () => ({ message: onBody('shares', (body) => ({ ...body, ciphertext: flipped(body.ciphertext, 77) })) }),
  'commit without vector': () => ({
    transaction: onPost('commit', (commit) => [{ ...commit, root: another(commit.root) }]),
  }),
  'wrong chunks': () => ({ content: (_, bytes) => flipped(bytes, 11) }),
  'vector withheld from all': () => ({ content: () => undefined }),
  'seeds asked early': (place) => ({
    tick: () => {
      const context = place.context();
      const to = place.chance.below(place.members);
      if (!context || to === place.self) return;
      const attempt = place.chance.below(3);
      place.send(to, { context, body: { kind: 'request', item: { kind: 'seed', attempt } } });
      place.send(to, { context, body: { kind: 'request', item: { kind: 'seedShare', attempt, owner: place.chance.below(place.members) } } });
    },
  }),
  'wrong seed': () => ({ message: onBody('seed', (body) => ({ ...body, seed: flipped(body.seed) })) }),
  'withheld seed': () => ({ message: onBody('seed', () => undefined) }),
  'wrong share of a seed': () => ({ message: onBody('seedShare', (body) => ({ ...body, share: flipped(body.share) })) }),
  'withheld shares of seeds and its seed': () => ({
    message: (_, message) => (message.body.kind === 'seed' || message.body.kind === 'seedShare' ? [] : [message]),
  }),
  'READY on another sum': () => ({ transaction: onPost('ready', (ready) => [{ ...ready, sum: another(ready.sum) }]) }),
  'READY in another context': () => ({ transaction: onPost('ready', (ready) => [{ ...ready, context: another(ready.context) }]) }),
  'READY over another list': () => ({ transaction: onPost('ready', (ready) => [{ ...ready, members: ready.members.slice(1) }]) }),
  'vote for another state': () => ({ transaction: onPost('vote', (vote) => [{ ...vote, state: another(vote.state) }]) }),
  'vote for another plan': () => ({ transaction: onPost('vote', (vote) => [{ ...vote, nextPlan: another(vote.nextPlan) }]) }),
  'silent in share': silentIn('share'),
  'silent in commit': silentIn('commit'),
  'silent in ready': silentIn('ready'),
  'silent in reveal': silentIn('reveal'),
  'old messages again': (place) => {
    const kept: PeerMessage[] = [];
    return {
      message: (_, message) => {
        if (kept.length < 40 && message.body.kind !== 'request') kept.push(message);
        return [message];
      },
      tick: () => {
        const old = kept[place.chance.below(Math.max(1, kept.length))];
        const to = place.chance.below(place.members);
        const context = place.context();
        if (!old || !context || to === place.self) return;
        place.send(to, old);
        place.send(to, { ...old, context });
      },
    };
  },
  'flood of requests': (place) => ({
    tick: () => {
      const context = place.context();
      if (!context || place.chance.below(2) > 0) return;
      for (let to = 0; to < place.members; to++) {
        if (to === place.self) continue;
        place.send(to, { context, body: { kind: 'request', item: { kind: 'bundle' } } });
        place.send(to, { context, body: { kind: 'request', item: { kind: 'shares' } } });
        for (let owner = 0; owner < place.members; owner++)
          place.send(to, { context, body: { kind: 'request', item: { kind: 'seedShare', attempt: 2, owner } } });
      }
    },
  }),
  'vouches for all': (place) => ({
    transaction: onPost('vouch', (vouch) => [{ ...vouch, holds: Array.from({ length: place.members }, (_, member) => member) }, vouch]),
  }),
  'vouches for none': (place) => ({ transaction: onPost('vouch', (vouch) => [{ ...vouch, holds: [place.self] }]) }),
  'HAVE that is not true': (place) => ({
    transaction: onPost('ready', (ready) => [{ kind: 'have', run: ready.run, round: ready.round, attempt: ready.attempt, holds: [place.self] }]),
  }),
  'joins twice': () => ({ transaction: onPost('join', (join) => [join, { ...join, bundle: another(join.bundle) }]) }),
};

/** Names of all kinds, in their order. */
export const treasonNames: readonly string[] = Object.keys(treasons);
