/**
 * Row programs: elementwise steps and reductions over the same rows, in any order, as one kernel. It loops over the row
 * once per reduction that others wait for, and computes the steps that lead there anew in every loop: elements
 * that only the program itself uses never reach memory.
 */
import { sizeOf } from '@forerun/graph';
import {
  inputStrides,
  type ElementInput,
  type ElementRef,
  type ElementwiseProgram,
  type ElementwiseStep,
} from './elementwiseProgram.js';
import type { Operand } from './kernel.js';
import type { Reducer } from './reduce.js';
import { collapse } from './wgsl/indexing.js';

/** A value per element, or one per row. */
export type RowLevel = 'element' | 'row';

export interface RowInput {
  readonly operand: ElementInput;
  /** The shape that the operand broadcasts to: all elements in order, or one element per row. */
  readonly shape: readonly number[];
  readonly level: RowLevel;
}

/** Steps refer to inputs and to earlier values of the program. */
export type RowValue =
  | {
      readonly kind: 'step';
      readonly level: RowLevel;
      readonly step: ElementwiseStep;
      /** Of a value per element that repeats itself along the row: after how many elements. It is stored once per row. */
      readonly period?: number;
    }
  /** A float32 per row. */
  | { readonly kind: 'reduce'; readonly level: 'row'; readonly reducer: Reducer; readonly of: ElementRef };

export interface RowProgram {
  readonly label: string;
  readonly rows: number;
  /** Elements per row, at least 2. */
  readonly columns: number;
  readonly inputs: readonly RowInput[];
  readonly values: readonly RowValue[];
  /** Positions of the values that are stored, in output order. */
  readonly outputs: readonly number[];
}

/** Longer rows are better cut into chunks. */
const LONGEST_ROW = 1 << 16;

/** The reduction of the trailing dimensions of a float32 operand; `null` where others are reduced. */
export function rowReduction(operand: Operand, axes: readonly number[], reducer: Reducer): RowProgram | null {
  const { dtype, shape } = operand;
  const reduced = shape.map((dim, d) => dim === 1 || axes.includes(d));
  const kept = shape.map((dim, d) => dim === 1 || !axes.includes(d));
  const first = reduced.lastIndexOf(false) + 1;
  const [rows, columns] = [sizeOf(shape.slice(0, first)), sizeOf(shape.slice(first))];
  if (dtype !== 'float32' || !kept.slice(0, first).every(Boolean)) return null;
  if (rows < 1 || columns < 2 || columns > LONGEST_ROW) return null;
  return {
    label: reducer.name,
    rows,
    columns,
    inputs: [{ operand, shape, level: 'element' }],
    values: [{ kind: 'reduce', level: 'row', reducer, of: { kind: 'input', index: 0 } }],
    outputs: [0],
  };
}

/**
 * An elementwise program over the elements or over the rows, or over values that repeat themselves along the rows of one of
 * `shapes`; `null` where it is none of these.
 */
export function rowSteps(
  program: ElementwiseProgram,
  rows: number,
  columns: number,
  shapes: readonly (readonly number[])[] = [],
): RowProgram | null {
  const size = sizeOf(program.shape);
  const level = size === rows ? 'row' : 'element';
  const whole = size === rows || (size === rows * columns && firstColumn(program.shape, columns) >= 0);
  const repeated = whole
    ? undefined
    : shapes.find((shape) => periodOf(program.shape, shape, columns) !== null);
  if (!whole && repeated === undefined) return null;
  const shape = repeated ?? program.shape;
  const period = repeated === undefined ? null : periodOf(program.shape, repeated, columns);
  return {
    label: program.label,
    rows,
    columns,
    inputs: program.inputs.map((operand) => ({ operand, shape, level })),
    values: program.steps.map((step) => ({
      kind: 'step',
      level,
      step,
      ...(period === null ? {} : { period }),
    })),
    outputs: program.outputs,
  };
}

/** The dimension from which on a shape's dimensions make up a row; negative where there is none. */
export function firstColumn(shape: readonly number[], columns: number): number {
  return shape.findIndex((_, d) => sizeOf(shape.slice(d)) === columns);
}

/**
 * After how many elements an operand repeats itself along the rows of `shape`, to which it broadcasts; `null` where it has
 * all elements of a row, one, or others.
 */
function periodOf(operand: readonly number[], shape: readonly number[], columns: number): number | null {
  const missing = shape.length - operand.length;
  const first = firstColumn(shape, columns);
  if (missing < 0 || first < 0) return null;
  const dims = [...new Array<number>(missing).fill(1), ...operand];
  if (dims.slice(0, first).some((dim, d) => dim !== shape[d])) return null;
  const repeated = dims.findIndex((dim, d) => d >= first && dim !== 1);
  if (repeated < 0 || dims.slice(repeated).some((dim, d) => dim !== shape[repeated + d])) return null;
  const period = sizeOf(dims.slice(repeated));
  return period === columns ? null : period;
}

