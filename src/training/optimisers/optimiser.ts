/** From the optimiser's terms in the study to one step over the flat memory. */
import type { OptimiserTerms } from '../../study/index.ts';
import type { ParameterMemory } from '../parameter-memory.ts';
import { adamwStep } from './adamw.ts';
import { sgdStep } from './sgd.ts';

/** Applies the gradients in `memory` once. */
export type OptimiserStep = () => void;

/** An optimiser with fresh state: its moments in `memory` are set to zero, its step count to 0. */
export function startOptimiser(terms: OptimiserTerms, memory: ParameterMemory): OptimiserStep {
  memory.first.fill(0);
  memory.second.fill(0);
  let step = 0;
  switch (terms.kind) {
    case 'sgd':
      return () => sgdStep(terms, memory);
    case 'adamw':
      return () => adamwStep(terms, memory, ++step);
  }
}
