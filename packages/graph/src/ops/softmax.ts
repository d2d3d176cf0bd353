/** Softmax, its logarithm and the cross-entropies. */
import { checkOptions } from '../checkOptions.js';
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { withRank, withRankAtLeast } from '../inferHelpers.js';
import { op, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { TensorShape } from '../shape.js';
import { broadcastShapes } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { concat } from './arrayJoin.js';
import { transpose } from './arrayMove.js';
import { slice } from './arraySlice.js';
import { reshape } from './arrayView.js';
import { add, mul, sub } from './binary.js';
import { greaterEqual } from './comparison.js';
import { zerosLike } from './fill.js';
import { where } from './selection.js';
import { rank as rankOf, shape as shapeOf } from './shape.js';
import { stopGradient } from './source.js';
import { exp, log1p } from './transcendental.js';
import { neg } from './unary.js';

function inferSoftmax(c: InferContext): TensorShape[] {
  return [withRankAtLeast(c, 0, 1, 'logits')];
}

function inferCrossEntropy(c: InferContext): TensorShape[] {
  const [features, labels] = [withRank(c, 0, 2, 'features'), withRank(c, 1, 2, 'labels')];
  const both = broadcastShapes(features, labels);
  if (both === null) {
    c.fail(`features of shape ${features.toString()} and labels of shape ${labels.toString()} differ`);
  }
  return [both.slice(0, 1), both];
}

function inferSparse(c: InferContext): TensorShape[] {
  const [features, labels] = [withRank(c, 0, 2, 'features'), withRank(c, 1, 1, 'labels')];
  const batch = features.slice(0, 1).mergeWith(labels);
  if (batch === null) {
    c.fail(
      `features of shape ${features.toString()} need a label per row, labels have shape ${labels.toString()}`,
    );
  }
  return [batch, batch.concat(features.slice(1))];
}

/** `vector`, an element per row, times the rows of `matrix`. */
function scaleRows({ ops }: GradContext, vector: Tensor, matrix: Tensor): Tensor {
  return ops.mul(ops.expandDims(vector, -1), matrix);
}

/**
 * Gradient of the logits. The second output is d loss / d logits, so the first order is
 * dloss * backprop; what flows into backprop itself goes through the softmax:
 * softmax * (dbackprop - sum(dbackprop * softmax)).
 */
function featuresGrad(c: GradContext): Tensor | null {
  const { ops, dys, input, output } = c;
  const [dLoss = null, dBackprop = null] = dys;
  const first = dLoss === null ? null : scaleRows(c, dLoss, output(1));
  if (dBackprop === null) return first;
  const p = ops.softmax(input(0));
  const mean = ops.reduceSum(ops.mul(dBackprop, p), { axis: -1, keepDims: true });
  const second = ops.mul(ops.sub(dBackprop, mean), p);
  return first === null ? second : ops.add(first, second);
}

/** Gradient of the labels: dloss * -log(softmax). */
function labelsGrad(c: GradContext): Tensor | null {
  const [dLoss = null] = c.dys;
  return dLoss === null ? null : scaleRows(c, dLoss, c.ops.neg(c.ops.logSoftmax(c.input(0))));
}

function toShapeOf(c: GradContext, dx: Tensor | null, i: number): Tensor | null {
  return dx === null ? null : c.ops.sumToShapeOf(dx, c.input(i));
}

export const SOFTMAX = {
  Softmax: op({
    summary: 'Exponentials divided by their sum, over the last dimension.',
    inputs: ['logits: T'],
    outputs: ['softmax: T'],
    attrs: ['T: floating'],
    infer: inferSoftmax,
    grad: ({ ops, output, dy }) => {
      const y = output(0);
      const mean = ops.reduceSum(ops.mul(dy, y), { axis: -1, keepDims: true });
      return [ops.mul(ops.sub(dy, mean), y)]; // dx = (dy - sum(dy * y)) * y
    },
  }),

  LogSoftmax: op({
    summary: 'Logarithm of the softmax, over the last dimension.',
    inputs: ['logits: T'],
    outputs: ['logsoftmax: T'],
    attrs: ['T: floating'],
    infer: inferSoftmax,
    grad: ({ ops, output, dy }) => {
      const sum = ops.reduceSum(dy, { axis: -1, keepDims: true });
      return [ops.sub(dy, ops.mul(sum, ops.exp(output(0))))]; // dx = dy - sum(dy) * exp(y)
    },
  }),

  SoftmaxCrossEntropyWithLogits: op({
    summary: 'Cross-entropy of each row of labels with the softmax of the logits, and its gradient.',
    inputs: ['features: T', 'labels: T'],
    outputs: ['loss: T', 'backprop: T'],
    attrs: ['T: floating'],
    infer: inferCrossEntropy,
    grad: (c) => [toShapeOf(c, featuresGrad(c), 0), toShapeOf(c, labelsGrad(c), 1)],
  }),

  SparseSoftmaxCrossEntropyWithLogits: op({
    summary: 'Cross-entropy of class numbers with the softmax of the logits, and its gradient.',
    inputs: ['features: T', 'labels: Tlabels'],
    outputs: ['loss: T', 'backprop: T'],
    attrs: ['T: floating', 'Tlabels: index = int64'],
    infer: inferSparse,
    grad: (c) => [featuresGrad(c), null],
  }),
} satisfies Record<string, OpDef>;

export interface SoftmaxOptions extends NameOptions {
  /** The dimension that is normalized; default the last. */
  readonly axis?: number | undefined;
}

/** exp(logits) / sum(exp(logits)) over `axis` (`tf.nn.softmax`), of the shape of `logits`. */
export function softmax(logits: TensorLike, options: SoftmaxOptions = {}): Tensor {
  const { axis = -1, name } = checkOptions('softmax', options, '{ axis: 1 }');
  return alongAxis('Softmax', convertToTensor(logits), axis, name);
}

/** log(softmax(logits)) over `axis` (`tf.nn.log_softmax`), without overflow for large logits. */
export function logSoftmax(logits: TensorLike, options: SoftmaxOptions = {}): Tensor {
  const { axis = -1, name } = checkOptions('logSoftmax', options, '{ axis: 1 }');
  return alongAxis('LogSoftmax', convertToTensor(logits), axis, name);
}

/** Swaps `axis` with the last dimension around the op when it is another. */
function alongAxis(type: string, logits: Tensor, axis: number, name: string | undefined): Tensor {
  const perm = swapWithLast(type, logits, axis);
  if (perm === null) return apply(type, [logits], { name });
  return withGraphOf(logits, () =>
    nameScope(name ?? type, () => transpose(apply(type, [transpose(logits, { perm })]), { perm })),
  );
}

/** The permutation that swaps `axis` and the last dimension, or `null` when they are the same. */
function swapWithLast(type: string, x: Tensor, axis: number): number[] | null {
  const rank = x.shape.rank;
  if (axis === -1 || (rank !== null && axis === rank - 1)) return null;
  if (rank === null) throw new InvalidArgumentError(`${type}: axis ${axis} needs logits of known rank`);
  const position = axis < 0 ? axis + rank : axis;
  if (position < 0 || position >= rank) {
    throw new InvalidArgumentError(`${type}: axis ${axis} is out of range [${-rank}, ${rank})`);
  }
  const perm = Array.from({ length: rank }, (_, i) => i);
  [perm[position], perm[rank - 1]] = [rank - 1, position];
  return perm;
}

/** The operands of a cross-entropy, by name because their order is easily confused. */
export interface CrossEntropyInputs extends NameOptions {
  readonly labels: TensorLike;
  readonly logits: TensorLike;
}

/**
 * Cross-entropy of `labels`, a distribution per row, with softmax(`logits`)
 * (`tf.nn.softmax_cross_entropy_with_logits_v2`). Both have the same shape; the result is without the
 * last dimension. Gradients flow into the labels too: use `stopGradient` where they must not.
 */
export function softmaxCrossEntropyWithLogitsV2({
  labels,
  logits,
  axis = -1,
  name = 'softmax_cross_entropy_with_logits',
}: CrossEntropyInputs & { readonly axis?: number | undefined }): Tensor {
  const features = convertToTensor(logits);
  return withGraphOf(features, () =>
    nameScope(name, (scope) => {
      const perm = swapWithLast('SoftmaxCrossEntropyWithLogits', features, axis);
      const swapped = (x: Tensor): Tensor => (perm === null ? x : transpose(x, { perm }));
      const x = swapped(features);
      const y = swapped(convertToTensor(labels, { dtype: features.dtype }));
      if (x.shape.rank === 2) return crossEntropy(x, y, scope);
      const loss = crossEntropy(asMatrix(x), asMatrix(y), undefined);
      return reshape(loss, leadingShape(x));
    }),
  );
}

function crossEntropy(features: Tensor, labels: Tensor, name: string | undefined): Tensor {
  return applyOp('SoftmaxCrossEntropyWithLogits', [features, labels], { name }).output(0);
}

/** All dimensions but the last as one. */
function asMatrix(x: Tensor): Tensor {
  const columns = x.shape.rank === null ? null : x.shape.dim(-1);
  if (columns !== null) return reshape(x, [-1, columns]);
  const last = slice(shapeOf(x), reshape(sub(rankOf(x), 1), [1]), [1]);
  return reshape(x, concat([[-1], last], 0));
}

/** The shape of `x` without its last dimension. */
function leadingShape(x: Tensor): Tensor | number[] {
  const leading = x.shape.slice(0, -1);
  if (leading.isFullyDefined) return leading.toStatic();
  return slice(shapeOf(x), [0], reshape(sub(rankOf(x), 1), [1]));
}

/** As `softmaxCrossEntropyWithLogitsV2`, with constant labels (`tf.nn.softmax_cross_entropy_with_logits`). */
export function softmaxCrossEntropyWithLogits(
  inputs: CrossEntropyInputs & { readonly axis?: number | undefined },
): Tensor {
  return softmaxCrossEntropyWithLogitsV2({ ...inputs, labels: stopGradient(inputs.labels) });
}

/**
 * Cross-entropy of class numbers with softmax(`logits`)
 * (`tf.nn.sparse_softmax_cross_entropy_with_logits`). `labels` (int32 or int64) has the shape of
 * `logits` without the last dimension, as has the result. A number out of range gives NaN.
 */
export function sparseSoftmaxCrossEntropyWithLogits({
  labels,
  logits,
  name = 'SparseSoftmaxCrossEntropyWithLogits',
}: CrossEntropyInputs): Tensor {
  const features = convertToTensor(logits);
  return withGraphOf(features, () =>
    nameScope(name, (scope) => {
      const type = 'SparseSoftmaxCrossEntropyWithLogits';
      const classes = convertToTensor(labels);
      const rank = features.shape.rank;
      if (rank !== null && classes.shape.rank !== null && classes.shape.rank !== rank - 1) {
        throw new InvalidArgumentError(
          `${type}: labels have shape ${classes.shape.toString()}, logits of shape ` +
            `${features.shape.toString()} need rank ${rank - 1}`,
        );
      }
      if (rank === 2) return applyOp(type, [features, classes], { name: scope }).output(0);
      const loss = applyOp(type, [asMatrix(features), reshape(classes, [-1])]).output(0);
      return reshape(loss, leadingShape(features));
    }),
  );
}

/**
 * Cross-entropy of independent labels in [0, 1] with sigmoid(`logits`)
 * (`tf.nn.sigmoid_cross_entropy_with_logits`), elementwise: max(x, 0) - x * z + log(1 + exp(-|x|)),
 * which neither overflows nor loses small values.
 */
export function sigmoidCrossEntropyWithLogits({
  labels,
  logits,
  name = 'logistic_loss',
}: CrossEntropyInputs): Tensor {
  const x = convertToTensor(logits);
  return withGraphOf(x, () =>
    nameScope(name, (scope) => {
      const z = convertToTensor(labels, { dtype: x.dtype });
      if (!x.shape.isCompatibleWith(z.shape)) {
        throw new InvalidArgumentError(
          `sigmoidCrossEntropyWithLogits: labels have shape ${z.shape.toString()}, logits ${x.shape.toString()}`,
        );
      }
      const zeros = zerosLike(x);
      const positive = greaterEqual(x, zeros);
      const clipped = where(positive, x, zeros);
      const negativeAbs = where(positive, neg(x), x);
      const linear = sub(clipped, mul(x, z));
      return add(linear, log1p(exp(negativeAbs)), { name: scope });
    }),
  );
}
