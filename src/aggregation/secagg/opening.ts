/**
 * Accountable opening (protocol 3.12): from one member's own keys of a FINAL round, and what the ledger has on record, to what that member submitted.
 * Pure. Whoever holds an opening learns this member's words and nothing of another's: another's vector is also masked by its self mask and by its pairs with
 * third members, and the keys of those are not in here.
 */
import { chunkSizeBytes, type Digest, digest, digestBytes, equalBytes, leavesOf, merkleRoot, toHex } from '../../common/index.ts';
import { dequantise } from '../../tensor/index.ts';
import { decodeSum, planDigest, planSizeBytes, planSlots, type SegmentSlot, type SumPlan } from '../plan.ts';
import { type GroupTree, groupsOfSet, leavesOfTree } from '../robust/groups.ts';
import { attemptContext, type ContextFields, roundContext } from './context.ts';
import { hybridKeys, kemCoins, keySizes, maskKey, pairSecret, type RoundKeys, selfKey } from './keys.ts';
import { addMasks, type MaskStream } from './masking.ts';
import { type Bundle, bundleDigest, type CustodianSnapshot, seedHash } from './secrets.ts';

/** The keys by which one member's masked vector of one attempt opens. */
export interface OpeningKeys {
  readonly plan: SumPlan;
  readonly member: number;
  readonly attempt: number;
  /** The members with whom the vector was masked: the set of the attempt, or the member's group within it. */
  readonly set: readonly number[];
  readonly keys: RoundKeys;
  /** The self-mask seed of the attempt. */
  readonly seed: Uint8Array;
  /** Of every member of the set, its own included. */
  readonly bundles: Readonly<Record<number, Bundle>>;
  /** KEM ciphertext of the pair with each other member of the set. */
  readonly ciphertexts: Readonly<Record<number, Uint8Array>>;
}

/** An opening: the keys, and the words that were masked. */
export interface Opening extends OpeningKeys {
  readonly words: Uint8Array;
}

/** What the ledger has on record of one FINAL round. */
export interface OpeningFacts {
  readonly context: Omit<ContextFields, 'roster'>;
  /** Accounts of the run by index, and the indexes that the round opened with. */
  readonly accounts: readonly ContextFields['roster'][number][];
  readonly roster: readonly number[];
  /** Groups of the whole run where it sums in groups. */
  readonly groups?: GroupTree | undefined;
  /** Bundle hashes of JOIN by member. */
  readonly joined: Readonly<Record<number, Digest>>;
  readonly final: { readonly attempt: number; readonly set: readonly number[] };
  /** Roots of COMMIT of the FINAL attempt by member. */
  readonly roots: Readonly<Record<number, Digest>>;
}

/** What one member put into a sum, in the units of its plan. */
export interface Submitted {
  readonly purpose: SumPlan['purpose'];
  readonly rows: number;
  /** Values that the member says it had to cut to the range; undefined for statistics, as is what follows. */
  readonly saturated: number | undefined;
  /** Mean training loss over the rows at the state that the round started from. */
  readonly meanLoss: number | undefined;
  /** L2 norm of the update before it was weighted, and the largest that the study permits; rounding adds at most `roundingNorm`. */
  readonly norm: number | undefined;
  readonly clipNorm: number | undefined;
  readonly roundingNorm: number | undefined;
  /** Rules of the study that the words do not keep, in sentences: no words that a peer makes are in here. */
  readonly breaches: readonly string[];
}

/** Whether an opening is what the ledger has on record, and what it shows. */
export type OpeningCheck = { readonly kind: 'fits'; readonly submitted: Submitted } | { readonly kind: 'differs'; readonly reason: string };

/** What of a round's secrets opens this member's own vector of an attempt; undefined where something of it is missing. No share, and no seed of another, is in it. */
export function openingKeys(
  snapshot: CustodianSnapshot,
  own: Bundle,
  { plan, attempt, set }: Pick<OpeningKeys, 'plan' | 'attempt' | 'set'>,
): OpeningKeys | undefined {
  const member = snapshot.terms.self;
  const seed = snapshot.seeds[attempt];
  if (!seed || !set.includes(member)) return undefined;
  const bundles: Record<number, Bundle> = { [member]: own };
  const ciphertexts: Record<number, Uint8Array> = {};
  for (const other of set.filter((one) => one !== member)) {
    const [bundle, ciphertext] = [snapshot.bundles[other], snapshot.pairs[other]?.ciphertext];
    if (!bundle || !ciphertext) return undefined;
    bundles[other] = bundle;
    ciphertexts[other] = ciphertext;
  }
  return { plan, member, attempt, set, keys: snapshot.keys, seed, bundles, ciphertexts };
}

