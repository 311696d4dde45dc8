/** From whatever `study.toml` held to a manifest, or to all its problems at once: place, what was found, what is allowed. */
import { z } from 'zod';
import type { StudyProblem } from './errors.ts';
import { studyLimits } from './limits.ts';
import { type StudyManifest, trainingSchema } from './manifest.ts';
import { schemaProblems } from './schema-problems.ts';
import { statisticsSchema } from './statistics-manifest.ts';
import { statisticsProblems } from './statistics-problems.ts';
import { trainingProblems, withDominance } from './training-problems.ts';

const schema = z.discriminatedUnion('kind', [trainingSchema, statisticsSchema]);

/** The manifest in `root`, or every problem found in it, at most `studyLimits.problems`. */
export function checkManifest(root: unknown): { readonly manifest: StudyManifest } | { readonly problems: readonly StudyProblem[] } {
  const parsed = schema.safeParse(root);
  const problems = parsed.success
    ? crossProblems(parsed.data)
    : schemaProblems(parsed.error, root, 'schwarm.study/1').map((problem) => ({ file: 'study.toml', ...problem }));
  if (problems.length > 0) return { problems: problems.slice(0, studyLimits.problems) };
  return parsed.success ? { manifest: parsed.data.kind === 'training' ? withDominance(parsed.data) : parsed.data } : { problems };
}

function crossProblems(manifest: StudyManifest): readonly StudyProblem[] {
  return manifest.kind === 'training' ? trainingProblems(manifest) : statisticsProblems(manifest);
}
