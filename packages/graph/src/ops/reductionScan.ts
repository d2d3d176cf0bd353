/** Reductions and scans along one axis: positions of extremes, running sums, products and their like. */
import { checkOptions } from '../checkOptions.js';
import { apply, type NameOptions } from '../apply.js';
import type { DType } from '../dtype.js';
import { normalizeAxis } from '../inferHelpers.js';
import { notDifferentiable, op, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

/** The scalar axis in input 1 as a position, or `null` when it is not known. */
function axisOf(c: InferContext): number | null {
  const shape = c.shape(1);
  if (shape.rank !== null && shape.rank !== 0)
    c.fail(`the axis must be a scalar, got shape ${shape.toString()}`);
  const rank = c.shape(0).rank;
  const axis = c.constant(1)?.data[0];
  return axis === undefined ? null : normalizeAxis(c, axis, rank);
}

function inferArg(c: InferContext): TensorShape[] {
  const x = c.shape(0);
  const axis = axisOf(c);
  if (x.dims === null) return [TensorShape.UNKNOWN];
  if (x.dims.length === 0) c.fail('a scalar has no axis');
  if (axis === null) return [TensorShape.ofRank(x.dims.length - 1)];
  if (x.dims[axis] === 0) c.fail(`axis ${axis} of shape ${x.toString()} has no elements`);
  return [new TensorShape(x.dims.filter((_, i) => i !== axis))];
}

function arg(summary: string): OpDef {
  return op({
    summary,
    inputs: ['input: T', 'dimension: Tidx'],
    outputs: ['output: output_type'],
    attrs: ['T: numeric', 'Tidx: index = int32', 'output_type: index = int64'],
    infer: inferArg,
    grad: notDifferentiable('its values are positions'),
  });
}

function inferScan(c: InferContext): TensorShape[] {
  axisOf(c);
  return [c.shape(0)];
}

const SCAN_SIGNATURE = {
  inputs: ['x: T', 'axis: Tidx'],
  outputs: ['out: T'],
  attrs: ['exclusive: bool = false', 'reverse: bool = false', 'T: numeric', 'Tidx: index = int32'],
  infer: inferScan,
} as const;

export const SCAN = {
  ArgMax: arg('Position of the largest element along an axis.'),
  ArgMin: arg('Position of the smallest element along an axis.'),

  Cumsum: op({
    ...SCAN_SIGNATURE,
    summary: 'Running sums along an axis.',
    grad: ({ ops, attrs, input, dy }) => {
      const options = { axis: input(1), exclusive: attrs.bool('exclusive'), reverse: !attrs.bool('reverse') };
      return [ops.cumsum(dy, options), null]; // dx = sums of dy from the other end
    },
  }),

  Cumprod: op({
    ...SCAN_SIGNATURE,
    summary: 'Running products along an axis.',
    grad: ({ ops, attrs, input, output, dy }) => {
      const options = { axis: input(1), exclusive: attrs.bool('exclusive'), reverse: !attrs.bool('reverse') };
      const sums = ops.cumsum(ops.mul(output(0), dy), options);
      return [ops.div(sums, input(0)), null]; // dx = (sums of y * dy from the other end) / x; NaN at zeros
    },
  }),

  CumulativeLogsumexp: op({
    ...SCAN_SIGNATURE,
    attrs: [
      'exclusive: bool = false',
      'reverse: bool = false',
      'T: {float16, float32, float64, bfloat16}',
      'Tidx: index = int32',
    ],
    summary: 'Logarithms of running sums of exponentials along an axis.',
    grad: cumulativeLogsumexpGrad,
  }),
} satisfies Record<string, OpDef>;

/** Stands for the logarithm of 0: far below every other, yet differences of it do not overflow. */
const LOG_OF_ZERO = -1e38;

/**
 * dx = exp(x) * sums of dy / exp(y) from the other end. The sums are taken as logarithms, of the positive
 * and of the negative dy, so that nothing overflows.
 */
function cumulativeLogsumexpGrad({ ops, attrs, input, output, dy }: GradContext): (Tensor | null)[] {
  const options = { axis: input(1), exclusive: attrs.bool('exclusive'), reverse: !attrs.bool('reverse') };
  const part = (flow: Tensor): Tensor => {
    const flows = ops.greater(flow, 0);
    const positive = ops.where(flows, flow, ops.onesLike(flow)); // so that no logarithm has a pole
    const shares = ops.sub(ops.log(positive), output(0));
    const logs = ops.where(flows, shares, ops.mul(ops.onesLike(flow), LOG_OF_ZERO));
    return ops.exp(ops.add(ops.cumulativeLogsumexp(logs, options), input(0)));
  };
  return [ops.sub(part(dy), part(ops.neg(dy))), null];
}

export interface ArgOptions extends NameOptions {
  /** Default 0; negative axes count from the end. */
  readonly axis?: number | Tensor | undefined;
  /** Default int64. */
  readonly outputType?: DType | undefined;
}

/**
 * Position of the largest element along `axis` (`tf.argmax`), the first one of equals. The result has
 * the shape of `input` without the axis. Throws for an axis without elements.
 */
export function argMax(input: TensorLike, options: ArgOptions = {}): Tensor {
  const { axis = 0, outputType = 'int64', name } = checkOptions('argMax', options, '{ axis: 1 }');
  return apply('ArgMax', [input, axis], { name, attrs: { output_type: outputType } });
}

/** Position of the smallest element along `axis` (`tf.argmin`); as `argMax`. */
export function argMin(input: TensorLike, options: ArgOptions = {}): Tensor {
  const { axis = 0, outputType = 'int64', name } = checkOptions('argMin', options, '{ axis: 1 }');
  return apply('ArgMin', [input, axis], { name, attrs: { output_type: outputType } });
}

export interface CumulativeOptions extends NameOptions {
  /** Default 0; negative axes count from the end. */
  readonly axis?: number | Tensor | undefined;
  /** Leaves each element out of its own result: the first result is 0 (sums) or 1 (products). */
  readonly exclusive?: boolean | undefined;
  /** Runs from the end of the axis. */
  readonly reverse?: boolean | undefined;
}

/** Running sums along `axis` (`tf.cumsum`), of the shape of `x`. */
export function cumsum(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  const {
    axis = 0,
    exclusive = false,
    reverse = false,
    name,
  } = checkOptions('cumsum', options, '{ axis: 1 }');
  return apply('Cumsum', [x, axis], { name, attrs: { exclusive, reverse } });
}

/** Running products along `axis` (`tf.cumprod`), of the shape of `x`. Its gradient divides by `x`. */
export function cumprod(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  const {
    axis = 0,
    exclusive = false,
    reverse = false,
    name,
  } = checkOptions('cumprod', options, '{ axis: 1 }');
  return apply('Cumprod', [x, axis], { name, attrs: { exclusive, reverse } });
}

/**
 * `log(sum(exp(x)))` of the elements up to each along `axis` (`tf.math.cumulative_logsumexp`), of the shape
 * of `x`. With `exclusive` the first result, the logarithm of nothing, is the smallest float, as in TensorFlow.
 */
export function cumulativeLogsumexp(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  const {
    axis = 0,
    exclusive = false,
    reverse = false,
    name,
  } = checkOptions('cumulativeLogsumexp', options, '{ axis: 1 }');
  return apply('CumulativeLogsumexp', [x, axis], { name, attrs: { exclusive, reverse } });
}
