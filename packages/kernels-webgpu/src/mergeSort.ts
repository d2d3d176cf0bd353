/**
 * A stable sort of lines of `u32` keys, each with the position it came from. Runs of 16 are ranked by
 * counting; then neighbouring runs are merged, every element finding its place by a binary search in the
 * other run. That takes one dispatch per doubling, no barriers, no workgroup memory and no atomics, and gives the
 * same result on every adapter. When only the first elements are wanted, no run grows longer than that, so
 * that the later passes cost next to nothing.
 */
import type { DType } from '@forerun/graph';
import type { AdapterFacts, Dispatch } from './kernel.js';
import type { ScratchBuffer, ScratchSpace } from './scratchSpace.js';
import { gridFor, gridStride, unflatten } from './wgsl/indexing.js';
import { shader, type ShaderBinding } from './wgsl/shader.js';

const RUN = 16;

export interface SortSpec {
  readonly label: string;
  readonly lines: number;
  /** Elements per line. */
  readonly count: number;
  /** How many of each line are wanted; default all. */
  readonly limit?: number;
  /** WGSL that declares `fn sort_key(line: u32, at: u32) -> u32`, and the bindings that it reads. */
  readonly key: string;
  readonly bindings: readonly ShaderBinding[];
}

export interface Sorted {
  readonly dispatches: readonly Dispatch[];
  /** The sorted keys, and where they were in their line: element `p` of a line is at `line * stride + p`. */
  readonly keys: ScratchBuffer;
  readonly ids: ScratchBuffer;
  readonly stride: number;
}

interface Pair {
  readonly keys: ScratchBuffer;
  readonly ids: ScratchBuffer;
}

/** Runs of `width` elements, of which the first `kept` are stored, one run after the other. */
interface Layout {
  readonly width: number;
  readonly kept: number;
  readonly runs: number;
  readonly stride: number;
}

function layoutOf({ count, limit = count }: SortSpec, width: number): Layout {
  const kept = Math.max(1, Math.min(width, limit, count));
  const runs = Math.ceil(count / width);
  // All runs are full but the last one.
  const stride = (runs - 1) * kept + Math.min(kept, count - (runs - 1) * width);
  return { width, kept, runs, stride };
}

/** Dispatches that sort by ascending keys, equal ones in their old order. There must be at least one element. */
export function mergeSort(spec: SortSpec, space: ScratchSpace, adapter: AdapterFacts): Sorted {
  let layout = layoutOf(spec, RUN);
  const elements = spec.lines * layout.stride;
  const pair = (): Pair => ({ keys: space.add(elements), ids: space.add(elements) });
  let current = pair();
  const dispatches = [rankRuns(spec, layout, current, adapter)];
  let spare = layout.runs > 1 ? pair() : current;
  while (layout.runs > 1) {
    const next = layoutOf(spec, layout.width * 2);
    dispatches.push(mergeRuns(spec, layout, next, current, spare, adapter));
    [current, spare, layout] = [spare, current, next];
  }
  return { dispatches, keys: current.keys, ids: current.ids, stride: layout.stride };
}

/** The first pass: each element counts those of its run that come before it. */
function rankRuns(spec: SortSpec, { kept, stride }: Layout, to: Pair, adapter: AdapterFacts): Dispatch {
  const { lines, count } = spec;
  const grid = gridFor(lines * count, 1, adapter);
  const { code, names } = unflatten('i', [lines, count]);
  const [line = '0u', at = '0u'] = names;
  const body = `${code}
let begin = (${at} / ${RUN}u) * ${RUN}u;
let end = min(begin + ${RUN}u, ${count}u);
let key = sort_key(${line}, ${at});
var rank = 0u;
for (var k = begin; k < end; k += 1u) {
let other = sort_key(${line}, k);
rank += select(0u, 1u, other < key || (other == key && k < ${at}));
}
if (rank < ${kept}u) {
let place = ${line} * ${stride}u + (${at} / ${RUN}u) * ${kept}u + rank;
sorted_keys[place] = key;
sorted_ids[place] = ${at};
}`;
  return shader(
    {
      label: `${spec.label}.rank`,
      bindings: [...spec.bindings, to.keys.write('sorted_keys'), to.ids.write('sorted_ids')],
      workgroups: grid.workgroups,
      declarations: spec.key,
      body: gridStride(grid, body),
    },
    adapter,
  );
}

/** Merges runs 2r and 2r+1: an element moves up by the number of elements of the other run before it. */
function mergeRuns(
  { label, lines, count }: SortSpec,
  from: Layout,
  to: Layout,
  source: Pair,
  target: Pair,
  adapter: AdapterFacts,
): Dispatch {
  const grid = gridFor(lines * from.stride, 1, adapter);
  const { code, names } = unflatten('i', [lines, from.stride]);
  const [line = '0u', place = '0u'] = names;
  const length = (r: string): string => `min(${from.kept}u, ${count}u - ${r} * ${from.width}u)`;
  const body = `${code}
let run = ${place} / ${from.kept}u;
let key = keys[i];
let is_right = (run & 1u) == 1u;
let other = run ^ 1u;
let begin = ${line} * ${from.stride}u + other * ${from.kept}u;
var low = 0u;
var high = 0u;
if (other < ${from.runs}u) {
high = ${length('other')};
}
while (low < high) {
let middle = (low + high) / 2u;
let found = keys[begin + middle];
if (found < key || (is_right && found == key)) {
low = middle + 1u;
} else {
high = middle;
}
}
let rank = ${place} % ${from.kept}u + low;
if (rank < ${to.kept}u) {
let place = ${line} * ${to.stride}u + (run / 2u) * ${to.kept}u + rank;
sorted_keys[place] = key;
sorted_ids[place] = ids[i];
}`;
  const bindings = [
    source.keys.read('keys'),
    source.ids.read('ids'),
    target.keys.write('sorted_keys'),
    target.ids.write('sorted_ids'),
  ];
  return shader(
    { label: `${label}.merge`, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) },
    adapter,
  );
}

/** WGSL that turns a stored value `x` of `dtype` into a key of the same order; all NaN count as the largest. */
export function orderKey(x: string, dtype: DType, descending = false): string {
  const key =
    dtype === 'float32'
      ? `float_order(${x})`
      : dtype.startsWith('int')
        ? `(bitcast<u32>(${x}) ^ 0x80000000u)`
        : x;
  return descending ? `~${key}` : key;
}
