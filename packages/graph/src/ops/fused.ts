/**
 * Records of products with what follows them: bias, normalization, a sum, an activation. Graph optimizers make
 * them for inference (TensorFlow's Grappler, the converter of TensorFlow.js); no builder does.
 */
import { apply } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { op, type GradContext, type GradFn, type InferContext, type OpDef } from '../opDef.js';
import type { AttrInputs } from '../resolveOp.js';
import { TensorShape, type Dim } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { inferConvolution } from './convInfer.js';
import { sameWindows } from './convWindows.js';
import { fusedArgs, fusedSteps, type FusedStep } from './fusedSteps.js';

const TYPES = 'T: {float32, float16, bfloat16, float64}';
const STEPS = ['fused_ops: list(string) = []', 'epsilon: float = 0.0001', 'leakyrelu_alpha: float = 0.2'];
const WINDOWS = [
  'strides: list(int)',
  'padding: {"SAME", "VALID", "EXPLICIT"}',
  'explicit_paddings: list(int) = []',
  'data_format: {"NHWC", "NCHW"} = "NHWC"',
  'dilations: list(int) = [1, 1, 1, 1]',
];

/** The position of the channels in the output. */
function channelAxis(attrs: InferContext['attrs']): 'first' | 'last' {
  return attrs.has('data_format') && attrs.string('data_format') === 'NCHW' ? 'first' : 'last';
}

function channelsOf(c: InferContext, shape: TensorShape): Dim {
  return shape.rank === null ? null : shape.dim(channelAxis(c.attrs) === 'first' ? 1 : -1);
}

/** Checks the operands of the steps against the shape of the product, which is the shape of the output. */
function withSteps(product: (c: InferContext) => TensorShape[]): (c: InferContext) => TensorShape[] {
  return (c) => {
    const shapes = product(c);
    const [shape = TensorShape.UNKNOWN] = shapes;
    const steps = fusedSteps(c.attrs);
    if ('unknown' in steps) return c.fail(`fused_ops: "${steps.unknown}" is not known`);
    const given = c.shapes.length - 2;
    if (fusedArgs(steps) !== given) {
      const names = c.attrs.strings('fused_ops').join(', ');
      c.fail(`fused_ops [${names}] take ${fusedArgs(steps)} args, ${given} given`);
    }
    for (const step of steps) checkOperands(c, step, shape);
    return shapes;
  };
}

function checkOperands(c: InferContext, step: FusedStep, product: TensorShape): void {
  for (let i = 0; i < step.args; i++) {
    const position = step.firstArg + i;
    const arg = c.shape(2 + position);
    const vector = step.kind === 'BiasAdd' || step.kind === 'FusedBatchNorm';
    if (vector) checkVector(c, `args ${position} (${step.kind})`, arg, channelsOf(c, product));
    else checkBroadcast(c, `args ${position} (${step.kind})`, arg, product);
  }
}

function checkVector(c: InferContext, name: string, arg: TensorShape, channels: Dim): void {
  const size = arg.rank === 1 ? arg.dim(0) : null;
  if (arg.rank !== null && arg.rank !== 1) c.fail(`${name} must be a vector, got shape ${arg.toString()}`);
  if (size !== null && channels !== null && size !== channels) {
    c.fail(`${name} has ${size} elements for ${channels} channels`);
  }
}

function checkBroadcast(c: InferContext, name: string, arg: TensorShape, product: TensorShape): void {
  if (arg.dims === null || product.dims === null) return;
  const { dims } = product;
  const offset = dims.length - arg.dims.length;
  const fits = (dim: Dim, i: number): boolean => {
    const whole = dims[i + offset] ?? null;
    return dim === null || dim === 1 || whole === null || dim === whole;
  };
  if (offset >= 0 && arg.dims.every(fits)) return;
  c.fail(`${name} of shape ${arg.toString()} does not broadcast to ${product.toString()}`);
}

/**
 * Follows `product` by ordinary ops, one for each step. `args` are the operands of the steps. Throws
 * `InvalidArgumentError` for a step that is not known, which shape inference refuses too.
 */
