/** Which effects are under way and when the others may be tried again. */
import { retryMs } from './limits.ts';

interface Try {
  readonly running: boolean;
  readonly notBeforeMs: number;
  readonly waitMs: number;
}

/** Keeps one try an effect at a time, with a wait between tries that doubles up to a bound. */
export class Pacing {
  readonly #tries = new Map<string, Try>();

  /** True, and the effect counts as running, where it is due. */
  begin(key: string, nowMs: number): boolean {
    const last = this.#tries.get(key);
    if (last && (last.running || nowMs < last.notBeforeMs)) return false;
    this.#tries.set(key, { running: true, notBeforeMs: 0, waitMs: last?.waitMs ?? retryMs.first });
    return true;
  }

  /** A try ended; where the effect is still wanted it may begin again after its wait, or after `waitMs` where given. */
  end(key: string, nowMs: number, waitMs?: number): void {
    const wait = this.#tries.get(key)?.waitMs ?? retryMs.first;
    this.#tries.set(key, { running: false, notBeforeMs: nowMs + (waitMs ?? wait), waitMs: Math.min(2 * wait, retryMs.longest) });
  }

  /** Forgets everything that is not wanted any more, so that it starts afresh when it is wanted again. */
  keep(wanted: { readonly has: (key: string) => boolean }): void {
    for (const [key, { running }] of this.#tries) if (!running && !wanted.has(key)) this.#tries.delete(key);
  }
}
