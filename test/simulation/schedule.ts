/** One seed, one schedule: how many members, how bad the network, who crashes where, who is late. Plain values, so that a found case can be written down. */
import type { MergeRule } from '../../src/aggregation/index.ts';
import { type Chance, seededChance, shuffled } from '../../src/common/index.ts';
import type { PlannedCrash } from './disk.ts';
import type { Skew } from './events.ts';
import { drawGroups, type Groups } from './groups.ts';
import { treasonNames } from './traitors.ts';

/** Milliseconds from and to, both included. */
export type Range = readonly [number, number];

/** A time in which something is cut off. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** One act and its time; the starter's are member 0's. */
export interface Act {
  readonly fromMs: number;
  readonly member: number;
  readonly kind: 'stop' | 'leave' | 'roll back';
}

/** Everything that one world depends on. Probabilities are for each message, transaction or fetch while faults last. */
export interface Schedule {
  readonly seed: number;
  readonly members: number;
  /** Runs the key agreement of the protocol and stores secrets as the product does; one seed in fifty. */
  readonly exact: boolean;
  /** Rounds that must become FINAL, the statistics round included. */
  readonly rounds: number;
  readonly statistics: boolean;
  readonly latencyMs: Range;
  /** From a block to a member, and from a member to a block. */
  readonly ledgerDelayMs: Range;
  readonly loss: number;
  readonly doubles: number;
  readonly garble: number;
  readonly ledgerLoss: number;
  /** After this nothing is lost, doubled or garbled, and crashes that have not struck do not. */
  readonly faultsUntilMs: number;
  readonly crashes: readonly (PlannedCrash & { readonly member: number })[];
  /** Members of `group` and the others cannot reach each other; the ledger is with all, with the others, or with nobody (no quorum of its own). */
  readonly partitions: readonly (Span & { readonly group: readonly number[]; readonly ledger: 'all' | 'others' | 'nobody' })[];
  /** Two members cannot reach each other, whatever the others can. */
  readonly deaf: readonly (Span & { readonly pair: readonly [number, number] })[];
  /** A member sees no block; with no member, the chain makes none. */
  readonly silences: readonly (Span & { readonly member: number | undefined })[];
  /** A member's disk is set back at `toMs` to what it was at `fromMs`, and the member starts again from it after a moment. */
  readonly restores?: readonly (Span & { readonly member: number })[];
  /** The study has an audit window: a record of each FINAL round is put aside. */
  readonly audit?: boolean;
  /** Starts only then; a span without an end would never start. */
  readonly late: readonly { readonly member: number; readonly fromMs: number | undefined }[];
  /** Local work of one sum takes this long. */
  readonly slow: readonly { readonly member: number; readonly ordinal: number; readonly workMs: number }[];
  /** Members whose clock is wrong. The ledger's time is everybody's. */
  readonly clocks: readonly (Skew & { readonly member: number })[];
  /** Milliseconds from a transaction's block until that block is final: until then its order may change. */
  readonly finalityMs: number;
  /** Chance that a new block puts those that are not final yet into another order, or drops one of their transactions. */
  readonly reorganises: number;
  /** Byzantine members: at most a third, and never more than the shares can spare. */
  readonly traitors: readonly { readonly member: number; readonly kind: string }[];
  /** Local training of one sum is lost once, and can be done again. */
  readonly lostTrainings: readonly { readonly member: number; readonly ordinal: number }[];
  /** Chance that, at a tick, one member asks another for a seed or a share of one, whether or not it is time. */
  readonly curious: number;
  /** The ledger shows a forged READY in this round once all others are READY. */
  readonly lieInRound: number | undefined;
  /** Open mode, with the rule that merges the members' vectors; undefined where the run is secure. */
  readonly openRule: MergeRule | undefined;
  /** Groups that sum among themselves, and the rule that merges their sums; undefined for one sum. */
  readonly groups: Groups | undefined;
  /** What people do to the run while it lasts. */
  readonly acts: readonly Act[];
}

/** What a caller may fix. */
export interface ScheduleOptions {
  readonly members?: Range;
  /** False: no Byzantine member. */
  readonly traitors?: boolean;
}

const exactEvery = 50;

const pick = <T>(chance: Chance, from: readonly T[]): T => from[chance.below(from.length)] as T;
const within = (chance: Chance, [low, high]: Range): number => low + chance.below(high - low + 1);
const happens = (chance: Chance, probability: number): boolean => chance.real() < probability;

