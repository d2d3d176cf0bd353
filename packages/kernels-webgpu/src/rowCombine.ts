/**
 * Adds up, multiplies, compares or replaces rows of a target by rows of updates, of which several may
 * be meant for one target row: what scatter and segment ops have in common.
 *
 * It must give the same floating-point result in every run, so no atomics on floats. Little work is done
 * directly: every target element goes through all updates in order. Otherwise the updates are sorted by
 * target row, stably (mergeSort.ts), and cut into chunks. Each chunk combines its runs of equal rows in order;
 * runs that lie within a chunk are written, the first and the last, which may go on in the neighbours, are
 * carried to the next level, where the same happens to the carries. So neither many target rows (a large
 * vocabulary) nor many updates of one row make anything slow, and the order of additions depends on the rows only.
 */
import type { DType } from '@forerun/graph';
import type { AdapterFacts, Dispatch } from './kernel.js';
import { mergeSort } from './mergeSort.js';
import type { ScratchBuffer, ScratchSpace } from './scratchSpace.js';
import { literal, storageType, vectorType, wrapped, type Width } from './wgsl/dtype.js';
import { gridFor, gridStride, unflatten } from './wgsl/indexing.js';
import { widen } from './wgsl/library.js';
import { shader, type ShaderBinding } from './wgsl/shader.js';

/** Steps up to which the direct way is at least as fast as sorting. */
const DIRECT_WORK = 1 << 16;
/** Updates that one invocation combines per level. */
const CHUNK = 32;

/** How two updates of one row combine, and how the result enters the target. */
export interface Combination {
  /** WGSL over `a` (the earlier) and `b`. */
  readonly combine: string;
  /** WGSL over `old` (the target's element) and `value`. */
  readonly write: string;
  /** The number that changes nothing; absent where combining a value with itself changes nothing. */
  readonly identity?: number;
}

/** What a target holds before: WGSL for the element (or vector) at index `i`, and the bindings that it reads. */
export interface InitialRows {
  readonly element: string;
  readonly bindings: readonly ShaderBinding[];
}

export interface RowUpdates {
  readonly label: string;
  readonly dtype: DType;
  /** Target rows, and elements per row. */
  readonly rows: number;
  readonly inner: number;
  /** Rows of updates. */
  readonly count: number;
  /** 4 when rows are moved in vectors: `inner` is divisible by 4 and the bindings have that width. */
  readonly width: Width;
  readonly combination: Combination;
  /** WGSL that declares `fn target_row(k: u32) -> u32`, `rows` (or more) for updates that are dropped; its bindings. */
  readonly targetRow: string;
  readonly rowBindings: readonly ShaderBinding[];
  /** WGSL for element (or vector) `n` of row `k` of the updates; its bindings. */
  readonly value: (k: string, n: string) => string;
  readonly valueBindings: readonly ShaderBinding[];
  /** The target, called `out`. */
  readonly out: ShaderBinding;
  /** Absent when the target is updated in place. */
  readonly initial?: InitialRows | undefined;
  /** The rows of the updates never decrease. */
  readonly sorted?: boolean;
}

/** Dispatches that combine `updates` into the target. */
export function combineRows(updates: RowUpdates, space: ScratchSpace, adapter: AdapterFacts): Dispatch[] {
  const { rows, inner, count, width } = updates;
  if (rows * inner === 0) return [];
  if (count === 0) return fill(updates, adapter);
  if (((rows * inner) / width) * count <= DIRECT_WORK) return [direct(updates, adapter)];
  return [...fill(updates, adapter), ...bySorting(updates, space, adapter)];
}

function uniqueBindings(...lists: (readonly ShaderBinding[])[]): ShaderBinding[] {
  return [...new Map(lists.flat().map((binding) => [binding.name, binding])).values()];
}

function combined({ combination, width }: RowUpdates, a: string, b: string): string {
  return widen(substitute(combination.combine, { a, b }), width);
}

