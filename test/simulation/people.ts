/** What people do to a run while it lasts: its starter stops it or takes rounds back, a member leaves. */
import type { Account } from '../../src/common/index.ts';
import type { Call } from './contract-calls.ts';
import type { Events } from './events.ts';
import type { Chain } from './ledger.ts';
import type { Act } from './schedule.ts';
import { count, type Seen } from './seen.ts';

const calls: Readonly<Record<Act['kind'], Call>> = { stop: { kind: 'stopRun' }, leave: { kind: 'leaveRun' }, 'roll back': { kind: 'rollBack', keep: 1 } };

/** Brings the acts to the ledger at their times; one that the contract refuses (the run is over, no round is FINAL yet) is none. */
export function planActs(
  acts: readonly Act[],
  world: { readonly time: Events; readonly chain: Chain; readonly accounts: readonly Account[]; readonly seen: Seen },
): void {
  const { time, chain, accounts, seen } = world;
  for (const { fromMs, member, kind } of acts) {
    const act = (): void => {
      const account = accounts[member];
      if (!account) return;
      if (chain.stalledMs > 0) return time.after(chain.stalledMs + 1, act);
      if (kind === 'leave') seen.impaired.push({ member, fromMs: time.nowMs, toMs: Number.POSITIVE_INFINITY });
      const answer = chain.take(account, calls[kind]);
      count(seen, answer && 'refused' in answer ? `${kind}: refused` : kind);
    };
    time.after(fromMs, act);
  }
}
