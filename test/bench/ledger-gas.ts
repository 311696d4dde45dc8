/** Gas of every contract call on the real engine, by number of members: the table of `contracts/README.md`. `node test/bench/ledger-gas.ts` */
import { contracts } from '../../src/ledger/evm/artifacts.ts';
import { JsonRpc } from '../../src/ledger/evm/rpc.ts';
import { freshAccountKey, type LedgerTransaction } from '../../src/ledger/index.ts';
import { realClock } from '../support/clock.ts';
import { ballot, base, Consortium, founderOf, named, open, plan, study, terms, token } from '../support/ledger.ts';

const sizes = [4, 16, 64, 128];

async function measure(members: number): Promise<Map<string, number[]>> {
  await using of = await Consortium.create({ members });
  using rpc = new JsonRpc({ url: of.url, token: token.token }, realClock);
  const gas = new Map<string, number[]>();
  const note = async (name: string, by: number, transaction: LedgerTransaction): Promise<void> => {
    const receipt = await of.submit(by, transaction);
    const { gasUsed } = (await rpc.call('eth_getTransactionReceipt', [receipt.transaction], open)) as { gasUsed: string };
    gas.set(name, [...(gas.get(name) ?? []), Number(gasUsed)]);
  };
  const all = of.keys.map((_, index) => index);
  const each = async (name: string, closes: string, transaction: (member: number) => LedgerTransaction, by = all): Promise<void> => {
    for (const member of by) await note(member === by.at(-1) ? closes : name, member, transaction(member));
  };
  const accounts = of.keys.map((key) => key.account);
  for (let block = 1; block <= 3; block++) {
    const { transactions } = (await rpc.call('eth_getBlockByNumber', [`0x${block.toString(16)}`, false], open)) as { transactions: string[] };
    const { gasUsed } = (await rpc.call('eth_getTransactionReceipt', [transactions[0]], open)) as { gasUsed: string };
    gas.set(`deploy ${Object.keys(contracts)[block - 1]}`, [Number(gasUsed)]);
  }
  await note('propose', 0, { kind: 'propose', action: { kind: 'admit', ...founderOf(freshAccountKey(), 'a new member') } });
  await note('vote on a proposal', 1, { kind: 'voteProposal', proposal: 1, support: true });
  await note('record', 0, { kind: 'record', label: 'budget', subject: named('a'), hash: named('b') });
  await note('publish a study', 0, { kind: 'publishStudy', study, root: named('root'), sizeBytes: 1_000 });
  await each('approve a study', 'approve a study', () => ({ kind: 'decideStudy', study, approved: true, dataVersion: named('data') }));
  await note('start a run', 0, { kind: 'startRun', study, roster: accounts, terms: { ...terms, rounds: 3 }, base, plan });
  let total = 0;
  for (const round of [0, 1]) {
    const at = { run: 1, round };
    const before = [...gas.values()].flat().reduce((a, b) => a + b, 0);
    await each('join', 'join that closes', () => ({ kind: 'join', ...at, bundle: base }));
    await each('vouch', 'vouch that closes', () => ({ kind: 'vouch', ...at, holds: all }));
    await each('commit', 'commit that closes', () => ({ kind: 'commit', ...at, attempt: 0, root: base }));
    if (round === 1) {
      await each('have', 'have', () => ({ kind: 'have', ...at, attempt: 0, holds: all }), all.slice(0, -1));
      await of.pass(22);
      await note('advance READY, the worst case', 0, { kind: 'advance', ...at });
      break;
    }
    await each('ready', 'ready that closes', () => ({ kind: 'ready', ...at, attempt: 0, context: base, members: accounts, sum: base }));
    await each(
      'vote',
      'vote that is FINAL, next round opened',
      () => ({ kind: 'vote', accept: true, ...at, ...ballot }),
      all.slice(0, Math.floor((2 * members) / 3) + 1),
    );
    total = [...gas.values()].flat().reduce((a, b) => a + b, 0) - before;
  }
  gas.set('whole round', [total]);
  return gas;
}

const columns = [];
for (const size of sizes) columns.push(await measure(size));
const thousands = (values: readonly number[] | undefined): string => (values === undefined ? '' : (Math.max(...values) / 1_000).toFixed(0));
process.stdout.write(`| thousand gas, worst of its kind | ${sizes.map((size) => `N = ${size}`).join(' | ')} |\n| --- |${' ---: |'.repeat(sizes.length)}\n`);
for (const name of columns[0]?.keys() ?? []) process.stdout.write(`| ${name} | ${columns.map((column) => thousands(column.get(name))).join(' | ')} |\n`);
