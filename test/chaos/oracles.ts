/** What must hold after any chaos, read from outside: from the ledger itself, from each member's API, and from the folders that stopped peers left behind. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { silentLogger } from '../../src/common/index.ts';
import { connectLedger, freshAccountKey, type LedgerEvent, probeLedger } from '../../src/ledger/index.ts';
import { Consortium } from '../../src/peer/consortium.ts';
import { systemClock } from '../../src/peer/index.ts';
import { processesOf } from '../support/consortium.ts';
import type { ChaosSwarm, RunDocument } from './swarm.ts';

const { signal } = new AbortController();

/** How a run had to end: the outcome, and the names that are missing from it. */
export interface Truth {
  readonly outcome: string;
  readonly missing: readonly string[];
}

/** Every fact of the ledger, read afresh and without a peer. */
async function allFacts(swarm: ChaosSwarm): Promise<readonly LedgerEvent[]> {
  const { consortium } = swarm;
  const { chainId, contract } = consortium.file;
  const { endpoint } = consortium;
  const { block } = await probeLedger(endpoint, { clock: systemClock }, { signal });
  await using ledger = await connectLedger(
    { ...endpoint, chainId, contract: contract as never, key: freshAccountKey() },
    { clock: systemClock, logger: silentLogger },
    { signal },
  );
  const facts: LedgerEvent[] = [];
  for await (const batch of ledger.batches(undefined, { signal })) {
    facts.push(...batch.events);
    if (batch.cursor.block >= block) break;
  }
  return facts;
}

function line(history: RunDocument['history']): string {
  return history.map(({ round, phase, attempt, state, model }) => [round, phase, attempt, state, model].join(' ')).join('\n');
}

function folded(events: readonly LedgerEvent[], run: number): string {
  const consortium = new Consortium(1);
  for (const event of events) consortium.apply(event);
  const view = consortium.runs.get(run);
  return [
    view?.outcome,
    ...(view?.rounds ?? []).map(({ round, phase, attempt, state, model }) => [round, phase, attempt, state ?? null, model ?? null].join(' ')),
  ].join('\n');
}

/** How the ledger itself says that a run ended. */
async function truthOf(swarm: ChaosSwarm, facts: readonly LedgerEvent[], member: number): Promise<Truth> {
  const end = facts.find((event) => event.scope === 'run' && event.run === swarm.run && event.fact.kind === 'runEnded');
  const { members } = await swarm.view(member);
  if (end?.scope !== 'run' || end.fact.kind !== 'runEnded') return { outcome: 'no end on the ledger', missing: [] };
  const { outcome, present } = end.fact;
  const missing = outcome === 'complete' ? members.flatMap(({ name }, at) => (present.includes(at) ? [] : [name])) : [];
  return { outcome: missing.length > 0 ? `complete ${members.length - missing.length} of ${members.length}` : outcome, missing };
}

/**
 * Looks at a run that is over at all of `alive` (all members unless told otherwise), stops everything, and looks at what is left. It must have
 * ended as `expected`, where that is given, and in any case as the ledger says. Gives what is wrong.
 */
export async function judge(swarm: ChaosSwarm, expected: Truth | undefined, alive = swarm.members): Promise<readonly string[]> {
  const wrong: string[] = [];
  const facts = await allFacts(swarm);
  const truth = expected ?? (await truthOf(swarm, facts, alive[0] ?? 0));
  const ledger = folded(facts, swarm.run);
  const finals = facts.flatMap((event) => (event.scope === 'round' && event.run === swarm.run && event.fact.kind === 'final' ? [event.fact] : []));
  for (const member of alive) {
    const view = await swarm.view(member);
    if (view.outcome !== truth.outcome) wrong.push(`member ${member} says ${view.outcome}, not ${truth.outcome}`);
    if (view.missing.toSorted().join() !== truth.missing.toSorted().join())
      wrong.push(`member ${member} names ${view.missing.join()} as missing, not ${truth.missing.join()}`);
    if (!ledger.endsWith(line(view.history))) wrong.push(`member ${member} tells another story than the ledger:\n${line(view.history)}\nledger:\n${ledger}`);
    if (view.outcome?.startsWith('complete')) {
      const held = await heldBy(swarm, member);
      if (held?.model !== finals.at(-1)?.model || held?.state !== finals.at(-1)?.state)
        wrong.push(`member ${member} holds ${held?.model}, the ledger has ${finals.at(-1)?.model}`);
    }
  }
  wrong.push(...(await Promise.all(alive.map((member) => settled(swarm, member)))).flat());
  const pids = alive.map((member) => swarm.consortium.peer(member).pid);
  const logs = alive.map((member) => swarm.consortium.peer(member).log);
  await swarm.stop();
  for (const [at, member] of alive.entries()) {
    if (processesOf(pids[at] ?? 0).length > 0) wrong.push(`processes of member ${member} are left`);
    if (/defect|BROKEN_INVARIANT|differs from the one/.test(logs[at] ?? ''))
      wrong.push(
        `member ${member} speaks of a defect:\n${logs[at]
          ?.split('\n')
          .filter((text) => /defect|BROKEN|differs/.test(text))
          .slice(0, 3)
          .join('\n')}`,
      );
    wrong.push(...left(swarm.consortium.home(member), member, ledger, swarm.run));
  }
  return wrong;
}

async function heldBy(swarm: ChaosSwarm, member: number): Promise<{ readonly model: string; readonly state: string } | undefined> {
  const held = { value: undefined as { readonly model: string; readonly state: string } | undefined };
  await swarm.consortium
    .until(
      'the last state is here',
      async () => {
        held.value = await swarm.consortium.api(member).get(`/v1/runs/${swarm.run}/held`);
        return true;
      },
      30_000,
    )
    .catch(() => undefined);
  return held.value;
}

/** A member destroys a run's secrets at its end: given a moment, none is left while it still runs. */
async function settled(swarm: ChaosSwarm, member: number): Promise<readonly string[]> {
  const vault = join(swarm.consortium.home(member), 'vault');
  const rest = (): readonly string[] => ['keys', 'sealed'].flatMap((folder) => readdirSync(join(vault, folder)));
  await swarm.consortium.until('secrets are destroyed', async () => rest().length === 0, 10_000).catch(() => undefined);
  return rest().map((name) => `member ${member} still has the secret ${name}`);
}

/** What a stopped peer's folder says: its journal folds to what the ledger has, no round's inputs are left, and only the last states are stored. */
function left(home: string, member: number, ledger: string, run: number): readonly string[] {
  const wrong: string[] = [];
  const journal = new DatabaseSync(join(home, 'journal.sqlite'), { readOnly: true });
  try {
    const events = journal
      .prepare('SELECT event FROM events ORDER BY at')
      .all()
      .map((row): LedgerEvent => JSON.parse(String(row['event'])));
    if (folded(events, run) !== ledger) wrong.push(`the journal of member ${member} folds to another story than the ledger`);
    const inputs = journal.prepare('SELECT DISTINCT run, round FROM inputs').all();
    if (inputs.length > 0) wrong.push(`the journal of member ${member} still has inputs of rounds ${inputs.map((row) => row['round']).join()}`);
  } finally {
    journal.close();
  }
  const blobs = readdirSync(join(home, 'blobs'));
  if (blobs.length > 2) wrong.push(`member ${member} still stores ${blobs.length} pieces of content`);
  return wrong;
}
