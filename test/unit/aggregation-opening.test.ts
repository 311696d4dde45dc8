/** Accountable opening: an honest one fits the record, any change of it is named, and it opens nothing of another member. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bundleDigest,
  Custodian,
  checkOpening,
  drawnGroups,
  encodeUpdate,
  groupsOfSet,
  hybridKeys,
  leavesOfTree,
  type MaskStream,
  type Opening,
  type OpeningFacts,
  openedUpdate,
  openingKeys,
  planDigest,
  planSlots,
  roundContext,
  type UpdateTerms,
  updatePlan,
} from '../../src/aggregation/index.ts';
import { pairSecret } from '../../src/aggregation/secagg/keys.ts';
import { addMasks } from '../../src/aggregation/secagg/masking.ts';
import { account, type Digest, digest, digestBytes, digestOf, leavesOf, merkleRoot, toHex, utf8 } from '../../src/common/index.ts';
import { acquainted, masked, seededBytes } from '../support/custodians.ts';
import { chiSquare } from '../support/uniformity.ts';

const parameters = 6_000;
const terms: UpdateTerms = { parameters, members: 5, clipNorm: 2, weightCap: 256, maxLoss: 64 };
const plan = updatePlan(3, terms);
const slots = planSlots(plan);
const roster = [0, 1, 2, 3, 4];
const set = [0, 1, 3, 4];
const attempt = 1;

const accounts = roster.map((member) => account(`0x${String(member + 1).repeat(40)}`));
const fields = {
  chainId: 7341,
  contract: account(`0x${'a'.repeat(40)}`),
  study: digestOf(utf8('study')),
  run: 2,
  round: 5,
  base: digestOf(utf8('base')),
  plan: planDigest(plan),
};
const context = roundContext({ ...fields, roster: accounts });
const group = acquainted(roster, { context });
const of = (member: number): Custodian => group[member]!;

const rootOf = (bytes: Uint8Array): Digest => digest(toHex(merkleRoot(leavesOf(bytes))));

/** A trained vector that differs from its base by a known step. */
function trainedWith(step: number): Float32Array {
  return Float32Array.from({ length: parameters }, (_, at) => step * Math.sin(at + 1));
}
const base = new Float32Array(parameters);
const rowsOf = (member: number): number => 40 * (member + 1);
const wordsOf = (member: number): Uint8Array =>
  encodeUpdate(
    plan,
    terms,
    { base, trained: trainedWith(0.01 * (member + 1)), rows: rowsOf(member), lossSum: rowsOf(member) * 0.5 },
    seededBytes('key', member)(32),
  );

const maskedOf = (member: number, words: Uint8Array): Uint8Array => masked(of(member), words, { slots, attempt, set });

const facts: OpeningFacts = {
  context: fields,
  accounts,
  roster,
  joined: Object.fromEntries(roster.map((member) => [member, bundleDigest(context, member, of(member).bundle())])),
  final: { attempt, set },
  roots: Object.fromEntries(set.map((member) => [member, rootOf(maskedOf(member, wordsOf(member)))])),
};

function openingOf(member: number, words = wordsOf(member)): Opening {
  const keys = openingKeys(of(member).snapshot(), of(member).bundle(), { plan, attempt, set });
  if (!keys) throw new Error('nothing is missing');
  return { ...keys, words };
}

/** A vector without these masks. */
function minus(vector: Uint8Array, masks: readonly MaskStream[]): Uint8Array {
  const rest = vector.slice();
  addMasks(
    rest,
    masks.map(({ key, sign }) => ({ key, sign: sign === 1 ? -1 : 1 })),
    slots,
  );
  return rest;
}

const reasonOf = (opening: Opening, against = facts): string => {
  const result = checkOpening(opening, against);
  return result.kind === 'differs' ? result.reason : result.kind;
};

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at % copy.length]! ^= 1 << (at % 8);
  return copy;
}

