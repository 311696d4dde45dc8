/** Groups that the simulated study names: drawn by a chance of their own, so that everything else of a seed stays as it is without them. */
import type { MergeRule } from '../../src/aggregation/index.ts';
import { type Chance, seededChance, shuffled } from '../../src/common/index.ts';
import type { StudyGroup } from '../../src/study/index.ts';
import { accountOf } from './named.ts';

/** Groups that sum among themselves, and the rule that merges their sums. `named` are those of the study, where it names them; else `size` of them are drawn. */
export interface Groups {
  readonly size: number;
  readonly rule: MergeRule;
  readonly named?: readonly StudyGroup[];
}

/** In some runs, groups of all members in any order, nested or not, some with houses that never approved. */
export function drawGroups(seed: number, members: number, rule: MergeRule): Groups {
  const chance = seededChance('groups', seed);
  if (chance.real() >= 0.4) return { size: 3, rule };
  const order = shuffled(
    Array.from({ length: members }, (_, member) => member),
    chance,
  );
  const leaves: StudyGroup[] = [];
  for (let at = 0; at < order.length; ) {
    const present = order.slice(at, at + 1 + chance.below(4));
    at += present.length;
    leaves.push(leafOf(leaves.length, present, Math.max(0, 3 - present.length) + chance.below(2)));
  }
  return { size: 3, rule, named: nested(chance, leaves, 1) };
}

function leafOf(ordinal: number, present: readonly number[], absent: number): StudyGroup {
  const names = Array.from({ length: absent }, (_, at) => `absent ${ordinal}.${at}`);
  return { name: `group ${ordinal}`, members: [...names, ...present.map(accountOf)] };
}

/** Neighbours are put together, down to three levels below the first. */
function nested(chance: Chance, groups: readonly StudyGroup[], depth: number): StudyGroup[] {
  if (groups.length < 3 || depth > 3 || chance.real() < 0.3) return [...groups];
  const cut = 1 + chance.below(groups.length - 1);
  const sides = [groups.slice(0, cut), groups.slice(cut)];
  return sides.flatMap((side): StudyGroup[] =>
    side.length > 1 && chance.real() < 0.8 ? [{ name: `over ${side[0]?.name}`, groups: nested(chance, side, depth + 1) }] : [...side],
  );
}
