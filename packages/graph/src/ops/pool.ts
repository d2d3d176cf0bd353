/** Records of pooling of images and its gradients. Volumes, positions and windows from inputs are in files beside. */
import { apply } from '../apply.js';
import { op, type GradContext, type OpDef } from '../opDef.js';
import type { Tensor } from '../tensor.js';
import { FRACTIONAL_POOL } from './fractionalPool.js';
import { POOL_3D } from './pool3d.js';
import { POOL_ARGMAX } from './poolArgmax.js';
import { inferAvgGrad, inferMaxGrad } from './poolInfer.js';
import { POOL_V2 } from './poolV2.js';
import { EXPLICIT_POOL_ATTRS, inferPool, samePoolAttrs } from './poolWindows.js';

const LISTS = ['ksize: list(int) >= 4', 'strides: list(int) >= 4'];
const FORMAT = 'data_format: {"NHWC", "NCHW"} = "NHWC"';
const WINDOW = [...LISTS, 'padding: {"SAME", "VALID"}', FORMAT];
const EXPLICIT_WINDOW = [
  ...LISTS,
  'padding: {"SAME", "VALID", "EXPLICIT"}',
  'explicit_paddings: list(int) = []',
  FORMAT,
];
const REAL = 'T: {float16, bfloat16, float32, float64, int32, int64, uint8, int16, int8, uint16} = float32';

const MAX_GRAD = {
  inputs: ['orig_input: T', 'orig_output: T', 'grad: T'],
  outputs: ['output: T'],
} as const;

/** The elements of `dy` at the places of the largest elements. The op for it pads by rule only. */
function atLargest({ attrs, input, ops, dy }: GradContext): Tensor {
  const same = samePoolAttrs(attrs);
  if (attrs.string('padding') !== 'EXPLICIT') {
    return apply('MaxPoolGradGrad', [input(0), input(1), dy], { attrs: same });
  }
  const list = attrs.ints('explicit_paddings');
  const paddings = [0, 1, 2, 3].map((i) => [list[2 * i] ?? 0, list[2 * i + 1] ?? 0]);
  const images = ops.pad(input(0), paddings, { constantValues: -Infinity });
  const padded = [images, input(1), ops.pad(dy, paddings)];
  return apply('MaxPoolGradGrad', padded, { attrs: { ...same, padding: 'VALID' } });
}

export const POOL = {
  ...POOL_3D,
  ...FRACTIONAL_POOL,
  ...POOL_ARGMAX,
  ...POOL_V2,

  MaxPool: op({
    summary: 'Largest element of every window of images.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: [REAL, ...EXPLICIT_WINDOW],
    infer: (c) => [inferPool(c, c.shape(0))],
    // dx: every window's dy goes to its first largest element
    grad: ({ attrs, input, output, dy }) => [
      apply('MaxPoolGrad', [input(0), output(0), dy], { attrs: samePoolAttrs(attrs, EXPLICIT_POOL_ATTRS) }),
    ],
  }),

  MaxPoolGrad: op({
    ...MAX_GRAD,
    attrs: [...EXPLICIT_WINDOW, REAL],
    summary: 'Gradient of MaxPool with respect to its images.',
    infer: (c) => inferMaxGrad(c, 'pooled'),
    // linear in grad, piecewise constant in the images
    grad: (c) => [c.ops.zerosLike(c.input(0)), c.ops.zerosLike(c.input(1)), atLargest(c)],
  }),

  MaxPoolGradGrad: op({
    ...MAX_GRAD,
    attrs: [...WINDOW, REAL],
    summary: "Elements of a gradient at the places of every window's largest element.",
    infer: (c) => inferMaxGrad(c, 'images'),
    grad: ({ attrs, input, ops, dy }) => [
      ops.zerosLike(input(0)),
      ops.zerosLike(input(1)),
      apply('MaxPoolGrad', [input(0), input(1), dy], { attrs: samePoolAttrs(attrs) }),
    ],
  }),

  AvgPool: op({
    summary: 'Mean of every window of images.',
    inputs: ['value: T'],
    outputs: ['output: T'],
    attrs: [...WINDOW, 'T: floating'],
    infer: (c) => [inferPool(c, c.shape(0))],
    // dx: every window's dy is spread evenly over its elements
    grad: ({ attrs, input, ops, dy }) => [
      apply('AvgPoolGrad', [ops.shape(input(0)), dy], { attrs: samePoolAttrs(attrs) }),
    ],
  }),

  AvgPoolGrad: op({
    summary: 'Gradient of AvgPool with respect to its images.',
    inputs: ['orig_input_shape: int32', 'grad: T'],
    outputs: ['output: T'],
    attrs: [...WINDOW, 'T: floating'],
    infer: inferAvgGrad,
    grad: ({ attrs, dy }) => [null, apply('AvgPool', [dy], { attrs: samePoolAttrs(attrs) })],
  }),
} satisfies Record<string, OpDef>;

export {
  fractionalAvgPool,
  fractionalMaxPool,
  type FractionalPoolOptions,
  type FractionalPoolResult,
} from './fractionalPool.js';
export * from './poolBuilders.js';
export { pool, type GeneralPoolOptions } from './poolGeneral.js';
