/** Byte layouts with fixed keys, for another implementation to recompute: `bytes.json` holds every input and every result in hexadecimal. */
import { it } from 'vitest';
import {
  accountsDigest,
  attemptContext,
  bundleDigest,
  Custodian,
  type CustodianTerms,
  createSecrets,
  encodeUpdate,
  planDigest,
  planSlots,
  roundContext,
  roundingKey,
  stateBytes,
  stateDigest,
  statisticsPlan,
  updatePlan,
} from '../../src/aggregation/index.ts';
import { carryBits, packCarries, sumWithCarries } from '../../src/aggregation/kernels/carries.ts';
import { Fingerprinter, fingerprintPoint } from '../../src/aggregation/kernels/fingerprint.ts';
import { maskKey, pairSecret, selfKey, shareKey } from '../../src/aggregation/secagg/keys.ts';
import { type Account, type Digest, digestBytes, digestOf, leavesOf, merklePaths, merkleRoot } from '../../src/common/index.ts';
import { modelDigest, quantise } from '../../src/tensor/index.ts';
import { encodeMessage } from '../../src/wire/index.ts';
import { masked, seededBytes, sumVectors, unmasked } from '../support/custodians.ts';
import { expectVector } from './rewrite.ts';

const accounts = [1, 2, 3].map((member) => `0x${String(member).repeat(40)}` as Account);
const digestAt = (byte: string): Digest => byte.repeat(32) as Digest;
const run = (first: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (first + at) & 0xff);

function contexts() {
  const fields = {
    chainId: 4_711,
    contract: `0x${'c0'.repeat(20)}` as Account,
    study: digestAt('5d'),
    run: 3,
    round: 1,
    base: digestAt('ba'),
    plan: digestAt('91'),
    roster: accounts,
  };
  const context = roundContext(fields);
  return {
    fields,
    accountsDigest: accountsDigest(accounts),
    context,
    attempts: [
      { attempt: 0, set: [0, 1, 2], context: attemptContext(context, 0, [0, 1, 2]) },
      { attempt: 1, set: [0, 2], context: attemptContext(context, 1, [0, 2]) },
    ],
  };
}

function keys(context: Digest) {
  const transcript = {
    lower: { member: 0, x25519: run(0, 32), kem: run(1, 1_184) },
    higher: { member: 2, x25519: run(2, 32), kem: run(3, 1_184) },
    ciphertext: run(4, 1_088),
  };
  const secret = pairSecret(digestBytes(context), run(5, 32), run(6, 32), transcript);
  const attempt = digestBytes(attemptContext(context, 0, [0, 1, 2]));
  return {
    x25519: run(5, 32),
    kem: run(6, 32),
    transcript,
    pairSecret: secret,
    maskKey: maskKey(secret, attempt, 0, 2),
    shareKey: shareKey(secret, digestBytes(context), { from: 2, to: 0, attempt: 1 }),
    seed: run(7, 32),
    selfKey: selfKey(run(7, 32), attempt),
  };
}

/** Three members with all their secrets, what they send, what they mask, and the sum that comes out. */
function transcript(context: Digest) {
  const plan = updatePlan(1, { parameters: 3, members: 3, clipNorm: 2, weightCap: 16, maxLoss: 64 });
  const slots = planSlots(plan);
  const set = [0, 1, 2];
  const terms = (self: number): CustodianTerms => ({ context, self, roster: set, threshold: 3, attempts: 2, generations: 2 });
  const group = set.map((self) => new Custodian(createSecrets(terms(self), seededBytes('transcript', self))));
  const pairs = set.flatMap((from) =>
    set.filter((to) => to !== from).map((to) => ({ from, to, sender: group[from] as Custodian, receiver: group[to] as Custodian })),
  );
  for (const { from, sender, receiver } of pairs) receiver.acceptBundle(from, sender.bundle());
  const messages = pairs.map(({ from, to, sender, receiver }) => {
    const message = sender.sharesFor(to);
    if (!message) throw new Error('shares come in order of their senders');
    receiver.acceptShares(from, message);
    return { from, to, ciphertext: message.ciphertext, sealed: message.sealed };
  });
  const members = group.map((custodian, member) => {
    const { keys: own, seeds, dealt } = custodian.snapshot();
    const bundle = custodian.bundle();
    const words = new Uint8Array(slots.reduce((size, slot) => size + slot.sizeBytes, 0)).map((_, at) => (member + 1) * (at + 1));
    const vector = masked(custodian, words, { slots, attempt: 0, set });
    const root = Buffer.from(merkleRoot(leavesOf(vector))).toString('hex');
    return { member, ...own, seeds, dealt, bundle, bundleDigest: bundleDigest(context, member, bundle), words, masked: vector, root };
  });
  const maskedSum = sumVectors(
    members.map(({ masked }) => masked),
    slots,
  );
  for (const { from, receiver, sender } of pairs) receiver.acceptReveal(from, 0, sender.reveal(0));
  return {
    plan,
    set,
    attempt: 0,
    members,
    messages,
    maskedSum,
    sumDigest: digestOf(maskedSum),
    plainSum: unmasked(group[0], maskedSum, { slots, attempt: 0, set }),
  };
}

