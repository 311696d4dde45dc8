/** What a run asks: one study over a fixed number of members. */
import type { CountingQuestion } from './counting-question.ts';
import type { TrainingQuestion } from './training-question.ts';

/** From a study and the state of its run to the next sum plan, and from a sum back to the next state. */
export type Question = TrainingQuestion | CountingQuestion;