function written({ combination, width, dtype }: RowUpdates, old: string, value: string): string {
  return widen(wrapped(substitute(combination.write, { old, value }), dtype), width);
}

function substitute(text: string, names: Readonly<Record<string, string>>): string {
  return text.replace(/\b[a-z]+\b/g, (name) => names[name] ?? name);
}

/** The target as it is before the updates. */
function fill(updates: RowUpdates, adapter: AdapterFacts): Dispatch[] {
  const { initial, rows, inner, width, label, out } = updates;
  if (initial === undefined) return [];
  const grid = gridFor(rows * inner, width, adapter);
  const body = gridStride(grid, `out[i] = ${initial.element};`);
  const bindings = uniqueBindings(initial.bindings, [out]);
  return [shader({ label: `${label}.fill`, bindings, workgroups: grid.workgroups, body }, adapter)];
}

/** Every target element goes through all updates. */
function direct(updates: RowUpdates, adapter: AdapterFacts): Dispatch {
  const { rows, inner, width, count, label, initial, dtype } = updates;
  const grid = gridFor(rows * inner, width, adapter);
  const { code, names } = unflatten('i', [rows, inner / width]);
  const [row = '0u', n = '0u'] = names;
  const body = `${code}
var total = ${vectorType(storageType(dtype), width)}();
var hit = false;
for (var k = 0u; k < ${count}u; k += 1u) {
if (target_row(k) == ${row}) {
let next = ${updates.value('k', n)};
if (hit) {
total = ${combined(updates, 'total', 'next')};
} else {
total = next;
}
hit = true;
}
}
${initial === undefined ? '' : `let before = ${initial.element};\nout[i] = before;`}
if (hit) {
out[i] = ${written(updates, initial === undefined ? 'out[i]' : 'before', 'total')};
}`;
  const bindings = uniqueBindings(updates.rowBindings, updates.valueBindings, initial?.bindings ?? [], [
    updates.out,
  ]);
  return shader(
    {
      label,
      bindings,
      workgroups: grid.workgroups,
      declarations: updates.targetRow,
      body: gridStride(grid, body),
    },
    adapter,
  );
}

/** Where a level finds its entries: `row(p)` and `value(p, n)` in WGSL. */
interface Entries {
  readonly count: number;
  readonly declarations: string;
  readonly row: (p: string) => string;
  readonly value: (p: string, n: string) => string;
  readonly bindings: readonly ShaderBinding[];
}

function bySorting(updates: RowUpdates, space: ScratchSpace, adapter: AdapterFacts): Dispatch[] {
  const { dispatches, entries } = sortedEntries(updates, space, adapter);
  const all = [...dispatches];
  let level = entries;
  for (;;) {
    const chunks = Math.ceil(level.count / CHUNK);
    if (chunks === 1) return [...all, combineChunks(updates, level, null, adapter)];
    const carried = carriesOf(updates, 2 * chunks, space);
    all.push(combineChunks(updates, level, carried, adapter));
    level = carriedEntries(updates, carried);
  }
}

function sortedEntries(
  updates: RowUpdates,
  space: ScratchSpace,
  adapter: AdapterFacts,
): { dispatches: readonly Dispatch[]; entries: Entries } {
  const { count, targetRow, rowBindings, valueBindings, label, rows } = updates;
  if (updates.sorted === true) {
    const bindings = uniqueBindings(rowBindings, valueBindings);
    const row = (p: string): string => `target_row(${p})`;
    return {
      dispatches: [],
      entries: { count, declarations: targetRow, row, value: updates.value, bindings },
    };
  }
  const key = `${targetRow}\nfn sort_key(line: u32, at: u32) -> u32 { return min(target_row(at), ${rows}u); }`;
  const spec = { label: `${label}.sort`, lines: 1, count, key, bindings: rowBindings };
  const { dispatches, keys, ids } = mergeSort(spec, space, adapter);
  return {
    dispatches,
    entries: {
      count,
      declarations: '',
      row: (p) => `sorted_rows[${p}]`,
      value: (p, n) => updates.value(`sorted_ids[${p}]`, n),
      bindings: uniqueBindings([keys.read('sorted_rows'), ids.read('sorted_ids')], valueBindings),
    },
  };
}

