/** Ledger time of the embedded engine: it passes by itself while a run is live, stands still otherwise, and never leaps over deadlines. */
import { describe, expect, it } from 'vitest';
import { JsonRpc } from '../../src/ledger/evm/rpc.ts';
import { realClock } from '../support/clock.ts';
import { Consortium, open, Run, token } from '../support/ledger.ts';

async function head(url: string): Promise<{ block: number; timeS: number }> {
  using rpc = new JsonRpc({ url, token: token.token }, realClock);
  const block = (await rpc.call('eth_getBlockByNumber', ['latest', false], open)) as { number: string; timestamp: string };
  return { block: Number(block.number), timeS: Number(block.timestamp) };
}

describe('ledger time', () => {
  it('passes by empty blocks while a run is live, and only then', async () => {
    await using consortium = await Consortium.create({ members: 3 });
    const idle = await head(consortium.url);
    await realClock.sleep(1_300, open);
    expect(await head(consortium.url)).toEqual(idle);
    await Run.start(consortium);
    const live = await head(consortium.url);
    await realClock.sleep(2_500, open);
    const later = await head(consortium.url);
    expect(later.block - live.block).toBeGreaterThanOrEqual(1);
    expect(later.block - live.block).toBeLessThanOrEqual(3);
    expect(later.timeS).toBeGreaterThan(live.timeS);
    await consortium.submit(0, { kind: 'stopRun', run: 1 });
    const ended = await head(consortium.url);
    await realClock.sleep(1_300, open);
    expect((await head(consortium.url)).block).toBe(ended.block);
  });

  it('goes on where it was after a long stop in a live run, so that no deadline is missed by it', async () => {
    await using consortium = await Consortium.create({ members: 3 });
    const run = await Run.start(consortium, { joinS: 20 });
    const before = await head(consortium.url);
    consortium.clock.push(3_600_000);
    await run.join(0);
    const after = await head(consortium.url);
    expect(after.timeS - before.timeS).toBeLessThanOrEqual(3);
    expect(await consortium.roundFacts(1, 'joinClosed')).toHaveLength(1);
    await consortium.refused(0, { kind: 'advance', ...run.at(0) }, 'NotYetExpired');
  });
});
