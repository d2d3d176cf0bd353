/** Records and builders of convolutions and their gradients. */
import { apply, type NameOptions } from '../apply.js';
import { shapeFromInput, withRank } from '../inferHelpers.js';
import { op, type InferContext, type OpDef, type OpSpec } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { imageAxes, outputImage, windowAttrs, windowOptions, type WindowOptions } from './convWindows.js';

const CONV_ATTRS = [
  'T: {float16, bfloat16, float32, float64}',
  'strides: list(int)',
  'use_cudnn_on_gpu: bool = true',
  'padding: {"SAME", "VALID", "EXPLICIT"}',
  'explicit_paddings: list(int) = []',
  'data_format: {"NHWC", "NCHW"} = "NHWC"',
  'dilations: list(int) = [1, 1, 1, 1]',
];

function convolution(spec: Omit<OpSpec, 'attrs'>): OpDef {
  return op({ ...spec, attrs: CONV_ATTRS });
}

/** The output shape of a convolution of `input` (in the op's data format) with an HWIO filter. */
function convolvedShape(c: InferContext, input: TensorShape, filter: TensorShape): TensorShape {
  const channelsFirst = c.attrs.string('data_format') === 'NCHW';
  const [batch, depth] = [input.dim(0), input.dim(channelsFirst ? 1 : 3)];
  const [filterDepth, filters] = [filter.dim(2), filter.dim(3)];
  if (depth !== null && filterDepth !== null) checkDepths(c, depth, filterDepth, filters);
  const [h, w] = imageAxes(c.attrs.string('data_format'));
  const [rows, columns] = outputImage(c, [input.dim(h), input.dim(w)], [filter.dim(0), filter.dim(1)]);
  return new TensorShape(channelsFirst ? [batch, filters, rows, columns] : [batch, rows, columns, filters]);
}

/** A filter of fewer channels than the input means groups, as in TensorFlow 1.14 and later. */
function checkDepths(c: InferContext, depth: number, filterDepth: number, filters: Dim): void {
  if (filterDepth === 0 ? depth !== 0 : depth % filterDepth !== 0) {
    c.fail(`the input has ${depth} channels, which is not a multiple of the filter's ${filterDepth}`);
  }
  const groups = filterDepth === 0 ? 1 : depth / filterDepth;
  if (filters !== null && groups > 1 && filters % groups !== 0) {
    c.fail(`${filters} filters cannot be divided among ${groups} groups`);
  }
}

function inferConv2D(c: InferContext): TensorShape[] {
  return [convolvedShape(c, withRank(c, 0, 4, 'input'), withRank(c, 1, 4, 'filter'))];
}

/** The shape that input `i` holds, which must be of rank 4. */
function sizesInput(c: InferContext, i: number, name: string): TensorShape {
  const shape = shapeFromInput(c, i);
  if (shape.rank === null) return TensorShape.ofRank(4);
  if (shape.rank !== 4) c.fail(`${name} must have 4 elements, got ${shape.rank}`);
  return shape;
}

/** Rejects gradients that do not have the shape of the convolution's output. */
function checkGradient(
  c: InferContext,
  input: TensorShape,
  filter: TensorShape,
  outBackprop: TensorShape,
): void {
  const output = convolvedShape(c, input, filter);
  if (!output.isCompatibleWith(outBackprop)) {
    c.fail(
      `out_backprop has shape ${outBackprop.toString()}, but input ${input.toString()} and ` +
        `filter ${filter.toString()} give ${output.toString()}`,
    );
  }
}

function inferBackpropInput(c: InferContext): TensorShape[] {
  const [filter, outBackprop] = [withRank(c, 1, 4, 'filter'), withRank(c, 2, 4, 'out_backprop')];
  const sizes = sizesInput(c, 0, 'input_sizes');
  checkGradient(c, sizes, filter, outBackprop);
  const batch = sizes.dim(0) ?? outBackprop.dim(0);
  return [new TensorShape([batch, sizes.dim(1), sizes.dim(2), sizes.dim(3)])];
}

