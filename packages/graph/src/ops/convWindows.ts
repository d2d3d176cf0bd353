/**
 * Reads the window attributes that convolutions share (`strides`, `padding`, …) and writes them, for
 * images (rank 4) and volumes (rank 5) alike.
 */
import type { Attrs } from '../attr.js';
import { checkOptions } from '../checkOptions.js';
import { InvalidArgumentError } from '../errors.js';
import type { InferContext } from '../opDef.js';
import type { AttrInputs } from '../resolveOp.js';
import type { Dim } from '../shape.js';
import { windowCount, type PaddingRule, type WindowAxis } from '../windows.js';

export type DataFormat = 'NHWC' | 'NCHW';
export type DataFormat3d = 'NDHWC' | 'NCDHW';

/** One number for all image axes, one per image axis, or one per dimension of the data format. */
export type PerAxis = number | readonly number[];

/** Before and after for each of the four dimensions in the order of the data format. */
export type ExplicitPadding = readonly (readonly [before: number, after: number])[];

/** What is common to the options of all convolutions. */
export interface WindowOptions {
  /** Default 1. */
  readonly strides?: PerAxis | undefined;
  readonly padding: 'SAME' | 'VALID' | ExplicitPadding;
  /** Order of the dimensions of images; default `NHWC`. */
  readonly dataFormat?: DataFormat | undefined;
  /** Distance between the elements that neighbouring filter taps see; default 1. */
  readonly dilations?: PerAxis | undefined;
}

/** As `WindowOptions`, for volumes. */
export interface WindowOptions3d {
  /** Default 1. */
  readonly strides?: PerAxis | undefined;
  readonly padding: 'SAME' | 'VALID';
  /** Order of the dimensions of volumes; default `NDHWC`. */
  readonly dataFormat?: DataFormat3d | undefined;
  /** Distance between the elements that neighbouring filter taps see; default 1. */
  readonly dilations?: PerAxis | undefined;
}

/** Positions of height and width among the four dimensions. */
export function imageAxes(format: string): readonly [number, number] {
  return format === 'NCHW' ? [2, 3] : [1, 2];
}

/** Positions of the image axes (depth, height, width) among the dimensions of any data format. */
export function spatialAxes(format: string): readonly number[] {
  return Array.from(format, (letter, i) => (letter === 'N' || letter === 'C' ? -1 : i)).filter((i) => i >= 0);
}

/** The attributes of TensorFlow for `options`. Throws `InvalidArgumentError` for lists of a wrong length. */
export function windowAttrs(type: string, options: WindowOptions): AttrInputs {
  checkWindowOptions(type, options);
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

/** As `windowAttrs`, for volumes. */
export function windowAttrs3d(type: string, options: WindowOptions3d): AttrInputs {
  checkWindowOptions(type, options);
  const { strides = 1, padding, dataFormat = 'NDHWC', dilations = 1 } = options;
  return {
    strides: perDimension(type, 'strides', strides, dataFormat),
    dilations: perDimension(type, 'dilations', dilations, dataFormat),
    data_format: dataFormat,
    padding,
  };
}

/** Rejects options given by position, and options without the padding, which TensorFlow requires too. */
export function checkWindowOptions(type: string, options: { readonly padding?: unknown }): void {
  checkOptions(type, options, "{ strides: 2, padding: 'SAME' }");
  if (options.padding === undefined) {
    throw new InvalidArgumentError(`${type}: the option padding is missing: 'SAME' or 'VALID'`);
  }
}

/** `value` as one number per dimension of `format`, 1 for batch and channels. */
export function perDimension(type: string, name: string, value: PerAxis, format: string): number[] {
  const list = typeof value === 'number' ? [value] : value;
  if (list.length === format.length) return [...list];
  const axes = spatialAxes(format);
  if (list.length !== 1 && list.length !== axes.length) {
    throw new InvalidArgumentError(
      `${type}: ${name} takes ${axes.length === 1 ? 1 : `1, ${axes.length}`} or ${format.length} numbers, got [${list.join(',')}]`,
    );
  }
  return Array.from(format, (_, i) => (axes.includes(i) ? (list[axes.indexOf(i)] ?? list[0] ?? 1) : 1));
}

/** The window attributes of a convolution, for the nodes of its gradients. */
export function sameWindows(attrs: Attrs): AttrInputs {
  const explicit = attrs.has('explicit_paddings')
    ? { explicit_paddings: attrs.ints('explicit_paddings') }
    : {};
  return {
    strides: attrs.ints('strides'),
    dilations: attrs.ints('dilations'),
    data_format: attrs.string('data_format'),
    padding: attrs.string('padding'),
    ...explicit,
  };
}

/** How windows of `size` lie on one axis. */
export type Windows<Size extends Dim> = Omit<WindowAxis, 'size'> & { readonly size: Size };

/** How the windows of a convolution with a filter of `sizes` lie on the image axes. */
export function windowAxes<Size extends Dim>(attrs: Attrs, sizes: readonly Size[]): Windows<Size>[] {
  const [strides, dilations] = [attrs.ints('strides'), attrs.ints('dilations')];
  const explicit = attrs.has('explicit_paddings') ? attrs.ints('explicit_paddings') : [];
  const padding = attrs.string('padding') as PaddingRule;
  const axes = spatialAxes(attrs.string('data_format'));
  return sizes.map((size, i) => {
    const dimension = axes[i] ?? 0;
    return {
      size,
      stride: strides[dimension] ?? 1,
      dilation: dilations[dimension] ?? 1,
      padding,
      explicit: [explicit[2 * dimension] ?? 0, explicit[2 * dimension + 1] ?? 0],
    };
  });
}

/** Sizes of the output image; rejects attributes and sizes that give none. */
export function outputImage(c: InferContext, image: readonly Dim[], filter: readonly Dim[]): Dim[] {
  checkLists(c);
  return windowAxes(c.attrs, filter).map((axis, i) => {
    const count = windowCount(image[i] ?? null, axis);
    if (count === null || count >= 0) return count;
    const name = ['width', 'height', 'depth'][filter.length - 1 - i] ?? 'size';
    const dilated = axis.dilation === 1 ? '' : ` dilated by ${axis.dilation}`;
    return c.fail(
      `a filter of ${name} ${axis.size ?? 0}${dilated} does not fit ` +
        `an image of ${name} ${image[i] ?? '?'} with ${axis.padding} padding`,
    );
  });
}

/** Rejects a list attribute unless it has a positive number per dimension, 1 for batch and channels. */
export function checkPerDimension(c: InferContext, name: string, format: string): void {
  const [list, axes] = [c.attrs.ints(name), spatialAxes(format)];
  const ok = list.length === format.length && list.every((n, i) => (axes.includes(i) ? n >= 1 : n === 1));
  if (ok) return;
  c.fail(
    `${name} must be ${format.length} positive numbers, 1 for batch and channels, got [${list.join(',')}]`,
  );
}

function checkLists(c: InferContext): void {
  const format = c.attrs.string('data_format');
  checkPerDimension(c, 'strides', format);
  checkPerDimension(c, 'dilations', format);
  if (!c.attrs.has('explicit_paddings')) return;
  const [explicit, axes] = [c.attrs.ints('explicit_paddings'), spatialAxes(format)];
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
