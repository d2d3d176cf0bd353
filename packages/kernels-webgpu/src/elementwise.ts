/**
 * Generates the WGSL of elementwise programs: one loop over the output in `vec4`s where the layouts
 * allow it, in scalars otherwise. Programs with more inputs and outputs than the adapter binds are
 * cut into several dispatches.
 */
import { sizeOf, stridesOf } from '@forerun/graph';
import {
  inputStrides,
  readsVectors,
  type ElementInput,
  type ElementRef,
  type ElementwiseProgram,
  type ElementwiseStep,
} from './elementwiseProgram.js';
import type { AdapterFacts, BindingSource, Dispatch, ElementAccesses, Lowered } from './kernel.js';
import { literal, loaded, storageType, stored, wrapped, type Width } from './wgsl/dtype.js';
import {
  bytesOf,
  collapseStrides,
  gridFor,
  gridStride,
  linearIndex,
  unflatten,
  withOffset,
  type CollapsedSpace,
} from './wgsl/indexing.js';
import { sharedBindings } from './fusion/names.js';
import { widen } from './wgsl/library.js';
import { shader, type ShaderBinding } from './wgsl/shader.js';
import { splitProgram, type BoundProgram } from './splitProgram.js';

/**
 * Lowers an elementwise program. Inputs are bound as inputs 0, 1 …, or as those that `arrays` gives where several inputs
 * read one array; outputs as outputs 0, 1 … Throws `UnimplementedError` for dtypes that are not computed with and for a single step that reads more inputs than the adapter binds.
 */
export function lowerElementwise(
  program: ElementwiseProgram,
  adapter: AdapterFacts,
  arrays?: readonly number[],
): Lowered {
  if (sizeOf(program.shape) === 0) return { dispatches: [] };
  if (arrays !== undefined) {
    const sources = arrays.map((index) => ({ kind: 'input', index }) as const);
    const targets = program.outputs.map((_, index) => ({ kind: 'output', index }) as const);
    const part = { program, sources, targets };
    if (partCode(part).bindings.length <= adapter.maxBindings)
      return { dispatches: [lowerPart(part, adapter)] };
  }
  const { parts, scratch } = splitProgram(program, adapter.maxBindings);
  const dispatches = parts.map((part) => lowerPart(part, adapter));
  if (scratch === 0) return { dispatches };
  return { dispatches, scratch: new Array<number>(scratch).fill(bytesOf(program.shape)) };
}

function partCode({ program, sources, targets }: BoundProgram): ProgramCode {
  return programCode(program, { width: programWidth(program), sources, targets });
}

function lowerPart(part: BoundProgram, adapter: AdapterFacts): Dispatch {
  const { program } = part;
  const { bindings, statements, elementwise } = partCode(part);
  const grid = gridFor(sizeOf(program.shape), programWidth(program), adapter);
  const body = gridStride(grid, statements);
  const { workgroups } = grid;
  return shader({ label: program.label, bindings, workgroups, body, elementwise: [elementwise] }, adapter);
}

/** The widest form in which a program can be written. */
export function programWidth(program: ElementwiseProgram): Width {
  const { shape, strides } = spaceOf(program);
  if ((shape.at(-1) ?? 1) % 4 !== 0) return 1;
  return program.inputs.every((input, k) => readsVectors(input, strides[k] ?? [])) ? 4 : 1;
}

/** What a program iterates over, with as few dimensions as the layouts of its inputs allow. */
function spaceOf({ shape, inputs }: ElementwiseProgram): CollapsedSpace {
  return collapseStrides(
    shape,
    inputs.map((input) => inputStrides(input, shape)),
  );
}

/** Whether input `k` has the element number `i` where the program computes element number `i`. */
export function readsInPlace({ shape, inputs }: ElementwiseProgram, k: number): boolean {
  const input = inputs[k];
  return input !== undefined && input.part === undefined && sizeOf(input.shape) === sizeOf(shape);
}

