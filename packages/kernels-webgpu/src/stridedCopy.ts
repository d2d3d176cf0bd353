/**
 * Copies of boxes between buffers in which both sides step with strides of their own. Transposing,
 * slicing, reversing, joining, cutting and tiling are all such copies; they differ only in the strides.
 */
import { sizeOf } from '@forerun/graph';
import type { AdapterFacts, KernelContext, Lowered } from './kernel.js';
import type { Width } from './wgsl/dtype.js';
import { gridFor, gridStride, linearIndex, unflatten } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader, type ShaderBinding } from './wgsl/shader.js';

/** Where one side of a copy begins and how it steps along each dimension, in elements; steps may be negative. */
export interface Walk {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** A box of `shape` elements that is read along `from` and written along `to`. */
export interface Copy {
  readonly shape: readonly number[];
  readonly from: Walk;
  readonly to: Walk;
}

/** A copy from one input of an op to one of its outputs. */
export interface BoundCopy extends Copy {
  readonly input: number;
  readonly output: number;
}

/** Drops dimensions of size 1 and merges neighbours over which both sides run on. */
export function simplifyCopy({ shape, from, to }: Copy): Copy {
  const dims: number[] = [];
  const [reads, writes]: [number[], number[]] = [[], []];
  shape.forEach((dim, d) => {
    if (dim === 1) return;
    const [read, write] = [from.strides[d] ?? 0, to.strides[d] ?? 0];
    const last = dims.length - 1;
    if (last >= 0 && reads[last] === read * dim && writes[last] === write * dim) {
      dims[last] = (dims[last] ?? 1) * dim;
      [reads[last], writes[last]] = [read, write];
    } else {
      dims.push(dim);
      reads.push(read);
      writes.push(write);
    }
  });
  return { shape: dims, from: { ...from, strides: reads }, to: { ...to, strides: writes } };
}

/**
 * Dispatches that carry out `copies`. Copies that share buffers run in one dispatch, as many as the
 * adapter's bindings allow; they must not overlap where they write.
 */
export function lowerCopies(c: KernelContext, copies: readonly BoundCopy[]): Lowered {
  const wanted = copies
    .filter((copy) => sizeOf(copy.shape) > 0)
    .map((copy): BoundCopy => ({ ...copy, ...simplifyCopy(copy) }));
  const groups = groupByBindings(wanted, c.adapter.maxBindings);
  return { dispatches: groups.map((group) => lowerGroup(c, group)) };
}

/** Cuts the list so that no part has more inputs and outputs together than `most`. */
function groupByBindings(copies: readonly BoundCopy[], most: number): BoundCopy[][] {
  const groups: BoundCopy[][] = [];
  for (const copy of copies) {
    const last = groups.at(-1);
    if (last !== undefined && buffersOf([...last, copy]) <= most) last.push(copy);
    else groups.push([copy]);
  }
  return groups;
}

function buffersOf(copies: readonly BoundCopy[]): number {
  return new Set(copies.map((copy) => copy.input)).size + new Set(copies.map((copy) => copy.output)).size;
}

function lowerGroup(c: KernelContext, copies: readonly BoundCopy[]): Lowered['dispatches'][number] {
  const inputs = [...new Set(copies.map((copy) => copy.input))];
  const outputs = [...new Set(copies.map((copy) => copy.output))];
  const whole =
    inputs.every((i) => sizeOf(c.input(i).shape) % 4 === 0) &&
    outputs.every((i) => sizeOf(c.output(i).shape) % 4 === 0);
  const vectors = whole && copies.every(movesVectors);
  const tiles = whole && !vectors ? copies.map(tileAxis) : [];
  const tiled = tiles.length > 0 && tiles.every((axis) => axis !== null);
  const width: Width = vectors || tiled ? 4 : 1;
  const largest = Math.max(...copies.map((copy) => sizeOf(copy.shape)));
  const grid = gridFor(largest, tiled ? 16 : width, c.adapter);
  const loops = copies.map((copy, k) => {
    const tile = tiles[k] ?? null;
    const text = tiled && tile !== null ? tileBody(copy, tile) : copyBody(copy, width);
    const items = { ...grid, items: sizeOf(copy.shape) / (tiled ? 16 : width) };
    return `{\n${gridStride(items, text)}\n}`;
  });
  const bindings: ShaderBinding[] = [
    ...inputs.map((i) => inputBinding(c, i, `in${i}`, width)),
    ...outputs.map((i) => outputBinding(c, i, `out${i}`, width)),
  ];
  const label = tiled ? `${c.op}.tile4x4` : c.op;
  const spec = { label, bindings, workgroups: grid.workgroups, body: loops.join('\n') };
  return shader(spec, c.adapter satisfies AdapterFacts);
}

function isDivisible({ offset, strides }: Walk, except: readonly number[]): boolean {
  return offset % 4 === 0 && strides.every((stride, d) => except.includes(d) || stride % 4 === 0);
}

/** Whether four neighbours along the last dimension can be moved as one aligned vector. */
export function movesVectors({ shape, from, to }: Copy): boolean {
  const last = shape.length - 1;
  if (last < 0 || (shape[last] ?? 1) % 4 !== 0) return false;
  const unit = from.strides[last] === 1 && to.strides[last] === 1;
  return unit && isDivisible(from, [last]) && isDivisible(to, [last]);
}

/**
 * The dimension that is contiguous in the input, when the last one is contiguous in the output and both
 * can be walked in aligned steps of four: then 4x4 blocks are transposed in registers.
 */
function tileAxis({ shape, from, to }: BoundCopy): number | null {
  const last = shape.length - 1;
  const axis = from.strides.indexOf(1);
  if (axis < 0 || axis === last || to.strides[last] !== 1) return null;
  if ((shape[last] ?? 1) % 4 !== 0 || (shape[axis] ?? 1) % 4 !== 0) return null;
  return isDivisible(from, [axis]) && isDivisible(to, [last]) ? axis : null;
}

/** A stride as a `u32` that is added with wrap-around. */
function wrap(stride: number): number {
  return stride >>> 0;
}

/** The index along a walk, in units of `width` elements. */
function walkIndex(
  names: readonly string[],
  { offset, strides }: Walk,
  width: Width,
  vectorAxis: number,
): string {
  const scaled = strides.map((stride, d) => wrap(d === vectorAxis ? stride : stride / width));
  const index = linearIndex(names, scaled);
  return offset === 0 ? index : `${wrap(offset / width)}u + ${index}`;
}

function copyBody(copy: BoundCopy, width: Width): string {
  const { code, read, write } = copyPlaces(copy, width);
  return `${code}\nout${copy.output}[${write}] = in${copy.input}[${read}];`;
}

/** Where element `i` of a simplified copy is read and written, in units of `width` elements, and statements before. */
export function copyPlaces(
  { shape, from, to }: Copy,
  width: Width,
): { readonly code: string; readonly read: string; readonly write: string } {
  const last = shape.length - 1;
  const steps = shape.map((dim, d) => (d === last ? dim / width : dim));
  const { code, names } = unflatten('i', steps);
  const axis = width === 4 ? last : -1;
  const [read, write] = [walkIndex(names, from, width, axis), walkIndex(names, to, width, axis)];
  return { code, read, write };
}

/** Four loads along `axis`, a transposition in registers, four stores along the last dimension. */
function tileBody({ shape, from, to, input, output }: BoundCopy, axis: number): string {
  const last = shape.length - 1;
  const blocks = shape.map((dim, d) => (d === last || d === axis ? dim / 4 : dim));
  const { code, names } = unflatten('i', blocks);
  // In vectors of four: a block step along `axis` is one vector of the input and four rows of the output.
  const reads = from.strides.map((stride, d) => wrap(d === axis ? 1 : d === last ? stride : stride / 4));
  const writes = to.strides.map((stride, d) => wrap(d === last ? 1 : d === axis ? stride : stride / 4));
  const [readStep, writeStep] = [wrap((from.strides[last] ?? 0) / 4), wrap((to.strides[axis] ?? 0) / 4)];
  const lanes = ['x', 'y', 'z', 'w'];
  const loads = lanes.map((_, k) => `let v${k} = in${input}[source + ${wrap(k * readStep)}u];`);
  const stores = lanes.map(
    (lane, k) =>
      `out${output}[target_index + ${wrap(k * writeStep)}u] = vec4(v0.${lane}, v1.${lane}, v2.${lane}, v3.${lane});`,
  );
  return [
    code,
    `let source = ${wrap(from.offset / 4)}u + ${linearIndex(names, reads)};`,
    `let target_index = ${wrap(to.offset / 4)}u + ${linearIndex(names, writes)};`,
    ...loads,
    ...stores,
  ].join('\n');
}
