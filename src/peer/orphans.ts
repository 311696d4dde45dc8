/** What a peer that was killed between two steps leaves behind: content, secrets and inputs that nobody would ever look at again. */
import type { Digest } from '../common/index.ts';
import type { RoundKey } from '../wire/index.ts';
import type { RunView } from './consortium.ts';
import type { PeerContext } from './context.ts';
import { Custody } from './custody.ts';
import { neededStates } from './kept-states.ts';
import { liveRounds } from './limits.ts';
import { storedRoot } from './live-round.ts';

type Stores = Pick<PeerContext, 'vault' | 'journal' | 'blobs' | 'bulk' | 'consortium' | 'logger'>;

/** Removes it; to be called before any run goes on. */
export function removeOrphans(context: Stores): void {
  const { vault, journal, blobs, consortium, logger } = context;
  const live = new Set(
    [...consortium.runs.values()].flatMap((run) => run.rounds.slice(-liveRounds).map((round) => nameOf({ run: run.run, round: round.round }))),
  );
  const secrets = vault.rounds().filter((round) => !live.has(nameOf(round)));
  for (const round of secrets) {
    keepRecord(context, round);
    vault.destroy(round);
  }
  const inputs = journal.rounds().filter((round) => !live.has(nameOf(round)));
  for (const round of inputs) journal.forgetRound(round);
  const files = blobs.keepOnly(named(context));
  const found = { secrets: secrets.length, rounds: inputs.length, files };
  if (Object.values(found).some((count) => count > 0)) logger.info('what an interrupted step left behind was removed', found);
}

/** Of a FINAL round with an audit window, taken back later or not, the record is what is left. */
function keepRecord({ vault, blobs, bulk, consortium }: Stores, key: RoundKey): void {
  const view = consortium.runs.get(key.run)?.rounds.find(({ round }) => round === key.round);
  if (view?.state !== undefined) new Custody(key, vault, blobs, bulk).keepOpening(view.attempt);
}

function nameOf({ run, round }: RoundKey): string {
  return `${run}-${round}`;
}

/** Packages of studies, the states that every run needs, and whatever the live rounds of a live run add up. */
function named({ consortium, journal, vault }: Stores): ReadonlySet<string | undefined> {
  const inRound = ({ run }: RunView, { round }: RunView['rounds'][number]): readonly (Digest | undefined)[] => {
    const masked = Object.values(vault.load({ run, round })?.masks ?? {}).map(({ root }) => root);
    return [...masked, ...journal.inputs({ run, round }).flatMap((input) => ('state' in input ? [input.state] : storedRoot(input)))];
  };
  const inRun = (run: RunView): readonly (Digest | undefined)[] => {
    const live = run.outcome === undefined ? run.rounds.slice(-liveRounds) : [];
    return [...neededStates(run), ...live.flatMap((round) => inRound(run, round))];
  };
  return new Set([...[...consortium.studies.values()].map(({ root }) => root), ...[...consortium.runs.values()].flatMap(inRun)]);
}
