/** CTC with labels that are dense and any class as blank, by the op for sparse labels. */
import {
  InvalidArgumentError,
  SparseTensor,
  add,
  broadcastTo,
  cast,
  concat,
  convertToTensor,
  ctcLoss,
  cumsum,
  expandDims,
  greater,
  nameScope,
  range,
  reduceSum,
  reshape,
  scatterNd,
  sequenceMask,
  shape,
  size,
  stack,
  stridedSlice,
  sub,
  whereV2,
  type NameOptions,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';

export interface CtcLossV2Options extends NameOptions {
  /** `logits` are `[time, batch, classes]` (default), else `[batch, time, classes]`. */
  readonly logitsTimeMajor?: boolean | undefined;
  /** The class that is the blank; negative ones count from the last. Default 0; sparse labels need it. */
  readonly blankIndex?: number | undefined;
  /** What `tf.nn.ctc_unique_labels` gives in TensorFlow. The kernel finds repeated labels by itself: not looked at. */
  readonly unique?: readonly TensorLike[] | null | undefined;
}

/**
 * Connectionist temporal classification (`tf.nn.ctc_loss_v2`; Graves et al., 2006) for dense `labels`
 * `[batch, longest]` with `labelLength` `[batch]`, or a `SparseTensor` of labels with `labelLength` null. `logits` are
 * float32, `logitLength` is int32 `[batch]`. Repeated labels need a blank between them. Returns float32 `[batch]`;
 * labels that do not fit their time have an infinite loss. The size of nothing depends on the labels. Throws
 * `InvalidArgumentError` for shapes that do not fit or a blank that is no class.
 */
export function ctcLossV2(
  labels: SparseTensor | TensorLike,
  logits: TensorLike,
  labelLength: TensorLike | null,
  logitLength: TensorLike,
  { logitsTimeMajor = true, blankIndex, name = 'ctc_loss' }: CtcLossV2Options = {},
): Tensor {
  return nameScope(name, () => {
    const x = convertToTensor(logits);
    const isSparse = labels instanceof SparseTensor;
    if (isSparse && blankIndex === undefined) {
      throw new InvalidArgumentError('ctcLossV2: sparse labels need a blankIndex');
    }
    if (!isSparse && labelLength === null) {
      throw new InvalidArgumentError('ctcLossV2: dense labels need a labelLength');
    }
    const blank = blankOf(x, blankIndex ?? 0);
    const sparse = isSparse ? labels : packed(asIntegers(labels), asIntegers(labelLength ?? 0));
    const values = withoutBlank(cast(sparse.values, 'int32'), blank);
    const own = new SparseTensor(sparse.indices, values, sparse.denseShape);
    return ctcLoss(own, blankLast(x, blank), asIntegers(logitLength), { timeMajor: logitsTimeMajor });
  });
}

function asIntegers(x: TensorLike): Tensor {
  const isLiteral = Array.isArray(x) || typeof x === 'number';
  return isLiteral ? convertToTensor(x, { dtype: 'int32' }) : cast(convertToTensor(x), 'int32');
}

function blankOf(logits: Tensor, index: number): number {
  if (logits.shape.rank !== null && logits.shape.rank !== 3) {
    throw new InvalidArgumentError(`ctcLossV2: logits must have rank 3, got ${logits.toString()}`);
  }
  const classes = logits.shape.rank === null ? null : logits.shape.dim(2);
  if (index < 0 && classes === null) {
    throw new InvalidArgumentError('ctcLossV2: a negative blankIndex needs a known number of classes');
  }
  const blank = index < 0 ? index + (classes ?? 0) : index;
  if (blank < 0 || !Number.isInteger(blank) || (classes !== null && blank >= classes)) {
    throw new InvalidArgumentError(`ctcLossV2: blankIndex ${index} is no class of ${logits.toString()}`);
  }
  return blank;
}

/** The logits with the blank as the last class. */
function blankLast(x: Tensor, blank: number): Tensor {
  if (x.shape.rank !== null && blank + 1 === x.shape.dim(2)) return x;
  const classes = (from: number, to: number | null): Tensor =>
    stridedSlice(x, [0, 0, from], [0, 0, to ?? 0], { beginMask: 3, endMask: to === null ? 7 : 3 });
  return concat([classes(0, blank), classes(blank + 1, null), classes(blank, blank + 1)], 2);
}

/** The classes of labels once the blank is the last. */
function withoutBlank(labels: Tensor, blank: number): Tensor {
  return sub(labels, cast(greater(labels, blank), 'int32'));
}

/**
 * All elements of `labels` as a sparse tensor: first those within their length, in order, then the others in a row
 * after the last, where they belong to no item.
 */
function packed(labels: Tensor, lengths: Tensor): SparseTensor {
  if (labels.shape.rank !== 2 && labels.shape.rank !== null) {
    throw new InvalidArgumentError(`ctcLossV2: labels must have rank 2, got ${labels.toString()}`);
  }
  const dims = shape(labels);
  const [batch, longest] = [0, 1].map((d) => stridedSlice(dims, [d], [d + 1], { shrinkAxisMask: 1 }));
  if (batch === undefined || longest === undefined) throw new InvalidArgumentError('ctcLossV2: no labels');
  const isLabel = reshape(sequenceMask(lengths, { maxlen: longest }), [-1]);
  const each = (x: Tensor): Tensor => reshape(broadcastTo(x, dims), [-1]);
  const rows = whereV2(isLabel, each(expandDims(range(0, batch), 1)), batch);
  const columns = each(range(0, longest));
  const own = cast(isLabel, 'int32');
  const rest = sub(1, own);
  const places = whereV2(isLabel, cumsum(own), add(reduceSum(own), cumsum(rest)));
  const at = expandDims(sub(places, 1), 1);
  const count = expandDims(size(labels), 0);
  const indices = scatterNd(at, stack([rows, columns], { axis: 1 }), concat([count, [2]], 0));
  const values = scatterNd(at, reshape(labels, [-1]), count);
  return new SparseTensor(cast(indices, 'int64'), values, cast(add(dims, [1, 0]), 'int64'));
}
