/** Records of max pooling whose windows are inputs. */
import { apply } from '../apply.js';
import { op, type GradContext, type OpDef } from '../opDef.js';
import type { Tensor } from '../tensor.js';
import { inferMaxGrad, poolingFromInputs } from './poolInfer.js';
import { inferPool, samePoolAttrs } from './poolWindows.js';

const WINDOW = ['padding: {"SAME", "VALID"}', 'data_format: {"NHWC", "NCHW"} = "NHWC"'];
const REAL = 'T: {float16, bfloat16, float32, float64, int32, int64, uint8, int16, int8, uint16} = float32';

const GRAD = {
  inputs: ['orig_input: T', 'orig_output: T', 'grad: T', 'ksize: int32', 'strides: int32'],
  outputs: ['output: T'],
  attrs: [...WINDOW, REAL],
} as const;

/** Linear in grad, piecewise constant in the images; `transposed` is the op for the other direction. */
function linear(transposed: string): (c: GradContext) => (Tensor | null)[] {
  return ({ attrs, input, ops, dy }) => [
    ops.zerosLike(input(0)),
    ops.zerosLike(input(1)),
    apply(transposed, [input(0), input(1), dy, input(3), input(4)], { attrs: samePoolAttrs(attrs) }),
    null,
    null,
  ];
}

export const POOL_V2 = {
  MaxPoolV2: op({
    summary: 'Largest element of every window of images; the windows are inputs.',
    inputs: ['input: T', 'ksize: int32', 'strides: int32'],
    outputs: ['output: T'],
    attrs: [REAL, ...WINDOW],
    infer: (c) => [inferPool(c, c.shape(0), poolingFromInputs(c, 1))],
    // dx: every window's dy goes to its first largest element
    grad: ({ attrs, input, output, dy }) => [
      apply('MaxPoolGradV2', [input(0), output(0), dy, input(1), input(2)], { attrs: samePoolAttrs(attrs) }),
      null,
      null,
    ],
  }),

  MaxPoolGradV2: op({
    ...GRAD,
    summary: 'Gradient of MaxPoolV2 with respect to its images.',
    infer: (c) => inferMaxGrad(c, 'pooled', poolingFromInputs(c, 3)),
    grad: linear('MaxPoolGradGradV2'),
  }),

  MaxPoolGradGradV2: op({
    ...GRAD,
    summary:
      "Elements of a gradient at the places of every window's largest element; the windows are inputs.",
    infer: (c) => inferMaxGrad(c, 'images', poolingFromInputs(c, 3)),
    grad: linear('MaxPoolGradV2'),
  }),
} satisfies Record<string, OpDef>;
