/** What optimizers do with gradients that are rows. */
import {
  IndexedSlices,
  cast,
  equal,
  gather,
  greaterEqual,
  less,
  logicalAnd,
  range,
  size,
  unsortedSegmentMin,
  unsortedSegmentSum,
  where,
  type Variable,
} from '@forerun/graph';

/**
 * The same slices with every index once: the rows of an index are summed where it comes first, and the
 * places of the others get index -1, which updates pass over. So the number of rows does not depend on
 * values, and nothing leaves the device. Indices that are no row's stay as they are.
 */
export function deduplicated(
  { values, indices, denseShape }: IndexedSlices,
  variable: Variable,
): IndexedSlices {
  const count = size(indices);
  const places = range(count);
  const rows = variable.shape.dim(0) ?? 0;
  const firstOfRow = unsortedSegmentMin(places, indices, rows);
  const isRow = logicalAnd(greaterEqual(indices, 0), less(indices, rows));
  const first = where(isRow, gather(firstOfRow, indices), places);
  const unique = where(equal(first, places), indices, cast(-1, indices.dtype));
  return new IndexedSlices(unsortedSegmentSum(values, first, count), unique, denseShape);
}
