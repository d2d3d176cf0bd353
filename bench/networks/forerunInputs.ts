/** What the networks in Forerun are made from. */
import type * as fr from 'forerun';

export type Inputs = Readonly<Record<string, fr.Tensor>>;

/** A network's loss of its inputs, or losses that are minimized each over the variables of the scope of its name. */
export type Network = (inputs: Inputs) => fr.Tensor | Readonly<Record<string, fr.Tensor>>;

/** One of the inputs; its absence is a mistake in the specification. */
export function need(inputs: Inputs, name: string): fr.Tensor {
  const found = inputs[name];
  if (found === undefined) throw new Error(`there is no input "${name}"`);
  return found;
}