export function applySteps(
  { op: { attrs, name }, ops }: Pick<GradContext, 'op' | 'ops'>,
  product: Tensor,
  args: readonly Tensor[],
): Tensor {
  const steps = fusedSteps(attrs);
  if ('unknown' in steps) {
    throw new InvalidArgumentError(`fused_ops: "${steps.unknown}" is not known`, { node: name });
  }
  return steps.reduce((x, step) => applyStep(step, x, args, { attrs, ops }), product);
}

function applyStep(
  step: FusedStep,
  x: Tensor,
  args: readonly Tensor[],
  { attrs, ops }: Pick<GradContext, 'attrs' | 'ops'>,
): Tensor {
  const first = channelAxis(attrs) === 'first';
  const arg = (i: number): Tensor => args[step.firstArg + i] ?? x;
  const vector = (i: number): Tensor => (first ? ops.reshape(arg(i), [-1, 1, 1]) : arg(i));
  switch (step.kind) {
    case 'BiasAdd':
      return ops.biasAdd(x, arg(0), { dataFormat: first ? 'NCHW' : 'NHWC' });
    case 'Add':
      return ops.add(x, arg(0));
    case 'FusedBatchNorm': {
      const scale = ops.mul(vector(0), ops.rsqrt(ops.add(vector(3), attrs.float('epsilon'))));
      return ops.add(ops.mul(ops.sub(x, vector(2)), scale), vector(1));
    }
    case 'Prelu':
      return apply('Prelu', [x, arg(0)]);
    case 'GeluApproximate':
      return ops.gelu(x, { approximate: true });
    case 'GeluExact':
      return ops.gelu(x);
    case 'Swish':
      return ops.mul(x, ops.sigmoid(x));
    case 'Activation': {
      const alpha: AttrInputs = step.type === 'LeakyRelu' ? { alpha: attrs.float('leakyrelu_alpha') } : {};
      return apply(step.type, [x], { attrs: alpha });
    }
  }
}

/** The gradient through the ordinary ops that the op stands for, computed anew. */
function throughSteps(product: (c: GradContext) => Tensor): GradFn {
  return (c) => {
    const inputs = c.inputs;
    const y = applySteps(c, product(c), inputs.slice(2));
    return c.backpropagate([y], inputs, [c.dy]);
  };
}

/** A convolution with steps; `type` is the convolution alone. */
function fusedConvolution(summary: string, type: string, more: readonly string[] = []): OpDef {
  return op({
    summary,
    inputs: ['input: T', 'filter: T', 'args: num_args * T'],
    outputs: ['output: T'],
    attrs: [TYPES, 'num_args: int >= 0', ...WINDOWS, ...more, ...STEPS],
    infer: withSteps(inferConvolution({ rank: 4, depthwise: type !== 'Conv2D' })),
    grad: throughSteps((c) => apply(type, [c.input(0), c.input(1)], { attrs: sameWindows(c.attrs) })),
  });
}

export const FUSED_CONV = {
  _FusedConv2D: fusedConvolution(
    'Convolution of images followed by the steps that fused_ops names.',
    'Conv2D',
    ['use_cudnn_on_gpu: bool = true'],
  ),
  _FusedDepthwiseConv2dNative: fusedConvolution(
    'Depthwise convolution followed by the steps that fused_ops names.',
    'DepthwiseConv2dNative',
  ),
  FusedDepthwiseConv2dNative: fusedConvolution(
    'Depthwise convolution followed by the steps that fused_ops names, under the name of TensorFlow.js.',
    'DepthwiseConv2dNative',
  ),
};

/** The record of a matrix product with steps, given the shape rule of the product. */
export function fusedMatMul(infer: (c: InferContext) => TensorShape[]): OpDef {
  return op({
    summary: 'Product of two matrices followed by the steps that fused_ops names.',
    inputs: ['a: T', 'b: T', 'args: num_args * T'],
    outputs: ['product: T'],
    attrs: ['transpose_a: bool = false', 'transpose_b: bool = false', TYPES, 'num_args: int >= 0', ...STEPS],
    infer: withSteps(infer),
    grad: throughSteps(({ ops, attrs, input }) =>
      ops.matMul(input(0), input(1), {
        transposeA: attrs.bool('transpose_a'),
        transposeB: attrs.bool('transpose_b'),
      }),
    ),
  });
}
