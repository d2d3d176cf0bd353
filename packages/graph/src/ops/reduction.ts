/** Reductions over axes: records and builders. Composed ones and index reductions are in files beside. */
import { checkOptions } from '../checkOptions.js';
import { apply } from '../apply.js';
import { notDifferentiable, op, type EvaluateContext, type OpDef, type OpSpec } from '../opDef.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { axisInput, type AxisOptions } from './reductionAxis.js';
import { evaluateReduction, inferReduction, spread, withKeptDims } from './reductionAxes.js';
import { extremeGrad, prodGrad, reducedCount } from './reductionGradients.js';
import { SCAN } from './reductionScan.js';

/** A reduction of numbers; `reduce` combines the elements of one group on the host, in float64. */
function numeric(
  spec: Pick<OpSpec, 'summary' | 'grad'>,
  reduce: (elements: readonly number[], dtype: string) => number,
): OpDef {
  return op({
    ...spec,
    inputs: ['input: T', 'reduction_indices: Tidx'],
    outputs: ['output: T'],
    attrs: ['keep_dims: bool = false', 'T: numeric', 'Tidx: index = int32'],
    infer: inferReduction,
    evaluate: (c) => evaluateReduction(c, reduce),
  });
}

/** A reduction of booleans; `decided` is the element that settles the result alone. */
function logical(summary: string, decided: 0 | 1): OpDef {
  const reduce = (elements: readonly number[]): number => {
    if (elements.includes(decided)) return decided;
    return elements.some(Number.isNaN) ? NaN : 1 - decided;
  };
  return op({
    summary,
    inputs: ['input: bool', 'reduction_indices: Tidx'],
    outputs: ['output: bool'],
    attrs: ['keep_dims: bool = false', 'Tidx: index = int32'],
    infer: inferReduction,
    grad: notDifferentiable('its values are booleans'),
    evaluate: (c: EvaluateContext) => evaluateReduction(c, reduce),
  });
}

/** Sums and products of int32 wrap around; NaN stands for an unknown integer and stays. */
function total(elements: readonly number[], dtype: string): number {
  const sum = elements.reduce((a, b) => a + b, 0);
  return dtype === 'int32' && !Number.isNaN(sum) ? sum | 0 : sum;
}

function product(elements: readonly number[], dtype: string): number {
  if (dtype !== 'int32' || elements.some(Number.isNaN)) return elements.reduce((a, b) => a * b, 1);
  return elements.reduce((a, b) => Math.imul(a, b), 1);
}

function mean(elements: readonly number[], dtype: string): number {
  const quotient = total(elements, dtype) / elements.length;
  return dtype.startsWith('float') ? quotient : Math.trunc(quotient);
}

/** What an extreme starts from: the other end of the dtype's range. */
function startOf(dtype: string, sign: 1 | -1): number {
  if (dtype.startsWith('float')) return sign * Infinity;
  const bits = Number(/\d+$/.exec(dtype)?.[0] ?? 32);
  if (dtype.startsWith('uint')) return sign === 1 ? 2 ** bits - 1 : 0;
  return sign === 1 ? 2 ** (bits - 1) - 1 : -(2 ** (bits - 1));
}

export const REDUCTION = {
  ...SCAN,

  Sum: numeric(
    { summary: 'Sum of elements over axes.', grad: (c) => [spread(c, c.dy), null] }, // dx = dy, repeated
    total,
  ),

  Mean: numeric(
    {
      summary: 'Mean of elements over axes.',
      grad: (c) => [spread(c, c.ops.div(c.dy, reducedCount(c))), null], // dx = dy / n, repeated
    },
    mean,
  ),

  Prod: numeric({ summary: 'Product of elements over axes.', grad: prodGrad }, product),

  Max: numeric({ summary: 'Largest element over axes.', grad: extremeGrad }, (elements, dtype) =>
    elements.reduce((a, b) => Math.max(a, b), startOf(dtype, -1)),
  ),

  Min: numeric({ summary: 'Smallest element over axes.', grad: extremeGrad }, (elements, dtype) =>
    elements.reduce((a, b) => Math.min(a, b), startOf(dtype, 1)),
  ),

  EuclideanNorm: numeric(
    {
      summary: 'Square root of the sum of squares over axes.',
      grad: (c) => {
        const ratio = c.ops.div(withKeptDims(c, c.dy), withKeptDims(c, c.output(0)));
        return [c.ops.mul(c.input(0), ratio), null]; // dx = x * dy / y
      },
    },
    (elements, dtype) => {
      const norm = Math.sqrt(elements.reduce((sum, x) => sum + x * x, 0));
      return dtype.startsWith('float') ? norm : Math.trunc(norm);
    },
  ),

  Any: logical('True where any element over axes is true.', 1),
  All: logical('True where all elements over axes are true.', 0),
} satisfies Record<string, OpDef>;

function reduction(type: string, x: TensorLike, options: AxisOptions): Tensor {
  const { axis, keepDims = false, name } = checkOptions(type, options, '{ axis: 1 }');
  const input = axisInput(x, axis);
  return apply(type, [input.x, input.axis], { name, attrs: { keep_dims: keepDims } });
}

/**
 * Sum over `axis` (`tf.reduce_sum`). `axis` is a number, a list or an integer tensor, negative ones
 * count from the end; without it all axes are reduced, an empty list reduces none. Sums of int32 wrap.
 */
export function reduceSum(inputTensor: TensorLike, options: AxisOptions = {}): Tensor {
  return reduction('Sum', inputTensor, options);
}

/** Mean over `axis` (`tf.reduce_mean`); axes as in `reduceSum`. Means of integers are truncated. */
export function reduceMean(inputTensor: TensorLike, options: AxisOptions = {}): Tensor {
  return reduction('Mean', inputTensor, options);
}

/** Product over `axis` (`tf.reduce_prod`); axes as in `reduceSum`. An empty product is 1. */
export function reduceProd(inputTensor: TensorLike, options: AxisOptions = {}): Tensor {
  return reduction('Prod', inputTensor, options);
}

/**
 * Largest element over `axis` (`tf.reduce_max`); axes as in `reduceSum`. The largest of no floats is
 * -Infinity. Equal largest elements share the gradient.
 */
export function reduceMax(inputTensor: TensorLike, options: AxisOptions = {}): Tensor {
  return reduction('Max', inputTensor, options);
}

/** Smallest element over `axis` (`tf.reduce_min`); as `reduceMax`. */
export function reduceMin(inputTensor: TensorLike, options: AxisOptions = {}): Tensor {
  return reduction('Min', inputTensor, options);
}

/** Logical "or" of a bool tensor over `axis` (`tf.reduce_any`); axes as in `reduceSum`. */
export function reduceAny(inputTensor: TensorLike, options: AxisOptions = {}): Tensor {
  return reduction('Any', inputTensor, options);
}

/** Logical "and" of a bool tensor over `axis` (`tf.reduce_all`); axes as in `reduceSum`. */
export function reduceAll(inputTensor: TensorLike, options: AxisOptions = {}): Tensor {
  return reduction('All', inputTensor, options);
}

/** Square root of the sum of squares over `axis` (`tf.math.reduce_euclidean_norm`); axes as in `reduceSum`. */
export function reduceEuclideanNorm(inputTensor: TensorLike, options: AxisOptions = {}): Tensor {
  return reduction('EuclideanNorm', inputTensor, options);
}

export {
  argMax,
  argMin,
  cumprod,
  cumsum,
  cumulativeLogsumexp,
  type ArgOptions,
  type CumulativeOptions,
} from './reductionScan.js';
export type { Axis, AxisOptions } from './reductionAxis.js';
