/**
 * Embeddings of lists of ids, combined by row. Rows that are left out get segment -1 and id -1 instead of being
 * taken away, so that no size depends on values and a training step stays one plan.
 */
import type { Tensor } from '@forerun/graph';
import {
  InvalidArgumentError,
  SparseTensor,
  cast,
  concat,
  constant,
  cumprod,
  equal,
  expandDims,
  greater,
  greaterEqual,
  logicalAnd,
  mul,
  nameScope,
  onesLike,
  rank,
  reduceProd,
  reduceSum,
  reshape,
  shape,
  sqrt,
  square,
  stridedSlice,
  sub,
  div,
  fill,
  unsortedSegmentSum,
  where,
  whereV2,
  zerosLike,
  type TensorLike,
} from '@forerun/graph';
import { embeddingLookup, type EmbeddingOptions, type EmbeddingTable } from './nnEmbedding.js';

export interface SparseEmbeddingOptions extends EmbeddingOptions {
  /** Weighted sums, sums over weights (`mean`, the default), or sums over the root of squared weights. */
  readonly combiner?: 'sum' | 'mean' | 'sqrtn' | undefined;
}

export interface SafeEmbeddingOptions extends SparseEmbeddingOptions {
  /** The weights of the ids, with the indices of these; default 1. */
  readonly sparseWeights?: SparseTensor | null | undefined;
  /** The id that a row without ids stands for; default: such rows are zeros. */
  readonly defaultId?: number | undefined;
}

function check(caller: string, ids: unknown, weights: unknown, combiner: string): void {
  if (!(ids instanceof SparseTensor)) {
    throw new InvalidArgumentError(`${caller}: the ids must be a SparseTensor`);
  }
  if (weights !== null && !(weights instanceof SparseTensor)) {
    throw new InvalidArgumentError(`${caller}: the weights must be a SparseTensor or null`);
  }
  if (weights instanceof SparseTensor && !weights.values.shape.isCompatibleWith(ids.values.shape)) {
    throw new InvalidArgumentError(
      `${caller}: there are ids of shape ${ids.values.shape.toString()} and weights of shape ${weights.values.shape.toString()}`,
    );
  }
  if (!['sum', 'mean', 'sqrtn'].includes(combiner)) {
    throw new InvalidArgumentError(`${caller}: combiner must be 'sum', 'mean' or 'sqrtn', got '${combiner}'`);
  }
}

/** Looked-up rows and where they go. */
interface Rows {
  readonly rows: Tensor;
  /** The output row of each, -1 for those that do not count. */
  readonly segments: Tensor;
  readonly count: Tensor;
  readonly weights: Tensor | null;
}

/** `x`, one number per row, with as many dimensions as `rows`. */
function thick(x: Tensor, rows: Tensor): Tensor {
  const extra = expandDims(sub(rank(rows), 1), 0);
  const dims = concat([shape(x), fill(extra, constant(1, { dtype: 'int32' }))], 0);
  const result = reshape(x, dims);
  if (rows.shape.dims !== null) {
    result.setShape([x.shape.rank === 1 ? x.shape.dim(0) : null, ...rows.shape.dims.slice(1).map(() => 1)]);
  }
  return result;
}

/** Sums of the rows of each segment over what the combiner says. A segment without rows is zero. */
function combine({ rows, segments, count, weights }: Rows, combiner: 'sum' | 'mean' | 'sqrtn'): Tensor {
  const weighted = weights === null ? rows : mul(rows, thick(cast(weights, rows.dtype), rows));
  const sums = unsortedSegmentSum(weighted, segments, count);
  if (combiner === 'sum') return sums;
  const each = weights === null ? onesLike(cast(segments, rows.dtype)) : cast(weights, rows.dtype);
  const total = unsortedSegmentSum(combiner === 'mean' ? each : square(each), segments, count);
  const present = greater(unsortedSegmentSum(onesLike(segments), segments, count), 0);
  const divisor = where(present, total, onesLike(total));
  return div(sums, thick(combiner === 'mean' ? divisor : sqrt(divisor), sums));
}

function firstDim(dims: Tensor): Tensor {
  return cast(stridedSlice(dims, [0], [1], { shrinkAxisMask: 1 }), 'int32');
}

/**
 * Embeddings of the ids of each row, combined (`tf.nn.embedding_lookup_sparse`). `spIds` is a `SparseTensor`
 * `[rows, any]` of ids, `spWeights` one of weights with the same indices, or `null` for weights of 1. Returns
 * `[rows, ...params.shape[1:]]`; a row without ids is zero. For `params`, `partitionStrategy` and `maxNorm` see
 * `embeddingLookup`; the gradient for a variable is `IndexedSlices`. Throws `InvalidArgumentError` when ids and
 * weights do not fit.
 */
