/** Kernels of the array ops that only move elements: each says how its two sides step. */
import { resolveStridedSlice, sliceMasks, stridesOf, type HostValue, type OpName } from '@forerun/graph';
import {
  device,
  MOVES_ONCE,
  type Kernel,
  type KernelContext,
  type KernelFacts,
  type Lowered,
} from './kernel.js';
import { lowerCopies, type BoundCopy, type Walk } from './stridedCopy.js';

function inOrder(shape: readonly number[], offset = 0): Walk {
  return { offset, strides: stridesOf(shape) };
}

function normalAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** The only element of an input that must be known. */
function hostScalar(c: KernelContext, i: number, what: string): number {
  return c.requireHost(i, what).data[0] ?? 0;
}

/** The copy of input 0, read along `from`, to all of output 0. */
function wholeOutput(shape: readonly number[], from: Walk): BoundCopy[] {
  return [{ input: 0, output: 0, shape, from, to: inOrder(shape) }];
}

function gatherAll(c: KernelContext, shape: readonly number[], from: Walk): Lowered {
  return lowerCopies(c, wholeOutput(shape, from));
}

function lowerTranspose(c: KernelContext): Lowered {
  const perm = [...c.requireHost(1, 'perm').data];
  const strides = stridesOf(c.input(0).shape);
  return gatherAll(c, c.output(0).shape, { offset: 0, strides: perm.map((axis) => strides[axis] ?? 0) });
}

/** The input in its own order, each element to its place in the output. */
function transposeMove(c: KernelContext): BoundCopy {
  const perm = [...c.requireHost(1, 'perm').data];
  const own = stridesOf(c.output(0).shape);
  const strides = perm.map((_, axis) => own[perm.indexOf(axis)] ?? 0);
  const { shape } = c.input(0);
  return { input: 0, output: 0, shape, from: inOrder(shape), to: { offset: 0, strides } };
}

function lowerReverse(c: KernelContext): Lowered {
  const { shape } = c.input(0);
  return reversed(c, new Set(Array.from(c.requireHost(1, 'axis').data, (a) => normalAxis(a, shape.length))));
}

/** The older form, with a bool per dimension. */
function lowerOldReverse(c: KernelContext): Lowered {
  const marks = [...c.requireHost(1, 'dims').data];
  return reversed(c, new Set(marks.flatMap((mark, d) => (mark !== 0 ? [d] : []))));
}

function reversed(c: KernelContext, axes: ReadonlySet<number>): Lowered {
  const { shape } = c.input(0);
  const strides = stridesOf(shape);
  const offset = strides.reduce((sum, s, d) => sum + (axes.has(d) ? s * ((shape[d] ?? 1) - 1) : 0), 0);
  return gatherAll(c, shape, { offset, strides: strides.map((s, d) => (axes.has(d) ? -s : s)) });
}

/** Reads [m0, d0, m1, d1, …] with stride 0 over the repetitions. */
function lowerTile(c: KernelContext): Lowered {
  const { shape } = c.input(0);
  const multiples = [...c.requireHost(1, 'multiples').data];
  const strides = stridesOf(shape);
  return gatherAll(
    c,
    shape.flatMap((dim, d) => [multiples[d] ?? 1, dim]),
    { offset: 0, strides: strides.flatMap((s) => [0, s]) },
  );
}

function sliceParts(c: KernelContext): BoundCopy[] {
  const begin = [...c.requireHost(1, 'begin').data];
  const strides = stridesOf(c.input(0).shape);
  const offset = strides.reduce((sum, s, d) => sum + s * (begin[d] ?? 0), 0);
  return wholeOutput(c.output(0).shape, { offset, strides });
}

function stridedSliceParts(c: KernelContext): BoundCopy[] {
  const list = (value: HostValue): number[] => [...value.data];
  const bounds = {
    begin: list(c.requireHost(1, 'begin')),
    end: list(c.requireHost(2, 'end')),
    strides: list(c.requireHost(3, 'strides')),
  };
  const { ranges } = resolveStridedSlice(c.input(0).shape, bounds, sliceMasks(c.attrs), (rule) =>
    c.unsupported(rule),
  );
  const strides = stridesOf(c.input(0).shape);
  return wholeOutput(
    ranges.map(({ count }) => count ?? 0),
    {
      offset: ranges.reduce((sum, { begin }, d) => sum + begin * (strides[d] ?? 0), 0),
      strides: ranges.map(({ stride }, d) => stride * (strides[d] ?? 0)),
    },
  );
}

