/**
 * The global states of one round: the ledger, each member's local state, how far each has read the ledger, and what became of the faults.
 *
 * Left out where that loses nothing ("eager", done at once in `#settle`): everything whose delay is the delay of something else that is explored.
 * - Making a bundle, preparing the input, masking, summing: each is followed by a transaction of the same member, which comes at any time.
 * - Facts that change no phase, and time, which only ever makes more transactions possible: they commute with every other step of their member, and switch off none.
 * - Exchange between two members whose link is well: a held bundle, share or seed commutes with facts, and what it leads to is a transaction or `unmask`.
 * Members are not interchangeable (who encapsulates to whom, and who speaks first, goes by index), so no symmetry is used.
 */

import type { Account, Digest } from '../../src/common/index.ts';
import { type Input, itemKey, type RoundConfig, type RoundPost } from '../../src/round/index.ts';
import type { Item, MemberSet } from '../../src/wire/index.ts';
import { named } from '../simulation/named.ts';
import { checkLeaving } from './consent.ts';
import { accountsOf, base, isUnmasking, opened, plan, rootOf, sumOf, type Unmasking } from './digests.ts';
import { type Fault, isByzantine, type Setting } from './faults.ts';
import { Ledger, shareGraceS, terms } from './ledger.ts';
import { earlyRequests, forgeries, lyingReady, lyingVote } from './liars.ts';
import { type Local, Locals, type Wants } from './locals.ts';
import { type Draft, key, type State, type Step } from './state.ts';

type Work = Wants['work'][number];

/** The transition system of a setting. */
export class World {
  readonly setting: Setting;
  readonly ledger: Ledger;
  readonly locals: Locals;
  readonly #all: MemberSet;

