/** Indexing in the manner of NumPy: `getItem(x, 0, [1, null], '...', newaxis)`. */
import { InvalidArgumentError } from '../errors.js';
import { Tensor, type TensorLike } from '../tensor.js';
import { stridedSlice } from './arraySlice.js';
import { add } from './binary.js';

/** In `getItem`: a new dimension of size 1 (`tf.newaxis`). */
export const newaxis = 'newaxis';

/** A place along a dimension: a number, or an integer scalar that only the run knows. */
export type ItemIndex = number | Tensor;

/**
 * One entry of `getItem`: an index takes that place and removes the dimension; `[begin, end]` and
 * `[begin, end, stride]` take a range, `null` leaving a side open; `':'` takes a whole dimension; `'...'`
 * takes all dimensions that the other entries do not name; `newaxis` adds one.
 */
export type IndexEntry =
  | ItemIndex
  | readonly [begin: ItemIndex | null, end: ItemIndex | null, stride?: number]
  | ':'
  | '...'
  | typeof newaxis;

/**
 * The part of `x` that `entries` name, as `x[...]` does in Python (`Tensor.__getitem__`): `x[:, t, 1:]` is
 * `getItem(x, ':', t, [1, null])`. Throws for an index out of range, two ellipses, and more entries than dimensions.
 */
export function getItem(x: TensorLike, ...entries: IndexEntry[]): Tensor {
  const [begin, end, strides]: [ItemIndex[], ItemIndex[], number[]] = [[], [], []];
  const masks = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
  entries.forEach((entry, i) => {
    const bit = 1 << i;
    const single = typeof entry === 'number' || entry instanceof Tensor;
    const [from, to, step] = single ? [entry, after(entry)] : isRange(entry) ? entry : [null, null];
    begin.push(from ?? 0);
    end.push(to ?? 0);
    strides.push(step ?? 1);
    if (single) masks.shrinkAxisMask |= bit;
    else if (entry === '...') masks.ellipsisMask |= bit;
    else if (entry === newaxis) masks.newAxisMask |= bit;
    else if (entry === ':' || isRange(entry)) {
      if (from === null) masks.beginMask |= bit;
      if (to === null) masks.endMask |= bit;
    } else {
      throw new InvalidArgumentError(
        `getItem: entry ${i} is ${String(entry)}: an index, [begin, end], ':', '...' or newaxis is wanted`,
      );
    }
  });
  if (entries.length > MAX_ENTRIES) {
    throw new InvalidArgumentError(
      `getItem: ${entries.length} entries are more than the ${MAX_ENTRIES} that fit a mask`,
    );
  }
  return stridedSlice(x, begin, end, { strides, ...masks });
}

function isRange(entry: unknown): entry is readonly [ItemIndex | null, ItemIndex | null, number?] {
  return Array.isArray(entry);
}

/** The end of the range that an index stands for; of one element the op looks at the begin alone. */
function after(index: ItemIndex): ItemIndex {
  return typeof index === 'number' ? index + 1 : add(index, 1);
}

/** Masks are 32-bit integers. */
const MAX_ENTRIES = 31;
