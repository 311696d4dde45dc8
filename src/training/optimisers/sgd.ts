/** Stochastic gradient descent with momentum. */
import type { OptimiserTerms } from '../../study/index.ts';
import type { ParameterMemory } from '../parameter-memory.ts';

/**
 * v ← momentum · v + (g + weightDecay · p); p ← p − learningRate · v (Polyak 1964, in the form of Sutskever et al. 2013
 * that PyTorch uses). Changes `parameters` and `first` in place.
 */
export function sgdStep(terms: Extract<OptimiserTerms, { kind: 'sgd' }>, { parameters, gradients, first }: ParameterMemory): void {
  const { learningRate, momentum, weightDecay } = terms;
  for (let at = 0; at < parameters.length; at++) {
    const parameter = parameters[at] ?? 0;
    const velocity = momentum * (first[at] ?? 0) + (gradients[at] ?? 0) + weightDecay * parameter;
    first[at] = velocity;
    parameters[at] = parameter - learningRate * velocity;
  }
}