describe('an honest opening', () => {
  it('fits for each member of the set, and shows rows, loss and norm as they went in', () => {
    for (const member of set) {
      const result = checkOpening(openingOf(member), facts);
      if (result.kind === 'differs') throw new Error(result.reason);
      const { submitted } = result;
      const trained = trainedWith(0.01 * (member + 1));
      const norm = Math.sqrt(trained.reduce((sum, value) => sum + value * value, 0));
      expect(submitted).toMatchObject({ purpose: 'update', rows: rowsOf(member), saturated: 0, clipNorm: 2, breaches: [] });
      expect(submitted.meanLoss).toBeCloseTo(0.5, 4);
      expect(Math.abs((submitted.norm ?? 0) - Math.min(2, norm))).toBeLessThan(1e-4);
      const update = openedUpdate(openingOf(member)) ?? new Float32Array(0);
      const shrunk = Math.min(1, 2 / norm);
      expect(update).toHaveLength(parameters);
      for (const [at, value] of update.entries()) expect(Math.abs(value - trained[at]! * shrunk)).toBeLessThan(1e-4);
    }
  });

  it('is not there for a member outside the set, nor after the attempt was given up', () => {
    expect(openingKeys(of(2).snapshot(), of(2).bundle(), { plan, attempt, set })).toBeUndefined();
    const [gone] = acquainted([0, 1, 2], { context });
    gone!.eraseBelow(1);
    expect(openingKeys(gone!.snapshot(), gone!.bundle(), { plan, attempt: 0, set: [0, 1, 2] })).toBeUndefined();
    expect(openingKeys(gone!.snapshot(), gone!.bundle(), { plan, attempt: 1, set: [0, 1, 2] })).toBeDefined();
  });
});

describe('an opening that was changed is refused, and it is said what differs', () => {
  const honest = openingOf(1);
  const [own, other] = [honest.bundles[1]!, honest.bundles[3]!];
  const cases: readonly (readonly [string, Opening, RegExp])[] = [
    ['a word', { ...honest, words: flipped(honest.words, 4_001) }, /words under its masks/],
    ['fewer words', { ...honest, words: honest.words.subarray(4) }, /bytes of words/],
    ['the X25519 key', { ...honest, keys: { ...honest.keys, x25519: flipped(honest.keys.x25519, 9) } }, /private keys are not those/],
    ['the ML-KEM seed', { ...honest, keys: { ...honest.keys, kemSeed: flipped(honest.keys.kemSeed, 9) } }, /private keys are not those/],
    ['the self-mask seed', { ...honest, seed: flipped(honest.seed, 3) }, /self-mask seed/],
    ['its own bundle', { ...honest, bundles: { ...honest.bundles, 1: { ...own, kem: flipped(own.kem, 7) } } }, /its own key bundle/],
    ["another's bundle", { ...honest, bundles: { ...honest.bundles, 3: { ...other, x25519: flipped(other.x25519, 7) } } }, /key bundle of member 3/],
    ["another's bundle missing", { ...honest, bundles: { 0: honest.bundles[0]!, 1: own, 4: honest.bundles[4]! } }, /key bundle of member 3/],
    ['the ciphertext it made', { ...honest, ciphertexts: { ...honest.ciphertexts, 3: flipped(honest.ciphertexts[3]!, 7) } }, /pair with member 3/],
    ['the ciphertext it was given', { ...honest, ciphertexts: { ...honest.ciphertexts, 0: flipped(honest.ciphertexts[0]!, 7) } }, /words under its masks/],
    ['the attempt', { ...honest, attempt: 0 }, /attempt 0, and the ledger has attempt 1/],
    ['the set', { ...honest, set: [0, 1, 2, 3, 4] }, /list of members \(0, 1, 2, 3, 4\) is not the one that it summed with \(0, 1, 3, 4\)/],
    ['the member', { ...honest, member: 3 }, /private keys are not those/],
    ['a member outside', { ...honest, member: 2 }, /member 2 had no part/],
    ['the plan', { ...honest, plan: { ...plan, ordinal: 4 } }, /sum plan/],
  ];
  for (const [what, opening, reason] of cases) it(what, () => expect(reasonOf(opening)).toMatch(reason));

  it('the ledger has another root, bundle, round or roster', () => {
    expect(reasonOf(honest, { ...facts, roots: { ...facts.roots, 1: facts.roots[0]! } })).toMatch(/words under its masks/);
    expect(reasonOf(honest, { ...facts, roots: {} })).toMatch(/words under its masks/);
    expect(reasonOf(honest, { ...facts, joined: { ...facts.joined, 4: facts.joined[0]! } })).toMatch(/key bundle of member 4/);
    expect(reasonOf(honest, { ...facts, context: { ...fields, round: 6 } })).toMatch(/its own key bundle/);
    expect(reasonOf(honest, { ...facts, roster: [0, 1, 3, 4] })).toMatch(/its own key bundle/);
  });

  it('any bit of the words', () => {
    fc.assert(
      fc.property(fc.nat({ max: honest.words.length - 1 }), (at) => reasonOf({ ...honest, words: flipped(honest.words, at) }) !== 'fits'),
      { numRuns: 12 },
    );
  });
});

