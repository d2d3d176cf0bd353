/**
 * Simulated quantization for training: floats go to the nearest of 2^n equally far levels and stay floats (Jacob et al.,
 * 2018). Gradients pass as if nothing were rounded, within the range.
 */
import { apply, applyOp, type NameOptions } from '../apply.js';
import { sameShape, withRank, withRankAtLeast } from '../inferHelpers.js';
import { op, type GradContext, type InferContext } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

const LEVELS = ['num_bits: int = 8', 'narrow_range: bool = false'];
const RANGE = ['min: float = -6', 'max: float = 6', ...LEVELS];

function checkBits(c: InferContext): void {
  const bits = c.attrs.int('num_bits');
  if (bits < 2 || bits > 16) c.fail(`num_bits must be between 2 and 16, got ${bits}`);
}

function checkRange(c: InferContext): void {
  checkBits(c);
  const [low, high] = [c.attrs.float('min'), c.attrs.float('max')];
  if (!(low < high)) c.fail(`min must be below max, got ${low} and ${high}`);
}

/** The shape of inputs `first` and the one after, which must agree. */
function sameShapes(c: InferContext, first: number): TensorShape {
  const [a, b] = [c.shape(first), c.shape(first + 1)];
  return (
    a.mergeWith(b) ?? c.fail(`gradients ${a.toString()} and inputs ${b.toString()} must have the same shape`)
  );
}

/** Checks `min` and `max` at `first` and after it: scalars, or one element per channel of `x`, whose shape it gives. */
function bounded(
  c: InferContext,
  x: TensorShape,
  first: number,
  channels: boolean,
): [TensorShape, TensorShape] {
  checkBits(c);
  if (!channels) {
    withRank(c, first, 0, 'min');
    withRank(c, first + 1, 0, 'max');
    return [x, TensorShape.SCALAR];
  }
  const [low, high] = [withRank(c, first, 1, 'min'), withRank(c, first + 1, 1, 'max')];
  const depth = x.rank === null ? TensorShape.ofRank(1) : x.slice(-1);
  const merged = low.mergeWith(high)?.mergeWith(depth) ?? null;
  if (merged === null) {
    c.fail(
      `min ${low.toString()} and max ${high.toString()} must have an element for each channel of ${x.toString()}`,
    );
  }
  return [x.rank === null ? x : x.slice(0, -1).concat([merged.dim(0)]), merged];
}

function inferVars(channels: boolean): (c: InferContext) => TensorShape[] {
  return (c) => {
    const x = channels ? withRankAtLeast(c, 0, 1, 'inputs') : c.shape(0);
    return [bounded(c, x, 1, channels)[0]];
  };
}

function inferVarsGradient(channels: boolean): (c: InferContext) => TensorShape[] {
  return (c) => {
    if (channels) withRankAtLeast(c, 1, 1, 'inputs');
    const [x, bound] = bounded(c, sameShapes(c, 0), 2, channels);
    return [x, bound, bound];
  };
}

const windowOf = (c: GradContext): { num_bits: number; narrow_range: boolean } => ({
  num_bits: c.attrs.int('num_bits'),
  narrow_range: c.attrs.bool('narrow_range'),
});

/** The range moved so that 0 is a level, as the kernels do it. */
function nudged(c: GradContext, min: Tensor, max: Tensor): { low: Tensor; high: Tensor } {
  const { ops } = c;
  const [first, last] = [c.attrs.bool('narrow_range') ? 1 : 0, 2 ** c.attrs.int('num_bits') - 1];
  const scale = ops.div(ops.sub(max, min), last - first);
  const zero = ops.clipByValue(ops.floor(ops.add(ops.sub(first, ops.div(min, scale)), 0.5)), first, last);
  return { low: ops.mul(ops.sub(first, zero), scale), high: ops.mul(ops.sub(last, zero), scale) };
}

/**
 * The op is linear in the gradients: inside the range they go to the input, below to `min`, above to `max`; where
 * both bounds are 0 all of them go to the input.
 */
