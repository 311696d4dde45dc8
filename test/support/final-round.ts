/** One FINAL round of three members under any plan, and the opening of member 1: for tests of what an auditor finds in it. */
import {
  bundleDigest,
  type Custodian,
  type Opening,
  type OpeningFacts,
  openingKeys,
  planDigest,
  planSlots,
  roundContext,
  type SumPlan,
} from '../../src/aggregation/index.ts';
import { account, type Digest, digest, digestOf, leavesOf, merkleRoot, toHex, utf8 } from '../../src/common/index.ts';
import { acquainted, masked } from './custodians.ts';

const set = [0, 1, 2];
const accounts = set.map((member) => account(`0x${String(member + 1).repeat(40)}`));

/** What member 1 opens of `words`, and what the ledger has on record of it. */
export function finalRound(
  plan: SumPlan,
  words: Uint8Array,
): {
  readonly context: Digest;
  readonly custodians: readonly Custodian[];
  readonly opening: Opening;
  readonly facts: OpeningFacts;
} {
  const fields = {
    chainId: 1,
    contract: accounts[0] ?? account(''),
    study: digestOf(utf8('study')),
    run: 0,
    round: 0,
    base: digestOf(utf8('base')),
    plan: planDigest(plan),
  };
  const context = roundContext({ ...fields, roster: accounts });
  const custodians = acquainted(set, { context });
  const [, opener] = custodians;
  const keys = opener && openingKeys(opener.snapshot(), opener.bundle(), { plan, attempt: 0, set });
  if (!keys) throw new Error('nothing is missing');
  const root = digest(toHex(merkleRoot(leavesOf(masked(opener, words, { slots: planSlots(plan), attempt: 0, set })))));
  const joined = Object.fromEntries(custodians.map((custodian, member) => [member, bundleDigest(context, member, custodian.bundle())]));
  return {
    context,
    custodians,
    opening: { ...keys, words },
    facts: {
      context: fields,
      accounts,
      roster: set,
      joined,
      final: { attempt: 0, set },
      roots: { 1: root },
    },
  };
}
