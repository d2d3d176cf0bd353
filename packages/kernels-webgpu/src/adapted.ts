/** What kernels need not know of an adapter: their texts are adapted to it after they are written. */
import { withinBindingLimit, type BoundOperands } from './bindingWindows.js';
import type { AdapterFacts, Lowered } from './kernel.js';
import { inAdjacentRuns } from './wgsl/adjacentRuns.js';

/**
 * `lowered` for an adapter: bindings cut to what it binds, loops in the order that suits it. Throws
 * `UnimplementedError` when a dispatch needs more bindings than it may have.
 */
export function adapted(lowered: Lowered, operands: BoundOperands, adapter: AdapterFacts): Lowered {
  const cut = withinBindingLimit(lowered, operands, adapter);
  return { ...cut, dispatches: cut.dispatches.map((dispatch) => inAdjacentRuns(dispatch, adapter)) };
}