function drawMembers(chance: Chance, [low, high]: Range): number {
  const weighed = [3, 3, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 6, 7].filter((count) => count >= low && count <= high);
  return weighed.length > 0 && !(high > 7 && happens(chance, 0.005)) ? pick(chance, weighed) : within(chance, [low, high]);
}

/** Short and long absences in equal parts; where a deadline is to pass, mostly long ones. */
function drawDown(chance: Chance, outlast: boolean): number | undefined {
  const kind = chance.real();
  if (kind < (outlast ? 0.15 : 0.35)) return within(chance, [200, 3_000]);
  if (kind < 0.8) return within(chance, outlast ? [12_000, 40_000] : [4_000, 30_000]);
  return kind < 0.92 ? within(chance, [30_000, 90_000]) : undefined;
}

/** Actions of one member in one clean round of `members`: what the places of crashes are drawn from. */
function drawPlace(chance: Chance, members: number, rounds: number): Pick<PlannedCrash, 'action' | 'inPhase'> {
  const actions = { '': 26 + 16 * (members - 1), commit: 10, ready: 6 + 3 * members, reveal: 6 * members, final: 6 };
  const inPhase = happens(chance, 0.25)
    ? undefined
    : pick(chance, ['commit', 'commit', 'commit', 'commit', 'ready', 'ready', 'ready', 'ready', 'reveal', 'reveal', 'final'] as const);
  return { inPhase, action: 1 + chance.below(rounds * actions[inPhase ?? '']) };
}

/** Before the action, after it, or in the middle of it; sometimes at an action of one kind, so that the rare ones have their share. */
function drawMoment(chance: Chance): Pick<PlannedCrash, 'before' | 'torn' | 'of'> {
  const torn = happens(chance, 0.2);
  return { before: !torn && happens(chance, 0.5), torn, of: happens(chance, 0.3) ? pick(chance, ['blob', 'submit', 'vault', 'send'] as const) : undefined };
}

function drawTraitors(chance: Chance, members: number): Schedule['traitors'] {
  const most = Math.min(Math.floor((members - 1) / 3), members - (Math.floor((2 * members) / 3) + 1));
  if (most < 1 || !happens(chance, 0.3)) return [];
  const order = shuffled(
    Array.from({ length: members }, (_, member) => member),
    chance,
  );
  return order.slice(0, within(chance, [1, most])).map((member) => ({ member, kind: pick(chance, treasonNames) }));
}

function drawLedger(chance: Chance): Pick<Schedule, 'finalityMs' | 'reorganises'> {
  return happens(chance, 0.15) ? { finalityMs: within(chance, [1_000, 4_000]), reorganises: pick(chance, [0, 0.2, 0.5]) } : { finalityMs: 0, reorganises: 0 };
}

function drawClocks(chance: Chance, members: number): Schedule['clocks'] {
  if (!happens(chance, 0.2)) return [];
  const rate = pick(chance, [0.5, 0.98, 1, 1.02, 2]);
  return [{ member: chance.below(members), aheadMs: within(chance, [-86_400_000, 86_400_000]), rate }];
}

function drawCrashes(chance: Chance, members: number, rounds: number): Schedule['crashes'] {
  if (!happens(chance, 0.75)) return [];
  const count = pick(chance, [1, 1, 1, 1, 2, 2, 3]);
  const drawn = Array.from({ length: count }, () => {
    const place = drawPlace(chance, members, rounds);
    return {
      member: chance.below(members),
      ...place,
      ...drawMoment(chance),
      downMs: drawDown(chance, place.inPhase === 'commit' || place.inPhase === 'ready'),
    };
  });
  const gone = drawn.filter((crash) => crash.downMs === undefined).map(({ member }) => member);
  const spared = members - new Set(gone).size < 3 && happens(chance, 0.8);
  return spared ? drawn.map((crash) => ({ ...crash, downMs: crash.downMs ?? 20_000 })) : drawn;
}

function drawSpan(chance: Chance, lengthMs: Range): Span {
  const fromMs = within(chance, [0, 30_000]);
  return { fromMs, toMs: fromMs + within(chance, lengthMs) };
}