function varsGradientGrad(c: GradContext): (Tensor | null)[] {
  const { ops } = c;
  const [x, min, max] = [c.input(1), c.input(2), c.input(3)];
  const { low, high } = nudged(c, min, max);
  const open = ops.logicalAnd(ops.equal(min, 0), ops.equal(max, 0));
  const below = ops.logicalAnd(ops.less(x, low), ops.logicalNot(open));
  const above = ops.logicalAnd(ops.greater(x, high), ops.logicalNot(open));
  const zero = ops.zerosLike(x);
  const [dx, dmin, dmax] = c.outputs.map((y, i) => ops.add(c.dys[i] ?? ops.zerosLike(y), zero));
  if (dx === undefined || dmin === undefined || dmax === undefined) return [null, null, null, null];
  return [ops.whereV2(below, dmin, ops.whereV2(above, dmax, dx)), null, null, null];
}

const VARS_OUTPUTS = [
  'backprops_wrt_input: float32',
  'backprop_wrt_min: float32',
  'backprop_wrt_max: float32',
];

/** Both ops of ranges that are tensors: scalars, or a range per channel. */
function varsOps<K extends string>(type: K, channels: boolean) {
  const of = channels ? 'with a range for each channel' : 'with a range that is learnt';
  return {
    op: op({
      summary: `Rounds to the levels of a quantization ${of}.`,
      inputs: ['inputs: float32', 'min: float32', 'max: float32'],
      outputs: ['outputs: float32'],
      attrs: LEVELS,
      infer: inferVars(channels),
      grad: (c) => applyOp(`${type}Gradient`, [c.dy, ...c.inputs], { attrs: windowOf(c) }).outputs,
    }),
    gradient: op({
      summary: `Gradient of ${type}: passes within the range, counts for its ends outside.`,
      inputs: ['gradients: float32', 'inputs: float32', 'min: float32', 'max: float32'],
      outputs: VARS_OUTPUTS,
      attrs: LEVELS,
      infer: inferVarsGradient(channels),
      grad: varsGradientGrad,
    }),
  };
}

const VARS = varsOps('FakeQuantWithMinMaxVars', false);
const CHANNELS = varsOps('FakeQuantWithMinMaxVarsPerChannel', true);

export const FAKE_QUANT = {
  FakeQuantWithMinMaxArgs: op({
    summary: 'Rounds to the levels of a quantization with a fixed range.',
    inputs: ['inputs: float32'],
    outputs: ['outputs: float32'],
    attrs: RANGE,
    infer: (c) => {
      checkRange(c);
      return sameShape(c);
    },
    grad: (c) => [argsGradient(c, c.dy, c.input(0))],
  }),
  FakeQuantWithMinMaxArgsGradient: op({
    summary: 'Gradient of FakeQuantWithMinMaxArgs: passes within the range.',
    inputs: ['gradients: float32', 'inputs: float32'],
    outputs: ['backprops: float32'],
    attrs: RANGE,
    infer: (c) => {
      checkRange(c);
      return [sameShapes(c, 0)];
    },
    grad: (c) => [argsGradient(c, c.dy, c.input(1)), null],
  }),
  FakeQuantWithMinMaxVars: VARS.op,
  FakeQuantWithMinMaxVarsGradient: VARS.gradient,
  FakeQuantWithMinMaxVarsPerChannel: CHANNELS.op,
  FakeQuantWithMinMaxVarsPerChannelGradient: CHANNELS.gradient,
};

function argsGradient(c: GradContext, gradients: Tensor, inputs: Tensor): Tensor {
  return apply('FakeQuantWithMinMaxArgsGradient', [gradients, inputs], {
    attrs: { ...windowOf(c), min: c.attrs.float('min'), max: c.attrs.float('max') },
  });
}

export interface FakeQuantOptions extends NameOptions {
  /** Between 2 and 16. Default 8. */
  readonly numBits?: number | undefined;
  /** Leaves the lowest level out. Default false. */
  readonly narrowRange?: boolean | undefined;
}

export interface FakeQuantRangeOptions extends FakeQuantOptions {
  /** Default -6. */
  readonly min?: number | undefined;
  /** Default 6. */
  readonly max?: number | undefined;
}

