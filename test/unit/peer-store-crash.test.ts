/**
 * A peer killed before any one call of the file system. What its stores hold afterwards is what was there before the step that was cut short, or what
 * the step makes; nothing of a destroyed round can be opened, no key is left over, and the step can be done again. The calls are counted, so none is left out.
 */
import { randomBytes } from 'node:crypto';
import fs, { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSecrets } from '../../src/aggregation/index.ts';
import { BlobStore } from '../../src/peer/store/blobs.ts';
import { type RoundSecrets, Vault } from '../../src/peer/store/vault.ts';
import { wordsName } from '../../src/peer/store/words.ts';
import { groupContext, seededBytes } from '../support/custodians.ts';

const killed = new Error('killed');
const changing = ['openSync', 'writeSync', 'ftruncateSync', 'fsyncSync', 'renameSync', 'rmSync', 'mkdirSync', 'writeFileSync'] as const;
const real = Object.fromEntries(changing.map((name) => [name, fs[name]]));

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'schwarm-crash-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Does `work` with a file system that obeys the first `calls` calls and none after them: whether it came to its end. */
function withCalls(calls: number, work: () => void): boolean {
  let left = calls;
  for (const name of changing) {
    const obeyed = real[name] as (...given: unknown[]) => unknown;
    Object.assign(fs, {
      [name]: (...given: unknown[]) => {
        if (left-- <= 0) throw killed;
        return obeyed(...given);
      },
    });
  }
  syncBuiltinESMExports();
  try {
    work();
  } catch (error) {
    if (left >= 0) throw error;
  } finally {
    Object.assign(fs, real);
    syncBuiltinESMExports();
  }
  return left >= 0;
}

/** Steps in order, and what is seen after each of them. */
interface Story {
  readonly steps: readonly (() => void)[];
  readonly look: () => unknown;
}

/** Cuts the story off at every call; gives how many there were. What `look` sees must be of before or after the step in which it was cut, and the rest can be done from there. */
function cutEverywhere(begin: () => Story): number {
  const fresh = (): Story => {
    rmSync(home, { recursive: true, force: true });
    fs.mkdirSync(home);
    return begin();
  };
  const uncut = fresh();
  const seen = [uncut.look()];
  for (const step of uncut.steps) {
    step();
    seen.push(uncut.look());
  }
  for (let calls = 0; ; calls++) {
    const { steps, look } = fresh();
    let done = 0;
    const whole = withCalls(calls, () => {
      for (; done < steps.length; done++) steps[done]?.();
    });
    if (whole) return calls;
    const found = look();
    expect(seen.slice(done, done + 2), `cut at call ${calls}, in step ${done}`).toContainEqual(found);
    for (const step of steps.slice(done)) step();
    expect(look(), `gone on after call ${calls}, in step ${done}`).toEqual(seen.at(-1));
  }
}

describe('killed before any call of the file system', () => {
  const [first, second] = [
    { run: 1, round: 2 },
    { run: 1, round: 3 },
  ];
  const secretsOf = (word: number): RoundSecrets => ({
    custodian: createSecrets({ context: groupContext, self: 0, roster: [0, 1, 2], threshold: 3, generations: 0, attempts: 2 }, seededBytes('crash')),
    masks: {},
    wordsKey: Uint8Array.of(word),
  });

  it('the vault opens, and has the secrets of before or after the step, or none of a round that was being destroyed', { timeout: 120_000 }, () => {
    const calls = cutEverywhere(() => {
      const vault = () => new Vault(home);
      const words = join(home, 'vault', 'sealed', wordsName(first));
      const kept = (round: typeof first) => vault().load(round)?.keyName;
      const again = (round: typeof first, word: number) => ({ ...secretsOf(word), ...(kept(round) === undefined ? {} : { keyName: kept(round) ?? '' }) });
      return {
        steps: [
          () => vault().save(first, again(first, 1), { erasing: false }),
          () => vault().save(first, again(first, 2), { erasing: false }),
          () => fs.writeFileSync(words, 'words'),
          () => vault().save(second, again(second, 3), { erasing: false }),
          () => vault().save(first, again(first, 4), { erasing: true }),
          () => vault().putAside(first, () => Uint8Array.of(7)),
          () => vault().destroy(first),
          () => vault().destroy(second),
        ],
        look: () => {
          const open = vault();
          expect(readdirSync(join(home, 'vault', 'keys'))).toHaveLength(open.rounds().length);
          const aside = fs.existsSync(join(home, 'audit')) ? readdirSync(join(home, 'audit')).filter((name) => !name.endsWith('.new')) : [];
          return { words: [first, second].map((round) => open.load(round)?.wordsKey?.[0]), aside: aside.length === 2 };
        },
      };
    });
    expect(calls).toBeGreaterThan(40);
  });

  it('content is there whole or not at all', { timeout: 120_000 }, () => {
    const calls = cutEverywhere(() => {
      const contents = [10, 150_000].map((sizeBytes) => new Uint8Array(randomBytes(sizeBytes)));
      const roots = contents.map((bytes) => new BlobStore(home).put(bytes));
      for (const root of roots) new BlobStore(home).remove(root);
      return {
        steps: [
          ...contents.map((bytes) => () => void new BlobStore(home).put(bytes)),
          () => void new BlobStore(home).keepOnly(new Set([roots[1]])),
          () => new BlobStore(home).remove(roots[1]!),
        ],
        look: () => roots.map((root, at) => new BlobStore(home).get(root)?.length === contents[at]?.length),
      };
    });
    expect(calls).toBeGreaterThan(10);
  });
});