export function embeddingLookupSparse(
  params: EmbeddingTable,
  spIds: SparseTensor,
  spWeights: SparseTensor | null = null,
  { combiner = 'mean', name = 'embedding_lookup_sparse', ...options }: SparseEmbeddingOptions = {},
): Tensor {
  check('embeddingLookupSparse', spIds, spWeights, combiner);
  return nameScope(name, () => {
    const rows = embeddingLookup(params, spIds.values, options);
    const segments = cast(stridedSlice(spIds.indices, [0, 0], [0, 1], COLUMN), 'int32');
    const count = firstDim(spIds.denseShape);
    return combine({ rows, segments, count, weights: spWeights?.values ?? null }, combiner);
  });
}

const COLUMN = { beginMask: 1, endMask: 1, shrinkAxisMask: 2 };

/** The number of the row of each id, where all dimensions but the last count as rows. */
function rowNumbers({ indices, denseShape }: SparseTensor): {
  segments: Tensor;
  outer: Tensor;
  count: Tensor;
} {
  const outer = stridedSlice(denseShape, [0], [-1], { beginMask: 1 });
  const strides = cumprod(outer, { exclusive: true, reverse: true });
  const leading = stridedSlice(indices, [0, 0], [0, -1], { beginMask: 3, endMask: 1 });
  const segments = cast(reduceSum(mul(leading, strides), { axis: 1 }), 'int32');
  return { segments, outer, count: cast(reduceProd(outer), 'int32') };
}

/**
 * As `embeddingLookupSparse`, for ids of any quality (`tf.nn.safe_embedding_lookup_sparse`): negative ids are left
 * out, and unless sums are wanted ids with weights of 0 or less; a row without ids is that of `defaultId`, or zero.
 * `sparseIds` is `[d0, ..., dn]`; all dimensions but the last are kept: `[d0, ..., dn-1, ...params.shape[1:]]`.
 * The default `partitionStrategy` is `div`.
 */
export function safeEmbeddingLookupSparse(
  embeddingWeights: EmbeddingTable,
  sparseIds: SparseTensor,
  {
    sparseWeights = null,
    combiner = 'mean',
    defaultId,
    name = 'embedding_lookup',
    partitionStrategy = 'div',
    maxNorm,
  }: SafeEmbeddingOptions = {},
): Tensor {
  check('safeEmbeddingLookupSparse', sparseIds, sparseWeights, combiner);
  return nameScope(name, () => {
    const { segments: every, outer, count } = rowNumbers(sparseIds);
    const valid = isValid(sparseIds.values, combiner === 'sum' ? null : (sparseWeights?.values ?? null));
    const none = (x: Tensor): Tensor => sub(zerosLike(x), onesLike(x));
    const lookup = (ids: TensorLike): Tensor =>
      embeddingLookup(embeddingWeights, ids, { partitionStrategy, maxNorm });
    const rows = lookup(where(valid, sparseIds.values, none(sparseIds.values)));
    const segments = where(valid, every, none(every));
    const combined = combine({ rows, segments, count, weights: sparseWeights?.values ?? null }, combiner);
    const filled =
      defaultId === undefined ? combined : withDefault(combined, segments, count, lookup([defaultId]));
    return inDimensions(filled, outer, sparseIds);
  });
}

function isValid(ids: Tensor, weights: Tensor | null): Tensor {
  const valid = greaterEqual(ids, 0);
  return weights === null ? valid : logicalAnd(valid, greater(weights, 0));
}

/** Rows without ids become `row`. */
function withDefault(combined: Tensor, segments: Tensor, count: Tensor, row: Tensor): Tensor {
  const ids = unsortedSegmentSum(onesLike(segments), segments, count);
  return whereV2(thick(equal(ids, 0), combined), row, combined);
}

function inDimensions(x: Tensor, outer: Tensor, ids: SparseTensor): Tensor {
  const kept = ids.shape.rank === null ? null : ids.shape.slice(0, -1);
  if (kept?.rank === 1) return x;
  const inner = stridedSlice(shape(x), [1], [0], { endMask: 1 });
  const result = reshape(x, concat([cast(outer, 'int32'), inner], 0));
  if (kept !== null) result.setShape(kept.concat(x.shape.slice(1)));
  return result;
}
