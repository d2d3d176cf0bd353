/** Records and builders of grey-scale dilation and erosion of images. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { baseDType } from '../dtype.js';
import { withRank } from '../inferHelpers.js';
import { op, type GradContext, type InferContext } from '../opDef.js';
import { nameScope, withGraphOf } from '../scopes.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { reverse } from './arrayMove.js';
import { neg } from './unary.js';
import { windowCount, type PaddingRule } from '../windows.js';
import { checkPerDimension, checkWindowOptions, perDimension, type PerAxis } from './convWindows.js';

const ATTRS = [
  'T: {float32, float64, int32, uint8, int16, int8, int64, bfloat16, uint16, float16, uint32, uint64}',
  'strides: list(int) >= 4',
  'rates: list(int) >= 4',
  'padding: {"SAME", "VALID"}',
];

/** Shape of the dilated images. */
function dilatedShape(c: InferContext): TensorShape {
  checkPerDimension(c, 'strides', 'NHWC');
  checkPerDimension(c, 'rates', 'NHWC');
  const [input, filter] = [withRank(c, 0, 4, 'input'), withRank(c, 1, 3, 'filter')];
  const [depth, own] = [input.dim(3), filter.dim(2)];
  if (depth !== null && own !== null && depth !== own) {
    c.fail(`the input has ${depth} channels, the filter is for ${own}`);
  }
  const [strides, rates] = [c.attrs.ints('strides'), c.attrs.ints('rates')];
  const padding = c.attrs.string('padding') as PaddingRule;
  const sizes = [0, 1].map((i) => {
    const [stride = 1, dilation = 1] = [strides[i + 1], rates[i + 1]];
    const [image, size] = [input.dim(i + 1), filter.dim(i)];
    const count = windowCount(image, { size, stride, dilation, padding });
    if (count === null || count >= 0) return count;
    return c.fail(
      `a filter of ${i === 0 ? 'height' : 'width'} ${size ?? '?'} with rate ${dilation} does not fit ` +
        `an image of ${image ?? '?'} with ${padding} padding`,
    );
  });
  return new TensorShape([input.dim(0), ...sizes, depth ?? own]);
}

/** The shape of input `like`; rejects gradients that do not have the shape of the dilated images. */
function backpropShape(c: InferContext, like: 0 | 1): TensorShape[] {
  const [dilated, given] = [dilatedShape(c), withRank(c, 2, 4, 'out_backprop')];
  if (!dilated.isCompatibleWith(given)) {
    c.fail(`out_backprop has shape ${given.toString()}, dilation gives ${dilated.toString()}`);
  }
  return [like === 0 ? withRank(c, 0, 4, 'input') : withRank(c, 1, 3, 'filter')];
}

function sameAttrs({ attrs }: GradContext): { attrs: Record<string, string | number[]> } {
  const [strides, rates] = [attrs.ints('strides'), attrs.ints('rates')];
  return { attrs: { strides, rates, padding: attrs.string('padding') } };
}

/** Vectors of one element: the number of taps and of channels. */
function sizesOf({ input, ops }: GradContext): { window: Tensor; taps: Tensor; channels: Tensor } {
  const filter = ops.shape(input(1));
  const [height, width] = [ops.slice(filter, [0], [1]), ops.slice(filter, [1], [1])];
  const window = ops.slice(filter, [0], [2]);
  return { window, taps: ops.mul(height, width), channels: ops.slice(filter, [2], [1]) };
}

/** A tensor `[height, width, channels]` as `[channels, taps]`. */
function perTap(c: GradContext, filter: Tensor): Tensor {
  const { ops } = c;
  const { taps, channels } = sizesOf(c);
  return ops.transpose(ops.reshape(filter, ops.concat([taps, channels], 0)), { perm: [1, 0] });
}

/** `images` as the windows see them: `[batch, height, width, channels, taps]`, zero in the padding. */
function windowsOf(c: GradContext, images: Tensor): Tensor {
  const { attrs, ops } = c;
  const { window, taps, channels } = sizesOf(c);
  // A depthwise filter whose every output channel picks one tap.
  const depth = ops.reshape(taps, []);
  const picks = ops.oneHot(ops.range(depth), depth, { dtype: baseDType(images.dtype) });
  const one = ops.constant([1], { dtype: 'int32' });
  const single = ops.reshape(picks, ops.concat([window, one, taps], 0));
  const filters = ops.tile(single, ops.concat([one, one, channels, one], 0));
  const picked = ops.depthwiseConv2dNative(images, filters, {
    strides: attrs.ints('strides'),
    dilations: attrs.ints('rates'),
    padding: attrs.string('padding') === 'SAME' ? 'SAME' : 'VALID',
  });
  const outer = ops.slice(ops.shape(picked), [0], [3]);
  return ops.reshape(picked, ops.concat([outer, channels, taps], 0));
}

