/** Rows of embedding tables by number. */
import {
  InvalidArgumentError,
  Tensor,
  isTensorConvertible,
  cast,
  concat,
  constant,
  convertToTensor,
  floorDiv,
  floorMod,
  add,
  gather,
  nameScope,
  type NameOptions,
  type TensorLike,
} from '@forerun/graph';
import { clipByNorm } from './clip.js';

export interface EmbeddingOptions extends NameOptions {
  /** How ids are dealt out to several tables: one after the other (`mod`, the default) or in blocks (`div`). */
  readonly partitionStrategy?: 'mod' | 'div' | undefined;
  /** Rows are scaled so that their norm is this at most. */
  readonly maxNorm?: TensorLike | undefined;
}

/** One table, or a list of tensors and variables that are the parts of one. */
export type EmbeddingTable = TensorLike | readonly TensorLike[];

/** A list of tensors or variables is one of parts; anything else is a table. */
function partsOf(params: EmbeddingTable): Tensor[] {
  const isPart = (part: unknown): boolean => part instanceof Tensor || isTensorConvertible(part);
  if (!Array.isArray(params) || !params.every(isPart)) return [convertToTensor(params as TensorLike)];
  return (params as readonly TensorLike[]).map((part) => convertToTensor(part));
}

/**
 * Rows of `params` at `ids` (`tf.nn.embedding_lookup`): shape `ids.shape + params.shape[1:]`. Several tables are
 * parts of one, with rows dealt out by `partitionStrategy`; for `mod` their row counts must be known.
 */
export function embeddingLookup(
  params: EmbeddingTable,
  ids: TensorLike,
  { partitionStrategy = 'mod', maxNorm, name = 'embedding_lookup' }: EmbeddingOptions = {},
): Tensor {
  const tables = partsOf(params);
  return nameScope(name, () => {
    const numbers = Array.isArray(ids) ? convertToTensor(ids, { dtype: 'int32' }) : convertToTensor(ids);
    const [first] = tables;
    if (first === undefined) throw new InvalidArgumentError('embeddingLookup: there are no params');
    const rows =
      tables.length === 1
        ? gather(first, numbers)
        : gather(concat(tables, 0), partitionStrategy === 'div' ? numbers : dealtOut(tables, numbers));
    if (maxNorm === undefined) return rows;
    const rank = first.shape.rank;
    if (rank === null || numbers.shape.rank === null) {
      throw new InvalidArgumentError('embeddingLookup: maxNorm needs params and ids of known rank');
    }
    const begin = numbers.shape.rank;
    const axes = Array.from({ length: rank - 1 }, (_, i) => begin + i);
    return clipByNorm(rows, maxNorm, { axes });
  });
}

/** Row `id / parts` of part `id % parts`, in the concatenation of all parts. */
function dealtOut(tables: readonly Tensor[], ids: Tensor): Tensor {
  let next = 0;
  const begins = tables.map((table) => {
    const begin = next;
    const rows = table.shape.rank === null ? null : table.shape.dim(0);
    if (rows === null) {
      throw new InvalidArgumentError("embeddingLookup: partitionStrategy 'mod' needs params of known size");
    }
    next += rows;
    return begin;
  });
  const count = constant(tables.length, { dtype: ids.dtype });
  const starts = gather(constant(begins, { dtype: 'int32' }), floorMod(ids, count));
  return add(floorDiv(ids, count), cast(starts, ids.dtype));
}