/** Whether input `k` may be a value of a program over the same rows, as it stands there. */
export function readsValue(
  { inputs, rows, columns }: RowProgram,
  k: number,
  value: Pick<Extract<RowValue, { kind: 'step' }>, 'level' | 'period'>,
): boolean {
  const input = inputs[k];
  if (input === undefined || input.operand.part !== undefined) return false;
  const size = sizeOf(input.operand.shape);
  if (value.period !== undefined) {
    return input.level === 'element' && periodOf(input.operand.shape, input.shape, columns) === value.period;
  }
  if (input.level === value.level) return size === sizeOf(input.shape);
  if (input.level === 'row' || size !== rows) return false;
  const space = collapse(input.shape, [input.operand.shape]);
  const [strides = []] = space.strides;
  return rows === 1
    ? strides.every((stride) => stride === 0)
    : space.shape.join() === `${rows},${columns}` && strides.join() === '1,0';
}

export interface RowJoin {
  /** The values of the first program that the inputs of the second are, by position; `null` for other inputs. */
  readonly given: readonly (number | null)[];
  /** The inputs of the first, or new ones behind them, that the other inputs of the second are. */
  readonly inputs: readonly (number | null)[];
  /** Which outputs of the first are still stored. */
  readonly keep: (output: number) => boolean;
}

/** Both programs as one: the outputs of the first that are kept, then those of the second. */
export function joinRows(
  first: RowProgram,
  second: RowProgram,
  { given, inputs, keep }: RowJoin,
): RowProgram {
  const base = first.values.length;
  const moved = (ref: ElementRef): ElementRef => {
    if (ref.kind === 'literal') return ref;
    if (ref.kind === 'step') return { kind: 'step', index: ref.index + base };
    const value = given[ref.index] ?? null;
    return value === null ? { kind: 'input', index: inputs[ref.index] ?? 0 } : { kind: 'step', index: value };
  };
  const all: RowInput[] = [...first.inputs];
  second.inputs.forEach((input, k) => {
    const place = inputs[k] ?? null;
    if (place !== null && (given[k] ?? null) === null) all[place] = input;
  });
  const values = second.values.map((value): RowValue => {
    if (value.kind === 'reduce') return { ...value, of: moved(value.of) };
    const operands = Object.entries(value.step.operands).map(([name, ref]) => [name, moved(ref)] as const);
    return { ...value, step: { ...value.step, operands: Object.fromEntries(operands) } };
  });
  return {
    label: `${first.label}+${second.label}`,
    rows: first.rows,
    columns: first.columns,
    inputs: all,
    values: [...first.values, ...values],
    outputs: [...first.outputs.filter((_, k) => keep(k)), ...second.outputs.map((value) => value + base)],
  };
}

/** What of a program happens in which loop over the row. */
export interface RowStages {
  /** Number of loops that must be over before a value can be computed. */
  readonly stageOf: readonly number[];
  /** By loop: the values per element that it computes, in order, and the inputs per element that it loads. */
  readonly loops: readonly { readonly values: readonly number[]; readonly inputs: readonly number[] }[];
}

/** The loops of a program. Each ends in reductions of its stage or stores what its stage has. */
export function stagesOf(program: RowProgram): RowStages {
  const { values, outputs } = program;
  const stageOf: number[] = [];
  const stage = (ref: ElementRef): number => (ref.kind === 'step' ? (stageOf[ref.index] ?? 0) : 0);
  for (const value of values) {
    if (value.kind === 'reduce') stageOf.push(stage(value.of) + 1);
    else stageOf.push(Math.max(0, ...Object.values(value.step.operands).map(stage)));
  }
  const last = Math.max(0, ...stageOf);
  const loops = Array.from({ length: last + 1 }, (_, s) => {
    const reduced = values.flatMap((value) =>
      value.kind === 'reduce' && stage(value.of) === s ? [value.of] : [],
    );
    const stored = outputs.filter((i) => values[i]?.level === 'element' && stageOf[i] === s);
    return cone(program, [...reduced, ...stored.map((index): ElementRef => ({ kind: 'step', index }))]);
  });
  return { stageOf, loops };
}

/** The values and inputs per element that lead to `ends`. */
function cone({ values, inputs }: RowProgram, ends: readonly ElementRef[]): RowStages['loops'][number] {
  const [found, loaded] = [new Set<number>(), new Set<number>()];
  const stack = [...ends];
  for (let ref = stack.pop(); ref !== undefined; ref = stack.pop()) {
    if (ref.kind === 'input' && inputs[ref.index]?.level === 'element') loaded.add(ref.index);
    const value = ref.kind === 'step' ? values[ref.index] : undefined;
    if (ref.kind !== 'step' || value?.kind !== 'step' || value.level === 'row' || found.has(ref.index))
      continue;
    found.add(ref.index);
    stack.push(...Object.values(value.step.operands));
  }
  const ascending = (set: ReadonlySet<number>): number[] => [...set].sort((a, b) => a - b);
  return { values: ascending(found), inputs: ascending(loaded) };
}

/** Strides of an input over its shape, in elements. */
export function rowStrides({ operand, shape }: RowInput): number[] {
  return inputStrides(operand, shape);
}
