/** Records of fused batch normalization, its gradient, and the gradient of that (Ioffe and Szegedy, 2015). */
import { applyOp, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { op, type GradContext, type OpDef } from '../opDef.js';
import type { AttrInputs } from '../resolveOp.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { toTensorValue } from '../value.js';
import { inferBatchNorm, inferBatchNormGrad } from './fusedBatchNormShapes.js';

const FORMATS = 'data_format: {"NHWC", "NCHW"} = "NHWC"';
const ALL_FORMATS = 'data_format: {"NHWC", "NCHW", "NDHWC", "NCDHW"} = "NHWC"';

/** What distinguishes the versions: dtypes of the statistics, images or volumes, a third reserved output. */
interface Version {
  readonly statistics: string;
  readonly types: readonly string[];
  readonly format: string;
  readonly third: boolean;
}

const V1: Version = { statistics: 'T', types: ['T: {float32}'], format: FORMATS, third: false };
const MIXED = ['T: {float16, bfloat16, float32}', 'U: {float32}'];
const V2: Version = { statistics: 'U', types: MIXED, format: FORMATS, third: false };
const V3: Version = {
  statistics: 'U',
  types: ['T: {float16, bfloat16, float32}', 'U: {bfloat16, float32}'],
  format: ALL_FORMATS,
  third: true,
};

function forward(summary: string, version: Version, gradType: string): OpDef {
  const { statistics: u } = version;
  const names = ['batch_mean', 'batch_variance', 'reserve_space_1', 'reserve_space_2'];
  if (version.third) names.push('reserve_space_3');
  return op({
    summary,
    inputs: ['x: T', ...['scale', 'offset', 'mean', 'variance'].map((name) => `${name}: ${u}`)],
    outputs: ['y: T', ...names.map((name) => `${name}: ${u}`)],
    attrs: [
      ...version.types,
      'epsilon: float = 0.0001',
      'exponential_avg_factor: float = 1.0',
      version.format,
      'is_training: bool = true',
    ],
    infer: (c) => inferBatchNorm(c, version.third),
    grad: (c) => forwardGrad(c, gradType),
  });
}

function backward(summary: string, version: Version): OpDef {
  const { statistics: u } = version;
  const third = version.third ? [`reserve_space_3: ${u}`] : [];
  const unused = version.third
    ? ['reserve_space_4', 'reserve_space_5']
    : ['reserve_space_3', 'reserve_space_4'];
  return op({
    summary,
    inputs: [
      'y_backprop: T',
      'x: T',
      u === 'T' ? 'scale: T' : 'scale: float32',
      `reserve_space_1: ${u}`,
      `reserve_space_2: ${u}`,
      ...third,
    ],
    outputs: [
      'x_backprop: T',
      ...['scale_backprop', 'offset_backprop', ...unused].map((name) => `${name}: ${u}`),
    ],
    attrs: [
      ...(version.third ? ['T: {float16, bfloat16, float32}', 'U: {float32}'] : version.types),
      'epsilon: float = 0.0001',
      version.format,
      'is_training: bool = true',
    ],
    infer: inferBatchNormGrad,
    grad: backwardGrad,
  });
}

/** Only what flows into y is passed on; mean and variance are statistics that nothing is learned through. */
function forwardGrad(c: GradContext, gradType: string): (Tensor | null)[] {
  const { attrs, input, output, dy } = c;
  const training = attrs.bool('is_training');
  const statistics = training ? [output(3), output(4)] : [input(3), input(4)];
  const third = gradType.endsWith('V3') ? [output(5)] : [];
  const gradient = applyOp(gradType, [dy, input(0), input(1), ...statistics, ...third], {
    attrs: {
      epsilon: attrs.float('epsilon'),
      data_format: attrs.string('data_format'),
      is_training: training,
    },
  });
  return [gradient.output(0), gradient.output(1), gradient.output(2), null, null];
}

/** The tensors of the gradient's gradient, all per channel in a shape that broadcasts with x. */
interface Channels {
  /** Mean over everything but the channel. */
  readonly mean: (t: Tensor) => Tensor;
  /** Sum over everything but the channel, as a vector. */
  readonly sum: (t: Tensor) => Tensor;
  /** A vector in a shape that broadcasts with x. */
  readonly wide: (t: Tensor) => Tensor;
}

function channelsOf({ ops, attrs }: GradContext): Channels {
  const format = attrs.string('data_format');
  const channel = format.startsWith('NC') ? 1 : format.length - 1;
  const axis = Array.from({ length: format.length }, (_, i) => i).filter((i) => i !== channel);
  const after = format.length - 1 - channel;
  const ones = new Array<number>(after).fill(1);
  return {
    mean: (t) => ops.reduceMean(t, { axis, keepDims: true }),
    sum: (t) => ops.reduceSum(t, { axis }),
    wide: (t) => (after === 0 ? t : ops.reshape(t, [-1, ...ones])),
  };
}

/**
 * The gradient of the gradient, from primitive ops as in TensorFlow, which treats the statistics of the
 * batch as functions of x. With G, gs, go for what flows into dx, dscale and doffset, xc = x - mean,
 * r = 1 / sqrt(variance + epsilon), m the mean over a channel, a = m(G xc), b = m(dy xc) and
 * q = m(G dy) - m(G) m(dy):
 *
 *     dy: scale r (G - m(G) - xc r² a) + gs r xc + go
 *     x:  xc (scale (3 r⁵ a b - r³ q) - gs r³ b) - scale r³ b (G - m(G)) + (gs r - scale r³ a)(dy - m(dy))
 *     scale: sum(G r (dy - m(dy) - xc r² b))
 */
function backwardGrad(c: GradContext): (Tensor | null)[] {
  const flows = [0, 1, 2].map((i) => c.dys[i] ?? c.ops.zerosLike(c.output(i)));
  const [gx, gs, go] = flows as [Tensor, Tensor, Tensor];
  const parts = c.attrs.bool('is_training') ? trainingParts(c, gx, gs, go) : frozenParts(c, gx, gs, go);
  return [...parts, ...new Array<null>(c.inputs.length - 3).fill(null)];
}

function trainingParts(c: GradContext, gx: Tensor, gs: Tensor, go: Tensor): Tensor[] {
  const { add, mul, sub, cast, rsqrt, square } = c.ops;
  const { mean, sum, wide } = channelsOf(c);
  const u = c.input(2).dtype;
  const [dy, x, g] = [cast(c.input(0), u), cast(c.input(1), u), cast(gx, u)];
  const [scale, dscale, doffset] = [wide(c.input(2)), wide(gs), wide(go)];
  const xc = sub(x, mean(x));
  const r = rsqrt(add(mean(square(xc)), c.attrs.float('epsilon')));
  const r2 = square(r);
  const [gc, dyc] = [sub(g, mean(g)), sub(dy, mean(dy))];
  const [a, b, q] = [mean(mul(g, xc)), mean(mul(dy, xc)), mean(mul(gc, dyc))];
  const toDy = sub(gc, mul(xc, mul(r2, a))); // without scale r
  const forDy = add(mul(mul(scale, r), toDy), add(mul(mul(dscale, r), xc), doffset));
  const r3 = mul(r2, r);
  const alongX = sub(
    mul(scale, sub(mul(mul(3, mul(r3, r2)), mul(a, b)), mul(r3, q))),
    mul(dscale, mul(r3, b)),
  );
  const alongG = mul(scale, mul(r3, b));
  const alongDy = sub(mul(dscale, r), mul(scale, mul(r3, a)));
  const forX = add(sub(mul(xc, alongX), mul(gc, alongG)), mul(dyc, alongDy));
  const forScale = sum(mul(mul(g, r), sub(dyc, mul(xc, mul(r2, b)))));
  return [cast(forDy, c.input(0).dtype), cast(forX, c.input(1).dtype), forScale];
}

/** With fixed statistics: dx = dy scale r, dscale = sum(dy xc) r, doffset = sum(dy). */
function frozenParts(c: GradContext, gx: Tensor, gs: Tensor, go: Tensor): Tensor[] {
  const { add, mul, sub, cast, rsqrt } = c.ops;
  const { sum, wide } = channelsOf(c);
  const u = c.input(2).dtype;
  const [dy, x, g] = [cast(c.input(0), u), cast(c.input(1), u), cast(gx, u)];
  const [scale, dscale, doffset] = [wide(c.input(2)), wide(gs), wide(go)];
  const r = wide(rsqrt(add(c.input(4), c.attrs.float('epsilon'))));
  const xc = sub(x, wide(c.input(3)));
  const forDy = add(add(mul(g, mul(scale, r)), mul(mul(dscale, r), xc)), doffset);
  const forX = mul(dy, mul(dscale, r));
  const forScale = sum(mul(mul(g, dy), r));
  return [cast(forDy, c.input(0).dtype), cast(forX, c.input(1).dtype), forScale];
}

const SUMMARY = 'Normalizes every channel to zero mean and unit variance, then scales and shifts it';
const GRAD_SUMMARY = 'Gradient of fused batch normalization';

export const FUSED_BATCH_NORM = {
  FusedBatchNorm: forward(`${SUMMARY}.`, V1, 'FusedBatchNormGrad'),
  FusedBatchNormV2: forward(`${SUMMARY}; statistics in float32.`, V2, 'FusedBatchNormGradV2'),
  FusedBatchNormV3: forward(`${SUMMARY}; images or volumes.`, V3, 'FusedBatchNormGradV3'),
  FusedBatchNormGrad: backward(`${GRAD_SUMMARY}.`, V1),
  FusedBatchNormGradV2: backward(`${GRAD_SUMMARY}; statistics in float32.`, V2),
  FusedBatchNormGradV3: backward(`${GRAD_SUMMARY}; images or volumes.`, V3),
} satisfies Record<string, OpDef>;

/** Order of the dimensions of images or volumes. */
export type BatchNormFormat = 'NHWC' | 'NCHW' | 'NDHWC' | 'NCDHW';

export interface FusedBatchNormOptions extends NameOptions {
  /** Moving averages: needed unless `isTraining` with an `exponentialAvgFactor` of 1. */
  readonly mean?: TensorLike | null | undefined;
  readonly variance?: TensorLike | null | undefined;
  /** Added to the variance; default 0.001, at least 1.001e-5 as in TensorFlow. */
  readonly epsilon?: number | undefined;
  /** Default `NHWC`. */
  readonly dataFormat?: BatchNormFormat | undefined;
  /** Normalizes by the statistics of the batch (default), or by `mean` and `variance`. */
  readonly isTraining?: boolean | undefined;
  /** Share of the batch in the returned running averages; default 1, the batch alone. */
  readonly exponentialAvgFactor?: number | undefined;
}

const MIN_EPSILON = 1.001e-5;

/**
 * Batch normalization of images in one op (`tf.nn.fused_batch_norm`; Ioffe and Szegedy, 2015):
 * `(x - mean) / sqrt(variance + epsilon) * scale + offset` per channel. Returns y, and the mean and
 * the variance that a moving average should see; the latter is that of the sample, divided by n - 1.
 * Only y is differentiated. Throws `InvalidArgumentError` where `mean` and `variance` are needed and missing.
 */
export function fusedBatchNorm(
  x: TensorLike,
  scale: TensorLike,
  offset: TensorLike,
  options: FusedBatchNormOptions = {},
): [y: Tensor, batchMean: Tensor, batchVariance: Tensor] {
  const { epsilon = 0.001, dataFormat = 'NHWC', isTraining = true, exponentialAvgFactor = 1 } = options;
  const { mean = null, variance = null, name } = options;
  const statistics = !isTraining || exponentialAvgFactor !== 1;
  if (statistics && (mean === null || variance === null)) {
    throw new InvalidArgumentError(
      'fusedBatchNorm: mean and variance are needed unless isTraining is true and exponentialAvgFactor is 1',
    );
  }
  const attrs: AttrInputs = {
    epsilon: Math.max(epsilon, MIN_EPSILON),
    data_format: dataFormat,
    is_training: isTraining,
    exponential_avg_factor: exponentialAvgFactor,
  };
  const given = (value: TensorLike | null): TensorLike => value ?? toTensorValue([], 'float32', [0]);
  const node = applyOp('FusedBatchNormV3', [x, scale, offset, given(mean), given(variance)], { name, attrs });
  return [node.output(0), node.output(1), node.output(2)];
}