/** What a level hands on: two entries per chunk. */
interface Carries {
  readonly count: number;
  readonly rows: ScratchBuffer;
  readonly values: ScratchBuffer;
}

function carriesOf({ inner, dtype, width }: RowUpdates, count: number, space: ScratchSpace): Carries {
  return { count, rows: space.add(count), values: space.add(count * inner, dtype, width) };
}

function carriedEntries({ inner, width }: RowUpdates, { count, rows, values }: Carries): Entries {
  return {
    count,
    declarations: '',
    row: (p) => `rows[${p}]`,
    value: (p, n) => `values[${p} * ${inner / width}u + ${n}]`,
    bindings: [rows.read('rows'), values.read('values')],
  };
}

/** One level: combines each chunk's runs. Without `carries` there is one chunk, and all runs are written. */
function combineChunks(
  updates: RowUpdates,
  entries: Entries,
  carries: Carries | null,
  adapter: AdapterFacts,
): Dispatch {
  const { inner, width, label, dtype, combination } = updates;
  const vectors = inner / width;
  const chunks = Math.ceil(entries.count / CHUNK);
  const grid = gridFor(chunks * inner, width, adapter);
  const { code, names } = unflatten('i', [chunks, vectors]);
  const [chunk = '0u', n = '0u'] = names;
  const type = vectorType(storageType(dtype), width);
  const neutral =
    combination.identity === undefined ? 'total' : `${type}(${literal(combination.identity, dtype)})`;
  const carry = (k: number, value: string): string => `carry(${chunk} * 2u + ${k}u, ${n}, row, ${value});`;
  const end =
    carries === null
      ? `flush(row, ${n}, total);`
      : `if (first) {
${carry(0, 'total')}
${carry(1, neutral)}
} else {
${carry(1, 'total')}
}`;
  const closed =
    carries === null
      ? `flush(row, ${n}, total);`
      : `if (first) {
${carry(0, 'total')}
} else {
flush(row, ${n}, total);
}
first = false;`;
  const body = `${code}
let begin = ${chunk} * ${CHUNK}u;
let end = min(begin + ${CHUNK}u, ${entries.count}u);
var row = ${entries.row('begin')};
var total = ${entries.value('begin', n)};
${carries === null ? '' : 'var first = true;'}
for (var p = begin + 1u; p < end; p += 1u) {
let next_row = ${entries.row('p')};
let next = ${entries.value('p', n)};
if (next_row == row) {
total = ${combined(updates, 'total', 'next')};
} else {
${closed}
row = next_row;
total = next;
}
}
${end}`;
  const declarations = [
    entries.declarations,
    flushFunction(updates, type),
    carries === null ? '' : carryFunction(type, vectors),
  ];
  const bindings = [
    ...entries.bindings,
    ...(carries === null ? [] : [carries.rows.write('carry_rows'), carries.values.write('carry_values')]),
    updates.out,
  ];
  return shader(
    {
      label: `${label}.chunks`,
      bindings,
      workgroups: grid.workgroups,
      declarations: declarations.filter((text) => text !== '').join('\n'),
      body: gridStride(grid, body),
    },
    adapter,
  );
}

function flushFunction(updates: RowUpdates, type: string): string {
  return `fn flush(row: u32, n: u32, value: ${type}) {
if (row < ${updates.rows}u) {
let at = row * ${updates.inner / updates.width}u + n;
out[at] = ${written(updates, 'out[at]', 'value')};
}
}`;
}

function carryFunction(type: string, vectors: number): string {
  return `fn carry(entry: u32, n: u32, row: u32, value: ${type}) {
if (n == 0u) {
carry_rows[entry] = row;
}
carry_values[entry * ${vectors}u + n] = value;
}`;
}
