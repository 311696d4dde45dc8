/** What a member's message brings into a round: checked against the ledger and by the custodian, then an input of the machine. */
import { type Bundle, bundleDigest, checkPrints } from '../aggregation/index.ts';
import type { Input } from '../round/index.ts';
import type { MessageBody } from '../wire/index.ts';
import type { LiveRound } from './live-round.ts';

/** The input that a message is; undefined where it brings nothing (yet). Throws AGGREGATION_BAD_KEY or AGGREGATION_BAD_SHARE. */
export function accept(live: LiveRound, from: number, body: Exclude<MessageBody, { readonly kind: 'request' }>): Input | undefined {
  const { custody } = live;
  switch (body.kind) {
    case 'bundle':
      return acceptBundle(live, from, body);
    case 'bundleOf':
      return acceptBundle(live, body.owner, body.bundle);
    case 'shares':
      custody.acceptShares(from, body);
      return { kind: 'sharesHeld', from };
    case 'seed':
      custody.acceptSeed(from, body.attempt, body.seed);
      return { kind: 'seedHeld', attempt: body.attempt, from };
    case 'seedShare':
      return custody.acceptSeedShare(body.owner, from, body.attempt, body) ? { kind: 'seedHeld', attempt: body.attempt, from: body.owner } : undefined;
    case 'groupSum':
      return { kind: 'groupStated', attempt: body.attempt, from, root: body.root };
    case 'shardSum':
      return { kind: 'shardAnnounced', attempt: body.attempt, generation: body.generation, shard: body.shard, from, root: body.root };
    case 'point':
      custody.acceptPoint(from, body.attempt, body.generation, body.point);
      return { kind: 'pointHeld', attempt: body.attempt, generation: body.generation, from };
    case 'prints':
      return acceptPrints(live, from, body);
  }
}

/** The first fingerprints of a member stay: they must be values of the field, one pair for each shard. Throws AGGREGATION_BAD_SHARE. */
function acceptPrints({ state, custody }: LiveRound, from: number, { attempt, generation, prints }: MessageBody & { kind: 'prints' }): Input | undefined {
  if (state.phase !== 'ready' || state.gather === undefined) return undefined;
  checkPrints(from, prints, state.gather.shards.length);
  custody.setPrints(from, attempt, generation, prints);
  return { kind: 'printsHeld', attempt, generation, from };
}

/** A bundle that does not fit the hash on the ledger says nothing about its member and is dropped. */
function acceptBundle(live: LiveRound, owner: number, bundle: Bundle): Input | undefined {
  const { context, joined } = live.state.ground;
  if (!context || bundleDigest(context, owner, bundle) !== joined[owner]) return undefined;
  live.custody.acceptBundle(owner, bundle);
  return { kind: 'bundleHeld', from: owner };
}
