/** Records of max pooling that also tells where the largest elements are. */
import { apply } from '../apply.js';
import type { Attrs } from '../attr.js';
import { op, type OpDef } from '../opDef.js';
import type { AttrInputs } from '../resolveOp.js';
import { inferArgmaxGrad } from './poolInfer.js';
import { inferPool, samePoolAttrs } from './poolWindows.js';

const LISTS = ['ksize: list(int) >= 4', 'strides: list(int) >= 4'];
const PADDING = ['padding: {"SAME", "VALID"}', 'include_batch_in_index: bool = false'];
const REAL =
  'T: {float32, float64, int32, uint8, int16, int8, int64, bfloat16, uint16, float16, uint32, uint64}';

const GRAD = {
  inputs: ['input: T', 'grad: T', 'argmax: Targmax'],
  outputs: ['output: T'],
  attrs: [...LISTS, ...PADDING, 'Targmax: index', REAL],
} as const;

function sameAttrs(attrs: Attrs): AttrInputs {
  return { ...samePoolAttrs(attrs), include_batch_in_index: attrs.bool('include_batch_in_index') };
}

export const POOL_ARGMAX = {
  MaxPoolWithArgmax: op({
    summary: 'Largest element of every window of images, and its position.',
    inputs: ['input: T'],
    outputs: ['output: T', 'argmax: Targmax'],
    attrs: [...LISTS, 'Targmax: index = int64', ...PADDING, REAL],
    infer: (c) => {
      const pooled = inferPool(c, c.shape(0));
      return [pooled, pooled];
    },
    // dx: every window's dy goes to its first largest element
    grad: ({ attrs, input, output, dy }) => [
      apply('MaxPoolGradWithArgmax', [input(0), dy, output(1)], { attrs: sameAttrs(attrs) }),
    ],
  }),

  MaxPoolGradWithArgmax: op({
    ...GRAD,
    summary: 'Gradient of MaxPoolWithArgmax with respect to its images.',
    infer: (c) => inferArgmaxGrad(c, 'pooled'),
    // linear in grad; of the images only the shape counts
    grad: ({ attrs, input, ops, dy }) => [
      ops.zerosLike(input(0)),
      apply('MaxPoolGradGradWithArgmax', [input(0), dy, input(2)], { attrs: sameAttrs(attrs) }),
      null,
    ],
  }),

  MaxPoolGradGradWithArgmax: op({
    ...GRAD,
    summary: "Elements of a gradient at the given places of every window's largest element.",
    infer: (c) => inferArgmaxGrad(c, 'images'),
    grad: ({ attrs, input, ops, dy }) => [
      ops.zerosLike(input(0)),
      apply('MaxPoolGradWithArgmax', [input(0), dy, input(2)], { attrs: sameAttrs(attrs) }),
      null,
    ],
  }),
} satisfies Record<string, OpDef>;