describe('a run in groups', () => {
  const nine = Array.from({ length: 9 }, (_, member) => member);
  const many = nine.map((member) => account(`0x${String(member + 1).repeat(40)}`));
  const inGroups = roundContext({ ...fields, roster: many });
  const all = acquainted(nine, { context: inGroups });
  const groups = leavesOfTree(groupsOfSet(drawnGroups(many, fields.contract, 3), nine));
  const words = wordsOf(1);
  const grouped: OpeningFacts = {
    ...facts,
    accounts: many,
    roster: nine,
    groups: drawnGroups(many, fields.contract, 3),
    final: { attempt, set: nine },
    joined: Object.fromEntries(nine.map((member) => [member, bundleDigest(inGroups, member, all[member]!.bundle())])),
    roots: Object.fromEntries(
      groups.flatMap((group) => group.map((member) => [member, rootOf(masked(all[member], words, { slots, attempt, set: group, within: nine }))] as const)),
    ),
  };
  const openingIn = (member: number, group: readonly number[]): Opening => ({
    ...openingKeys(all[member]!.snapshot(), all[member]!.bundle(), { plan, attempt, set: group })!,
    words,
  });

  it('opens by the pairs of the own group, and no other list is taken', () => {
    expect(groups.map((group) => group.length)).toEqual([3, 3, 3]);
    for (const group of groups) for (const member of group) expect(reasonOf(openingIn(member, group), grouped)).toBe('fits');
    const [first = [], second = []] = groups;
    expect(reasonOf(openingIn(first[0]!, nine), grouped)).toMatch(/not the one that it summed with/);
    expect(reasonOf(openingIn(first[0]!, [first[0]!, ...second].sort()), grouped)).toMatch(/not the one that it summed with/);
    expect(reasonOf(openingIn(first[0]!, first), { ...grouped, groups: undefined })).toMatch(/not the one that it summed with/);
  });

  it('opens by the pairs of the own group where groups are named and nested, cut to who took part', () => {
    const tree = { children: [{ members: [0, 4, 8] }, { children: [{ members: [1, 2] }, { members: [3, 5, 6] }, { members: [7] }] }] };
    const list = [1, 2, 3, 5, 6, 7];
    const rooted = {
      ...grouped.roots,
      ...Object.fromEntries(list.map((member) => [member, rootOf(masked(all[member], words, { slots, attempt, set: list, within: nine }))])),
    };
    const named = { ...grouped, groups: tree, roots: rooted };
    for (const member of list) expect(reasonOf(openingIn(member, list), named)).toBe('fits');
    expect(reasonOf(openingIn(1, [1, 2, 3]), named)).toBe('its list of members (1, 2, 3) is not the one that it summed with (1, 2, 3, 5, 6, 7)');
    expect(reasonOf(openingIn(1, list), { ...named, groups: { children: [{ members: [0, 4, 8] }, { members: list }] } })).toBe('fits');
    expect(reasonOf(openingIn(1, list), grouped)).toMatch(/not the one that it summed with/);
  });
});

