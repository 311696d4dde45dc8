/** How an attack is written down: its number and name in the threat model, and the outcome that it must end in. */
import { appendFileSync } from 'node:fs';
import { inject, test } from 'vitest';

/** How an attack may end. */
export type Outcome = 'refused' | 'bounded' | 'residual';

/** One line of the threat model as a test. The outcome is printed after the last test of all. */
export function attack(number: number, name: string, outcome: Outcome, body: () => Promise<void> | void, timeoutMs = 240_000): void {
  test(`${String(number).padStart(2, '0')} ${name}: ${outcome}`, { timeout: timeoutMs }, async () => {
    await body();
    appendFileSync(inject('attacksFile'), `${number}\t${outcome}\n`);
  });
}

declare module 'vitest' {
  interface ProvidedContext {
    attacksFile: string;
  }
}
