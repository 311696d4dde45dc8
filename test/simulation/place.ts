/** A member's place in a world, whether it runs or not, and what is looked up there when it starts, now and then, and at the end. */
import type { Account } from '../../src/common/index.ts';
import { liveRounds } from '../../src/peer/limits.ts';
import type { Disk } from './disk.ts';
import type { Incarnation } from './member.ts';
import type { Schedule } from './schedule.ts';
import type { Seen } from './seen.ts';
import type { Traitor } from './traitor.ts';

/** What stays of a member while it crashes and starts again. */
export interface Place {
  readonly index: number;
  readonly account: Account;
  readonly disk: Disk;
  incarnation: Incarnation | undefined;
  /** Never starts again. */
  gone: boolean;
  batchDue: boolean;
  readonly traitor: Traitor | undefined;
}

/** Whether the journal gives the state that the member has, and whether that state knows what the member released. */
export function checkReplay(seen: Seen, member: number, incarnation: Incarnation | undefined): void {
  const replayed = incarnation?.access.dead === false ? incarnation.replays() : undefined;
  if (replayed) seen.replayed.push({ member, ...replayed });
  const round = incarnation?.access.dead === false ? incarnation.forgets() : undefined;
  if (round !== undefined) seen.forgotten.push({ member, round });
  const newest = incarnation?.access.dead === false ? incarnation.newest() : undefined;
  const isReleased = seen.released.some((released) => released.member === member && released.round === newest?.round);
  if (newest && isReleased && !newest.state.ground.released) seen.forgotten.push({ member, round: newest.round });
}

/** Whether the member works on the newest round that it knows of. */
export function checkNewest(seen: Seen, { index, incarnation, disk }: Place): void {
  const open = disk.events.findLast((event) => event.scope === 'round' && event.fact.kind === 'opened');
  if (open?.scope !== 'round' || !incarnation || incarnation.access.dead) return;
  for (const round of incarnation.newestRounds()) if (round !== open.round) seen.behind.push({ member: index, round, newest: open.round });
}

/** Whether journals of old rounds are gone, where no crash can have kept them. */
export function checkJournals(seen: Seen, { crashes, restores }: Schedule, { index, disk }: Place): void {
  const crashed = [...crashes, ...(restores ?? [])].some(({ member }) => member === index);
  if (!crashed && disk.inputs.size > liveRounds) seen.journals.push({ member: index, rounds: disk.inputs.size });
}