describe('words that no peer makes', () => {
  const opened = (words: Uint8Array): readonly string[] => {
    const result = checkOpening(openingOf(1, words), { ...facts, roots: { 1: rootOf(maskedOf(1, words)) } });
    return result.kind === 'fits' ? result.submitted.breaches : [result.reason];
  };
  const header = slots.find(({ name }) => name === 'update')!.offsetBytes;
  const changed = (change: (view: DataView) => void): Uint8Array => {
    const words = wordsOf(1).slice();
    change(new DataView(words.buffer, words.byteOffset, words.length));
    return words;
  };

  it('beyond the range, or longer than the clip norm', () => {
    expect(opened(changed((view) => view.setInt32(header, -(2 ** 31), true)))).toEqual([
      `1 of ${parameters} values of "update" are beyond the 2 that one member may contribute`,
      expect.stringMatching(/L2 norm of .* the study permits 2/),
    ]);
    const scale = slots.find(({ name }) => name === 'update')!.scale;
    const long = changed((view) => {
      for (let at = 0; at < parameters; at++) view.setInt32(header + 4 * at, Math.round(0.1 * scale), true);
    });
    expect(opened(long)).toEqual([expect.stringMatching(/L2 norm/)]);
  });

  it('more rows than the cap, or fewer than none', () => {
    expect(opened(changed((view) => view.setBigInt64(0, 257n + 1n, true)))).toEqual([expect.stringMatching(/"rows" are beyond the 256/)]);
    expect(opened(changed((view) => view.setBigInt64(0, -80n, true)))).toEqual(['"rows" is below zero']);
  });

  it('noise, where the higher member of a pair shows another ciphertext and words to it that fit the root', () => {
    const honest = openingOf(1);
    const ciphertext = seededBytes('ciphertext')(1088);
    const [own, its] = [honest.bundles[1]!, honest.bundles[0]!];
    const shared = hybridKeys.x25519Shared(honest.keys.x25519, its.x25519)!;
    const kem = hybridKeys.kemDecapsulate(hybridKeys.kemKeys(honest.keys.kemSeed).secretKey, ciphertext);
    const secret = pairSecret(digestBytes(context), shared, kem, { lower: { member: 0, ...its }, higher: { member: 1, ...own }, ciphertext });
    const snapshot = of(1).snapshot();
    const liar = new Custodian({ ...snapshot, pairs: { ...snapshot.pairs, 0: { secret, ciphertext } } });
    const words = minus(maskedOf(1, honest.words), liar.masks(attempt, set));
    const result = checkOpening({ ...honest, words, ciphertexts: { ...honest.ciphertexts, 0: ciphertext } }, facts);
    expect(result.kind).toBe('fits');
    expect(result.kind === 'fits' && result.submitted.breaches.join()).toMatch(/5[0-9]{3} of 6000 values of "update" are beyond/);
  });
});

describe('openings of others', () => {
  const victim = 3;
  /** The victim's vector without all that holders of these openings can take away: the masks of their pairs with it, and its self mask, which was revealed. */
  const left = (holders: readonly number[], words: Uint8Array): Uint8Array => {
    const theirs = holders.flatMap((holder) => of(holder).masks(attempt, set)).map(({ key }) => toHex(key));
    const masks = of(victim).masks(attempt, set);
    const pairs = masks.filter(({ key }) => theirs.includes(toHex(key)));
    expect(pairs).toHaveLength(holders.length);
    return minus(maskedOf(victim, words), [...pairs, masks.at(-1)!]);
  };

  it('leave the vector of a member uniform, whatever its words are, as long as two have not opened', () => {
    const wild = encodeUpdate(plan, terms, { base, trained: trainedWith(1), rows: 7, lossSum: 1 }, seededBytes('k')(32));
    for (const words of [wordsOf(victim), wild, new Uint8Array(wild.length)])
      for (const holders of [[1], [0, 1], [0, 4]]) {
        expect(chiSquare(words)).toBeGreaterThan(1_000);
        expect(chiSquare(left(holders, words)), holders.join()).toBeLessThan(400);
      }
  });

  it('of all but one are what the sum and they say of the last one anyway', () => {
    expect(left([0, 1, 4], wordsOf(victim))).toEqual(wordsOf(victim));
  });

  it('fit no other member', () => {
    const { keys, seed, words } = openingOf(1);
    expect(reasonOf({ ...openingOf(victim), keys })).toMatch(/private keys/);
    expect(reasonOf({ ...openingOf(victim), seed })).toMatch(/self-mask seed/);
    expect(reasonOf({ ...openingOf(victim), words })).toMatch(/words under its masks/);
  });

  it('holds no share, no seed of another and no other attempt', () => {
    const text = Buffer.from(JSON.stringify(openingOf(1), (_, value) => (value instanceof Uint8Array ? toHex(value) : value))).toString();
    const { seeds, dealt, held } = of(1).snapshot();
    expect(text).toContain(toHex(seeds[attempt]!));
    expect(text).not.toContain(toHex(seeds[0]!));
    for (const shares of Object.values(dealt)) for (const share of shares) expect(text).not.toContain(toHex(share));
    for (const shares of Object.values(held)) for (const { share } of Object.values(shares)) expect(text).not.toContain(toHex(share));
    for (const other of set.filter((one) => one !== 1)) for (const seed of Object.values(of(other).snapshot().seeds)) expect(text).not.toContain(toHex(seed));
  });
});