export interface ProgramCodeOptions {
  readonly width: Width;
  /** What inputs and outputs are bound to; default: inputs and outputs of their own numbers. */
  readonly sources?: readonly BindingSource[];
  readonly targets?: readonly BindingSource[];
  /** Before the names of bindings and variables. */
  readonly prefix?: string;
  /** Inputs that are not loaded: the names of their stored elements number `i`, by position. */
  readonly given?: ReadonlyMap<number, string>;
}

/** A program's statements for element `i`, counted in units of the width, and what they bind. */
export interface ProgramCode {
  readonly inputs: readonly ShaderBinding[];
  readonly outputs: readonly ShaderBinding[];
  readonly bindings: readonly ShaderBinding[];
  /** Statements up to the results. */
  readonly compute: string;
  /** The results as they are stored. */
  readonly results: readonly string[];
  /** `compute` and the stores. */
  readonly statements: string;
  /** What the statements access at element `i` alone; the results are stored when all is read. */
  readonly elementwise: ElementAccesses;
}

/** Writes a program. A width of 4 takes a program of that `programWidth`. */
export function programCode(program: ElementwiseProgram, options: ProgramCodeOptions): ProgramCode {
  const { width, sources = [], targets = [], prefix = '', given = new Map<number, string>() } = options;
  const space = spaceOf(program);
  const reads = program.inputs.map((input, i) => readPlan(space, i, width, input.part?.offset ?? 0));
  const own = program.inputs.map((input, i) =>
    inputBinding(input, i, { source: sources[i], width: reads[i]?.width ?? 1, prefix }),
  );
  const { bindings: inputs, names } = sharedBindings(
    [],
    own.filter((_, i) => !given.has(i)),
  );
  const arrays = own.map(({ name }) => names.get(name) ?? name);
  const outputs = program.outputs.map((step, i) =>
    outputBinding(program, i, { step, source: targets[i], width, prefix }),
  );
  const compute = [
    loads(program, space.shape, { reads, arrays, width, prefix, given }),
    stepStatements(program.steps, (index) => `${prefix}x${index}`, width, `${prefix}s`),
  ].join('\n');
  const results = program.outputs.map((step) => {
    const dtype = program.steps[step]?.dtype ?? 'float32';
    return widen(stored(`${prefix}s${step}`, dtype), width);
  });
  const stores = results.map((result, k) => `${prefix}out${k}[i] = ${result};`);
  return {
    inputs,
    outputs,
    bindings: [...inputs, ...outputs],
    compute,
    results,
    statements: [compute, ...stores].join('\n'),
    elementwise: {
      reads: inputs
        .map(({ name }) => name)
        .filter((name) => isReadAtOwnElement(name, { arrays, reads, given })),
      writes: outputs.map(({ name }) => name),
    },
  };
}

/** Whether all inputs that lie in an array are read at element `i`. */
function isReadAtOwnElement(
  name: string,
  { arrays, reads, given }: Omit<LoadOptions, 'width' | 'prefix'>,
): boolean {
  const own = reads.filter((_, k) => arrays[k] === name && !given.has(k));
  return own.every(({ strides, offset }) => strides === null && offset === 0);
}

/** How an input is read in the loop. */
interface ReadPlan {
  /** Width of the binding; a narrow read in a wide loop is splatted. */
  readonly width: Width;
  /** Strides over the collapsed space, in units of the binding's elements; `null` = the loop index itself. */
  readonly strides: readonly number[] | null;
  /** Where it begins, in the same units. */
  readonly offset: number;
}

function readPlan(
  { shape, strides: all }: CollapsedSpace,
  input: number,
  width: Width,
  offset: number,
): ReadPlan {
  const strides = all[input] ?? [];
  const contiguous = (strides.at(-1) ?? 0) === 1;
  const own: Width = width === 4 && contiguous ? 4 : 1;
  const whole = contiguous && strides.join() === stridesOf(shape).join();
  const first = offset / own;
  if (whole) return { width: own, strides: null, offset: first };
  if (own === 1) return { width: own, strides, offset: first };
  const units = strides.map((s, d) => (d === strides.length - 1 ? 1 : s / 4));
  return { width: own, strides: units, offset: first };
}

