/**
 * Stage 2: gives every value its static shape from the shapes that are fed now, evaluating shape
 * arithmetic on the host on the way. What depends on values that the run has yet to compute is deferred.
 */
import type { TensorValue } from '@forerun/graph';
import { ProgramBuilder, type SpecializeOptions, type Specialized } from './programBuilder.js';
import type { Pruned } from './prune.js';

export type { FeedSpec, Specialized, SpecializeOptions } from './programBuilder.js';

/** Builds the program. `fed` has one value per feed position. */
export function specialize(
  pruned: Pruned,
  fed: readonly TensorValue[],
  options: SpecializeOptions = {},
): Specialized {
  const builder = new ProgramBuilder(pruned, fed, options);
  pruned.operations.forEach((op) => builder.add(op));
  return builder.finish();
}
