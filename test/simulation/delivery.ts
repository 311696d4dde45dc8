/** How the ledger's facts come to members: each at its own time; and a ledger that lies. */
import { roundContext } from '../../src/aggregation/index.ts';
import type { RoundFact } from '../../src/wire/index.ts';
import { chainId, contractAddress } from './ledger.ts';
import type { Links } from './links.ts';
import { checkJournals, checkNewest, checkReplay, type Place } from './place.ts';
import type { Scene } from './scene.ts';
import { count } from './seen.ts';

/** The way from the chain to the members of a world. */
export class Delivery {
  readonly #scene: Scene;
  readonly #links: Links;
  #noted = 0;

  constructor(scene: Scene, links: Links) {
    this.#scene = scene;
    this.#links = links;
  }

  /** The chain has a new block: each member is to see it, each at its own time. */
  grown(): void {
    for (const place of this.#scene.places) this.offer(place);
    for (let at = this.#noted; at < this.#scene.chain.events.length; at++) {
      const event = this.#scene.chain.events[at];
      if (!event) continue;
      this.#scene.trace.note('fact', event.scope, JSON.stringify(event.fact));
      if (event.scope === 'round') this.#countFact(event.round, event.fact);
    }
    this.#noted = this.#scene.chain.events.length;
  }

  #countFact(round: number, fact: RoundFact): void {
    if (fact.kind === 'final' && this.#scene.schedule.groups)
      count(this.#scene.seen, `final in ${this.#scene.schedule.groups.named ? 'named ' : ''}groups by ${this.#scene.schedule.groups.rule.kind}`);
    if (fact.kind === 'final' && this.#scene.schedule.openRule) count(this.#scene.seen, `final open ${this.#scene.schedule.openRule.kind}`);
    if (fact.kind === 'final' || fact.kind === 'attemptOpened' || fact.kind === 'have') count(this.#scene.seen, fact.kind);
    if (fact.kind === 'attemptOpened' && fact.attempt > 0) count(this.#scene.seen, 'retries');
    if (fact.kind === 'void') count(this.#scene.seen, `void ${fact.reason}`);
    if (fact.kind !== 'opened') return;
    const roster = fact.roster.flatMap((member) => this.#scene.accounts[member] ?? []);
    const { study } = this.#scene.chain.model.start;
    this.#links.contexts.set(roundContext({ chainId, contract: contractAddress, study, run: 1, round, base: fact.base, plan: fact.plan, roster }), round);
    if (fact.roster.length < this.#scene.schedule.members) count(this.#scene.seen, 'rounds of a smaller roster');
  }

  /** Lets a member see what is new, at its own time. */
  offer(place: Place): void {
    if (place.batchDue) return;
    place.batchDue = true;
    const restMs = this.#scene.conditions.silentMs(place.index);
    const { incarnation } = place;
    this.#scene.time.after(restMs + this.#scene.luck.draw(this.#scene.schedule.ledgerDelayMs), () => {
      if (incarnation !== place.incarnation) return;
      place.batchDue = false;
      this.#deliver(place);
    });
  }

  #deliver(place: Place): void {
    const { events, block, timeS } = this.#scene.chain;
    const from = place.disk.events.length;
    place.incarnation?.ingest({ events: events.slice(from), cursor: { block, hash: String(block) }, timeS, isLatest: true });
    checkNewest(this.#scene.seen, place);
    if (this.#scene.luck.chance.below(40) === 0) {
      checkReplay(this.#scene.seen, place.index, place.incarnation);
      checkJournals(this.#scene.seen, this.#scene.schedule, place);
    }
  }

  /** A ledger that lies shows a READY of the last member that is not READY. */
  tellLies(): void {
    if (this.#scene.schedule.lieInRound === undefined) return;
    const { live, round, phase, set, ready } = this.#scene.chain.model.open;
    if (!live || round !== this.#scene.schedule.lieInRound || phase !== 'ready' || ready.length !== set.length - 1) return;
    const victim = set.find((member) => !ready.includes(member));
    const shown = this.#scene.chain.events.findLast((event) => event.scope === 'round' && event.fact.kind === 'ready');
    if (victim === undefined || shown?.fact.kind !== 'ready') return;
    this.#scene.seen.lies.push(round);
    count(this.#scene.seen, 'forged READY');
    const { context, sum } = shown.fact;
    this.#scene.chain.forge(victim, { context, sum, members: [] });
  }
}