/** One copy per part: input `i` becomes the part of output 0 that begins after its predecessors. */
function joinParts(parts: readonly (readonly number[])[], axis: number): BoundCopy[] {
  const length = parts.reduce((sum, part) => sum + (part[axis] ?? 1), 0);
  const whole = (parts[0] ?? []).map((dim, d) => (d === axis ? length : dim));
  const strides = stridesOf(whole);
  let begin = 0;
  return parts.map((shape, input) => {
    const to = { offset: begin * (strides[axis] ?? 1), strides };
    begin += shape[axis] ?? 1;
    return { input, output: 0, shape, from: inOrder(shape), to };
  });
}

/** The same copies the other way: pieces of input `input` become the outputs. */
function cutParts(pieces: readonly (readonly number[])[], axis: number, input: number): BoundCopy[] {
  return joinParts(pieces, axis).map(({ shape, from, to }, output) => ({
    input,
    output,
    shape,
    from: to,
    to: from,
  }));
}

function withUnit(shape: readonly number[], axis: number): number[] {
  return [...shape.slice(0, axis), 1, ...shape.slice(axis)];
}

/** A kernel that puts its inputs side by side. */
function joining(copies: (c: KernelContext) => BoundCopy[]): Kernel {
  return device((c) => lowerCopies(c, copies(c)), { ...MOVES_ONCE, copies });
}

function concatParts(c: KernelContext): BoundCopy[] {
  const parts = c.inputs.slice(0, -1).map(({ shape }) => shape);
  const axis = normalAxis(hostScalar(c, parts.length, 'axis'), c.output(0).shape.length);
  return joinParts(parts, axis);
}

/** The older form, with the axis as input 0. */
function oldConcatParts(c: KernelContext): BoundCopy[] {
  const parts = c.inputs.slice(1).map(({ shape }) => shape);
  const axis = normalAxis(hostScalar(c, 0, 'concat_dim'), c.output(0).shape.length);
  return joinParts(parts, axis).map((copy) => ({ ...copy, input: copy.input + 1 }));
}

/** Parts of one row each, along the first axis. */
function lowerRows(c: KernelContext): Lowered {
  return lowerCopies(
    c,
    joinParts(
      c.inputs.map(({ shape }) => shape),
      0,
    ),
  );
}

function packParts(c: KernelContext): BoundCopy[] {
  const axis = normalAxis(c.attrs.int('axis'), c.output(0).shape.length);
  return joinParts(
    c.inputs.map(({ shape }) => withUnit(shape, axis)),
    axis,
  );
}

/** A kernel that cuts its input into parts. */
function cutting(cuts: (c: KernelContext) => BoundCopy[], facts: KernelFacts = {}): Kernel {
  return device((c) => lowerCopies(c, cuts(c)), { ...MOVES_ONCE, ...facts, cuts });
}

function unpackParts(c: KernelContext): BoundCopy[] {
  const axis = normalAxis(c.attrs.int('axis'), c.input(0).shape.length);
  return cutParts(
    c.outputs.map(({ shape }) => withUnit(shape, axis)),
    axis,
    0,
  );
}

/** Split and SplitV: the value and the axis are at different positions. */
function splitParts(value: number, dim: number): (c: KernelContext) => BoundCopy[] {
  return (c) => {
    const axis = normalAxis(hostScalar(c, dim, 'split_dim'), c.input(value).shape.length);
    return cutParts(
      c.outputs.map(({ shape }) => shape),
      axis,
      value,
    );
  };
}

export const COPY_KERNELS = {
  Transpose: device(lowerTranspose, { ...MOVES_ONCE, moves: transposeMove }),
  ConjugateTranspose: device(lowerTranspose, { ...MOVES_ONCE, moves: transposeMove }),
  ReverseV2: device(lowerReverse, MOVES_ONCE),
  Reverse: device(lowerOldReverse, MOVES_ONCE),
  Tile: device(lowerTile, { work: 'pass', relabels: true }),
  Slice: cutting(sliceParts, { relabels: true }),
  StridedSlice: cutting(stridedSliceParts),
  ConcatV2: joining(concatParts),
  Concat: joining(oldConcatParts),
  Pack: joining(packParts),
  ParallelConcat: device(lowerRows, MOVES_ONCE),
  Unpack: cutting(unpackParts),
  Split: cutting(splitParts(1, 0)),
  SplitV: cutting(splitParts(0, 2)),
} satisfies Partial<Record<OpName, Kernel>>;
