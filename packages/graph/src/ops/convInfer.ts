/**
 * Shape inference and gradients that all convolutions share. A convolution is linear in its input and
 * in its filter; its two backprops are the transposes, and the three are each other's gradients.
 */
import { apply } from '../apply.js';
import { shapeFromInput, withRank } from '../inferHelpers.js';
import type { GradFn, InferContext } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import { outputImage, sameWindows, spatialAxes } from './convWindows.js';

/** What distinguishes the families of convolutions. */
export interface ConvKind {
  /** Of input, filter and output. */
  readonly rank: 4 | 5;
  /** Every channel has filters of its own: the filter ends in `[channels, multiplier]`. */
  readonly depthwise?: boolean;
}

/** The output shape of a convolution of `input` (in the op's data format) with `filter`. */
function convolvedShape(
  c: InferContext,
  input: TensorShape,
  filter: TensorShape,
  kind: ConvKind,
): TensorShape {
  const format = c.attrs.string('data_format');
  const axes = spatialAxes(format);
  const depth = input.dim(format.indexOf('C'));
  const [filterDepth, filters] = [filter.dim(-2), filter.dim(-1)];
  const channels =
    kind.depthwise === true
      ? depthwiseChannels(c, depth, filterDepth, filters)
      : groupedChannels(c, depth, filterDepth, filters);
  const image = outputImage(
    c,
    axes.map((axis) => input.dim(axis)),
    axes.map((_, i) => filter.dim(i)),
  );
  return new TensorShape(
    Array.from(format, (letter, i) => {
      if (letter === 'N') return input.dim(0);
      return letter === 'C' ? channels : (image[axes.indexOf(i)] ?? null);
    }),
  );
}

/** A filter of fewer channels than the input means groups, as in TensorFlow 1.14 and later. */
function groupedChannels(c: InferContext, depth: Dim, filterDepth: Dim, filters: Dim): Dim {
  if (depth === null || filterDepth === null) return filters;
  if (filterDepth === 0 ? depth !== 0 : depth === 0 || depth % filterDepth !== 0) {
    c.fail(`the input has ${depth} channels, which is not a multiple of the filter's ${filterDepth}`);
  }
  const groups = filterDepth === 0 ? 1 : depth / filterDepth;
  if (filters !== null && groups > 1 && filters % groups !== 0) {
    c.fail(`${filters} filters cannot be divided among ${groups} groups`);
  }
  return filters;
}

function depthwiseChannels(c: InferContext, depth: Dim, filterDepth: Dim, multiplier: Dim): Dim {
  if (depth !== null && filterDepth !== null && depth !== filterDepth) {
    c.fail(`the input has ${depth} channels, the filter is for ${filterDepth}`);
  }
  const channels = depth ?? filterDepth;
  return channels === null || multiplier === null ? null : channels * multiplier;
}

/** Shape of `conv(input, filter)`. */
export function inferConvolution(kind: ConvKind): (c: InferContext) => TensorShape[] {
  return (c) => {
    const input = withRank(c, 0, kind.rank, 'input');
    return [convolvedShape(c, input, withRank(c, 1, kind.rank, 'filter'), kind)];
  };
}

/** Shape of the gradient of the input, whose sizes are input 0. */
export function inferBackpropInput(kind: ConvKind): (c: InferContext) => TensorShape[] {
  return (c) => {
    const filter = withRank(c, 1, kind.rank, 'filter');
    const outBackprop = withRank(c, 2, kind.rank, 'out_backprop');
    const sizes = sizesInput(c, 0, 'input_sizes', kind.rank);
    checkGradient(c, [sizes, filter, outBackprop], kind);
    const batch = sizes.dim(0) ?? outBackprop.dim(0);
    return [new TensorShape([batch, ...(sizes.dims ?? []).slice(1)])];
  };
}

/** Shape of the gradient of the filter, whose sizes are input 1. */
export function inferBackpropFilter(kind: ConvKind): (c: InferContext) => TensorShape[] {
  return (c) => {
    const input = withRank(c, 0, kind.rank, 'input');
    const outBackprop = withRank(c, 2, kind.rank, 'out_backprop');
    const sizes = sizesInput(c, 1, 'filter_sizes', kind.rank);
    checkGradient(c, [input, sizes, outBackprop], kind);
    return [sizes];
  };
}

/** The shape that input `i` holds. */
function sizesInput(c: InferContext, i: number, name: string, rank: number): TensorShape {
  if (c.shape(i).rank !== null && c.shape(i).rank !== 1) {
    c.fail(`${name} must be a vector, got shape ${c.shape(i).toString()}`);
  }
  const shape = shapeFromInput(c, i);
  if (shape.rank === null) return TensorShape.ofRank(rank);
  if (shape.rank !== rank) c.fail(`${name} must have ${rank} elements, got ${shape.rank}`);
  return shape;
}

/** Rejects gradients that do not have the shape of the convolution's output. */
function checkGradient(
  c: InferContext,
  [input, filter, outBackprop]: readonly [TensorShape, TensorShape, TensorShape],
  kind: ConvKind,
): void {
  const output = convolvedShape(c, input, filter, kind);
  if (output.isCompatibleWith(outBackprop)) return;
  c.fail(
    `out_backprop has shape ${outBackprop.toString()}, but input ${input.toString()} and ` +
      `filter ${filter.toString()} give ${output.toString()}`,
  );
}

/** Op types of a convolution and its transposes, which take `(sizes, filter, dy)` and `(input, sizes, dy)`. */
export interface ConvTypes {
  readonly forward: string;
  readonly toInput: string;
  readonly toFilter: string;
}

/** The gradients of the three ops of `types`; x, w and y stand for input, filter and output. */
export function convGradients({ forward, toInput, toFilter }: ConvTypes): Record<keyof ConvTypes, GradFn> {
  return {
    // dx and dw are the transposes applied to dy.
    forward: ({ ops, attrs, input, dy }) => {
      const same = { attrs: sameWindows(attrs) };
      return [
        apply(toInput, [ops.shape(input(0)), input(1), dy], same),
        apply(toFilter, [input(0), ops.shape(input(1)), dy], same),
      ];
    },
    // The op is <x̄, ·> = <ȳ, conv(·, w)>; with g for dy: dw = toFilter(g, ȳ), dȳ = conv(g, w).
    toInput: ({ ops, attrs, input, dy }) => {
      const same = { attrs: sameWindows(attrs) };
      return [
        null,
        apply(toFilter, [dy, ops.shape(input(1)), input(2)], same),
        apply(forward, [dy, input(1)], same),
      ];
    },
    // The op is <w̄, ·> = <ȳ, conv(x, ·)>; with g for dy: dx = toInput(g, ȳ), dȳ = conv(x, g).
    toFilter: ({ ops, attrs, input, dy }) => {
      const same = { attrs: sameWindows(attrs) };
      return [
        apply(toInput, [ops.shape(input(0)), dy, input(2)], same),
        null,
        apply(forward, [input(0), dy], same),
      ];
    },
  };
}
