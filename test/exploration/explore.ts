/**
 * Breadth-first search through every state of a setting: nothing is drawn at random, nothing is left out but what `world.ts` says. Stops at the first wrong thing,
 * which is reached on a shortest way.
 */

import type { Setting } from './faults.ts';
import { checkEnd, checkState, circles } from './oracles.ts';
import { key, type State } from './state.ts';
import { World } from './world.ts';

/** What a search found. */
export interface Explored {
  readonly states: number;
  readonly steps: number;
  readonly locals: number;
  readonly ledgers: number;
  /** Ends by how the round ended. */
  readonly ends: Readonly<Record<string, number>>;
  readonly wrong: readonly string[];
  /** The shortest way to the first wrong thing. */
  readonly way: readonly string[];
  /** CPU time of this process. */
  readonly seconds: number;
}

interface Visit {
  readonly state: State;
  readonly from: number;
  readonly label: string;
}

/** Looks at all states of a setting, or until something is wrong. */
export function explore(setting: Setting, mostStates = Number.POSITIVE_INFINITY): Explored {
  const started = process.cpuUsage();
  const world = new World(setting);
  const visits: Visit[] = [];
  const known = new Set<string>();
  const ends: Record<string, number> = {};
  let wrong: readonly string[] = [];
  let steps = 0;
  let at = 0;
  const visit = (state: State, from: number, label: string): void => {
    const name = key(state);
    if (known.has(name)) return;
    known.add(name);
    visits.push({ state, from, label });
  };
  const first = world.start();
  wrong = first.wrong;
  visit(first.state, -1, first.label);
  const way: string[] = [];
  for (; at < visits.length && wrong.length === 0 && visits.length <= mostStates; at++) {
    const { state } = visits[at] as Visit;
    const next = world.steps(state);
    steps += next.length;
    wrong = [...checkState(world, state), ...(next.length === 0 ? checkEnd(world, state) : [])];
    if (next.length === 0) {
      const end = world.ledger.end(state.ledger);
      const name = end?.kind === 'void' ? `void ${end.reason}` : `${end?.kind} of ${end?.set.length}`;
      ends[name] = (ends[name] ?? 0) + 1;
    }
    for (const step of next) {
      if (wrong.length === 0 && step.wrong.length > 0) {
        wrong = step.wrong;
        way.unshift(step.label);
      }
      visit(step.state, at, step.label);
    }
    if (wrong.length > 0) for (let back = at; back >= 0; back = visits[back]?.from ?? -1) way.unshift(visits[back]?.label ?? '');
  }
  if (wrong.length === 0) wrong = circles(world.locals.edges);
  if (wrong.length === 0 && at < visits.length) wrong = [`more than ${mostStates} states`];
  return {
    states: visits.length,
    steps,
    locals: world.locals.size,
    ledgers: world.ledger.size,
    ends,
    wrong,
    way,
    seconds: seconds(started),
  };
}

function seconds(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}
