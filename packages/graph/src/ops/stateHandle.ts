/** What builders accept as a variable. */
import { Tensor } from '../tensor.js';

/** A variable, or its handle: a resource tensor (or a reference, in graphs from older files). */
export type VariableLike = Tensor | { readonly handle: Tensor };

/** The handle of a variable. */
export function variableHandle(variable: VariableLike): Tensor {
  return variable instanceof Tensor ? variable : variable.handle;
}
