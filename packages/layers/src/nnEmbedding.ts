/** Rows of embedding tables by number. */
import {
  InvalidArgumentError,
  Tensor,
  add,
  addN,
  cast,
  constant,
  convertToTensor,
  equal,
  floorDiv,
  floorMod,
  gather,
  isTensorConvertible,
  less,
  maximum,
  nameScope,
  shape,
  stridedSlice,
  sub,
  where,
  whereV2,
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
 * parts of one: with `mod` id `i` is row `i / n` of table `i % n`; with `div` the tables hold blocks of ids, of
 * which the first ones are larger by a row where the ids do not divide evenly. An id out of range gives zeros. The
 * gradient for a table that is a variable is `IndexedSlices`. Throws `InvalidArgumentError` for an empty list.
 */
export function embeddingLookup(
  params: EmbeddingTable,
  ids: TensorLike,
  { partitionStrategy = 'mod', maxNorm, name = 'embedding_lookup' }: EmbeddingOptions = {},
): Tensor {
  if (!['mod', 'div'].includes(partitionStrategy)) {
    throw new InvalidArgumentError(
      `embeddingLookup: partitionStrategy must be 'mod' or 'div', got '${partitionStrategy}'`,
    );
  }
  return nameScope(name, () => {
    const tables = partsOf(params);
    const numbers = Array.isArray(ids) ? convertToTensor(ids, { dtype: 'int32' }) : convertToTensor(ids);
    const [first] = tables;
    if (first === undefined) throw new InvalidArgumentError('embeddingLookup: there are no params');
    const rows = tables.length === 1 ? gather(first, numbers) : fromParts(tables, numbers, partitionStrategy);
    return maxNorm === undefined ? rows : limited(rows, numbers, first, maxNorm);
  });
}

function limited(rows: Tensor, ids: Tensor, table: Tensor, maxNorm: TensorLike): Tensor {
  const [begin, { rank }] = [ids.shape.rank, table.shape];
  if (rank === null || begin === null) {
    throw new InvalidArgumentError('embeddingLookup: maxNorm needs params and ids of known rank');
  }
  return clipByNorm(rows, maxNorm, { axes: Array.from({ length: rank - 1 }, (_, i) => begin + i) });
}

/** Which table each id is in, and in which row. */
interface Place {
  readonly table: Tensor;
  readonly row: Tensor;
}

/**
 * Every table is read at all ids, at row -1 where an id belongs to another: such rows are zeros, and updates
 * pass over their gradients. So nothing has as many rows as values tell, and the whole lookup is one plan.
 */
function fromParts(tables: readonly Tensor[], ids: Tensor, strategy: 'mod' | 'div'): Tensor {
  const place = strategy === 'mod' ? dealtOut(ids, tables.length) : inBlocks(ids, tables);
  const elsewhere = constant(-1, { dtype: ids.dtype });
  return addN(
    tables.map((table, i) => {
      const isHere = equal(place.table, constant(i, { dtype: ids.dtype }));
      return gather(table, whereV2(isHere, place.row, elsewhere));
    }),
  );
}

function dealtOut(ids: Tensor, tables: number): Place {
  const count = constant(tables, { dtype: ids.dtype });
  return { table: floorMod(ids, count), row: floorDiv(ids, count) };
}

/** Blocks of q + 1 ids for the first r tables, of q for the others, where q and r divide the rows among them. */
function inBlocks(ids: Tensor, tables: readonly Tensor[]): Place {
  const total = addN(tables.map((table) => rowsOf(table, ids)));
  const count = constant(tables.length, { dtype: ids.dtype });
  const larger = floorMod(total, count);
  const small = floorDiv(total, count);
  // Without rows for all, no id is past the larger blocks.
  const divisor = maximum(small, 1);
  const [long, rest] = [add(small, 1), sub(ids, larger)];
  const table = maximum(floorDiv(ids, long), floorDiv(rest, divisor));
  return { table, row: where(less(table, larger), floorMod(ids, long), floorMod(rest, divisor)) };
}

/** The number of rows of a table, in the dtype of `ids`. */
function rowsOf(table: Tensor, ids: Tensor): Tensor {
  const known = table.shape.rank === null ? null : table.shape.dim(0);
  if (known !== null) return constant(known, { dtype: ids.dtype });
  return cast(stridedSlice(shape(table), [0], [1], { shrinkAxisMask: 1 }), ids.dtype);
}
