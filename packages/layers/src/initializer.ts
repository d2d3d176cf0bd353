/** What an initializer is. The initializers themselves are in initializers.ts and orthogonal.ts. */
import type { DType, Tensor } from '@forerun/graph';

/** Makes the nodes of an initial value of `shape`; `dtype` defaults to the initializer's own. */
export type Initializer = (
  shape: readonly number[],
  options?: { readonly dtype?: DType | undefined },
) => Tensor;
