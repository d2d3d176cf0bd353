/** Index arithmetic in WGSL with shapes as constants, and the sizes of dispatches. All indices are `u32`. */
import { sizeOf, stridesOf } from '@forerun/graph';
import type { AdapterFacts } from '../kernel.js';

/** Invocations per workgroup when a kernel has no reason for another number. */
export const WORKGROUP_SIZE = 64;
/** A software adapter is saturated by these many workgroups; more only cost launches. */
const SOFTWARE_WORKGROUPS = 64;

/** A one-dimensional dispatch whose invocations step through the work with a constant stride. */
export interface Grid {
  readonly workgroups: readonly [number, number, number];
  /** Invocations in all: the stride of the loop. */
  readonly stride: number;
  /** Items of work, `elements / perInvocation` rounded up. */
  readonly items: number;
}

/**
 * The dispatch for `elements` elements of which one loop step takes `perInvocation`. Never exceeds
 * the adapter's limit: the loop of `gridStride` takes up the rest.
 */
export function gridFor(
  elements: number,
  perInvocation: number,
  adapter: AdapterFacts,
  workgroupSize: number = WORKGROUP_SIZE,
): Grid {
  const items = Math.ceil(elements / perInvocation);
  const most = adapter.software
    ? Math.min(SOFTWARE_WORKGROUPS, adapter.maxWorkgroups)
    : adapter.maxWorkgroups;
  const groups = Math.max(1, Math.min(Math.ceil(items / workgroupSize), most));
  return { workgroups: [groups, 1, 1], stride: groups * workgroupSize, items };
}

/** A loop of `body` over all items of `grid`; the item's number is the `u32` called `index`. */
export function gridStride(grid: Grid, body: string, index = 'i'): string {
  if (grid.items <= grid.stride) {
    return `let ${index} = global_id.x;\nif (${index} < ${grid.items}u) {\n${body}\n}`;
  }
  return `for (var ${index} = global_id.x; ${index} < ${grid.items}u; ${index} += ${grid.stride}u) {\n${body}\n}`;
}

/** Statements that name the coordinates of an element, and those names (or constants). */
export interface Coordinates {
  readonly code: string;
  readonly names: readonly string[];
}

/**
 * Splits the linear index `index` into coordinates of `shape` by constant divisors. The names are
 * `prefix0`, `prefix1` …; dimensions of size 1 have the name `0u` and cost nothing.
 */
export function unflatten(index: string, shape: readonly number[], prefix = 'c'): Coordinates {
  const strides = stridesOf(shape);
  const names: string[] = [];
  const lines: string[] = [];
  const first = shape.findIndex((dim) => dim !== 1);
  shape.forEach((dim, d) => {
    const stride = strides[d] ?? 1;
    if (dim === 1) {
      names.push('0u');
      return;
    }
    const quotient = stride === 1 ? index : `${index} / ${stride}u`;
    const text = d === first ? quotient : `(${quotient}) % ${dim}u`;
    lines.push(`let ${prefix}${d} = ${text};`);
    names.push(`${prefix}${d}`);
  });
  return { code: lines.join('\n'), names };
}

/** An index moved by a number of elements. */
export function withOffset(index: string, offset: number): string {
  if (offset === 0) return index;
  return index === '0u' ? `${offset}u` : `${offset}u + ${index}`;
}

/**
 * The sum of coordinate times stride; constant zero coordinates and zero strides drop out. Negative strides are added
 * with wrap-around.
 */
export function linearIndex(names: readonly string[], strides: readonly number[]): string {
  const terms = names.flatMap((name, d) => {
    const stride = strides[d] ?? 0;
    if (stride === 0 || name === '0u') return [];
    return [stride === 1 ? name : `${name} * ${stride >>> 0}u`];
  });
  return terms.length === 0 ? '0u' : terms.join(' + ');
}

/**
 * Strides, in elements, with which an operand of shape `operand` is read at the coordinates of an
 * output of shape `shape` that it broadcasts to: 0 where it is repeated. `own` are its strides along its own dimensions.
 */
export function broadcastStrides(
  operand: readonly number[],
  shape: readonly number[],
  own: readonly number[] = stridesOf(operand),
): number[] {
  const offset = shape.length - operand.length;
  return shape.map((_, d) => ((operand[d - offset] ?? 1) === 1 ? 0 : (own[d - offset] ?? 0)));
}

/** The index at which a broadcast operand is read, given the output's coordinates. */
export function broadcastIndex(
  names: readonly string[],
  operand: readonly number[],
  shape: readonly number[],
): string {
  return linearIndex(names, broadcastStrides(operand, shape));
}

/** An iteration space with fewer dimensions, and the strides of every operand in it. */
export interface CollapsedSpace {
  readonly shape: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/**
 * Merges neighbouring dimensions over which every operand either runs on or is repeated, and drops
 * dimensions of size 1. What is left of equal shapes is one dimension; of `[8,32,32,64] + [64]` two.
 */
export function collapse(shape: readonly number[], operands: readonly (readonly number[])[]): CollapsedSpace {
  return collapseStrides(
    shape,
    operands.map((operand) => broadcastStrides(operand, shape)),
  );
}

/** As `collapse`, for operands of which the strides over `shape` are given. */
export function collapseStrides(
  shape: readonly number[],
  all: readonly (readonly number[])[],
): CollapsedSpace {
  const dims: number[] = [];
  const strides: number[][] = all.map(() => []);
  shape.forEach((dim, d) => {
    if (dim === 1) return;
    const last = dims.length - 1;
    const merges = last >= 0 && all.every((own, k) => (strides[k]?.[last] ?? 0) === (own[d] ?? 0) * dim);
    if (merges) dims[last] = (dims[last] ?? 1) * dim;
    else dims.push(dim);
    all.forEach((own, k) => {
      const list = strides[k];
      if (list === undefined) return;
      if (merges) list[last] = own[d] ?? 0;
      else list.push(own[d] ?? 0);
    });
  });
  return { shape: dims, strides };
}

/** Bytes of a tensor that kernels keep for themselves: four per element. */
export function bytesOf(shape: readonly number[]): number {
  return sizeOf(shape) * 4;
}
