import { expect, test } from 'vitest';
import { platformProblems } from '../../deploy/install.mjs';

test.for([
  ['linux', 'x64', '2.36'],
  ['linux', 'arm64', '2.35'],
] as const)('%s on %s with glibc %s is fine', ([platform, arch, glibc]) => {
  expect(platformProblems({ platform, arch, glibc })).toEqual([]);
});

test.for([
  ['linux', 'x64', '2.34', 'glibc 2.34'],
  ['linux', 'x64', undefined, 'no glibc'],
  ['linux', 'ia32', '2.36', 'not supported'],
  ['sunos', 'x64', undefined, 'not supported'],
] as const)('%s on %s with glibc %s names the way out', ([platform, arch, glibc, said]) => {
  const problems = platformProblems({ platform, arch, glibc });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(said);
  expect(problems[0]).toMatch(/Use |Install /);
});
