/** Reads the window attributes that convolutions share (`strides`, `padding`, …) and writes them. */
import type { Attrs } from '../attr.js';
import { InvalidArgumentError } from '../errors.js';
import type { InferContext } from '../opDef.js';
import type { AttrInputs } from '../resolveOp.js';
import type { Dim } from '../shape.js';
import { windowCount, type PaddingRule, type WindowAxis } from '../windows.js';

export type DataFormat = 'NHWC' | 'NCHW';

/** One number for both image axes, `[height, width]`, or one per dimension of the data format. */
export type PerAxis = number | readonly number[];

/** Before and after for each of the four dimensions in the order of the data format. */
export type ExplicitPadding = readonly (readonly [before: number, after: number])[];

/** What is common to the options of all convolutions. */
export interface WindowOptions {
  /** Default 1. */
  readonly strides?: PerAxis;
  readonly padding: 'SAME' | 'VALID' | ExplicitPadding;
  /** Order of the dimensions of images; default `NHWC`. */
  readonly dataFormat?: DataFormat;
  /** Distance between the elements that neighbouring filter taps see; default 1. */
  readonly dilations?: PerAxis;
}

/** Positions of height and width among the four dimensions. */
export function imageAxes(format: string): readonly [number, number] {
  return format === 'NCHW' ? [2, 3] : [1, 2];
}

/** The attributes of TensorFlow for `options`. Throws `InvalidArgumentError` for lists of a wrong length. */
export function windowAttrs(type: string, options: WindowOptions): AttrInputs {
  const { strides = 1, padding, dataFormat = 'NHWC', dilations = 1 } = options;
  const named = typeof padding === 'string';
  return {
    strides: perDimension(type, 'strides', strides, dataFormat),
    dilations: perDimension(type, 'dilations', dilations, dataFormat),
    data_format: dataFormat,
    padding: named ? padding : 'EXPLICIT',
    explicit_paddings: named ? [] : padding.flat(),
  };
}

export function perDimension(type: string, name: string, value: PerAxis, format: DataFormat): number[] {
  const list = typeof value === 'number' ? [value] : value;
  if (list.length === 4) return [...list];
  const [height, width = height] = list;
  if (height === undefined || width === undefined || list.length > 2) {
    throw new InvalidArgumentError(`${type}: ${name} takes 1, 2 or 4 numbers, got [${list.join(',')}]`);
  }
  return format === 'NCHW' ? [1, 1, height, width] : [1, height, width, 1];
}

/** The options that gave `attrs`, for building the gradients of a convolution. */
export function windowOptions(attrs: Attrs): WindowOptions {
  const explicit = attrs.ints('explicit_paddings');
  const rule = attrs.string('padding');
  return {
    strides: attrs.ints('strides'),
    dilations: attrs.ints('dilations'),
    dataFormat: attrs.string('data_format') === 'NCHW' ? 'NCHW' : 'NHWC',
    padding: rule === 'SAME' || rule === 'VALID' ? rule : pairs(explicit),
  };
}

function pairs(flat: readonly number[]): ExplicitPadding {
  return [0, 1, 2, 3].map((i) => [flat[2 * i] ?? 0, flat[2 * i + 1] ?? 0]);
}

/** How the windows of a convolution with a filter of `sizes` lie on height and width. */
export function windowAxes<Size extends Dim>(
  attrs: Attrs,
  sizes: readonly [Size, Size],
): [Omit<WindowAxis, 'size'> & { size: Size }, Omit<WindowAxis, 'size'> & { size: Size }] {
  const [strides, dilations] = [attrs.ints('strides'), attrs.ints('dilations')];
  const explicit = attrs.ints('explicit_paddings');
  const padding = attrs.string('padding') as PaddingRule;
  const [h, w] = imageAxes(attrs.string('data_format'));
  const axis = (dimension: number, size: Size): Omit<WindowAxis, 'size'> & { size: Size } => ({
    size,
    stride: strides[dimension] ?? 1,
    dilation: dilations[dimension] ?? 1,
    padding,
    explicit: [explicit[2 * dimension] ?? 0, explicit[2 * dimension + 1] ?? 0],
  });
  return [axis(h, sizes[0]), axis(w, sizes[1])];
}

/** Sizes of the output image; rejects attributes and sizes that give none. */
export function outputImage(
  c: InferContext,
  image: readonly [Dim, Dim],
  filter: readonly [Dim, Dim],
): [Dim, Dim] {
  checkLists(c);
  const axes = windowAxes(c.attrs, filter);
  const counts = [windowCount(image[0], axes[0]), windowCount(image[1], axes[1])] as const;
  counts.forEach((count, i) => {
    if (count === null || count >= 0) return;
    const [size, dilation] = [axes[i]?.size ?? 0, axes[i]?.dilation ?? 1];
    const dilated = dilation === 1 ? '' : ` dilated by ${dilation}`;
    c.fail(
      `a filter of ${i === 0 ? 'height' : 'width'} ${size}${dilated} does not fit ` +
        `an image of ${i === 0 ? 'height' : 'width'} ${image[i] ?? '?'} with ${axes[0].padding} padding`,
    );
  });
  return [counts[0], counts[1]];
}

function checkLists(c: InferContext): void {
  const axes = imageAxes(c.attrs.string('data_format'));
  for (const name of ['strides', 'dilations']) {
    const list = c.attrs.ints(name);
    const ok = list.length === 4 && list.every((n, i) => (axes.includes(i) ? n >= 1 : n === 1));
    if (!ok) c.fail(`${name} must be 4 positive numbers, 1 for batch and channels, got [${list.join(',')}]`);
  }
  const explicit = c.attrs.ints('explicit_paddings');
  if (c.attrs.string('padding') !== 'EXPLICIT') {
    if (explicit.length > 0)
      c.fail(`explicit_paddings is only for padding EXPLICIT, got [${explicit.join(',')}]`);
    return;
  }
  const ok = explicit.length === 8 && explicit.every((n, i) => (axes.includes(i >> 1) ? n >= 0 : n === 0));
  if (!ok) {
    c.fail(`explicit_paddings must be 8 numbers >= 0, 0 for batch and channels, got [${explicit.join(',')}]`);
  }
}
