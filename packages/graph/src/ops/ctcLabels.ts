/** Label sequences for CTC: repetitions removed, and each sequence's labels without duplicates. */
import { convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { nameScope, withGraphOf } from '../scopes.js';
import { Tensor, type TensorLike } from '../tensor.js';
import { gather } from './arrayIndex.js';
import { concat } from './arrayJoin.js';
import { slice } from './arraySlice.js';
import { sequenceMask } from './arrayComposed.js';
import { expandDims, reshape } from './arrayView.js';
import { mul, sub } from './binary.js';
import { equal, logicalAnd, notEqual } from './comparison.js';
import { onesLike, range, zeros } from './fill.js';
import { argMax, cumsum, reduceMax, reduceSum } from './reduction.js';
import { scatterNd } from './scatter.js';
import { where } from './selection.js';
import { shape } from './shape.js';
import { cast } from './unary.js';

/** Labels [batch, time] as a tensor of integers. */
function labelRows(caller: string, labels: TensorLike): Tensor {
  const x = labels instanceof Tensor ? labels : convertToTensor(labels, { dtype: 'int32' });
  if (x.shape.rank === null || x.shape.rank === 2) return x;
  throw new InvalidArgumentError(`${caller}: labels must be [batch, time], got shape ${x.shape.toString()}`);
}

/**
 * Merges repeated labels (`tf.nn.collapse_repeated`): of `labels` [batch, time] those that follow an equal one are dropped. The
 * result is as wide as the longest row then, zeros behind the others; `seqLength` [batch] says how long rows are, before and
 * after.
 */
export function collapseRepeated(
  labels: TensorLike,
  seqLength: TensorLike,
  { name = 'collapse_repeated_labels' }: NameOptions = {},
): { labels: Tensor; seqLength: Tensor } {
  const x = labelRows('collapseRepeated', labels);
  const lengths = seqLength instanceof Tensor ? seqLength : convertToTensor(seqLength, { dtype: 'int32' });
  return withGraphOf(x, () =>
    nameScope(name, () => {
      const [first, later] = [slice(x, [0, 0], [-1, 1]), slice(x, [0, 1], [-1, -1])];
      const before = slice(x, [0, 0], sub(shape(x), [0, 1]));
      const time = reshape(slice(shape(x), [1], [1]), []);
      const changes = concat([onesLike(cast(first, 'bool')), notEqual(later, before)], 1);
      const kept = logicalAnd(changes, sequenceMask(lengths, { maxlen: time }));
      const counts = reduceSum(cast(kept, 'int32'), { axis: 1 });
      const widest = reduceMax(counts, { axis: 0 });
      // what is dropped goes to one more column, which is cut off
      const column = sub(cumsum(cast(kept, 'int32'), { axis: 1 }), 1);
      const rows = reshape(slice(shape(x), [0], [1]), []);
      const ones = onesLike(column);
      const place = where(kept, column, mul(ones, widest));
      const row = mul(ones, expandDims(range(rows), 1));
      const index = concat([expandDims(row, -1), expandDims(place, -1)], -1);
      const values = where(kept, x, zeros(shape(x), { dtype: x.dtype }));
      const size = concat([reshape(rows, [1]), reshape(sub(widest, -1), [1])], 0);
      const whole = scatterNd(index, values, size);
      const result = slice(whole, [0, 0], concat([reshape(rows, [1]), reshape(widest, [1])], 0));
      return { labels: result, seqLength: cast(counts, lengths.dtype) };
    }),
  );
}

/**
 * The labels of each row without duplicates (`tf.nn.ctc_unique_labels`), for `ctcLoss` with `unique`: of `labels` [batch, time] the
 * distinct ones in the order in which they first occur, int64 with zeros behind, and for each label its place there, int32. Both
 * are [batch, time].
 */
export function ctcUniqueLabels(
  labels: TensorLike,
  { name = 'ctc_unique_labels' }: NameOptions = {},
): { unique: Tensor; indices: Tensor } {
  const x = labelRows('ctcUniqueLabels', labels);
  return withGraphOf(x, () =>
    nameScope(name, () => {
      const same = cast(equal(expandDims(x, 2), expandDims(x, 1)), 'int32');
      const first = argMax(same, { axis: 2, outputType: 'int32' });
      const time = reshape(slice(shape(x), [1], [1]), []);
      const isFirst = cast(equal(first, range(time)), 'int32');
      const rank = cumsum(isFirst, { axis: 1, exclusive: true });
      const indices = gather(rank, first, { batchDims: 1, axis: 1 });
      const chosen = mul(
        cast(equal(expandDims(rank, 1), expandDims(range(time), 1)), 'int32'),
        expandDims(isFirst, 1),
      );
      const unique = reduceSum(mul(cast(chosen, 'int64'), expandDims(cast(x, 'int64'), 1)), { axis: 2 });
      return { unique, indices };
    }),
  );
}