  constructor(setting: Setting) {
    const { members, earlierReleases = [] } = setting;
    const accounts = accountsOf(members);
    this.setting = setting;
    this.#all = accounts.map((_, member) => member);
    this.ledger = new Ledger(accounts, base, plan, terms);
    const contract = `0x${'c'.repeat(40)}` as Account;
    const common = { chainId: 1, contract, study: named('study'), run: 1, round: 0, accounts, terms, shareGraceS, earlierReleases };
    this.locals = new Locals(this.#all.map((self): RoundConfig => ({ ...common, self })));
  }

  start(): Step {
    const draft: Draft = {
      ledger: this.ledger.start(),
      locals: this.#all.map((self) => this.locals.start(self)),
      at: this.#all.map(() => -1),
      marks: this.setting.faults.map(() => ''),
      wrong: [],
    };
    for (const member of this.#all) this.#nextBlock(draft, member);
    return this.#step('start', draft);
  }

  /** Every step that can be taken in `state`. */
  steps(state: State): readonly Step[] {
    const here = key(state);
    const all = [
      ...this.#all.flatMap((member) => this.#memberSteps(state, member)),
      ...this.setting.faults.flatMap((fault, at) => this.#faultSteps(state, fault, at)),
    ];
    const steps = all.filter((step) => step.wrong.length > 0 || key(step.state) !== here);
    if (this.setting.patient && steps.length > 0) return steps;
    const later = this.ledger.tick(state.ledger);
    return later === undefined ? steps : [...steps, this.#do(state, 'time passes', (draft) => this.#grow(draft, later))];
  }

  /** Whether a member has no fault that makes it act otherwise than the machine says. */
  isHonest(member: number): boolean {
    return !this.setting.faults.some((fault) => isByzantine(fault) && 'member' in fault && fault.member === member);
  }

  /** Whether a member runs. */
  isUp({ marks }: { readonly marks: readonly string[] }, member: number): boolean {
    return !this.setting.faults.some((fault, at) => 'member' in fault && fault.member === member && /^(lost|down)/.test(marks[at] ?? ''));
  }

  local(state: { readonly locals: readonly number[] }, member: number): Local {
    return this.locals.get(state.locals[member] as number);
  }

  #do(state: State, label: string, work: (draft: Draft) => void): Step {
    const draft: Draft = { ledger: state.ledger, locals: [...state.locals], at: [...state.at], marks: [...state.marks], wrong: [] };
    work(draft);
    return this.#step(label, draft);
  }

  #step(label: string, draft: Draft): Step {
    this.#settle(draft);
    const { ledger, locals, at, marks, wrong } = draft;
    return { label, state: { ledger, locals, at, marks }, wrong };
  }

  #wants(draft: { readonly locals: readonly number[] }, member: number): Wants {
    return this.locals.wants(draft.locals[member] as number);
  }

  #memberSteps(state: State, member: number): readonly Step[] {
    if (!this.isUp(state, member)) return [];
    const wants = this.#wants(state, member);
    const steps: Step[] = [];
    if ((state.at[member] ?? 0) < this.ledger.blocks(state.ledger).length - 1) {
      steps.push(this.#do(state, `${member} reads on`, (draft) => this.#nextBlock(draft, member)));
    }
    for (const work of wants.work) {
      if (!this.#isEager(state, member, work)) steps.push(this.#do(state, `${member}: ${work.kind}`, (draft) => this.#perform(draft, member, work)));
    }
    for (const post of wants.posts) steps.push(...this.#posted(state, member, post, `${member} posts ${post.kind}`));
    return steps;
  }

  #posted(state: State, member: number, post: RoundPost, label: string): readonly Step[] {
    const next = this.ledger.post(state.ledger, member, post);
    return next === undefined ? [] : [this.#do(state, label, (draft) => this.#grow(draft, next))];
  }

  /** The ledger has grown: whoever has read to its end takes in what is no change of phase. */
  #grow(draft: Draft, next: number): void {
    const before = this.ledger.blocks(draft.ledger);
    const at = before.length - 1;
    const known = before[at]?.facts ?? [];
    draft.ledger = next;
    const fresh = this.ledger.blocks(next)[at]?.facts.filter(({ key }) => !known.some((fact) => fact.key === key)) ?? [];
    for (const member of this.#all) {
      if (draft.at[member] !== at || !this.isUp(draft, member)) continue;
      for (const { fact, forged } of fresh) if (!forged) this.#feed(draft, member, { kind: 'fact', fact });
      if (this.ledger.blocks(next).length === before.length) this.#readTime(draft, member);
    }
  }

  #nextBlock(draft: Draft, member: number): void {
    const at = (draft.at[member] ?? 0) + 1;
    const block = this.ledger.blocks(draft.ledger)[at];
    if (!block) return;
    draft.at[member] = at;
    for (const input of block.opening) this.#feed(draft, member, input);
    for (const { fact, forged } of block.facts) if (!forged) this.#feed(draft, member, { kind: 'fact', fact });
    if (at === this.ledger.blocks(draft.ledger).length - 1) this.#readTime(draft, member);
  }

  #readTime(draft: Draft, member: number): void {
    const time = this.ledger.time(draft.ledger);
    if (time) this.#feed(draft, member, time);
  }

