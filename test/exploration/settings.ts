/** What is explored where: quick settings and those of `npm test` as tests, the rest over night. */

import { base } from './digests.ts';
import type { Fault, Setting } from './faults.ts';

/** A setting by name. */
export interface Named {
  readonly name: string;
  readonly setting: Setting;
}

const one = (member: number): readonly (readonly [string, readonly Fault[]])[] => [
  ['nothing wrong', []],
  ['a member is lost', [{ kind: 'lost', member }]],
  ['a member restarts', [{ kind: 'restarts', member }]],
  ['a link loses messages', [{ kind: 'link', member: 0, other: 1 }]],
  ['a member is behind', [{ kind: 'behind', member }]],
  ['a member withholds', [{ kind: 'withholds', member }]],
  ['a member is READY over another sum', [{ kind: 'other-sum', member }]],
  ['a member votes for another state', [{ kind: 'other-vote', member }]],
  ['a member asks early', [{ kind: 'asks-early', member }]],
  ['a member has a bad bundle', [{ kind: 'bad-bundle', member }]],
  ['the ledger forges a READY', [{ kind: 'forged-ready' }]],
];

const settings = (members: number, member: number, patient: boolean): readonly Named[] =>
  one(member).map(([what, faults]) => ({ name: `${members} members, ${what}, ${patient ? 'time waits' : 'any time'}`, setting: { members, faults, patient } }));

/** After {0, 1, 2, 3} was opened on this base in a round that ended VOID, nobody takes part in a sum over three of the four (rule R6). */
const earlier: Named = {
  name: '4 members, an earlier release and a member lost, time waits',
  setting: { members: 4, faults: [{ kind: 'lost', member: 3 }], patient: true, earlierReleases: [{ base, set: [0, 1, 2, 3] }] },
};

/** A forged READY alone makes nobody ask for seeds; a colluding member does. */
const collusion: Named = {
  name: '3 members, a forged READY and a member that asks for seeds, time waits',
  setting: { members: 3, faults: [{ kind: 'forged-ready' }, { kind: 'asks-early', member: 1 }], patient: true },
};

/** A member that is left out of a retry still holds shares: it gives none before it destroyed those of the attempt before (R1). */
const holder: Named = {
  name: '4 members, one restarts and another asks for seeds, time waits',
  setting: {
    members: 4,
    faults: [
      { kind: 'restarts', member: 1 },
      { kind: 'asks-early', member: 2 },
    ],
    patient: true,
  },
};

/** With deadlines at any point there are tens of thousands of states where nothing is wrong, and millions on a bad link: only three of these settings are for every day. */
const isVast = (name: string): boolean => !/nothing wrong|is lost|forges/.test(name);
const isQuick = ({ name }: Named): boolean => !/lost|withholds|asks early/.test(name);

/** Settings in which time passes only when nothing else can happen: a round with one fault must end FINAL where four have one to spare. */
export const patient: readonly Named[] = [...settings(3, 1, true), ...settings(4, 1, true), earlier, collusion, holder];
/** Those of them that take less than a second: what a mutant meets. */
export const quick: readonly Named[] = [...settings(3, 1, true), ...settings(4, 1, true).filter(isQuick), collusion];
/** Settings in which deadlines pass at any point. */
export const anyTime: readonly Named[] = settings(3, 1, false).filter(({ name }) => !isVast(name));

const pairs: readonly (readonly Fault[])[] = [
  [
    { kind: 'lost', member: 1 },
    { kind: 'restarts', member: 2 },
  ],
  [
    { kind: 'lost', member: 1 },
    { kind: 'link', member: 0, other: 2 },
  ],
  [
    { kind: 'other-sum', member: 1 },
    { kind: 'lost', member: 2 },
  ],
  [{ kind: 'other-sum', member: 1 }, { kind: 'forged-ready' }],
  [
    { kind: 'restarts', member: 1 },
    { kind: 'restarts', member: 2 },
  ],
  [
    { kind: 'withholds', member: 3 },
    { kind: 'lost', member: 0 },
  ],
];

/** What takes hours: four members with deadlines at any point, faults at every member, and pairs of faults. */
export const night: readonly Named[] = [
  ...settings(3, 1, false).filter(({ name }) => isVast(name)),
  ...[0, 2].flatMap((member) => [...settings(3, member, true), ...settings(3, member, false)]),
  ...[0, 2, 3].flatMap((member) => settings(4, member, true)),
  ...settings(4, 1, false),
  ...pairs.map((faults) => ({
    name: `4 members, ${faults.map(({ kind }) => kind).join(' and ')}, time waits`,
    setting: { members: 4, faults, patient: true },
  })),
];