const levels = ({
  numBits = 8,
  narrowRange = false,
}: FakeQuantOptions): Record<string, number | boolean> => ({
  num_bits: numBits,
  narrow_range: narrowRange,
});

const range = (options: FakeQuantRangeOptions): Record<string, number | boolean> => ({
  ...levels(options),
  min: options.min ?? -6,
  max: options.max ?? 6,
});

/**
 * `inputs`, cut to [min, max] and rounded to 2^numBits levels (`tf.quantization.fake_quant_with_min_max_args`). The range
 * is moved a little so that 0 is a level. Throws unless min < max. The gradient passes within the range.
 */
export function fakeQuantWithMinMaxArgs(inputs: TensorLike, options: FakeQuantRangeOptions = {}): Tensor {
  return apply('FakeQuantWithMinMaxArgs', [inputs], { name: options.name, attrs: range(options) });
}

/** `gradients` where `inputs` are within the range, else 0 (`tf.quantization.fake_quant_with_min_max_args_gradient`). */
export function fakeQuantWithMinMaxArgsGradient(
  gradients: TensorLike,
  inputs: TensorLike,
  options: FakeQuantRangeOptions = {},
): Tensor {
  const { name } = options;
  return apply('FakeQuantWithMinMaxArgsGradient', [gradients, inputs], { name, attrs: range(options) });
}

/**
 * As `fakeQuantWithMinMaxArgs` with scalar tensors as range (`tf.quantization.fake_quant_with_min_max_vars`). The gradient
 * of `min` is the sum of those of the elements below the range, that of `max` of those above. A range from 0 to 0 gives 0.
 */
export function fakeQuantWithMinMaxVars(
  inputs: TensorLike,
  min: TensorLike,
  max: TensorLike,
  options: FakeQuantOptions = {},
): Tensor {
  return apply('FakeQuantWithMinMaxVars', [inputs, min, max], { name: options.name, attrs: levels(options) });
}

/** As `fakeQuantWithMinMaxVars` for `inputs` [..., d] with ranges [d] (`tf.quantization.fake_quant_with_min_max_vars_per_channel`). */
export function fakeQuantWithMinMaxVarsPerChannel(
  inputs: TensorLike,
  min: TensorLike,
  max: TensorLike,
  options: FakeQuantOptions = {},
): Tensor {
  return apply('FakeQuantWithMinMaxVarsPerChannel', [inputs, min, max], {
    name: options.name,
    attrs: levels(options),
  });
}

/** The gradients of `fakeQuantWithMinMaxVars` for its three inputs, or with `channels` of the one per channel. */
export interface FakeQuantGradients {
  readonly backpropsWrtInput: Tensor;
  readonly backpropWrtMin: Tensor;
  readonly backpropWrtMax: Tensor;
}

function varsGradient(
  type: string,
  inputs: readonly TensorLike[],
  options: FakeQuantOptions,
): FakeQuantGradients {
  const node = applyOp(type, inputs, { name: options.name, attrs: levels(options) });
  return {
    backpropsWrtInput: node.output(0),
    backpropWrtMin: node.output(1),
    backpropWrtMax: node.output(2),
  };
}

/** The gradients of `fakeQuantWithMinMaxVars` (`tf.quantization.fake_quant_with_min_max_vars_gradient`). */
export function fakeQuantWithMinMaxVarsGradient(
  gradients: TensorLike,
  inputs: TensorLike,
  min: TensorLike,
  max: TensorLike,
  options: FakeQuantOptions = {},
): FakeQuantGradients {
  return varsGradient('FakeQuantWithMinMaxVarsGradient', [gradients, inputs, min, max], options);
}

/** Those of `fakeQuantWithMinMaxVarsPerChannel` (`tf.quantization.fake_quant_with_min_max_vars_per_channel_gradient`). */
export function fakeQuantWithMinMaxVarsPerChannelGradient(
  gradients: TensorLike,
  inputs: TensorLike,
  min: TensorLike,
  max: TensorLike,
  options: FakeQuantOptions = {},
): FakeQuantGradients {
  return varsGradient('FakeQuantWithMinMaxVarsPerChannelGradient', [gradients, inputs, min, max], options);
}
