/**
 * Reductions over rows and the elementwise units around them become one kernel, which loops over a row once per
 * reduction and stores only what others need: layer normalization and its gradient, the gradient of softmax, distances …
 * Whether a unit joins is decided by the bytes that move, loads in every loop counted.
 */
import {
  joinRows,
  lowerRows,
  readsValue,
  rowSteps,
  stagesOf,
  type AdapterFacts,
  type ElementInput,
  type RowProgram,
} from '@forerun/kernels-webgpu';
import { inputKey } from '../alike.js';
import type { IrValue } from '../ir.js';
import type { OpenUnit } from '../lower.js';
import { aliasRoot } from '../storage.js';
import { DISPATCH_BYTES, STEP_BYTES } from './costs.js';
import { bytesRead, deviceBytes, fitsBindings } from './join.js';
import { nodesOf, type UnitGraph } from './unitGraph.js';

/** Fewer rows do not keep an adapter busy: one that computes on a CPU, and a GPU where rows are long. */
const FEWEST_ROWS = 4;
const FEWEST_LONG_ROWS = 64;
const LONG_ROW = 4096;
/** Programs with more steps are not joined further: drivers take long to compile them. */
const MOST_VALUES = 64;

/** Joins what works on the same rows. Returns how many units joined another. */
export function fuseRows(graph: UnitGraph, adapter: AdapterFacts): number {
  let joined = 0;
  for (const id of graph.ids) {
    if (!areEnough(graph.find(id)?.rows ?? null, adapter)) continue;
    for (let at: number | null = id; at !== null;) {
      const next: number | null = growOnce(graph, at, adapter);
      if (next !== null) joined++;
      at = next;
    }
  }
  return joined;
}

function areEnough(program: RowProgram | null, { software }: AdapterFacts): boolean {
  if (program === null || program.rows < FEWEST_ROWS) return false;
  return software || program.rows >= FEWEST_LONG_ROWS || program.columns <= LONG_ROW;
}

/** Joins one neighbour to the unit, and returns the number of both; `null` when none joins. */
function growOnce(graph: UnitGraph, id: number, adapter: AdapterFacts): number | null {
  const unit = graph.find(id);
  const rows = unit?.rows ?? null;
  if (unit === null || rows === null) return null;
  for (const root of unit.outputs) {
    for (const user of graph.usersOf(root)) {
      const merged = user === id ? null : join(graph, { first: id, second: user, of: rows }, adapter);
      if (merged !== null) return merged;
    }
  }
  for (const input of unit.inputs) {
    const producer = graph.producerOf(input);
    if (producer === null || producer === id || (graph.find(producer)?.program ?? null) === null) continue;
    const merged = join(graph, { first: producer, second: id, of: rows }, adapter);
    if (merged !== null) return merged;
  }
  return null;
}

interface Pair {
  readonly first: number;
  readonly second: number;
  /** The rows that both must work on. */
  readonly of: RowProgram;
}

function join(graph: UnitGraph, { first, second, of }: Pair, adapter: AdapterFacts): number | null {
  const [before, unit] = [graph.find(first), graph.find(second)];
  const [a, b] = [rowsOf(before, of), rowsOf(unit, of)];
  if (before === null || unit === null || a === null || b === null) return null;
  if (a.values.length + b.values.length > MOST_VALUES) return null;
  if (!fitsBindings(before, adapter) || !fitsBindings(unit, adapter)) return null;
  const shared = unit.inputs.filter((input) => before.outputs.includes(aliasRoot(input)));
  const views = shared.flatMap((input) => graph.viewsOf(input));
  const members = new Set([first, ...views, second]);
  if (!graph.isConvex(members, second)) return null;
  const keep = before.outputs.map((root) => graph.isUsedBeside(root, members));
  const joined = joinPrograms({ before, a, unit, b, keep });
  if (joined === null || joined.inputs.length + joined.outputs.length > adapter.maxBindings) return null;
  const { program, inputs, outputs } = joined;
  if (!isUseful(graph, program, outputs) || isLeftToProducer(graph, before, members)) return null;
  if (bytesMoved(program, inputs, outputs) > cost(before, a) + cost(unit, b)) return null;
  graph.merge(members, {
    ...unit,
    unit: { ...unit.unit, nodes: nodesOf(graph, members), kind: 'single' },
    kind: 'device',
    lowered: { dispatches: [lowerRows(program, adapter)] },
    inputs,
    outputs,
    program: null,
    rows: program,
    storesOnce: true,
    loads: () => Infinity,
  });
  return Math.max(...members);
}

