/** `forerun diff`: what differs between two graphs, or between two files of values. */
import type { WeightReader } from '@forerun/formats';
import { isTypedArray, toHostValue, type Operation, type TensorValue } from '@forerun/graph';
import { FileError } from '../errors.js';
import { formatShape, plural, table, type Cell } from '../format.js';
import { viewGraph } from '../graphView.js';
import { load, type Loaded, type LoadedGraph } from '../load.js';
import { openValues, reading } from '../openValues.js';
import type { CommonOptions } from '../program.js';
import { parseTags } from '../tags.js';
import type { Terminal } from '../terminal.js';
import { formatAttr, formatNumber } from '../values.js';

export interface DiffOptions extends CommonOptions {
  /** Leaves nothing out of long lists. */
  readonly all?: boolean;
}

/** A difference of one node or tensor. */
interface Change {
  readonly name: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** What changed, a line for each. */
  readonly details: readonly string[];
}

interface ValueChange extends Change {
  /** Euclidean norms of both values and of their difference. */
  readonly norms?: { readonly a: number; readonly b: number; readonly difference: number };
}

/**
 * Prints what `b` has added, removed and changed. Returns whether there is any difference, which the exit code tells. Throws `FileError` for
 * bad files, and where one is a graph and the other is not.
 */
export async function diff(a: string, b: string, options: DiffOptions, terminal: Terminal): Promise<boolean> {
  const tags = { tags: parseTags(options.tags) };
  const [one, two] = [await load(a, tags), await load(b, tags)];
  if (one.kind !== two.kind) {
    const kind = (loaded: Loaded): string => (loaded.kind === 'graph' ? 'a graph' : 'values');
    throw new FileError(`${a} holds ${kind(one)}, ${b} ${kind(two)}: they cannot be compared`);
  }
  const changes: readonly ValueChange[] =
    one.kind === 'graph' && two.kind === 'graph'
      ? diffGraphs(operationsOf(one), operationsOf(two))
      : await diffFiles(a, b);
  terminal.print(
    options.json === true
      ? JSON.stringify({ a: one.path, b: two.path, equal: changes.length === 0, changes }, null, 2)
      : render(one.path, two.path, changes, options, terminal),
  );
  return changes.length > 0;
}

/** Shapes follow from the rest: they are not compared, so not inferred. */
function operationsOf(loaded: LoadedGraph): readonly Operation[] {
  return viewGraph(loaded, { deferShapes: true }).graph.operations;
}

function diffGraphs(a: readonly Operation[], b: readonly Operation[]): ValueChange[] {
  const [before, after] = [new Map(a.map((op) => [op.name, op])), new Map(b.map((op) => [op.name, op]))];
  const removed = a.filter(({ name }) => !after.has(name)).map((op) => change(op, 'removed'));
  const added = b.filter(({ name }) => !before.has(name)).map((op) => change(op, 'added'));
  const changed = b.flatMap((op) => {
    const old = before.get(op.name);
    return old === undefined ? [] : compareNodes(old, op);
  });
  return [...removed, ...added, ...changed];
}

function change({ name, type }: Operation, kind: 'added' | 'removed'): Change {
  return { name, kind, details: [type] };
}

function compareNodes(a: Operation, b: Operation): ValueChange[] {
  const details: string[] = [];
  const compare = (what: string, before: string, after: string): void => {
    if (before !== after) details.push(`${what}: ${before || 'none'} -> ${after || 'none'}`);
  };
  compare('op', a.type, b.type);
  compare('device', a.device, b.device);
  compare('inputs', inputsOf(a), inputsOf(b));
  let norms: ValueChange['norms'];
  for (const name of new Set([...a.attrs.values.keys(), ...b.attrs.values.keys()])) {
    // Follows from the graph.
    if (name === '_output_shapes') continue;
    const [x, y] = [a.attrs.values.get(name), b.attrs.values.get(name)];
    compare(name, x === undefined ? '' : formatAttr(x), y === undefined ? '' : formatAttr(y));
    if (x?.kind !== 'tensor' || y?.kind !== 'tensor') continue;
    const difference = compareValues(x.value, y.value);
    norms = difference?.norms;
    if (difference !== undefined && !details.some((line) => line.startsWith(`${name}:`))) {
      details.push(`${name}: ${difference.detail}`);
    }
  }
  return details.length === 0
    ? []
    : [{ name: b.name, kind: 'changed', details, ...(norms === undefined ? {} : { norms }) }];
}