/**
 * One-hot along the taps at every window's first largest sum, all zero for windows that see nothing.
 * It is piecewise constant: no gradient flows into it.
 */
function winners(c: GradContext): Tensor {
  const { input, ops } = c;
  const [x, w] = [ops.stopGradient(input(0)), ops.stopGradient(input(1))];
  const dtype = baseDType(x.dtype);
  const seen = windowsOf(c, ops.onesLike(x));
  const sums = ops.add(windowsOf(c, x), perTap(c, w));
  const outside = ops.fill(ops.shape(sums), ops.constant(-Infinity, { dtype }));
  const inside = ops.greater(seen, ops.zerosLike(seen));
  const first = ops.argMax(ops.where(inside, sums, outside), { axis: 4, outputType: 'int32' });
  const depth = ops.reshape(sizesOf(c).taps, []);
  return ops.mul(ops.oneHot(first, depth, { dtype }), seen);
}

const BACKPROP_INPUTS = ['input: T', 'filter: T', 'out_backprop: T'];

export const DILATION = {
  Dilation2D: op({
    summary: 'Largest sum of image and filter in every window, per channel.',
    inputs: ['input: T', 'filter: T'],
    outputs: ['output: T'],
    attrs: ATTRS,
    infer: (c) => [dilatedShape(c)],
    // Every dy goes to the pixel and to the tap of its window's first largest sum.
    grad: (c) => {
      const inputs = [c.input(0), c.input(1), c.dy];
      return [
        apply('Dilation2DBackpropInput', inputs, sameAttrs(c)),
        apply('Dilation2DBackpropFilter', inputs, sameAttrs(c)),
      ];
    },
  }),

  Dilation2DBackpropInput: op({
    summary: 'Gradient of a dilation with respect to its images.',
    inputs: BACKPROP_INPUTS,
    outputs: ['in_backprop: T'],
    attrs: ATTRS,
    infer: (c) => backpropShape(c, 0),
    // Linear in out_backprop, piecewise constant in the rest: with g for dy, each window takes g at its winner.
    grad: (c) => {
      const { ops, dy, input } = c;
      const taken = ops.reduceSum(ops.mul(windowsOf(c, dy), winners(c)), { axis: 4 });
      return [ops.zerosLike(input(0)), ops.zerosLike(input(1)), taken];
    },
  }),

  Dilation2DBackpropFilter: op({
    summary: 'Gradient of a dilation with respect to its filter.',
    inputs: BACKPROP_INPUTS,
    outputs: ['filter_backprop: T'],
    attrs: ATTRS,
    infer: (c) => backpropShape(c, 1),
    // As above, with g over taps and channels.
    grad: (c) => {
      const { ops, dy, input } = c;
      const taken = ops.reduceSum(ops.mul(perTap(c, dy), winners(c)), { axis: 4 });
      return [ops.zerosLike(input(0)), ops.zerosLike(input(1)), taken];
    },
  }),
};

export interface DilationOptions extends NameOptions {
  /** Steps between windows: one number, `[height, width]` or one per dimension; default 1. */
  readonly strides?: PerAxis | undefined;
  /** Distance between the pixels that neighbouring taps see, written as `strides`; default 1. */
  readonly rates?: PerAxis | undefined;
  readonly padding: 'SAME' | 'VALID';
}

function dilationAttrs(type: string, options: DilationOptions): Record<string, string | number[]> {
  checkWindowOptions(type, options);
  const { strides = 1, rates = 1, padding } = options;
  return {
    strides: perDimension(type, 'strides', strides, 'NHWC'),
    rates: perDimension(type, 'rates', rates, 'NHWC'),
    padding,
  };
}

/**
 * Grey-scale dilation (`tf.nn.dilation2d`): the largest `input + filter` over every window, per channel.
 * `input` is `[batch, height, width, channels]`, `filter` `[height, width, channels]`. Padding never wins. Of
 * equal sums the first gets the gradient; second derivatives with respect to the images are zero.
 */
export function dilation2d(input: TensorLike, filter: TensorLike, options: DilationOptions): Tensor {
  const attrs = dilationAttrs('dilation2d', options);
  return apply('Dilation2D', [input, filter], { name: options.name, attrs });
}

/**
 * Grey-scale erosion (`tf.nn.erosion2d`): the smallest `value - kernel` over every window, per channel,
 * where the kernel is reflected: the dual of dilation. Shapes and options as in `dilation2d`.
 */
export function erosion2d(value: TensorLike, kernel: TensorLike, options: DilationOptions): Tensor {
  const attrs = dilationAttrs('erosion2d', options);
  const x = convertToTensor(value);
  return withGraphOf(x, () =>
    nameScope(options.name ?? 'erosion2d', (scope) => {
      const reflected = reverse(kernel, [0, 1]);
      return neg(apply('Dilation2D', [neg(x), reflected], { attrs }), { name: scope });
    }),
  );
}