function inferBackpropFilter(c: InferContext): TensorShape[] {
  const [input, outBackprop] = [withRank(c, 0, 4, 'input'), withRank(c, 2, 4, 'out_backprop')];
  const sizes = sizesInput(c, 1, 'filter_sizes');
  checkGradient(c, input, sizes, outBackprop);
  return [sizes];
}

export const CONV = {
  Conv2D: convolution({
    summary: 'Convolution of images with a bank of filters (HWIO).',
    inputs: ['input: T', 'filter: T'],
    outputs: ['output: T'],
    infer: inferConv2D,
    // y is linear in x and in w: dx and dw are its two transposes applied to dy.
    grad: ({ ops, attrs, input, dy }) => [
      ops.conv2dBackpropInput(ops.shape(input(0)), input(1), dy, windowOptions(attrs)),
      ops.conv2dBackpropFilter(input(0), ops.shape(input(1)), dy, windowOptions(attrs)),
    ],
  }),

  Conv2DBackpropInput: convolution({
    summary: 'Gradient of a convolution with respect to its input; also known as transposed convolution.',
    inputs: ['input_sizes: int32', 'filter: T', 'out_backprop: T'],
    outputs: ['output: T'],
    infer: inferBackpropInput,
    // The op is <x̄, ·> = <ȳ, conv(·, w)>; with g for dy: dw = convFilter(g, ȳ), dȳ = conv(g, w).
    grad: ({ ops, attrs, input, dy }) => [
      null,
      ops.conv2dBackpropFilter(dy, ops.shape(input(1)), input(2), windowOptions(attrs)),
      ops.conv2d(dy, input(1), windowOptions(attrs)),
    ],
  }),

  Conv2DBackpropFilter: convolution({
    summary: 'Gradient of a convolution with respect to its filter.',
    inputs: ['input: T', 'filter_sizes: int32', 'out_backprop: T'],
    outputs: ['output: T'],
    infer: inferBackpropFilter,
    // The op is <w̄, ·> = <ȳ, conv(x, ·)>; with g for dy: dx = convInput(g, ȳ), dȳ = conv(x, g).
    grad: ({ ops, attrs, input, dy }) => [
      ops.conv2dBackpropInput(ops.shape(input(0)), dy, input(2), windowOptions(attrs)),
      null,
      ops.conv2d(input(0), dy, windowOptions(attrs)),
    ],
  }),
};

/** Options of the convolution builders; see `WindowOptions`. */
export type ConvOptions = WindowOptions & NameOptions;

/**
 * Convolution (`tf.nn.conv2d`) of `input` `[batch, height, width, channels]` (or NCHW by
 * `dataFormat`) with `filter` `[height, width, channels, filters]`. A filter with fewer channels
 * than the input works on groups of channels.
 */
export function conv2d(input: TensorLike, filter: TensorLike, options: ConvOptions): Tensor {
  return apply('Conv2D', [input, filter], { name: options.name, attrs: windowAttrs('conv2d', options) });
}

/**
 * Gradient of `conv2d` with respect to an input of shape `inputSizes`
 * (`tf.raw_ops.Conv2DBackpropInput`); `outBackprop` is the gradient of its output.
 */
export function conv2dBackpropInput(
  inputSizes: TensorLike,
  filter: TensorLike,
  outBackprop: TensorLike,
  options: ConvOptions,
): Tensor {
  const attrs = windowAttrs('conv2dBackpropInput', options);
  return apply('Conv2DBackpropInput', [inputSizes, filter, outBackprop], { name: options.name, attrs });
}

/**
 * Gradient of `conv2d` with respect to a filter of shape `filterSizes`
 * (`tf.raw_ops.Conv2DBackpropFilter`); `outBackprop` is the gradient of its output.
 */
export function conv2dBackpropFilter(
  input: TensorLike,
  filterSizes: TensorLike,
  outBackprop: TensorLike,
  options: ConvOptions,
): Tensor {
  const attrs = windowAttrs('conv2dBackpropFilter', options);
  return apply('Conv2DBackpropFilter', [input, filterSizes, outBackprop], { name: options.name, attrs });
}
