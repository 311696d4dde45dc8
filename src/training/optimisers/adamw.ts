/** Adam with decoupled weight decay. */
import type { OptimiserTerms } from '../../study/index.ts';
import type { ParameterMemory } from '../parameter-memory.ts';

/**
 * Loshchilov and Hutter 2019, algorithm 2, with schedule multiplier η = learningRate and α = 1, as PyTorch reads it:
 * m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; p ← p − learningRate · (m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε) + weightDecay · p).
 * `step` counts from 1. Changes `parameters`, `first` and `second` in place.
 */
export function adamwStep(terms: Extract<OptimiserTerms, { kind: 'adamw' }>, memory: ParameterMemory, step: number): void {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = terms;
  const { parameters, gradients, first, second } = memory;
  const correction1 = 1 - beta1 ** step;
  const correction2 = 1 - beta2 ** step;
  for (let at = 0; at < parameters.length; at++) {
    const gradient = gradients[at] ?? 0;
    const m = beta1 * (first[at] ?? 0) + (1 - beta1) * gradient;
    const v = beta2 * (second[at] ?? 0) + (1 - beta2) * gradient * gradient;
    const parameter = parameters[at] ?? 0;
    first[at] = m;
    second[at] = v;
    parameters[at] = parameter - learningRate * (m / correction1 / (Math.sqrt(v / correction2) + epsilon) + weightDecay * parameter);
  }
}