function inputsOf(op: Operation): string {
  return [...op.inputs.map(({ name }) => name), ...op.controlInputs.map(({ name }) => `^${name}`)].join(', ');
}

async function diffFiles(a: string, b: string): Promise<ValueChange[]> {
  const [one, two] = [await openValues(a), await openValues(b)];
  try {
    return await reading(b, () => diffValues(one.reader, two.reader));
  } finally {
    await one.close();
    await two.close();
  }
}

async function diffValues(a: WeightReader, b: WeightReader): Promise<ValueChange[]> {
  const changes: ValueChange[] = [];
  for (const { name, dtype, shape } of a.entries.values()) {
    if (!b.entries.has(name))
      changes.push({ name, kind: 'removed', details: [`${dtype} ${formatShape(shape)}`] });
  }
  for (const { name, dtype, shape } of b.entries.values()) {
    const old = a.entries.get(name);
    if (old === undefined) changes.push({ name, kind: 'added', details: [`${dtype} ${formatShape(shape)}`] });
    else {
      const difference = compareValues(await a.read(name), await b.read(name));
      if (difference === undefined) continue;
      const { detail, norms } = difference;
      changes.push({ name, kind: 'changed', details: [detail], ...(norms === undefined ? {} : { norms }) });
    }
  }
  return changes;
}

/** How two values differ; `undefined` when dtype, shape and every element are the same. */
function compareValues(
  a: TensorValue,
  b: TensorValue,
): { detail: string; norms?: ValueChange['norms'] } | undefined {
  const type = (value: TensorValue): string => `${value.dtype} ${formatShape(value.shape)}`;
  if (type(a) !== type(b)) return { detail: `${type(a)} -> ${type(b)}` };
  const [x, y] = [toHostValue(a)?.data, toHostValue(b)?.data];
  if (x === undefined || y === undefined) {
    return JSON.stringify(plain(a)) === JSON.stringify(plain(b)) ? undefined : { detail: 'other elements' };
  }
  let [count, first, second, squares] = [0, 0, 0, 0];
  x.forEach((value, i) => {
    const other = y[i] ?? NaN;
    if (!Object.is(value, other)) count++;
    first += value * value;
    second += other * other;
    squares += (other - value) ** 2;
  });
  if (count === 0) return undefined;
  const norms = { a: Math.sqrt(first), b: Math.sqrt(second), difference: Math.sqrt(squares) };
  const relative = norms.a === 0 ? '' : ` (${formatNumber(norms.difference / norms.a)} of the first)`;
  return {
    detail: `${plural(count, 'element')} of ${x.length} differ; norms ${formatNumber(norms.a)} -> ${formatNumber(norms.b)}, of the difference ${formatNumber(norms.difference)}${relative}`,
    norms,
  };
}

function plain({ data }: TensorValue): unknown[] {
  return isTypedArray(data) ? [] : data.map((item) => (typeof item === 'string' ? item : [...item]));
}

const SHOWN = 40;

function render(
  a: string,
  b: string,
  changes: readonly ValueChange[],
  { all }: DiffOptions,
  terminal: Terminal,
): string {
  const { colors } = terminal;
  if (changes.length === 0) return `${a} and ${b} are equal.`;
  const paint = { added: colors.green, removed: colors.red, changed: colors.yellow };
  const mark = { added: '+', removed: '-', changed: '~' };
  const count = (kind: Change['kind']): number => changes.filter((item) => item.kind === kind).length;
  const rows = changes
    .slice(0, all === true ? undefined : SHOWN)
    .flatMap(({ name, kind, details }) =>
      details.map((detail, i): Cell[] => [
        { text: i === 0 ? mark[kind] : '', paint: paint[kind] },
        { text: i === 0 ? name : '', paint: paint[kind] },
        detail,
      ]),
    );
  const more = all === true ? 0 : changes.length - SHOWN;
  return [
    `${colors.bold(`${a} -> ${b}`)}: ${count('added')} added, ${count('removed')} removed, ${count('changed')} changed`,
    ...table([{ title: '' }, { title: '' }, { title: '', flexible: true }], rows, terminal),
    ...(more > 0 ? [colors.dim(`  ... ${more} more: --all`)] : []),
  ].join('\n');
}
