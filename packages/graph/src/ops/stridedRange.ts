/**
 * The meaning of StridedSlice's begin, end, strides and five masks: which elements of each dimension
 * are taken, and the shape that results. Shape inference, host evaluation and kernels share it.
 */
import type { Attrs } from '../attr.js';
import type { Dim } from '../shape.js';

/** The bit masks of StridedSlice; bit `i` speaks of entry `i` of begin, end and strides. */
export interface SliceMasks {
  readonly begin: number;
  readonly end: number;
  readonly ellipsis: number;
  readonly newAxis: number;
  readonly shrinkAxis: number;
}

/** The masks of an op in its attributes. */
export function sliceMasks(attrs: Attrs): SliceMasks {
  return {
    begin: attrs.int('begin_mask'),
    end: attrs.int('end_mask'),
    ellipsis: attrs.int('ellipsis_mask'),
    newAxis: attrs.int('new_axis_mask'),
    shrinkAxis: attrs.int('shrink_axis_mask'),
  };
}

/** What is taken of one dimension: `count` elements from `begin` in steps of `stride`. */
export interface StridedRange {
  readonly begin: number;
  readonly stride: number;
  /** `null` when it is not known. */
  readonly count: Dim;
}

export interface ResolvedSlice {
  /** One range per dimension of the input. */
  readonly ranges: readonly StridedRange[];
  /** The shape of the result, with new dimensions and without shrunk ones. */
  readonly shape: readonly Dim[];
}

/** begin, end and strides; elements that are not known are NaN. */
export interface SliceBounds {
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly strides: readonly number[];
}

interface Entry {
  readonly begin: number;
  readonly end: number;
  readonly stride: number;
  readonly beginMasked: boolean;
  readonly endMasked: boolean;
  readonly shrink: boolean;
}

const WHOLE: Entry = { begin: 0, end: 0, stride: 1, beginMasked: true, endMasked: true, shrink: false };

/** Resolves a slice of an input with dimensions `dims`. `fail` is called with the rule that is broken. */
export function resolveStridedSlice(
  dims: readonly Dim[],
  bounds: SliceBounds,
  masks: SliceMasks,
  fail: (rule: string) => never,
): ResolvedSlice {
  const { entries, places } = spread(dims.length, bounds, masks, fail);
  const ranges = entries.map((entry, axis) => rangeOf(entry, dims[axis] ?? null, axis, fail));
  const shape = places.flatMap((place): Dim[] => {
    if (place === 'new') return [1];
    return entries[place]?.shrink === true ? [] : [ranges[place]?.count ?? null];
  });
  return { ranges, shape };
}

/** Gives each dimension its entry: the ellipsis, or what is left out at the end, takes whole dimensions. */
function spread(
  rank: number,
  { begin, end, strides }: SliceBounds,
  masks: SliceMasks,
  fail: (rule: string) => never,
): { entries: Entry[]; places: (number | 'new')[] } {
  const count = begin.length;
  const has = (mask: number, i: number): boolean => (mask & (1 << i)) !== 0;
  const positions = Array.from({ length: count }, (_, i) => i);
  const ellipses = positions.filter((i) => has(masks.ellipsis, i));
  if (ellipses.length > 1) fail('only one ellipsis is allowed');
  const named = positions.filter((i) => !has(masks.ellipsis, i) && !has(masks.newAxis, i)).length;
  if (named > rank) fail(`${named} indices are given for an input of rank ${rank}`);
  const entries: Entry[] = [];
  const places: (number | 'new')[] = [];
  const take = (entry: Entry): void => {
    places.push(entries.length);
    entries.push(entry);
  };
  const fillWhole = (): void => {
    for (let n = rank - named; n > 0; n--) take(WHOLE);
  };
  for (const i of positions) {
    if (has(masks.ellipsis, i)) fillWhole();
    else if (has(masks.newAxis, i)) places.push('new');
    else {
      take({
        begin: begin[i] ?? NaN,
        end: end[i] ?? NaN,
        stride: strides[i] ?? NaN,
        beginMasked: has(masks.begin, i),
        endMasked: has(masks.end, i),
        shrink: has(masks.shrinkAxis, i),
      });
    }
  }
  if (ellipses.length === 0) fillWhole();
  return { entries, places };
}

function rangeOf(entry: Entry, dim: Dim, axis: number, fail: (rule: string) => never): StridedRange {
  const { begin, end, stride } = entry;
  if (stride === 0) fail(`strides[${axis}] must not be 0`);
  if (entry.shrink) return shrunkRange(entry, dim, axis, fail);
  const unknown =
    dim === null ||
    Number.isNaN(stride) ||
    (!entry.beginMasked && Number.isNaN(begin)) ||
    (!entry.endMasked && Number.isNaN(end));
  if (unknown) return { begin: NaN, stride, count: null };
  const [low, high] = stride > 0 ? [0, dim] : [-1, dim - 1];
  const clamp = (x: number): number => Math.min(Math.max(x < 0 ? x + dim : x, low), high);
  const first = entry.beginMasked ? (stride > 0 ? low : high) : clamp(begin);
  const last = entry.endMasked ? (stride > 0 ? high : low) : clamp(end);
  return { begin: first, stride, count: Math.max(0, Math.ceil((last - first) / stride)) };
}

/** A single index: the dimension disappears from the result. */
function shrunkRange(
  { begin, stride }: Entry,
  dim: Dim,
  axis: number,
  fail: (rule: string) => never,
): StridedRange {
  if (stride < 0) fail(`strides[${axis}] is ${stride}: a single index needs a positive stride`);
  if (dim === null || Number.isNaN(begin)) return { begin: NaN, stride: 1, count: 1 };
  const index = begin < 0 ? begin + dim : begin;
  if (index < 0 || index >= dim) fail(`index ${begin} is out of range for dimension ${axis} of size ${dim}`);
  return { begin: index, stride: 1, count: 1 };
}