function plans() {
  const update = updatePlan(2, { parameters: 100, members: 4, clipNorm: 2.5, weightCap: 1_024, maxLoss: 64 });
  const statistics = statisticsPlan(0, { features: 13, members: 4 });
  return [statistics, update].map((plan) => ({ plan, digest: planDigest(plan) }));
}

function states() {
  const parameters = new Float32Array([1, -0.5, 3.25e-5]);
  const bare = { ordinal: 0, parameters };
  const full = { ordinal: 4, parameters, standardisation: { rows: 920, mean: new Float64Array([53.5, 132.1]), sd: new Float64Array([9.4, 19.1]) } };
  return [bare, full].map((state) => ({
    ordinal: state.ordinal,
    parameters: [...parameters],
    ...('standardisation' in state ? { rows: 920, mean: [53.5, 132.1], sd: [9.4, 19.1] } : {}),
    bytes: stateBytes(state),
    digest: stateDigest(stateBytes(state)),
    model: modelDigest(parameters),
  }));
}

function fixedPoint() {
  const values = [0, 1, -1, 0.3, -0.3, 1.5, 9];
  return ([32, 64] as const).map((bits) => ({ values, range: 2, scale: 65_536, bits, ...quantise(values, { range: 2, scale: 65_536, bits }) }));
}

function rounding() {
  const terms = { parameters: 6, members: 3, clipNorm: 1, weightCap: 16, maxLoss: 64 };
  const local = { base: new Float32Array(6), trained: new Float32Array([0.1, -0.2, 0.3, 0.5, -0.5, 2]), rows: 10, lossSum: 6.5 };
  const key = roundingKey(7, 'north', 3);
  return {
    seed: 7,
    member: 'north',
    ordinal: 3,
    key,
    terms,
    trained: [...local.trained],
    rows: 10,
    lossSum: 6.5,
    words: encodeUpdate(updatePlan(3, terms), terms, local, key),
  };
}

/** Five vectors of three words, their sum as integers, and fingerprints at one point. */
function fingerprints() {
  const point = fingerprintPoint(run(200, 16));
  const fingerprinter = new Fingerprinter(point);
  const vectors = Array.from({ length: 5 }, (_, at) => run(150 + 20 * at, 12));
  const { low, carries } = sumWithCarries(vectors, 12);
  const packed = packCarries(carries, carryBits(5));
  const parts = { vectors: vectors.map((vector) => String(fingerprinter.of(vector))), low: String(fingerprinter.of(low)) };
  return {
    pointBytes: run(200, 16),
    point: String(point),
    vectors,
    low,
    carries: packed,
    fingerprints: { ...parts, carries: String(fingerprinter.ofCarries(packed, 3, 3)) },
  };
}

function merkle() {
  const bytes = Uint8Array.from({ length: 3 * 65_536 + 5 }, (_, at) => (at * 31) & 0xff);
  const leaves = leavesOf(bytes);
  return { byte: 'at * 31 mod 256', sizeBytes: bytes.length, leaves, root: merkleRoot(leaves), paths: merklePaths(leaves) };
}

function messages(context: Digest) {
  const seed = { kind: 'seed', attempt: 1, seed: run(9, 32) } as const;
  const share = { kind: 'seedShare', attempt: 0, owner: 2, share: run(8, 33), path: run(7, 64) } as const;
  const request = { kind: 'request', item: { kind: 'seedShare', attempt: 1, owner: 2 } } as const;
  return [seed, share, request].map((body) => ({ body, bytes: encodeMessage({ context, body }, 1) }));
}

it('lays out bytes as bytes.json says', () => {
  const context = contexts();
  expectVector('bytes.json', {
    what: 'Bytes in hexadecimal. proto/README.md says how each is made.',
    contexts: context,
    keys: keys(context.context),
    plans: plans(),
    states: states(),
    fixedPoint: fixedPoint(),
    rounding: rounding(),
    fingerprints: fingerprints(),
    merkle: merkle(),
    messages: messages(context.context),
    transcript: transcript(context.context),
  });
});