function drawCuts(chance: Chance, members: number): Pick<Schedule, 'partitions' | 'deaf' | 'silences' | 'late'> {
  const all = Array.from({ length: members }, (_, member) => member);
  const partitions = happens(chance, 0.2)
    ? [{ ...drawSpan(chance, [2_000, 40_000]), group: all.filter(() => happens(chance, 0.4)), ledger: pick(chance, ['all', 'others', 'nobody'] as const) }]
    : [];
  const one = chance.below(members);
  const deaf = happens(chance, 0.15) ? [{ ...drawSpan(chance, [5_000, 60_000]), pair: [one, (one + 1 + chance.below(members - 1)) % members] as const }] : [];
  const silences = [];
  if (happens(chance, 0.15)) silences.push({ ...drawSpan(chance, [2_000, 40_000]), member: chance.below(members) });
  if (happens(chance, 0.08)) silences.push({ ...drawSpan(chance, [2_000, 20_000]), member: undefined });
  const late = happens(chance, 0.15) ? [{ member: chance.below(members), fromMs: happens(chance, 0.75) ? within(chance, [1_000, 60_000]) : undefined }] : [];
  return { partitions, deaf, silences, late };
}

/** A ledger that lies has somebody who makes use of it. */
function drawMalice(chance: Chance, rounds: number): Pick<Schedule, 'curious' | 'lieInRound'> {
  const lieInRound = happens(chance, 0.08) ? chance.below(rounds) : undefined;
  const curious = happens(chance, 0.25) ? 0.2 : 0;
  return { lieInRound, curious: lieInRound === undefined ? curious : 0.5 };
}

/** Acts of a schedule, drawn by themselves, so that everything else of a seed stays as it is. A Byzantine member has its own. */
function drawActs(seed: number, members: number, traitors: Schedule['traitors']): readonly Act[] {
  const chance = seededChance('people', seed);
  const acts: Act[] = [];
  if (happens(chance, 0.05)) acts.push({ fromMs: within(chance, [1_000, 26_000]), member: 0, kind: 'stop' });
  if (happens(chance, 0.06)) acts.push({ fromMs: within(chance, [1_000, 26_000]), member: chance.below(members), kind: 'leave' });
  if (happens(chance, 0.05)) acts.push({ fromMs: within(chance, [6_000, 31_000]), member: 0, kind: 'roll back' });
  return acts.filter(({ member }) => !traitors.some((traitor) => traitor.member === member));
}

const openRules: readonly MergeRule[] = [
  { kind: 'mean' },
  { kind: 'coordinate-median', f: 1 },
  { kind: 'trimmed-mean', f: 1 },
  { kind: 'geometric-median', f: 1 },
  { kind: 'krum', f: 0 },
  { kind: 'multi-krum', f: 0 },
  { kind: 'centred-clipping', f: 1, radius: 0.2 },
];

/** Nothing bad at all: a meeting of faults has the world for itself. */
const calm = {
  latencyMs: [10, 200],
  ledgerDelayMs: [20, 500],
  ...{ loss: 0, doubles: 0, garble: 0, ledgerLoss: 0, finalityMs: 0, reorganises: 0, curious: 0, lieInRound: undefined },
  ...{ crashes: [], partitions: [], deaf: [], silences: [], late: [], slow: [], clocks: [], lostTrainings: [], traitors: [], acts: [] },
} satisfies Partial<Schedule>;

const neverMs = 1_000_000;
const downIn = (member: number, inPhase: string, action: number, downMs: number) => ({
  member,
  inPhase,
  action,
  downMs,
  before: true,
  torn: false,
  of: undefined,
});

/** Faults that chance alone rarely brings together, each with its own members: one is away or slow, another then keeps the round open. */
const meetings: readonly ((chance: Chance, first: number, second: number, third: number) => Partial<Schedule>)[] = [
  /** One is left out for slowness and holds shares; one of the set is silent in REVEAL. */
  (chance, first, second) => ({
    slow: [{ member: first, ordinal: 0, workMs: neverMs }],
    crashes: [downIn(second, 'reveal', within(chance, [1, 6]), within(chance, [25_000, 40_000]))],
  }),
  /** One is back in a round that does not expect it, and that lasts. */
  (chance, first, second) => ({
    rounds: 3,
    crashes: [downIn(first, 'commit', within(chance, [1, 6]), within(chance, [17_000, 24_000]))],
    slow: [{ member: second, ordinal: 1, workMs: neverMs }],
  }),
  /** One was away over a FINAL and a VOID round: the others were cut in halves. */
  (chance, first, second, third) => {
    const fromMs = within(chance, [14_000, 18_000]);
    return {
      rounds: 5,
      late: [{ member: first, fromMs: within(chance, [26_000, 46_000]) }],
      partitions: [{ fromMs, toMs: fromMs + within(chance, [14_000, 24_000]), group: [second, third], ledger: 'all' }],
      slow: [{ member: second, ordinal: 1, workMs: neverMs }],
    };
  },
];

