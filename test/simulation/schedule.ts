/** One seed, one schedule: how many members, how bad the network, who crashes where, who is late. Plain values, so that a found case can be written down. */
import { type Chance, seededChance } from '../../src/common/index.ts';
import type { PlannedCrash } from './disk.ts';

/** Milliseconds from and to, both included. */
export type Range = readonly [number, number];

/** A time in which something is cut off. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Everything that one world depends on. Probabilities are for each message, transaction or fetch while faults last. */
export interface Schedule {
  readonly seed: number;
  readonly members: number;
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
  /** Members of `group` and the others cannot reach each other. */
  readonly partitions: readonly (Span & { readonly group: readonly number[] })[];
  /** Two members cannot reach each other, whatever the others can. */
  readonly deaf: readonly (Span & { readonly pair: readonly [number, number] })[];
  /** A member sees no block; with no member, the chain makes none. */
  readonly silences: readonly (Span & { readonly member: number | undefined })[];
  /** Starts only then; a span without an end would never start. */
  readonly late: readonly { readonly member: number; readonly fromMs: number | undefined }[];
  /** Local work of one sum takes this long. */
  readonly slow: readonly { readonly member: number; readonly ordinal: number; readonly workMs: number }[];
  /** Chance that, at a tick, one member asks another for a seed or a share of one, whether or not it is time. */
  readonly curious: number;
  /** The ledger shows a forged READY in this round once all others are READY. */
  readonly lieInRound: number | undefined;
}

/** What a caller may fix. */
export interface ScheduleOptions {
  readonly members?: Range;
}

const pick = <T>(chance: Chance, from: readonly T[]): T => from[chance.below(from.length)] as T;
const within = (chance: Chance, [low, high]: Range): number => low + chance.below(high - low + 1);
const happens = (chance: Chance, probability: number): boolean => chance.real() < probability;

function drawMembers(chance: Chance, [low, high]: Range): number {
  const weighed = [3, 3, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 6, 7].filter((count) => count >= low && count <= high);
  return weighed.length > 0 ? pick(chance, weighed) : within(chance, [low, high]);
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

function drawCrashes(chance: Chance, members: number, rounds: number): Schedule['crashes'] {
  if (!happens(chance, 0.75)) return [];
  const count = pick(chance, [1, 1, 1, 1, 2, 2, 3]);
  const drawn = Array.from({ length: count }, () => {
    const place = drawPlace(chance, members, rounds);
    return {
      member: chance.below(members),
      ...place,
      before: happens(chance, 0.5),
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
  const partitions = happens(chance, 0.2) ? [{ ...drawSpan(chance, [2_000, 40_000]), group: all.filter(() => happens(chance, 0.4)) }] : [];
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

/** The schedule of a seed. */
export function drawSchedule(seed: number, options: ScheduleOptions = {}): Schedule {
  const chance = seededChance('schedule', seed);
  const members = drawMembers(chance, options.members ?? [3, 7]);
  const statistics = happens(chance, 0.5);
  const rounds = pick(chance, members > 5 ? [2] : [2, 2, 2, 2, 2, 3, 3, 5]);
  const slow = happens(chance, 0.12) ? [{ member: chance.below(members), ordinal: chance.below(rounds), workMs: within(chance, [8_000, 40_000]) }] : [];
  return {
    seed,
    members,
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
  };
}
