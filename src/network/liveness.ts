/**
 * Whether the other side of a connection is still there. TCP alone does not notice for a quarter of an hour when a gateway between two houses
 * has forgotten a connection, and libp2p's own monitor takes a peer that is busy for six seconds for gone.
 */
import type { Connection, Stream } from '@libp2p/interface';
import { PING_PROTOCOL } from '@libp2p/ping';
import type { Clock } from '../common/index.ts';
import { firstFrame, frame } from './frames.ts';
import { livenessMs, maxUnanswered } from './limits.ts';

const pingSizeBytes = 32;

/** How often something has come over a connection. */
export interface Heard {
  count: number;
}

/** Resolves once a connection is closed, or `maxUnanswered` pings in a row brought nothing, and nothing else came either. */
export async function untilSilent(
  connection: Connection,
  heard: Heard,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  for (let unanswered = 0; connection.status === 'open' && unanswered < maxUnanswered; ) {
    const before = heard.count;
    await clock.sleep(livenessMs.pause, { signal });
    const isBusy = heard.count !== before && connection.rtt !== undefined;
    const answers = isBusy || (await answersPing(connection, clock, signal));
    unanswered = answers || heard.count !== before ? 0 : unanswered + 1;
  }
}

async function answersPing(connection: Connection, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const sentMs = clock.nowMs();
  const limited = clock.timeout(livenessMs.answer, { signal });
  let stream: Stream | undefined;
  try {
    stream = await connection.newStream(PING_PROTOCOL, { signal: limited });
    const echo = firstFrame(stream, pingSizeBytes, limited);
    stream.send(frame(new Uint8Array(pingSizeBytes)));
    await echo;
    connection.rtt = clock.nowMs() - sentMs;
    await stream.close({ signal: limited });
    return true;
  } catch (error) {
    stream?.abort(error instanceof Error ? error : new Error(String(error)));
    return false;
  }
}