  #feed(draft: Draft, member: number, input: Input, inputKey?: string): void {
    const { to, answers } = this.locals.take(draft.locals[member] as number, input, inputKey);
    draft.locals[member] = to;
    for (const { to: receiver, item } of answers) this.#answer(draft, member, receiver, item);
  }

  #answer(draft: Draft, from: number, to: number, item: Item): void {
    if (this.#isSilent(draft, from)) return;
    if (isUnmasking(item)) this.#leaves(draft, from, item);
    if (this.isUp(draft, to) && this.#isWell(draft, from, to)) this.#arrive(draft, to, from, item);
  }

  /** Something that unmasks goes out. */
  #leaves(draft: Draft, from: number, item: Unmasking): void {
    const left = [...new Set([...this.local(draft, from).left, itemKey(item)])].sort();
    draft.locals[from] = this.locals.keep(draft.locals[from] as number, { left });
    if (this.isHonest(from))
      draft.wrong.push(...checkLeaving(this.setting.earlierReleases ?? [], this.ledger.facts(draft.ledger), this.local(draft, from), item));
  }

  #arrive(draft: Draft, to: number, from: number, item: Item): void {
    if (!this.#wants(draft, to).requested.has(`${from}/${itemKey(item)}`)) return;
    if (item.kind === 'bundle') {
      const bad = this.setting.faults.some((fault) => fault.kind === 'bad-bundle' && fault.member === from);
      this.#feed(draft, to, { kind: bad ? 'bundleRefused' : 'bundleHeld', from });
    } else if (item.kind === 'shares') this.#feed(draft, to, { kind: 'sharesHeld', from });
    else if (item.kind === 'seed') this.#feed(draft, to, { kind: 'seedHeld', attempt: item.attempt, from });
    else if (item.kind === 'seedShare') this.#collect(draft, to, from, item);
  }

  #collect(draft: Draft, to: number, from: number, { attempt, owner }: Unmasking & { kind: 'seedShare' }): void {
    const { returned, machine } = this.local(draft, to);
    const holders = [...new Set([...(returned[`${attempt}/${owner}`] ?? []), from])].sort();
    draft.locals[to] = this.locals.keep(draft.locals[to] as number, { returned: { ...returned, [`${attempt}/${owner}`]: holders } });
    const own = machine.ground.shares.includes(owner) ? 1 : 0;
    const threshold = Math.floor((2 * this.#all.length) / 3) + 1;
    if (holders.length + own >= threshold) this.#feed(draft, to, { kind: 'seedHeld', attempt, from: owner });
  }

  /** Does everything that waits for nothing but itself, until nothing changes any more. */
  #settle(draft: Draft): void {
    let before: string;
    do {
      before = draft.locals.join();
      for (const member of this.#all) {
        if (!this.isUp(draft, member)) continue;
        this.#offerBase(draft, member);
        for (const work of this.#wants(draft, member).work) if (this.#isEager(draft, member, work)) this.#perform(draft, member, work);
        for (const { from, input, inputKey } of this.#wants(draft, member).requests) {
          if (this.isUp(draft, from) && this.#isWell(draft, member, from)) this.#feed(draft, from, input, inputKey);
        }
      }
    } while (before !== draft.locals.join());
  }

  #offerBase(draft: Draft, member: number): void {
    const { ground } = this.local(draft, member).machine;
    const behind = this.setting.faults.some((fault, at) => fault.kind === 'behind' && fault.member === member && draft.marks[at] === '');
    if (ground.base === undefined && ground.opened && !behind)
      this.#feed(draft, member, { kind: 'baseReady', base, plan, ...{ exchange: { kind: 'broadcast' } } });
  }

  #isEager(draft: { readonly locals: readonly number[] }, member: number, work: Work): boolean {
    const { phase } = this.local(draft, member).machine;
    const over = phase === 'final' || phase === 'void';
    if (work.kind === 'erase') return over;
    if (work.kind === 'mask') return !this.#hasFault('restarts', member);
    return work.kind !== 'unmask';
  }

  #hasFault(kind: Fault['kind'], member: number): boolean {
    return this.setting.faults.some((fault) => fault.kind === kind && 'member' in fault && fault.member === member);
  }

  #isSilent({ marks }: { readonly marks: readonly string[] }, member: number): boolean {
    return this.setting.faults.some((fault, at) => fault.kind === 'withholds' && fault.member === member && marks[at] === 'on');
  }

  /** Whether messages between the two arrive at once. */
  #isWell({ marks }: { readonly marks: readonly string[] }, one: number, other: number): boolean {
    return !this.setting.faults.some(
      (fault, at) => fault.kind === 'link' && marks[at] !== 'open' && [one, other].includes(fault.member) && [one, other].includes(fault.other),
    );
  }

  #perform(draft: Draft, member: number, work: Work): void {
    const local = this.local(draft, member);
    switch (work.kind) {
      case 'makeBundle':
        return this.#feed(draft, member, { kind: 'bundleMade', bundle: named(`bundle/${member}`) });
      case 'prepareInput':
        return this.#feed(draft, member, { kind: 'inputReady' });
      case 'mask':
        return this.#mask(draft, member, work.attempt, work.set);
      case 'sum':
        return this.#sum(draft, member, work.attempt, work.set);
      case 'unmask': {
        const result = opened(work.attempt, work.set);
        draft.locals[member] = this.locals.keep(draft.locals[member] as number, { stored: result.state });
        return this.#feed(draft, member, { kind: 'unmasked', attempt: work.attempt, ...result });
      }
      case 'erase': {
        const returned = Object.fromEntries(Object.entries(local.returned).filter(([name]) => Number(name.split('/')[0]) >= work.below));
        draft.locals[member] = this.locals.keep(draft.locals[member] as number, { returned, erased: Math.max(local.erased, work.below) });
        return this.#feed(draft, member, { kind: 'erased', below: work.below });
      }
      case 'fetchVector':
        if (work.holders.some((holder) => this.#serves(draft, member, holder, work)))
          this.#feed(draft, member, { kind: 'vectorHeld', attempt: work.attempt, member: work.member });
        return;
      case 'fetchState':
        if (!work.holders.some((holder) => this.#knows(draft, member, holder, work.state))) return;
        draft.locals[member] = this.locals.keep(draft.locals[member] as number, { stored: work.state });
        return this.#feed(draft, member, { kind: 'stateHeld', state: work.state });
      default:
        draft.wrong.push(`member ${member} wants what is not explored: ${JSON.stringify(work)}`);
    }
  }

  #sum(draft: Draft, member: number, attempt: number, set: MemberSet): void {
    const { machine } = this.local(draft, member);
    const roots = 'roots' in machine ? machine.roots : {};
    if (set.some((one) => roots[one] !== rootOf(one, attempt, set))) draft.wrong.push(`member ${member} sums vectors that were not masked for this list`);
    this.#feed(draft, member, { kind: 'summed', attempt, sum: sumOf(attempt, set) });
  }

  #mask(draft: Draft, member: number, attempt: number, set: MemberSet): void {
    const { masks, erased } = this.local(draft, member);
    if (masks[attempt]) draft.wrong.push(`member ${member} masks attempt ${attempt} a second time`);
    if (erased < attempt) draft.wrong.push(`member ${member} masks attempt ${attempt} with secrets of an earlier one on its disk`);
    draft.locals[member] = this.locals.keep(draft.locals[member] as number, { masks: { ...masks, [attempt]: set } });
    this.#feed(draft, member, { kind: 'masked', attempt, root: rootOf(member, attempt, set) });
  }

  #serves(draft: Draft, member: number, holder: number, { attempt, member: owner }: Work & { kind: 'fetchVector' }): boolean {
    if (!this.isUp(draft, holder) || this.#isSilent(draft, holder) || !this.#isWell(draft, member, holder)) return false;
    const { machine, masks, erased } = this.local(draft, holder);
    if (holder === owner) return masks[attempt] !== undefined && erased < terms.maxAttempts;
    return machine.phase === 'reveal'
      ? machine.attempt === attempt
      : machine.phase === 'ready' && machine.attempt === attempt && machine.vectors.includes(owner);
  }

  #knows(draft: Draft, member: number, holder: number, state: Digest): boolean {
    if (!this.isUp(draft, holder) || this.#isSilent(draft, holder) || !this.#isWell(draft, member, holder)) return false;
    return this.local(draft, holder).stored === state;
  }

  #faultSteps(state: State, fault: Fault, at: number): readonly Step[] {
    const [mark, facts] = [state.marks[at] ?? '', this.ledger.facts(state.ledger)];
    const { context } = this.local(state, 0).machine.ground;
    const marked = (label: string, to: string, work: (draft: Draft) => void = () => undefined): Step =>
      this.#do(state, label, (draft) => {
        draft.marks[at] = to;
        work(draft);
      });
    if (fault.kind === 'restarts') return this.#restartSteps(state, fault.member, mark, marked);
    if (fault.kind === 'other-sum')
      return this.#liar(state, 'lies about the sum', fault.member, lyingReady(facts, this.ledger.accounts, fault.member, context));
    if (fault.kind === 'other-vote') return this.#liar(state, 'votes for another state', fault.member, lyingVote(facts, fault.member));
    if (mark !== '') return [];
    switch (fault.kind) {
      case 'lost':
        return [marked(`${fault.member} is lost`, 'lost')];
      case 'link':
        return [...this.#exchanges(state, fault, at), marked(`the link ${fault.member}-${fault.other} is well`, 'open')];
      case 'behind':
        return [marked(`${fault.member} has the base`, 'on')];
      case 'withholds':
        return [marked(`${fault.member} falls silent`, 'on')];
      case 'asks-early':
        return earlyRequests(this.#all, fault.member).map(([to, item]) =>
          marked(`${fault.member} asks ${to} for ${itemKey(item)}`, 'done', (draft) => this.#feed(draft, to, { kind: 'requested', by: fault.member, item })),
        );
      case 'forged-ready':
        return this.#forgeries(state, at);
      case 'bad-bundle':
        return [];
    }
  }

  #restartSteps(state: State, member: number, mark: string, marked: (label: string, to: string, work?: (draft: Draft) => void) => Step): readonly Step[] {
    const block = (draft: State | Draft) => this.ledger.blocks(draft.ledger)[draft.at[member] ?? 0]?.facts ?? [];
    const restart = (draft: Draft): void => {
      const before = draft.locals[member] as number;
      const after = this.locals.restarted(before);
      if (after !== before) draft.wrong.push(`member ${member}: its journal replays to another state`);
      draft.locals[member] = after;
    };
    if (mark === '') {
      const crash = marked(
        `${member} crashes`,
        `down${JSON.stringify(
          block(state)
            .map(({ key }) => key)
            .sort(),
        )}`,
      );
      const masking = this.#wants(state, member).work.find((work) => work.kind === 'mask');
      if (masking?.kind !== 'mask') return [crash];
      const torn = marked(`${member} crashes in the middle of masking and starts again`, 'up', (draft) => {
        restart(draft);
        draft.locals[member] = this.locals.keep(draft.locals[member] as number, {
          masks: { ...this.local(draft, member).masks, [masking.attempt]: masking.set },
        });
        this.#feed(draft, member, { kind: 'maskLost', attempt: masking.attempt });
      });
      return [crash, torn];
    }
    if (!mark.startsWith('down')) return [];
    const seen: readonly string[] = JSON.parse(mark.slice(4));
    return [
      marked(`${member} starts again`, 'up', (draft) => {
        restart(draft);
        for (const one of block(draft)) if (!one.forged && !seen.includes(one.key)) this.#feed(draft, member, { kind: 'fact', fact: one.fact });
      }),
    ];
  }

  /** Every message over a bad link by itself: it arrives, and its answer arrives or is lost. */
  #exchanges(state: State, fault: Fault & { kind: 'link' }, at: number): readonly Step[] {
    const exchange = (to: number, from: number, item: Item, answered: boolean): Step =>
      this.#do(state, `${from} hears ${to}'s request for ${itemKey(item)}${answered ? ' and answers' : ''}`, (draft) => {
        const { to: after, answers } = this.locals.take(draft.locals[from] as number, { kind: 'requested', by: to, item });
        draft.locals[from] = after;
        if (answered) draft.marks[at] = 'open';
        for (const answer of answers) this.#answer(draft, from, answer.to, answer.item);
        draft.marks[at] = '';
      });
    const between = (to: number, from: number): readonly Step[] =>
      this.isUp(state, to) && this.isUp(state, from)
        ? this.#wants(state, to).requests.flatMap((request) =>
            request.from === from ? [exchange(to, from, request.item, true), exchange(to, from, request.item, false)] : [],
          )
        : [];
    return [...between(fault.member, fault.other), ...between(fault.other, fault.member)];
  }

  #liar(state: State, label: string, member: number, post: RoundPost | undefined): readonly Step[] {
    return post === undefined ? [] : this.#posted(state, member, post, `${member} ${label}`);
  }

  #forgeries(state: State, at: number): readonly Step[] {
    return forgeries(this.ledger.facts(state.ledger)).flatMap(({ victim, call }) => {
      const next = this.ledger.forge(state.ledger, victim, call);
      if (next === undefined) return [];
      return [
        this.#do(state, `the ledger forges a READY of ${victim}`, (draft) => {
          draft.marks[at] = 'done';
          this.#grow(draft, next);
        }),
      ];
    });
  }
}
