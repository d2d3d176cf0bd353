/** Indexing in the manner of NumPy: `getItem(x, 0, [1, null], '...', newaxis)`. */
import { InvalidArgumentError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { stridedSlice } from './arraySlice.js';

/** In `getItem`: a new dimension of size 1 (`tf.newaxis`). */
export const newaxis = 'newaxis';

/**
 * One entry of `getItem`: a number takes that index and removes the dimension; `[begin, end]` and
 * `[begin, end, stride]` take a range, `null` leaving a side open; `':'` takes a whole dimension; `'...'`
 * takes all dimensions that the other entries do not name; `newaxis` adds one.
 */
export type IndexEntry =
  | number
  | readonly [begin: number | null, end: number | null, stride?: number]
  | ':'
  | '...'
  | typeof newaxis;

/**
 * The part of `x` that `entries` name, as `x[...]` does in Python (`Tensor.__getitem__`). Throws for an
 * index out of range, two ellipses, and more entries than dimensions.
 */
export function getItem(x: Tensor, ...entries: readonly IndexEntry[]): Tensor {
  const [begin, end, strides]: [number[], number[], number[]] = [[], [], []];
  const masks = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
  entries.forEach((entry, i) => {
    const bit = 1 << i;
    const [from, to, step] =
      typeof entry === 'object' ? entry : [typeof entry === 'number' ? entry : null, null];
    begin.push(from ?? 0);
    end.push(to ?? (typeof entry === 'number' ? entry + 1 : 0));
    strides.push(step ?? 1);
    if (typeof entry === 'number') masks.shrinkAxisMask |= bit;
    else if (entry === '...') masks.ellipsisMask |= bit;
    else if (entry === newaxis) masks.newAxisMask |= bit;
    else {
      if (from === null) masks.beginMask |= bit;
      if (to === null) masks.endMask |= bit;
    }
  });
  if (entries.length > MAX_ENTRIES) {
    throw new InvalidArgumentError(
      `getItem: ${entries.length} entries are more than the ${MAX_ENTRIES} that fit a mask`,
    );
  }
  return stridedSlice(x, begin, end, { strides, ...masks });
}

/** Masks are 32-bit integers. */
const MAX_ENTRIES = 31;
