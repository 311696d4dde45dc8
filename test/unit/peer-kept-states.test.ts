/** Which states of a run stay on disk: the newest for a roll-back, the one that the next round starts from, and the result. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { stateBytes } from '../../src/aggregation/index.ts';
import type { RoundView, RunView } from '../../src/peer/consortium.ts';
import { KeptStates, neededStates } from '../../src/peer/kept-states.ts';
import { keptStates } from '../../src/peer/limits.ts';
import { BlobStore } from '../../src/peer/store/blobs.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'schwarm-states-'));
  return () => rmSync(home, { recursive: true, force: true });
});

const stateOf = (ordinal: number): Uint8Array => stateBytes({ ordinal, parameters: Float32Array.of(ordinal) });

/** A run after rounds that ended as told, with the states of its FINAL rounds stored and `forget` after each round. */
function played(blobs: BlobStore, phases: readonly ('final' | 'void')[], states = new KeptStates(blobs)) {
  const all = [blobs.put(stateOf(0))];
  let run = { run: 1, base: all[0], rounds: [] } as unknown as RunView;
  for (const [round, phase] of phases.entries()) {
    const base = all.at(-1);
    if (phase === 'final') all.push(blobs.put(stateOf(all.length)));
    const ended = phase === 'final' ? { phase, state: all.at(-1) } : { phase };
    run = { ...run, rounds: [...run.rounds, { round, base, ...ended } as RoundView] };
    states.forget(run, false);
  }
  return { states, run, all };
}

test('the newest states stay, and no more, however many rounds were VOID between them', () => {
  const blobs = new BlobStore(home);
  const { all } = played(blobs, Array.from({ length: 40 }, () => ['final', 'void', 'void', 'void'] as const).flat());
  expect(all.slice(-keptStates).every((state) => blobs.size(state) !== undefined)).toBe(true);
  expect(blobs.count()).toBeLessThanOrEqual(keptStates + 1);
});

test('the result stays after a run whose last rounds were all VOID', () => {
  const blobs = new BlobStore(home);
  const { states, run, all } = played(blobs, ['final', 'final', ...Array.from({ length: 4 * keptStates }, () => 'void' as const)]);
  states.forget(run, true);
  expect(all.map((state) => blobs.size(state) !== undefined)).toEqual([false, false, true]);
});

test('two runs of one study go through the same states: the end of one takes none from the other', () => {
  const blobs = new BlobStore(home);
  const slow = played(blobs, ['final', 'final']);
  const quick = played(blobs, ['final', 'final', 'final', 'final'], new KeptStates(blobs, (state) => neededStates(slow.run).includes(state)));
  quick.states.forget(quick.run, true);
  expect(quick.all.map((state) => blobs.size(state) !== undefined)).toEqual([true, true, true, false, true]);
});
