/** What every ledger must do, whatever engine is behind it. An engine's test file calls `ledgerCompliance` with its factory. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { account, utf8 } from '../../src/common/index.ts';
import { type Ledger, type LedgerBatch, type LedgerCursor, verifyAccountSignature } from '../../src/ledger/index.ts';
import { ballot, base, context, named, plan, study, sum, terms } from '../support/ledger.ts';

/** A consortium of four on the engine under test: members by index (sorted by account), and an account that is no member. */
export interface LedgerUnderTest extends AsyncDisposable {
  readonly members: readonly [Ledger, Ledger, Ledger, Ledger];
  readonly outsider: Ledger;
}

const open = { signal: new AbortController().signal };

/** Batches until one reaches `block`. */
async function read(ledger: Ledger, cursor: LedgerCursor | undefined, block: number): Promise<LedgerBatch[]> {
  const batches: LedgerBatch[] = [];
  for await (const batch of ledger.batches(cursor, open)) {
    batches.push(batch);
    if (batch.cursor.block >= block) break;
  }
  return batches;
}

const record = (word: string) => ({ kind: 'record', label: 'note', subject: named(word), hash: named('hash') }) as const;

export function ledgerCompliance(name: string, create: () => Promise<LedgerUnderTest>): void {
  describe(`the ledger on ${name}`, () => {
    let under: LedgerUnderTest;
    let first: Ledger;
    beforeAll(async () => {
      under = await create();
      first = under.members[0];
    });
    afterAll(() => under[Symbol.asyncDispose]());

    it('tells everybody the same events, each once, in one order', async () => {
      const receipts = await Promise.all(under.members.map((ledger, index) => ledger.submit(record(`same ${index}`), open)));
      const last = Math.max(...receipts.map(({ block }) => block));
      const [one, ...others] = await Promise.all(
        under.members.map(async (ledger) => (await read(ledger, undefined, last)).flatMap(({ events }) => events).filter(({ block }) => block <= last)),
      );
      for (const other of others) expect(other).toEqual(one);
      expect(new Set(one?.map(({ id }) => id)).size).toBe(one?.length);
      const places = one?.map(({ id }) => id.split(':').map(Number)) ?? [];
      expect(places).toEqual([...places].sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d));
      for (const { transaction, block } of receipts) expect(one?.some((event) => event.transaction === transaction && event.block === block)).toBe(true);
    });

    it('goes on from any cursor with exactly the rest', async () => {
      const { block } = await first.submit(record('cursor'), open);
      const all = await read(first, undefined, block);
      const events = all.flatMap((batch) => batch.events);
      const [start] = await read(first, undefined, 0);
      const rest = (await read(first, start?.cursor, block)).flatMap((batch) => batch.events);
      expect([...(start?.events ?? []), ...rest].slice(0, events.length)).toEqual(events);
      const end = all.at(-1)?.cursor;
      const next = await first.submit(record('after the cursor'), open);
      const after = (await read(first, end, next.block)).flatMap((batch) => batch.events).filter((event) => event.block <= next.block);
      expect(after.filter((event) => event.transaction === next.transaction)).toHaveLength(1);
      expect(after.every((event) => event.block > (end?.block ?? 0))).toBe(true);
    });

    it('tells the time at once, also where nothing is new', async () => {
      const { block } = await first.submit(record('time'), open);
      const cursor = (await read(first, undefined, block)).at(-1)?.cursor;
      for await (const batch of first.batches(cursor, open)) {
        expect(batch.timeS).toBeGreaterThan(1_600_000_000);
        break;
      }
    });

    it('stops at a cursor of another chain', async () => {
      const { block } = await first.submit(record('fork'), open);
      const forged = { block, hash: `0x${'ab'.repeat(32)}` };
      await expect(read(first, forged, block + 1)).rejects.toMatchObject({ code: 'LEDGER_REORGANISED', detail: { block } });
    });

    it('shows an event to another member', async () => {
      const stop = new AbortController();
      const seen = (async () => {
        for await (const { events } of under.members[1].batches(undefined, { signal: stop.signal })) {
          const event = events.find(({ fact }) => fact.kind === 'recorded' && fact.subject === named('seen'));
          if (event !== undefined) return event;
        }
        return undefined;
      })();
      const { transaction } = await first.submit(record('seen'), open);
      const event = await seen;
      stop.abort();
      expect(event).toMatchObject({ scope: 'consortium', transaction, fact: { by: first.account, label: 'note', hash: named('hash') } });
    });

    it('names the reason of a refusal, and goes on after it', async () => {
      await expect(under.outsider.submit(record('x'), open)).rejects.toMatchObject({
        code: 'LEDGER_REFUSED',
        detail: { reason: expect.stringMatching(/^NotActive\(0x/i) },
      });
      const outcomes = await Promise.allSettled([
        first.submit(record('a'), open),
        first.submit({ kind: 'stopRun', run: 99 }, open),
        first.submit(record('b'), open),
        first.submit({ kind: 'voteProposal', proposal: 99, support: true }, open),
        first.submit(record('c'), open),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
    });

    it('refuses what is no label or name before anything is sent', async () => {
      await expect(first.submit({ ...record('x'), label: 'ü' }, open)).rejects.toMatchObject({ code: 'LEDGER_BAD_NAME' });
      await expect(first.submit({ ...record('x'), label: 'x'.repeat(32) }, open)).rejects.toMatchObject({ code: 'LEDGER_BAD_NAME' });
    });

    it('ends a reader and a writer by their signal', async () => {
      const stop = new AbortController();
      const reading = (async () => {
        for await (const _ of first.batches(undefined, { signal: stop.signal }));
        return 'ended';
      })();
      stop.abort();
      expect(await reading).toBe('ended');
      await expect(first.submit(record('late'), { signal: stop.signal })).rejects.toMatchObject({ code: 'COMMON_CANCELLED' });
      await first.submit(record('goes on'), open);
    });

    it('signs bytes with the member’s account', async () => {
      const message = utf8('hello');
      expect(verifyAccountSignature(message, await first.sign(message))).toBe(first.account);
      expect(account(first.account)).toBe(first.account);
    });

    it('carries a round from start to FINAL', async () => {
      const { members } = under;
      const at = { run: 1, round: 0 };
      const everybody = [0, 1, 2, 3];
      await first.submit({ kind: 'publishStudy', study, root: named('root'), sizeBytes: 1_000 }, open);
      const all = async (transaction: (index: number) => Parameters<Ledger['submit']>[0]) =>
        await Promise.all(members.map((ledger, index) => ledger.submit(transaction(index), open)));
      await all(() => ({ kind: 'decideStudy', study, approved: true, dataVersion: named('data') }));
      const roster = members.map((ledger) => ledger.account);
      await members[2].submit({ kind: 'startRun', study, roster, terms: { ...terms, rounds: 1 }, base, plan }, open);
      await all((index) => ({ kind: 'join', ...at, bundle: named(`bundle ${index}`) }));
      await all(() => ({ kind: 'vouch', ...at, holds: everybody }));
      await all((index) => ({ kind: 'commit', ...at, attempt: 0, root: named(`root ${index}`) }));
      await all(() => ({ kind: 'ready', ...at, attempt: 0, context, members: roster, sum }));
      const voted = await all(() => ({ kind: 'vote', accept: true, ...at, ...ballot }));
      const last = Math.max(...voted.map(({ block }) => block));
      const events = (await read(members[3], undefined, last)).flatMap((batch) => batch.events);
      const readies = events.flatMap(({ fact }) => (fact.kind === 'ready' ? [fact] : []));
      for (const { member, signature } of readies) expect(first.readySigner({ context, members: roster, sum, signature })).toBe(roster[member]);
      expect(readies).toHaveLength(4);
      expect(events.find(({ fact }) => fact.kind === 'final')).toMatchObject({ scope: 'round', ...at, fact: { set: everybody, ...ballot } });
      expect(events.find(({ fact }) => fact.kind === 'runEnded')?.fact).toEqual({ kind: 'runEnded', outcome: 'complete', present: everybody });
      expect(events.filter(({ fact }) => fact.kind === 'voted')).toHaveLength(4);
    });
  });
}
