/** Axes and shape vectors carried from one layout of images to another: what layout passes write into graphs. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import type { Attrs } from '../attr.js';
import { sameShape } from '../inferHelpers.js';
import { notDifferentiable, op, type EvaluateContext, type InferContext } from '../opDef.js';
import type { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';

const INTEGERS = notDifferentiable('it works on axes and sizes, which are integers');
const ATTRS = ['T: {int32, int64} = int32', 'src_format: string = "NHWC"', 'dst_format: string = "NCHW"'];

/** For each dimension of `from` its position in `to`; `null` when they do not name the same 4 or 5 dimensions. */
function positions(from: string, to: string): number[] | null {
  const distinct = (format: string): boolean => new Set(format).size === format.length;
  if (![4, 5].includes(from.length) || to.length !== from.length || !distinct(from) || !distinct(to))
    return null;
  const found = Array.from(from, (dim) => to.indexOf(dim));
  return found.includes(-1) ? null : found;
}

/** The positions in `dst_format` of the dimensions of `src_format`. Empty where the formats are not of one kind. */
export function formatPositions(attrs: Attrs): readonly number[] {
  return positions(attrs.string('src_format'), attrs.string('dst_format')) ?? [];
}

/** For each dimension of `dst_format` its position in `src_format`. */
export function formatSources(attrs: Attrs): readonly number[] {
  return positions(attrs.string('dst_format'), attrs.string('src_format')) ?? [];
}

function checkFormats(c: InferContext): number {
  const { length } = formatPositions(c.attrs);
  if (length === 0) {
    const [from, to] = [c.attrs.string('src_format'), c.attrs.string('dst_format')];
    c.fail(`src_format and dst_format must name the same 4 or 5 dimensions, got "${from}" and "${to}"`);
  }
  return length;
}

function inferMap(c: InferContext): TensorShape[] {
  const rank = checkFormats(c);
  for (const axis of c.constant(0)?.data ?? []) {
    if (axis < -rank || axis >= rank) c.fail(`axis ${axis} is out of range [${-rank}, ${rank})`);
  }
  return sameShape(c);
}

function inferPermute(c: InferContext): TensorShape[] {
  const rank = checkFormats(c);
  const x = c.shape(0);
  const [first, second] = x.dims ?? [];
  const fits =
    (x.rank === 1 || (x.rank === 2 && [null, 2].includes(second ?? null))) &&
    [null, rank].includes(first ?? null);
  if (x.rank !== null && !fits) c.fail(`x must have shape [${rank}] or [${rank},2], got ${x.toString()}`);
  return [x];
}

function evaluateMap(c: EvaluateContext): HostValue[] | null {
  const x = c.value(0);
  const table = formatPositions(c.attrs);
  return x === null
    ? null
    : [{ ...x, data: x.data.map((axis) => table[axis < 0 ? axis + table.length : axis] ?? NaN) }];
}

function evaluatePermute(c: EvaluateContext): HostValue[] | null {
  const x = c.value(0);
  if (x === null) return null;
  const width = x.shape.length === 2 ? 2 : 1;
  const sources = formatSources(c.attrs);
  const data = x.data.map(
    (_, i) => x.data[(sources[Math.floor(i / width)] ?? 0) * width + (i % width)] ?? NaN,
  );
  return [{ ...x, data }];
}

export const DATA_FORMAT = {
  DataFormatDimMap: op({
    summary: 'Axes in one layout of images as axes in another.',
    inputs: ['x: T'],
    outputs: ['y: T'],
    attrs: ATTRS,
    infer: inferMap,
    grad: INTEGERS,
    evaluate: evaluateMap,
  }),

  DataFormatVecPermute: op({
    summary: 'A number or a pair of numbers per dimension, in the order of another layout of images.',
    inputs: ['x: T'],
    outputs: ['y: T'],
    attrs: ATTRS,
    infer: inferPermute,
    grad: INTEGERS,
    evaluate: evaluatePermute,
  }),
};

/** The two layouts, as texts of distinct letters: "NHWC", "NCDHW" and the like. */
export interface DataFormatOptions extends NameOptions {
  /** Default "NHWC". */
  readonly srcFormat?: string;
  /** Default "NCHW". */
  readonly dstFormat?: string;
}

function formatAttrs({ srcFormat = 'NHWC', dstFormat = 'NCHW' }: DataFormatOptions): Record<string, string> {
  return { src_format: srcFormat, dst_format: dstFormat };
}

/**
 * Axes of tensors in `srcFormat`, which may be negative, as axes in `dstFormat`
 * (`gen_nn_ops.data_format_dim_map`). Integers of any shape. Throws for axes that are known to be out of range and
 * for formats that do not name the same dimensions.
 */
export function dataFormatDimMap(x: TensorLike, options: DataFormatOptions = {}): Tensor {
  return apply('DataFormatDimMap', [convertToTensor(x)], { name: options.name, attrs: formatAttrs(options) });
}

/**
 * A vector with a number for each dimension of `srcFormat`, or a matrix with a pair for each, in the order of
 * `dstFormat` (`gen_nn_ops.data_format_vec_permute`). Throws for other shapes.
 */
export function dataFormatVecPermute(x: TensorLike, options: DataFormatOptions = {}): Tensor {
  return apply('DataFormatVecPermute', [convertToTensor(x)], {
    name: options.name,
    attrs: formatAttrs(options),
  });
}
