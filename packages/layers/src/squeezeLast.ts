/** Labels in a column [batch, 1] where a vector [batch] is meant; losses and metrics take both, as TensorFlow's do. */
import { squeeze, type Tensor } from '@forerun/graph';

/** Drops a trailing dimension of 1 when the rank is one above `rank`. */
export function squeezeLast(x: Tensor, rank: number): Tensor {
  const last = x.shape.rank === rank + 1 ? x.shape.dim(-1) : null;
  return last === 1 ? squeeze(x, { axis: [-1] }) : x;
}
