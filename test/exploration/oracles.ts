/** What must hold in every state, and in every state from which nothing leads on. What must hold of a message that leaves is in `consent.ts`. */
import { opened } from './digests.ts';
import { faultName } from './faults.ts';
import { terms } from './ledger.ts';
import type { State } from './state.ts';
import type { World } from './world.ts';

/** Agreement, one released attempt among all honest members, and only states that follow from a sum. */
export function checkState(world: World, state: State): readonly string[] {
  const end = world.ledger.end(state.ledger);
  const wrong: string[] = [];
  const attempts = new Set<string | undefined>();
  for (const [member] of state.locals.entries()) {
    const { machine, left } = world.local(state, member);
    if (!world.isHonest(member)) continue;
    for (const item of left) attempts.add(item.split('/')[1]);
    if (machine.phase === 'final' && (end?.kind !== 'final' || machine.state !== end.state)) wrong.push(`member ${member} calls another state final`);
    if (machine.phase === 'final' && machine.differs) wrong.push(`member ${member} computed another state than the one that was voted`);
    if (machine.phase === 'void' && end?.kind !== 'void') wrong.push(`member ${member} is in a VOID round that is not`);
  }
  if (attempts.size > 1) wrong.push(`something was released for attempts ${[...attempts].join(' and ')}`);
  if (end?.kind === 'final' && end.state !== opened(end.attempt, end.set).state) wrong.push('the final state does not follow from the sum');
  return wrong;
}

/** Where nothing leads on, the round is over for everybody who runs: FINAL with the state at hand, or VOID, and no secret is left. */
export function checkEnd(world: World, state: State): readonly string[] {
  const { faults, patient, members } = world.setting;
  const end = world.ledger.end(state.ledger);
  if (!end) return ['the round is stuck: nobody can do anything'];
  const wrong: string[] = [];
  for (const [member] of state.locals.entries()) {
    if (!world.isUp(state, member)) continue;
    const { machine, erased, stored } = world.local(state, member);
    if (machine.phase !== end.kind) wrong.push(`member ${member} is stuck in ${machine.phase}`);
    if (end.kind === 'final' && stored !== end.state) wrong.push(`member ${member} does not hold the final state`);
    if (machine.ground.bundle !== undefined && erased < machine.ground.erasedBelow) wrong.push(`member ${member} believes that it destroyed what it still has`);
    if (machine.ground.bundle !== undefined && erased < terms.maxAttempts) wrong.push(`member ${member} keeps secrets of a round that is over`);
  }
  const spare = members - (Math.floor((2 * members) / 3) + 1);
  const excused =
    faults.some(({ kind }) => kind === 'forged-ready' || kind === 'withholds') || faults.length > spare || world.setting.earlierReleases !== undefined;
  if (end.kind === 'void' && patient && !excused)
    wrong.push(`VOID (${end.reason}) although ${faults.map(faultName).join(', ') || 'nothing'} is all that went wrong`);
  if (end.kind === 'void' && faults.length === 0 && !world.ledger.waited(state.ledger)) wrong.push(`VOID (${end.reason}) although nobody had to wait`);
  return wrong;
}

/** Local states from which steps lead back: a round that could go on for ever. Without one, every way through the states ends. */
export function circles(edges: readonly (ReadonlySet<number> | undefined)[]): readonly string[] {
  const state = new Map<number, 'open' | 'done'>();
  for (const start of edges.keys()) {
    const stack: [number, Iterator<number>][] = [];
    const enter = (id: number): void => {
      state.set(id, 'open');
      stack.push([id, (edges[id] ?? new Set<number>()).values()]);
    };
    if (!state.has(start)) enter(start);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { value, done } = top[1].next();
      if (done) {
        state.set(top[0], 'done');
        stack.pop();
      } else if (state.get(value) === 'open') return [`local state ${value} leads back to itself`];
      else if (!state.has(value)) enter(value);
    }
  }
  return [];
}