/** A unit's program over the rows of another; `null` where it does not work on them. */
function rowsOf(unit: OpenUnit | null, { rows, columns, inputs }: RowProgram): RowProgram | null {
  if (unit?.kind !== 'device') return null;
  if (unit.rows !== null) return unit.rows.rows === rows && unit.rows.columns === columns ? unit.rows : null;
  if (unit.program === null || unit.lowered.dispatches.length !== 1) return null;
  const shapes = inputs.flatMap(({ level, shape }) => (level === 'element' ? [shape] : []));
  return rowSteps(unit.program, rows, columns, shapes);
}

interface Joined {
  readonly program: RowProgram;
  readonly inputs: IrValue[];
  readonly outputs: IrValue[];
}

/** Both programs as one; `null` where the second reads what the first computes in another way than row by row. */
function joinPrograms({
  before,
  a,
  unit,
  b,
  keep,
}: {
  readonly before: OpenUnit;
  readonly a: RowProgram;
  readonly unit: OpenUnit;
  readonly b: RowProgram;
  readonly keep: readonly boolean[];
}): Joined | null {
  const inputs = before.inputs.slice(0, a.inputs.length);
  const given: (number | null)[] = [];
  const places: (number | null)[] = [];
  for (const [k, input] of b.inputs.entries()) {
    const value = unit.inputs[k];
    if (value === undefined) return null;
    const output = before.outputs.indexOf(aliasRoot(value));
    const source = output < 0 ? undefined : a.outputs[output];
    if (source !== undefined) {
      const computed = a.values[source];
      if (computed === undefined || !readsValue(b, k, computed)) return null;
      given.push(source);
      places.push(null);
      continue;
    }
    const same = a.inputs.findIndex(
      (other, j) =>
        inputs[j] === value &&
        other.level === input.level &&
        other.shape.join() === input.shape.join() &&
        inputKey(other.operand) === inputKey(input.operand),
    );
    given.push(null);
    places.push(same >= 0 ? same : inputs.push(value) - 1);
  }
  if (given.every((value) => value === null)) return null;
  return {
    program: joinRows(a, b, { given, inputs: places, keep: (output) => keep[output] === true }),
    inputs,
    outputs: [...before.outputs.filter((_, k) => keep[k]), ...unit.outputs],
  };
}

/**
 * Whether a program does more than reduce what is computed where it is loaded, which kernels of reductions do as well; or is
 * on the way there, as values per row are that elements wait for.
 */
function isUseful(graph: UnitGraph, program: RowProgram, outputs: readonly IrValue[]): boolean {
  const { values } = program;
  if (program.outputs.some((i) => values[i]?.level === 'element')) return true;
  if (values.filter(({ kind }) => kind === 'reduce').length > 1) return true;
  return outputs.some((root) =>
    graph.usersOf(root).some((id) => {
      const found = rowsOf(graph.find(id), program)?.values ?? [];
      return found.some(({ kind, level }) => kind === 'reduce' || level === 'element');
    }),
  );
}

/**
 * Whether an elementwise unit does better in the stores of a kernel that is no row program, such as a product, whose result
 * is then not stored itself.
 */
function isLeftToProducer(graph: UnitGraph, unit: OpenUnit, members: ReadonlySet<number>): boolean {
  if (unit.program === null) return false;
  return unit.inputs.some((input) => {
    const id = graph.producerOf(input);
    const producer = id === null ? null : graph.find(id);
    if (id === null || members.has(id) || producer === null) return false;
    if (producer.program !== null || producer.rows !== null) return false;
    const root = aliasRoot(input);
    const size = unit.outputs[0] === undefined ? 0 : deviceBytes(unit.outputs[0]);
    const own = unit.unit.nodes.length > 0 ? graph.idOf(unit.unit.root) : -1;
    return deviceBytes(root) === size && !graph.isUsedBeside(root, new Set([id, own]));
  });
}

/** What a unit costs, in bytes moved. */
function cost(unit: OpenUnit, rows: RowProgram): number {
  const dispatches = unit.lowered.dispatches.length - 1;
  return bytesMoved(rows, unit.inputs, unit.outputs) + dispatches * DISPATCH_BYTES;
}

function bytesMoved(program: RowProgram, inputs: readonly IrValue[], outputs: readonly IrValue[]): number {
  const { loops } = stagesOf(program);
  const once = (value: IrValue | undefined, operand?: ElementInput): number =>
    value === undefined ? 0 : bytesRead(value, operand);
  const elements = program.rows * program.columns;
  let bytes = DISPATCH_BYTES;
  program.inputs.forEach((input, k) => {
    const times = input.level === 'row' ? 1 : loops.filter((loop) => loop.inputs.includes(k)).length;
    bytes += times * once(inputs[k], input.operand);
  });
  for (const loop of loops) bytes += loop.values.length * STEP_BYTES * elements;
  return outputs.reduce((sum, value) => sum + once(value), bytes);
}
