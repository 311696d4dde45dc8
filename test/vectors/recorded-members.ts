/** The members of a recorded round: keys and secrets from seeded bytes, each draw kept, and what their training gave by the formula of the page. */
import { computeAddress, SigningKey } from 'ethers';
import { Custodian, createSecrets, encodeUpdate, type RoundState, roundingKey, type SumPlan, type UpdateTerms } from '../../src/aggregation/index.ts';
import { type Account, account, type Digest, sha256, toHex, utf8 } from '../../src/common/index.ts';
import { seededBytes } from '../support/custodians.ts';
import { plain } from './rewrite.ts';

/** An institution before the round: a name and a ledger account with its key. */
export interface Institution {
  readonly name: string;
  readonly accountKey: string;
  readonly account: Account;
}

const names = ['north', 'east', 'south', 'west', 'harbour', 'hill', 'lake', 'meadow', 'river'];

/** Institutions, nine at most, in ascending order of their accounts, which is the order of their indexes. */
export function institutions(label: string, members: number): readonly Institution[] {
  const made = names.slice(0, members).map((name) => {
    const accountKey = `0x${toHex(sha256(utf8(`${label} ${name}`)))}`;
    return { name, accountKey, account: account(computeAddress(accountKey)) };
  });
  return made.sort((a, b) => (a.account < b.account ? -1 : 1));
}

/** The signature over a READY digest: r, s, v, with the low s. */
export function signed(accountKey: string, digest: string): string {
  return new SigningKey(accountKey).sign(digest).serialized;
}

/** Parameter l of the base model is ((7919 l mod 65536) - 32768) / 65536, exact in a float32. */
export function baseParameters(parameters: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: parameters }, (_, at) => (((at * 7_919) % 65_536) - 32_768) / 65_536);
}

/** Member i trained parameter l to fround(base + (((l + 1) (104729 + 2 i) mod 8192) - 4096) / (3 · 2^(13 + i mod 2))). */
export function trainedParameters(base: Float32Array, member: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(base, (value, at) => value + ((((at + 1) * (104_729 + 2 * member)) % 8_192) - 4_096) / (3 * 2 ** (13 + (member % 2))));
}

/** What all members of a recorded round know. */
export interface RoundGround {
  readonly context: Digest;
  readonly roster: readonly number[];
  readonly threshold: number;
  readonly attempts: number;
  readonly generations: number;
  readonly seed: number;
  readonly base: RoundState;
  readonly terms: UpdateTerms;
  readonly plan: SumPlan;
}

const localRows = [40, 700, 1_024, 1_500, 96, 512, 3_000, 250, 810];

/** One member with its custodian, its words, and every fresh byte that it drew. */
export class RecordedMember {
  readonly index: number;
  readonly institution: Institution;
  readonly custodian: Custodian;
  readonly words: Uint8Array<ArrayBuffer>;
  readonly rows: number;
  readonly lossSum: number;
  /** As text, for what is erased is overwritten. */
  readonly #secrets: object;

  constructor(index: number, institution: Institution, ground: RoundGround) {
    const { context, roster, threshold, attempts, generations, base, terms, plan, seed } = ground;
    const draw = seededBytes('recorded', institution.name);
    const drawn: Uint8Array[] = [];
    const kept = (sizeBytes: number): Uint8Array => {
      const bytes = draw(sizeBytes);
      drawn.push(bytes.slice());
      return bytes;
    };
    const snapshot = createSecrets({ context, self: index, roster, threshold, attempts, generations }, kept);
    const coefficients = (attempt: number) => drawn.slice(attempts + attempt * (threshold - 1), attempts + (attempt + 1) * (threshold - 1));
    this.index = index;
    this.institution = institution;
    this.#secrets = plain({
      x25519: snapshot.keys.x25519,
      kemSeed: snapshot.keys.kemSeed,
      seeds: Object.values(snapshot.seeds),
      coefficients: Object.keys(snapshot.seeds).map((attempt) => coefficients(Number(attempt))),
      points: Object.values(snapshot.points),
    }) as object;
    this.custodian = new Custodian(snapshot);
    this.rows = localRows[index] ?? 0;
    this.lossSum = 0.625 * this.rows;
    const local = { base: base.parameters, trained: trainedParameters(base.parameters, index), rows: this.rows, lossSum: this.lossSum };
    this.words = encodeUpdate(plan, terms, local, roundingKey(seed, institution.name, plan.ordinal));
  }

  /** Everything of this member that a second implementation starts from; in open mode there are no secrets of a round. */
  plain(mode: 'open' | 'secure' = 'secure'): object {
    const { index, institution, rows, lossSum } = this;
    return { member: index, ...institution, ...(mode === 'secure' ? this.#secrets : {}), rows, lossSum };
  }
}