/** Compares an opening with the ledger from its plan down to the root of its masked vector, and reads its words. Sizes must have been checked before. */
export function checkOpening(opening: Opening, facts: OpeningFacts): OpeningCheck {
  const context = roundContext({ ...facts.context, roster: facts.roster.flatMap((member) => facts.accounts[member] ?? []) });
  const reason =
    placeProblem(opening, facts) ?? ownKeysProblem(opening, facts, context) ?? pairsProblem(opening, facts, context) ?? vectorProblem(opening, facts, context);
  return reason === undefined ? { kind: 'fits', submitted: submittedOf(opening) } : { kind: 'differs', reason };
}

/** The update that the words hold: float32 `[parameters]`, before it was weighted by rows; undefined for statistics and for no rows. */
export function openedUpdate({ plan, words }: Pick<Opening, 'plan' | 'words'>): Float32Array<ArrayBuffer> | undefined {
  const { update, weight } = partsOf(plan, words);
  if (!update || weight === 0) return undefined;
  return Float32Array.from(dequantise(bytesOf(words, update), { scale: update.scale * weight, bits: 32 }));
}

function placeProblem({ plan, member, attempt, set, words }: Opening, facts: OpeningFacts): string | undefined {
  const { context, final } = facts;
  const due = maskedWith(facts, member);
  if (planDigest(plan) !== context.plan) return 'the sum plan is not the one that the ledger opened the round with';
  if (attempt !== final.attempt) return `it is of attempt ${attempt}, and the ledger has attempt ${final.attempt} as FINAL`;
  if (!final.set.includes(member)) return `member ${member} had no part in the sum`;
  if (set.join() !== due.join()) return `its list of members (${set.join(', ')}) is not the one that it summed with (${due.join(', ')})`;
  return words.length === planSizeBytes(plan) ? undefined : `it has ${words.length} bytes of words, and the plan asks for ${planSizeBytes(plan)}`;
}

/** The members that this one sums with in the FINAL attempt. */
function maskedWith({ groups, final }: OpeningFacts, member: number): readonly number[] {
  if (groups === undefined) return final.set;
  return leavesOfTree(groupsOfSet(groups, final.set)).find((group) => group.includes(member)) ?? [];
}

function ownKeysProblem({ member, attempt, keys, seed, bundles }: Opening, { joined }: OpeningFacts, context: Digest): string | undefined {
  const own = bundles[member];
  if (!own || bundleDigest(context, member, own) !== joined[member]) return 'its own key bundle is not the one that the member joined the round with';
  const publicKeys = { x25519: hybridKeys.x25519Public(keys.x25519), kem: hybridKeys.kemKeys(keys.kemSeed).publicKey };
  if (!equalBytes(publicKeys.x25519, own.x25519) || !equalBytes(publicKeys.kem, own.kem))
    return 'its private keys are not those of the bundle that the member joined with';
  const committed = own.seedHashes[attempt];
  return committed && equalBytes(committed, seedHash(context, member, attempt, seed))
    ? undefined
    : 'its self-mask seed is not the one that the member joined with';
}

function pairsProblem(opening: Opening, { joined }: OpeningFacts, context: Digest): string | undefined {
  for (const other of othersOf(opening)) {
    const bundle = opening.bundles[other];
    if (!bundle || bundleDigest(context, other, bundle) !== joined[other])
      return `the key bundle of member ${other} is not the one that it joined the round with`;
    if (!pairSecretWith(opening, other, digestBytes(context))) return `the ciphertext of the pair with member ${other} is not the one that its keys make`;
  }
  return undefined;
}

function vectorProblem(opening: Opening, facts: OpeningFacts, context: Digest): string | undefined {
  const masked = opening.words.slice();
  addMasks(masked, masksOf(opening, maskContext(opening, facts, context), context), planSlots(opening.plan));
  const root = digest(toHex(merkleRoot(leavesOf(masked))));
  return root === facts.roots[opening.member] ? undefined : 'its words under its masks are not the vector that the member committed to';
}

function othersOf({ set, member }: OpeningKeys): readonly number[] {
  return set.filter((other) => other !== member);
}

/** As the custodian derives it. The lower member's ciphertext follows from its keys and is made again; undefined where it is another, or where a key is not valid. */
function pairSecretWith({ member, keys, bundles, ciphertexts }: OpeningKeys, other: number, context: Uint8Array): Uint8Array | undefined {
  const [own, theirs, ciphertext] = [bundles[member], bundles[other], ciphertexts[other]];
  const shared = theirs && hybridKeys.x25519Shared(keys.x25519, theirs.x25519);
  if (!own || !theirs || !shared || ciphertext?.length !== keySizes.kemCiphertext) return undefined;
  const kem = member < other ? encapsulated(keys, context, { from: member, to: other, kem: theirs.kem }, ciphertext) : decapsulated(keys, ciphertext);
  const [mine, its] = [
    { member, ...own },
    { member: other, ...theirs },
  ];
  const [lower, higher] = member < other ? [mine, its] : [its, mine];
  return kem && pairSecret(context, shared, kem, { lower, higher, ciphertext });
}