interface BindingOptions {
  readonly source: BindingSource | undefined;
  readonly width: Width;
  readonly prefix: string;
}

function inputBinding({ dtype }: ElementInput, index: number, options: BindingOptions): ShaderBinding {
  const { source = { kind: 'input', index }, width, prefix } = options;
  return { name: `${prefix}in${index}`, source, dtype, width, access: 'read' };
}

function outputBinding(
  program: ElementwiseProgram,
  index: number,
  options: BindingOptions & { readonly step: number },
): ShaderBinding {
  const { step, source = { kind: 'output', index }, width, prefix } = options;
  const dtype = program.steps[step]?.dtype ?? 'float32';
  return { name: `${prefix}out${index}`, source, dtype, width };
}

interface LoadOptions {
  readonly reads: readonly ReadPlan[];
  /** Names of the inputs' arrays. */
  readonly arrays: readonly string[];
  readonly width: Width;
  readonly prefix: string;
  readonly given: ReadonlyMap<number, string>;
}

/** Declares the values `x0`, `x1` … of the inputs. */
function loads(
  program: ElementwiseProgram,
  shape: readonly number[],
  { reads, arrays, width, prefix, given }: LoadOptions,
): string {
  const steps = shape.map((dim, d) => (d === shape.length - 1 ? dim / width : dim));
  const coordinates = unflatten('i', steps, `${prefix}c`);
  const needed = reads.some(({ strides }) => strides?.some((stride) => stride !== 0) === true);
  const lines = needed ? [coordinates.code] : [];
  program.inputs.forEach(({ dtype }, k) => {
    const plan = reads[k];
    if (plan === undefined) return;
    const place = plan.strides === null ? 'i' : linearIndex(coordinates.names, plan.strides);
    const element = given.get(k) ?? `${arrays[k] ?? ''}[${withOffset(place, plan.offset)}]`;
    const splat = given.has(k) || plan.width === width ? element : `${storageType(dtype)}(${element})`;
    lines.push(`let ${prefix}x${k} = ${widen(loaded(splat, dtype), width)};`);
  });
  return lines.join('\n');
}

/**
 * The steps of a program as `let` statements named `s0`, `s1` …, for use in any kernel (epilogues).
 * `input` gives the WGSL name of input `i`, whose value must have the type of its dtype (bool for bool)
 * and `width` lanes. Constants that meet nothing else are named first: WGSL refuses constant expressions
 * that overflow, while variables behave as on the device.
 */
export function stepStatements(
  steps: readonly ElementwiseStep[],
  input: (index: number) => string,
  width: Width,
  prefix = 's',
): string {
  const reference = (ref: ElementRef): string => {
    if (ref.kind === 'literal') return literal(ref.value, ref.dtype);
    return ref.kind === 'input' ? input(ref.index) : `${prefix}${ref.index}`;
  };
  const statements = steps.map(({ expression, operands, dtype }, i) => {
    const constant = Object.values(operands).every(({ kind }) => kind === 'literal');
    const named: string[] = [];
    const text = expression.replace(/(?<![.\w])[A-Za-z_]\w*/g, (name) => {
      const ref = Object.hasOwn(operands, name) ? operands[name] : undefined;
      if (ref === undefined) return name;
      if (!constant) return reference(ref);
      const variable = `${prefix}${i}_${name}`;
      const declaration = `let ${variable} = ${widen(reference(ref), width)};`;
      if (!named.includes(declaration)) named.push(declaration);
      return variable;
    });
    return [...named, `let ${prefix}${i} = ${widen(wrapped(text, dtype), width)};`].join('\n');
  });
  return statements.join('\n');
}
