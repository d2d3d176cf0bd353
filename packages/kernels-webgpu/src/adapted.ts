/** What kernels need not know of an adapter: their texts are adapted to it after they are written. */
import { withinBindingLimit, type BoundOperands } from './bindingWindows.js';
import { inHalfStorage } from './halfStorage.js';
import type { AdapterFacts, Lowered } from './kernel.js';
import { inAdjacentRuns } from './wgsl/adjacentRuns.js';

/**
 * `lowered` for an adapter: bindings cut to what it binds, those of float16 tensors as these are stored, loops in the order
 * that suits it. `operands` have their dtypes in memory. Throws `UnimplementedError` when a dispatch needs more bindings than it may have.
 */
export function adapted(lowered: Lowered, operands: BoundOperands, adapter: AdapterFacts): Lowered {
  const cut = withinBindingLimit(lowered, operands, adapter);
  const dispatches = cut.dispatches.map((dispatch) =>
    inAdjacentRuns(inHalfStorage(dispatch, operands, adapter), adapter),
  );
  return { ...cut, dispatches };
}
