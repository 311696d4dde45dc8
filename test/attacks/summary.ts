/** Before the attacks: a file for their outcomes. After them: one line that says how many of the 24 ended as named. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

const lines = 24;

export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'schwarm-attacks-'));
  const file = join(folder, 'outcomes');
  writeFileSync(file, '');
  project.provide('attacksFile', file);
  return () => {
    const ended = new Map(
      readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('\t') as [string, string]),
    );
    const count = (outcome: string) => [...ended.values()].filter((other) => other === outcome).length;
    process.stdout.write(
      `attacks: ${ended.size} of ${lines} ended as named (${count('refused')} refused, ${count('bounded')} bounded by a figure, ${count('residual')} residual and said)\n`,
    );
    rmSync(folder, { recursive: true, force: true });
  };
}
