/** What a run starts from and what a batch of the ledger has for it: pure. */
import type { Account, Digest } from '../common/index.ts';
import type { LedgerEvent } from '../ledger/index.ts';
import { isTraining, type Study } from '../study/index.ts';
import { CountingQuestion } from './counting-question.ts';
import type { Question } from './question.ts';
import { checkModel } from './studies.ts';
import { TrainingQuestion } from './training-question.ts';

/** Where a run starts: the question, the state before its first sum, and the version of the protocol that it needs. */
export interface Genesis {
  readonly question: Question;
  readonly version: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hash: Digest;
  readonly plan: Digest;
}

/** Where a run of `study` over `members` members starts. */
export function genesisOf(study: Study, members: number): Genesis {
  if (!isTraining(study)) {
    const question = new CountingQuestion(study, members);
    return { question, version: question.version(), ...question.genesis() };
  }
  const parameters = checkModel(study).genesis;
  const question = new TrainingQuestion(study, members, parameters.length);
  return { question, version: question.version(), ...question.genesis(parameters) };
}

/** What a batch has for one run: its round facts, and members that left or whose account was revoked. */
export function dueFor(run: number, roster: readonly Account[], events: readonly LedgerEvent[]) {
  const facts = events.flatMap((event) => (event.scope === 'round' && event.run === run ? [{ round: event.round, fact: event.fact }] : []));
  const gone = events.flatMap((event) => {
    if (event.scope === 'run' && event.run === run && event.fact.kind === 'left') return [event.fact.member];
    return event.scope === 'consortium' && event.fact.kind === 'revoked' ? [roster.indexOf(event.fact.account)] : [];
  });
  return { facts, gone: gone.filter((member) => member >= 0) };
}

/** Whether the terms that a run was started with are those of the study, whatever the order of their fields. */
export function sameTerms(a: object, b: object): boolean {
  const text = (terms: object): string => JSON.stringify(Object.fromEntries(Object.entries(terms).sort()));
  return text(a) === text(b);
}