/** One is lost in REVEAL, and another gives wrong shares of its seed: from seven members on the honest ones that are left are enough without it. */
function wrongShares(chance: Chance, first: number, second: number): Partial<Schedule> {
  return {
    ...{ openRule: undefined, groups: undefined, traitors: [{ member: first, kind: 'wrong share of a seed' }] },
    crashes: [downIn(second, 'reveal', within(chance, [1, 3]), 60_000)],
  };
}

/**
 * In a quarter of the schedules with five members and more and one secure sum, and in a tenth of all with seven and more, a meeting in place of everything else;
 * drawn by itself, so that all others stay as they are.
 */
function drawMeeting({ seed, members, openRule, groups }: Schedule, { traitors }: ScheduleOptions): Partial<Schedule> {
  const chance = seededChance('meeting', seed);
  const everybody = Array.from({ length: members }, (_, member) => member);
  if (traitors !== false && members >= 7 && seed % 10 === 7) {
    const [first = 0, second = 1] = shuffled(everybody, chance);
    return { ...calm, ...wrongShares(chance, first, second) };
  }
  if (members < 5 || openRule || groups || !happens(chance, 0.25)) return {};
  const [first = 0, second = 1, third = 2] = shuffled(everybody, chance);
  return { ...calm, ...pick(chance, meetings)(chance, first, second, third) };
}

/** The schedule of a seed. */
export function drawSchedule(seed: number, options: ScheduleOptions = {}): Schedule {
  const chance = seededChance('schedule', seed);
  const members = drawMembers(chance, options.members ?? [3, 16]);
  const statistics = happens(chance, 0.5);
  const rounds = pick(chance, members > 5 ? [2] : [2, 2, 2, 2, 2, 3, 3, 5]);
  const slow = happens(chance, 0.12) ? [{ member: chance.below(members), ordinal: chance.below(rounds), workMs: within(chance, [8_000, 40_000]) }] : [];
  const drawn = {
    seed,
    members,
    exact: seed % exactEvery === 0,
    rounds,
    statistics,
    latencyMs: pick<Range>(chance, [
      [2, 30],
      [10, 200],
      [50, 1_200],
    ]),
    ledgerDelayMs: pick<Range>(chance, [
      [2, 30],
      [20, 500],
      [100, 2_500],
    ]),
    loss: happens(chance, 0.5) ? pick(chance, [0.02, 0.05, 0.1, 0.25]) : 0,
    doubles: happens(chance, 0.3) ? 0.15 : 0,
    garble: happens(chance, 0.35) ? pick(chance, [0.02, 0.1, 0.1]) : 0,
    ledgerLoss: happens(chance, 0.2) ? 0.1 : 0,
    faultsUntilMs: 90_000,
    crashes: drawCrashes(chance, members, rounds),
    ...drawCuts(chance, members),
    slow,
    ...drawMalice(chance, rounds),
    clocks: drawClocks(chance, members),
    ...drawLedger(chance),
    lostTrainings: happens(chance, 0.1) ? [{ member: chance.below(members), ordinal: chance.below(rounds) }] : [],
    traitors: options.traitors === false ? [] : drawTraitors(chance, members),
  };
  const openRule = happens(chance, 0.1) ? pick(chance, openRules) : undefined;
  const inGroups = openRule === undefined && members >= 6 && happens(chance, 0.75);
  const rule = pick<MergeRule>(chance, [{ kind: 'mean' }, { kind: 'coordinate-median', f: 1 }]);
  const schedule = { ...drawn, openRule, groups: inGroups ? drawGroups(seed, members, rule) : undefined, acts: drawActs(seed, members, drawn.traitors) };
  return { ...schedule, ...drawMeeting(schedule, options) };
}
