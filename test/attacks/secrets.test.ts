/** Attacks on masks, on sizes and times, and on recordings that wait for a better computer. */

import { createCipheriv, hkdfSync } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { planSizeBytes, planSlots } from '../../src/aggregation/index.ts';
import { kemDecapsulate, kemEncapsulate, kemKeys, pairSecret, selfKey, x25519Public, x25519Shared } from '../../src/aggregation/secagg/keys.ts';
import { addMasks } from '../../src/aggregation/secagg/masking.ts';
import { Vault } from '../../src/peer/store/vault.ts';
import { checkModel } from '../../src/peer/studies.ts';
import { TrainingQuestion } from '../../src/peer/training-question.ts';
import { seededBytes } from '../support/custodians.ts';
import { project } from '../support/demo.ts';
import { readTrainingStudy } from '../support/studies.ts';
import { Swarm } from '../support/swarm.ts';
import { attack } from './attack.ts';

const stack = new AsyncDisposableStack();
const signal = new AbortController().signal;
let swarm: Swarm;

beforeAll(async () => {
  swarm = await Swarm.start(stack, { rounds: 2, rowsOf: (peer) => 40 + 37 * peer });
}, 120_000);
afterAll(() => stack.disposeAsync());

attack(14, 'a weak or truncated mask generator', 'refused', () => {
  const key = Buffer.from('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', 'hex');
  const vector = new Uint8Array(65_536 + 64);
  const slots = planSlots({ purpose: 'update', ordinal: 1, segments: [{ name: 'words', length: vector.length / 4, wordBits: 32, range: 1, scale: 1 }] });
  addMasks(vector, [{ key, sign: 1 }], slots);
  const cipher = createCipheriv('aes-256-ctr', key, new Uint8Array(16));
  expect(Buffer.compare(vector, cipher.update(new Uint8Array(vector.length))), 'the stream is AES-256-CTR under the whole key').toBe(0);
  for (let bit = 0; bit < 256; bit++) {
    const other = Uint8Array.from(key, (byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    const changed = new Uint8Array(64);
    addMasks(
      changed,
      [{ key: other, sign: 1 }],
      planSlots({ purpose: 'update', ordinal: 1, segments: [{ name: 'words', length: 16, wordBits: 32, range: 1, scale: 1 }] }),
    );
    expect(Buffer.compare(changed, vector.subarray(0, 64)), `bit ${bit} of the key counts`).not.toBe(0);
  }
  expect(Buffer.compare(selfKey(key, new Uint8Array(32)), new Uint8Array(hkdfSync('sha256', key, new Uint8Array(32), 'self', 32)))).toBe(0);
  const rooms = ['aggregation', 'round', 'wire', 'common'].flatMap((room) =>
    readdirSync(join(project, 'src', room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(room, name)),
  );
  expect(rooms.length).toBeGreaterThan(30);
  const code = (name: string): string => readFileSync(join(project, 'src', name), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
  const random = rooms.filter((name) => /Math\.random|mersenne|randomBytes|getRandomValues|xorshift/i.test(code(name)));
  expect(random, 'fresh bytes are an argument everywhere').toEqual([]);
  const chance = rooms.filter((name) => name.includes('secagg') && /seededChance|Chance\b/.test(code(name)));
  expect(chance, 'and no seeded draw reaches a mask').toEqual([]);
  const custody = readFileSync(join(project, 'src/peer/custody.ts'), 'utf8');
  expect(custody, 'they come from the operating system').toMatch(/import \{ randomFillSync \} from 'node:crypto'/);
});

attack(23, 'what sizes say about the rows of a member', 'bounded', async () => {
  const run = await swarm.startRun();
  await swarm.honestGoOn(run);
  const sizes = (at: number, kind: string) =>
    [
      ...new Set(
        swarm
          .edge(at)
          .sent.filter(({ message }) => message.body.kind === kind)
          .map(({ sizeBytes }) => sizeBytes),
      ),
    ].sort();
  for (const kind of ['bundle', 'seed']) for (const at of [1, 2]) expect(sizes(at, kind), `${kind} of members with other rows`).toEqual(sizes(0, kind));
  for (const at of [0, 1, 2]) expect(sizes(at, 'shares').length, 'shares: with the ciphertext, or without').toBeLessThanOrEqual(2);
  const study = await readTrainingStudy(swarm.folder, { signal });
  const question = new TrainingQuestion(study, 4, checkModel(study).genesis.length);
  expect(new Set([1, 2].map((ordinal) => planSizeBytes(question.plan({ ordinal })))).size, 'a vector is as long as the plan says').toBe(1);
});

attack(24, 'harvest now, decrypt later', 'refused', async () => {
  const fresh = seededBytes('harvest');
  const [mine, theirs, kemSeed] = [fresh(32), fresh(32), fresh(64)];
  const kem = kemKeys(kemSeed);
  const sealed = kemEncapsulate(kem.publicKey, fresh(32));
  const classical = x25519Shared(mine, x25519Public(theirs));
  if (!sealed || !classical) throw new Error('no key agreement');
  const side = (member: number, x25519: Uint8Array) => ({ member, x25519, kem: kem.publicKey });
  const transcript = { lower: side(0, x25519Public(mine)), higher: side(1, x25519Public(theirs)), ciphertext: sealed.ciphertext };
  const context = new Uint8Array(32).fill(7);
  const agreed = pairSecret(context, classical, sealed.secret, transcript);
  expect(Buffer.compare(agreed, pairSecret(context, classical, kemDecapsulate(kem.secretKey, sealed.ciphertext), transcript))).toBe(0);
  const zeros = new Uint8Array(32);
  expect(Buffer.compare(agreed, pairSecret(context, classical, zeros, transcript)), 'X25519 broken is not enough').not.toBe(0);
  expect(Buffer.compare(agreed, pairSecret(context, zeros, sealed.secret, transcript)), 'nor is ML-KEM broken').not.toBe(0);

  const stolen = mkdtempSync(join(tmpdir(), 'schwarm-stolen-'));
  try {
    const { home } = swarm.peer(0).context;
    const run = await swarm.startRun();
    await swarm.until('round 1 is in its middle', () => swarm.facts(run, 'attemptOpened', 0).some(({ round }) => round === 1));
    cpSync(join(home, 'vault', 'sealed'), join(stolen, 'vault', 'sealed'), { recursive: true });
    expect(readdirSync(join(stolen, 'vault', 'sealed')).length).toBeGreaterThan(0);
    await swarm.honestGoOn(run);
    await swarm.until('the keys of the run are gone', () => readdirSync(join(home, 'vault', 'keys')).length === 0);
    cpSync(join(home, 'vault', 'keys'), join(stolen, 'vault', 'keys'), { recursive: true });
    const vault = new Vault(stolen);
    for (const round of [0, 1, 2]) expect(vault.load({ run: run as never, round }), 'sealed secrets without their key').toBeUndefined();
  } finally {
    rmSync(stolen, { recursive: true, force: true });
  }
});