function encapsulated(keys: RoundKeys, context: Uint8Array, to: Parameters<typeof kemCoins>[2], ciphertext: Uint8Array): Uint8Array | undefined {
  const made = hybridKeys.kemEncapsulate(to.kem, kemCoins(keys, context, to));
  return made && equalBytes(made.ciphertext, ciphertext) ? made.secret : undefined;
}

function decapsulated(keys: RoundKeys, ciphertext: Uint8Array): Uint8Array {
  return hybridKeys.kemDecapsulate(hybridKeys.kemKeys(keys.kemSeed).secretKey, ciphertext);
}

/** ctx_a, and in groups the same again over ctx_a and the group. */
function maskContext({ attempt, set }: Opening, { final, groups }: OpeningFacts, context: Digest): Uint8Array {
  const whole = attemptContext(context, attempt, final.set);
  return digestBytes(groups === undefined ? whole : attemptContext(whole, attempt, set));
}

function masksOf(opening: Opening, inAttempt: Uint8Array, context: Digest): readonly MaskStream[] {
  const { member, seed } = opening;
  const pairs = othersOf(opening).flatMap((other): MaskStream[] => {
    const secret = pairSecretWith(opening, other, digestBytes(context));
    return secret ? [{ key: maskKey(secret, inAttempt, Math.min(member, other), Math.max(member, other)), sign: member < other ? 1 : -1 }] : [];
  });
  return [...pairs, { key: selfKey(seed, inAttempt), sign: 1 }];
}

function bytesOf(words: Uint8Array, { offsetBytes, sizeBytes }: SegmentSlot): Uint8Array {
  return words.subarray(offsetBytes, offsetBytes + sizeBytes);
}

/** The header of a vector in reals, and its update with the weight (rows / weightCap) that is in it. */
function partsOf(plan: SumPlan, words: Uint8Array) {
  const header = decodeSum({ ...plan, segments: plan.segments.filter(({ name }) => name !== 'update') }, words);
  const slots = planSlots(plan);
  const rows = header['rows']?.[0] ?? 0;
  const weightCap = slots.find(({ name }) => name === 'rows')?.range ?? 1;
  return { header, slots, rows, weight: rows / weightCap, update: slots.find(({ name }) => name === 'update') };
}

function submittedOf({ plan, words }: Opening): Submitted {
  const { header, slots, rows, weight, update } = partsOf(plan, words);
  const outside = [...slots.flatMap((slot) => outsideRange(words, slot)), ...belowZero(header)];
  const none = { saturated: undefined, meanLoss: undefined, norm: undefined, clipNorm: undefined, roundingNorm: undefined };
  if (!update) return { purpose: plan.purpose, rows, ...none, breaches: outside };
  const norm = weight === 0 ? 0 : normOf(bytesOf(words, update), update.scale * weight);
  const roundingNorm = weight === 0 ? 0 : Math.sqrt(update.length) / (update.scale * Math.abs(weight));
  const tooLong = norm > update.range * (1 + 2 ** -20) + roundingNorm ? [`the update has an L2 norm of ${norm}, and the study permits ${update.range}`] : [];
  const fromNothing = weight === 0 && bytesOf(words, update).some((byte) => byte !== 0) ? ['the update is not zero, and it is of no rows'] : [];
  return {
    purpose: plan.purpose,
    rows,
    saturated: header['saturated']?.[0] ?? 0,
    meanLoss: rows === 0 ? undefined : (header['lossSum']?.[0] ?? 0) / rows,
    norm,
    clipNorm: update.range,
    roundingNorm,
    breaches: [...outside, ...tooLong, ...fromNothing],
  };
}

function outsideRange(words: Uint8Array, slot: SegmentSlot): readonly string[] {
  let count = 0;
  for (const value of values(bytesOf(words, slot), slot.wordBits, slot.scale)) if (Math.abs(value) > slot.range + 1 / slot.scale) count++;
  return count === 0 ? [] : [`${count} of ${slot.length} values of "${slot.name}" are beyond the ${slot.range} that one member may contribute`];
}

/** Counts and losses are never negative: a member with fewer than no rows would turn the others' updates round. */
function belowZero(header: Readonly<Record<string, Float64Array>>): readonly string[] {
  const counts = ['rows', 'saturated', 'lossSum'].filter((name) => (header[name]?.[0] ?? 0) < 0);
  return counts.map((name) => `"${name}" is below zero`);
}

function normOf(words: Uint8Array, scale: number): number {
  let squares = 0;
  for (const value of values(words, 32, scale)) squares += value * value;
  return Math.sqrt(squares);
}

/** Reals of a run of words, a chunk at a time. */
function* values(words: Uint8Array, bits: SegmentSlot['wordBits'], scale: number): Generator<number> {
  for (let at = 0; at < words.length; at += chunkSizeBytes) yield* dequantise(words.subarray(at, at + chunkSizeBytes), { scale, bits });
}
