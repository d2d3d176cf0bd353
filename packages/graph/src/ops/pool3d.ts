/** Records of pooling of volumes and its gradients. */
import { apply } from '../apply.js';
import { op, type OpDef } from '../opDef.js';
import { inferAvgGrad, inferMaxGrad } from './poolInfer.js';
import { inferPool, samePoolAttrs } from './poolWindows.js';

const WINDOW = [
  'ksize: list(int) >= 5',
  'strides: list(int) >= 5',
  'padding: {"SAME", "VALID"}',
  'data_format: {"NDHWC", "NCDHW"} = "NDHWC"',
];
const FLOATS = '{float16, bfloat16, float32}';
const REAL =
  'T: {float32, float64, int32, uint8, int16, int8, int64, bfloat16, uint16, float16, uint32, uint64}';

export const POOL_3D = {
  MaxPool3D: op({
    summary: 'Largest element of every window of volumes.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: [...WINDOW, `T: ${FLOATS}`],
    infer: (c) => [inferPool(c, c.shape(0))],
    // dx: every window's dy goes to its first largest element
    grad: ({ attrs, input, output, dy }) => [
      apply('MaxPool3DGrad', [input(0), output(0), dy], { attrs: samePoolAttrs(attrs) }),
    ],
  }),

  MaxPool3DGrad: op({
    summary: 'Gradient of MaxPool3D with respect to its volumes.',
    inputs: ['orig_input: TInput', 'orig_output: TInput', 'grad: T'],
    outputs: ['output: T'],
    attrs: [...WINDOW, `T: ${FLOATS} = float32`, `TInput: ${FLOATS} = float32`],
    infer: (c) => inferMaxGrad(c, 'pooled'),
    // linear in grad, piecewise constant in the volumes
    grad: ({ attrs, input, ops, dy }) => [
      ops.zerosLike(input(0)),
      ops.zerosLike(input(1)),
      apply('MaxPool3DGradGrad', [input(0), input(1), dy], { attrs: samePoolAttrs(attrs) }),
    ],
  }),

  MaxPool3DGradGrad: op({
    summary: "Elements of a gradient at the places of every window's largest element, of volumes.",
    inputs: ['orig_input: T', 'orig_output: T', 'grad: T'],
    outputs: ['output: T'],
    attrs: [...WINDOW, REAL],
    infer: (c) => inferMaxGrad(c, 'images'),
    grad: ({ attrs, input, ops, dy }) => [
      ops.zerosLike(input(0)),
      ops.zerosLike(input(1)),
      apply('MaxPool3DGrad', [input(0), input(1), dy], { attrs: samePoolAttrs(attrs) }),
    ],
  }),

  AvgPool3D: op({
    summary: 'Mean of every window of volumes.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: [...WINDOW, 'T: floating'],
    infer: (c) => [inferPool(c, c.shape(0))],
    // dx: every window's dy is spread evenly over its elements
    grad: ({ attrs, input, ops, dy }) => [
      apply('AvgPool3DGrad', [ops.shape(input(0)), dy], { attrs: samePoolAttrs(attrs) }),
    ],
  }),

  AvgPool3DGrad: op({
    summary: 'Gradient of AvgPool3D with respect to its volumes.',
    inputs: ['orig_input_shape: int32', 'grad: T'],
    outputs: ['output: T'],
    attrs: [...WINDOW, 'T: floating'],
    infer: inferAvgGrad,
    grad: ({ attrs, dy }) => [null, apply('AvgPool3D', [dy], { attrs: samePoolAttrs(attrs) })],
  }),
} satisfies Record<string, OpDef>;
