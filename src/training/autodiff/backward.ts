/** Reverse-mode differentiation (Griewank and Walther 2008, chapter 3) over the emitted nodes, from the logits back to the parameters. */
import { trainingErrors } from '../errors.ts';
import type { Emitter } from './emitter.ts';
import type { Forward } from './forward.ts';
import { registry } from './registry.ts';

/** Names of all values that a parameter flows into: only their gradients are emitted. */
function dependent({ emitted, parameters }: Forward): ReadonlySet<string> {
  const names = new Set(parameters.map(({ value }) => value.name));
  for (const { inputs, output } of emitted) if (inputs.some(({ name }) => names.has(name))) names.add(output.name);
  return names;
}

/**
 * Emits the gradient of every parameter, given the name of dLoss/dLogits, in the order of the slots.
 * Throws TRAINING_NO_GRADIENT where one gets none: a weight is never silently left untrained.
 */
export function emitBackward(forward: Forward, dLogits: string, emit: Emitter): readonly string[] {
  const needed = dependent(forward);
  const gradients = new Map([[forward.logits.name, dLogits]]);
  const accumulate = (name: string, gradient: string) => {
    const before = gradients.get(name);
    gradients.set(name, before === undefined ? gradient : emit.op('Add', [before, gradient]));
  };
  for (const view of [...forward.emitted].reverse()) {
    const dOutput = gradients.get(view.output.name);
    if (dOutput === undefined || view.node.op === 'Identity') continue;
    const parts = registry.get(view.node.op)?.gradient(view, dOutput, emit) ?? [];
    view.inputs.forEach(({ name }, at) => {
      const part = parts[at];
      if (part !== undefined && needed.has(name)) accumulate(name, part());
    });
  }
  const missing = forward.parameters.filter(({ value }) => !gradients.has(value.name)).map(({ slot }) => slot.name);
  if (missing.length > 0 || forward.parameters.length === 0) throw trainingErrors.TRAINING_NO_GRADIENT({ tensors: missing.join(', ') || 'there are none' });
  return forward.parameters.map(({ value }) => gradients.get(value.name) ?? '');
}
