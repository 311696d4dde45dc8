/** A shipped study and who takes part when it is shown: `deploy/studies/NAME` with its `demo.toml`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'smol-toml';
import { z } from 'zod';
import { isTraining, readStudy, type Study, withSeed } from '../../src/study/index.ts';
import { DemoError } from './failure.ts';

const shape = z.strictObject({
  format: z.literal('schwarm.demo-members/1'),
  seeds: z.array(z.int()).min(1),
  member: z.array(z.strictObject({ name: z.string(), dataset: z.string(), files: z.array(z.string()).min(1) })).min(3),
});

/** One member of the demo: its own files only. */
export interface DemoMember {
  readonly name: string;
  readonly dataset: string;
  /** Absolute paths. */
  readonly files: readonly string[];
}

/** The study with its seed, and its members. */
export interface DemoStudy<Kind extends Study = Study> {
  readonly name: string;
  readonly folder: string;
  readonly study: Kind;
  readonly members: readonly DemoMember[];
}

const studies = fileURLToPath(new URL('../studies/', import.meta.url));

/** Reads a shipped study; `seed` takes the place of the study's own. */
export async function readDemoStudy(name: string, seed: number | undefined, signal: AbortSignal): Promise<DemoStudy> {
  const known = readdirSync(studies, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  if (!known.some((entry) => entry.name === name))
    throw new DemoError(`There is no study "${name}". Known: ${known.map((entry) => entry.name).join(', ')}.`, 2);
  const folder = join(studies, name);
  const { member } = shape.parse(parse(readFileSync(join(folder, 'demo.toml'), 'utf8')));
  const study = await readStudy(folder, { signal });
  return {
    name,
    folder,
    study: seed === undefined ? study : seeded(study, seed),
    members: member.map(({ files, ...rest }) => ({ ...rest, files: files.map((file) => join(folder, file)) })),
  };
}

function seeded(study: Study, seed: number): Study {
  if (!isTraining(study)) throw new DemoError('A study that counts draws nothing: leave out --seed.', 2);
  return withSeed(study, seed);
}
