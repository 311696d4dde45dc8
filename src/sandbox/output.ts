/** What a child prints by itself: a bounded part goes to the log, the last words are kept to explain its death. */
import type { Readable } from 'node:stream';
import type { Logger } from '../common/index.ts';
import { maxLoggedLineChars, maxLoggedLines, maxOutputTailChars } from './limits.ts';

/** Follows the streams until they end; returns the last words on demand. */
export function followOutput(streams: readonly Readable[], name: string, logger: Logger): { readonly tail: () => string } {
  let tail = '';
  let lines = 0;
  const take = (chunk: string): void => {
    tail = (tail + chunk).slice(-maxOutputTailChars);
    for (const line of chunk.split('\n')) {
      if (line.trim() === '' || lines >= maxLoggedLines) continue;
      lines += 1;
      logger.debug('child output', { child: name, line: line.slice(0, maxLoggedLineChars) });
    }
  };
  for (const stream of streams) {
    stream.setEncoding('utf8');
    stream.on('data', take);
    stream.on('error', () => undefined);
  }
  return { tail: () => tail.trim() };
}
