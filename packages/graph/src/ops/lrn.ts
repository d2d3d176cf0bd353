/** Records and builder of local response normalization (Krizhevsky, Sutskever and Hinton, 2012). */
import { apply, type NameOptions } from '../apply.js';
import type { Attrs } from '../attr.js';
import { withRank } from '../inferHelpers.js';
import { op, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import type { AttrInputs } from '../resolveOp.js';
import type { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

const ATTRS = [
  'depth_radius: int = 5',
  'bias: float = 1.0',
  'alpha: float = 1.0',
  'beta: float = 0.5',
  'T: {float16, bfloat16, float32} = float32',
];

function sameAttrs(attrs: Attrs): AttrInputs {
  return {
    depth_radius: attrs.int('depth_radius'),
    bias: attrs.float('bias'),
    alpha: attrs.float('alpha'),
    beta: attrs.float('beta'),
  };
}

function checkRadius(c: InferContext): void {
  const radius = c.attrs.int('depth_radius');
  if (radius < 0) c.fail(`depth_radius must not be negative, got ${radius}`);
}

function inferGrad(c: InferContext): TensorShape[] {
  checkRadius(c);
  const names = ['input_grads', 'input_image', 'output_image'] as const;
  const [grads, image, output] = names.map((name, i) => withRank(c, i, 4, name)) as [
    TensorShape,
    TensorShape,
    TensorShape,
  ];
  const merged = grads.mergeWith(image)?.mergeWith(output) ?? null;
  if (merged !== null) return [merged];
  return c.fail(
    `input_grads, input_image and output_image differ in shape: ${grads.toString()}, ${image.toString()}, ${output.toString()}`,
  );
}

/** Sums over each channel and its neighbours up to `depth_radius` away: a product with a band of ones. */
function bandSum({ ops, attrs }: GradContext, t: Tensor): Tensor {
  const shape = ops.shape(t);
  const depth = ops.gather(shape, 3);
  const channels = ops.range(0, depth);
  const distance = ops.abs(ops.sub(ops.expandDims(channels, 1), channels));
  const band = ops.cast(ops.lessEqual(distance, attrs.int('depth_radius')), t.dtype);
  return ops.reshape(ops.matMul(ops.reshape(t, ops.stack([-1, depth])), band), shape);
}

/**
 * With n = bias + alpha B(x²), B the sum over neighbours, and U flowing into dx, which is
 * dy n^-beta - 2 alpha beta x B(dy y / n):
 *
 *     dy: U n^-beta - 2 alpha beta (y / n) B(U x)
 *     y:  -2 alpha beta (dy / n) B(U x)
 *     x:  2 alpha x B(dn) - 2 alpha beta U B(dy y / n),
 *         dn = 2 alpha beta dy y B(U x) / n² - beta U dy n^(-beta - 1)
 */
function lrnGradGrad(c: GradContext): Tensor[] {
  const { attrs, input, dy: u } = c;
  const { add, div, mul, sub, square, pow } = c.ops;
  const [dy, x, y] = [input(0), input(1), input(2)];
  const [alpha, beta] = [attrs.float('alpha'), attrs.float('beta')];
  const n = add(mul(bandSum(c, square(x)), alpha), attrs.float('bias'));
  const power = pow(n, -beta);
  const [flow, share] = [bandSum(c, mul(u, x)), div(mul(dy, y), n)];
  const factor = 2 * alpha * beta;
  const dn = sub(mul(div(mul(share, flow), n), factor), mul(div(mul(mul(u, dy), power), n), beta));
  return [
    sub(mul(u, power), mul(mul(div(y, n), flow), factor)),
    sub(mul(mul(x, bandSum(c, dn)), 2 * alpha), mul(mul(u, bandSum(c, share)), factor)),
    mul(mul(div(dy, n), flow), -factor),
  ];
}

export const LRN = {
  LRN: op({
    summary: 'Divides each element by a power of the sum of squares of neighbouring channels.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: ATTRS,
    infer: (c) => {
      checkRadius(c);
      return [withRank(c, 0, 4, 'input')];
    },
    grad: ({ attrs, input, output, dy }) => [
      apply('LRNGrad', [dy, input(0), output(0)], { attrs: sameAttrs(attrs) }),
    ],
  }),

  LRNGrad: op({
    summary: 'Gradient of local response normalization.',
    inputs: ['input_grads: T', 'input_image: T', 'output_image: T'],
    outputs: ['output: T'],
    attrs: ATTRS,
    infer: inferGrad,
    grad: lrnGradGrad,
  }),
} satisfies Record<string, OpDef>;

export interface LrnOptions extends NameOptions {
  /** Channels on either side that count; default 5. */
  readonly depthRadius?: number | undefined;
  /** Added to the sum, to avoid dividing by 0; default 1. */
  readonly bias?: number | undefined;
  /** Weight of the sum, not divided by the number of channels; default 1. */
  readonly alpha?: number | undefined;
  /** Exponent; default 0.5. */
  readonly beta?: number | undefined;
}

/**
 * `input / (bias + alpha * sum)^beta` (`tf.nn.local_response_normalization`, `tf.nn.lrn`; Krizhevsky et
 * al., 2012) of float images `[batch, height, width, channels]`; `sum` is that of the squares of the
 * `2 * depthRadius + 1` channels around each element. Throws for a negative radius or another rank.
 */
export function lrn(
  input: TensorLike,
  { depthRadius = 5, bias = 1, alpha = 1, beta = 0.5, name }: LrnOptions = {},
): Tensor {
  return apply('LRN', [input], { name, attrs: { depth_radius: depthRadius, bias, alpha, beta } });
}

export { lrn as localResponseNormalization };
