/** A ping over a stream that the other side has closed meanwhile: nobody waits for its answer any more, and the process goes on. */
import type { Connection, Stream } from '@libp2p/interface';
import { expect, test } from 'vitest';
import type { Clock } from '../../src/common/index.ts';
import { untilSilent } from '../../src/network/liveness.ts';

test('an answer that nobody waits for any more does not end the process', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  const { signal } = new AbortController();
  const limit = new AbortController();
  const stream = Object.assign(new EventTarget(), {
    send: () => {
      throw new Error('Cannot write to a stream that is closed');
    },
    abort: () => undefined,
  }) as unknown as Stream;
  const connection = { status: 'open', newStream: async () => stream } as unknown as Connection;
  const clock: Clock = { nowMs: () => 0, calendarMs: () => 0, sleep: async () => undefined, timeout: () => limit.signal };
  await untilSilent(connection, { count: 0 }, { clock, signal });
  limit.abort();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});
