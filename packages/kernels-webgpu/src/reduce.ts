/**
 * Writes the kernels of reductions: one shader per pass of the plan, in the form that suits its shape
 * and the adapter. The order of combination is fixed, so results are the same on every run.
 */
import { sizeOf, type DType } from '@forerun/graph';
import type { Dispatch, KernelContext, Lowered } from './kernel.js';
import { planReduction, type Pass } from './reducePlan.js';
import { literal, storageType, vectorType, wrapped, type Width } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { widen } from './wgsl/library.js';
import { inputBinding, outputBinding, scratchBinding, shader, type ShaderBinding } from './wgsl/shader.js';

/** What is combined and how: scalar WGSL that also holds for `vec4`s (see `widen`). */
export interface Reducer {
  /** For labels. */
  readonly name: string;
  /** What comes of a sum is the sum of what comes of its terms. */
  readonly linear?: boolean;
  /** The value that changes nothing. */
  readonly identity: (dtype: DType) => number;
  /** From an element to what is combined. */
  readonly map?: (x: string, dtype: DType) => string;
  readonly combine: (a: string, b: string, dtype: DType) => string;
  /** From the combination of `count` elements to the result. */
  readonly finish?: (total: string, count: number, dtype: DType) => string;
}

/** Lowers the reduction of input 0 over `axes`, positions in `[0, rank)`, into output 0. */
export function lowerReduction(c: KernelContext, reducer: Reducer, axes: readonly number[]): Lowered {
  const { shape } = c.input(0);
  if (sizeOf(c.output(0).shape) === 0) return { dispatches: [] };
  if (sizeOf(shape) === 0) return { dispatches: [fillIdentity(c, reducer)] };
  const passes = planReduction(shape, axes, c.adapter);
  const count = axes.reduce((product, axis) => product * (shape[axis] ?? 1), 1);
  const dispatches = passes.map((pass, i) => {
    const first = i === 0;
    const last = i === passes.length - 1;
    return lowerPass({ c, reducer, pass, first, last, count, index: i });
  });
  return {
    dispatches,
    scratch: passes.slice(0, -1).map(({ outer, chunks, inner }) => outer * chunks * inner * 4),
  };
}

interface PassContext {
  readonly c: KernelContext;
  readonly reducer: Reducer;
  readonly pass: Pass;
  readonly first: boolean;
  readonly last: boolean;
  /** Elements that each result combines in all passes together. */
  readonly count: number;
  readonly index: number;
}

/** Rows up to this length are read by one invocation each. */
const SHORT_ROW = 64;

function lowerPass(p: PassContext): Dispatch {
  const { adapter } = p.c;
  if (p.pass.inner > 1 || p.pass.n === 1) return columns(p);
  if (p.pass.length <= SHORT_ROW) return rowPerInvocation(p);
  if (!adapter.software) return rowPerWorkgroup(p);
  return adapter.subgroupSize > 1 ? rowPerSubgroup(p) : rowPerInvocation(p);
}

/** Scalar or `vec4` texts of a pass, by width. */
class PassText {
  readonly dtype: DType;

  constructor(private readonly p: PassContext) {
    this.dtype = p.c.input(0).dtype;
  }

  type(width: Width): string {
    return vectorType(storageType(this.dtype), width);
  }

  identity(width: Width): string {
    const { reducer } = this.p;
    return widen(this.stored(literal(reducer.identity(this.dtype), this.dtype)), width);
  }

  /** `accumulator` combined with an element of the input. */
  take(accumulator: string, element: string, width: Width): string {
    const { reducer, first } = this.p;
    const mapped = first && reducer.map !== undefined ? reducer.map(element, this.dtype) : element;
    return widen(reducer.combine(accumulator, mapped, this.dtype), width);
  }

  combine(a: string, b: string): string {
    return this.p.reducer.combine(a, b, this.dtype);
  }

  /** The four lanes of a vector as one value. */
  lanes(vector: string, width: Width): string {
    if (width === 1) return vector;
    return this.combine(
      this.combine(`${vector}.x`, `${vector}.y`),
      this.combine(`${vector}.z`, `${vector}.w`),
    );
  }

  finish(total: string, width: Width = 1): string {
    const { reducer, last, count } = this.p;
    if (!last || reducer.finish === undefined) return widen(wrapped(total, this.dtype), width);
    return widen(wrapped(reducer.finish(total, count, this.dtype), this.dtype), width);
  }

  private stored(text: string): string {
    return this.dtype === 'bool' ? `u32(${text})` : text;
  }
}

function bindings({ c, first, last, index }: PassContext, read: Width, write: Width): ShaderBinding[] {
  const { dtype } = c.input(0);
  const scratch = (i: number, name: string, width: Width): ShaderBinding =>
    scratchBinding(i, name, dtype, width);
  return [
    first ? inputBinding(c, 0, 'x', read) : { ...scratch(index - 1, 'x', read), access: 'read' },
    last ? outputBinding(c, 0, 'out', write) : scratch(index, 'out', write),
  ];
}

/** Declares `begin` and `end` of chunk `chunk` in units of `width` elements. */
function chunkBounds({ pass }: PassContext, chunk: string, width: Width): string {
  const [length, n] = [Math.ceil(pass.length / width), pass.n / width];
  if (pass.chunks === 1) return `let begin = 0u;\nlet end = ${n}u;`;
  return `let begin = ${chunk} * ${length}u;\nlet end = min(begin + ${length}u, ${n}u);`;
}

/** Combines down the middle dimension; every invocation has one column, or four neighbouring ones. */
function columns(p: PassContext): Dispatch {
  const { pass, c, reducer } = p;
  const text = new PassText(p);
  const width: Width = pass.inner % 4 === 0 ? 4 : 1;
  const inner = pass.inner / width;
  const items = pass.outer * pass.chunks * inner;
  const grid = gridFor(items, 1, c.adapter, c.adapter.software && items < 4096 ? 8 : 64);
  const element = (offset: string): string => `x[(o * ${pass.n}u + k${offset}) * ${inner}u + column]`;
  const unrolled = ['', ' + 1u', ' + 2u', ' + 3u'].map(
    (offset) => `acc = ${text.take('acc', element(offset), width)};`,
  );
  const body = `let column = item % ${inner}u;
let o = item / ${inner * pass.chunks}u;
${chunkBounds(p, `((item / ${inner}u) % ${pass.chunks}u)`, 1)}
var acc = ${text.identity(width)};
var k = begin;
for (; k + 4u <= end; k += 4u) {
${unrolled.join('\n')}
}
for (; k < end; k += 1u) {
${unrolled[0] ?? ''}
}
out[item] = ${text.finish('acc', width)};`;
  return shader(
    {
      label: `${reducer.name}.columns`,
      bindings: bindings(p, width, width),
      workgroups: grid.workgroups,
      workgroupSize: c.adapter.software && items < 4096 ? 8 : 64,
      body: gridStride(grid, body, 'item'),
    },
    c.adapter,
  );
}

/** Every invocation combines one chunk of a row. */
function rowPerInvocation(p: PassContext): Dispatch {
  const { pass, c, reducer } = p;
  const text = new PassText(p);
  const width: Width = pass.n % 4 === 0 ? 4 : 1;
  const grid = gridFor(pass.outer * pass.chunks, 1, c.adapter);
  const body = `let base = (row / ${pass.chunks}u) * ${pass.n / width}u;
${chunkBounds(p, `(row % ${pass.chunks}u)`, width)}
var acc = ${text.identity(width)};
for (var k = begin; k < end; k += 1u) {
acc = ${text.take('acc', 'x[base + k]', width)};
}
out[row] = ${text.finish(text.lanes('acc', width))};`;
  return shader(
    {
      label: `${reducer.name}.rowPerInvocation`,
      bindings: bindings(p, width, 1),
      workgroups: grid.workgroups,
      body: gridStride(grid, body, 'row'),
    },
    c.adapter,
  );
}

/** The loop of a row that `lanes` invocations read together, with four accumulators where rows are long. */
function sharedRow(p: PassContext, lanes: number, width: Width): string {
  const text = new PassText(p);
  const { pass } = p;
  const long = pass.length / width >= 8 * lanes;
  const names = long ? ['acc0', 'acc1', 'acc2', 'acc3'] : ['acc0'];
  const declare = names.map((name) => `var ${name} = ${text.identity(width)};`);
  const steps = names.map((name, i) => `${name} = ${text.take(name, `x[base + k + ${i * lanes}u]`, width)};`);
  const total = long
    ? widen(text.combine(text.combine('acc0', 'acc1'), text.combine('acc2', 'acc3')), width)
    : 'acc0';
  const main = `for (; k + ${3 * lanes}u < end; k += ${4 * lanes}u) {\n${steps.join('\n')}\n}`;
  return `let base = (row / ${pass.chunks}u) * ${pass.n / width}u;
${chunkBounds(p, `(row % ${pass.chunks}u)`, width)}
${declare.join('\n')}
var k = begin + local_index;
${long ? main : ''}
for (; k < end; k += ${lanes}u) {
${steps[0] ?? ''}
}
let row_total: ${text.type(width)} = ${total};
var acc: ${text.type(1)} = ${text.lanes('row_total', width)};`;
}

/** The loop over all rows by workgroups, one row at a time each. */
function rowLoop({ pass, c }: PassContext, body: string): { body: string; groups: number } {
  const rows = pass.outer * pass.chunks;
  const groups = Math.min(rows, c.adapter.software ? 256 : c.adapter.maxWorkgroups);
  return { groups, body: `for (var row = group_id.x; row < ${rows}u; row += ${groups}u) {\n${body}\n}` };
}

/** Every workgroup is one subgroup and combines one chunk of a row at a time by exchanging lanes. */
function rowPerSubgroup(p: PassContext): Dispatch {
  const { c, pass, reducer } = p;
  const text = new PassText(p);
  const size = c.adapter.subgroupSize;
  const width: Width = pass.n % 4 === 0 ? 4 : 1;
  const exchange: string[] = [];
  for (let distance = 1; distance < size; distance *= 2) {
    exchange.push(`acc = ${text.combine('acc', `subgroupShuffleXor(acc, ${distance}u)`)};`);
  }
  const { body, groups } = rowLoop(
    p,
    `${sharedRow(p, size, width)}
${exchange.join('\n')}
if (local_index == 0u) {
out[row] = ${text.finish('acc')};
}`,
  );
  return shader(
    {
      label: `${reducer.name}.rowPerSubgroup`,
      bindings: bindings(p, width, 1),
      workgroups: [groups, 1, 1],
      workgroupSize: size,
      body,
    },
    c.adapter,
  );
}

/** Every workgroup combines one chunk of a row at a time by a tree in workgroup memory. */
function rowPerWorkgroup(p: PassContext): Dispatch {
  const { c, pass, reducer } = p;
  const text = new PassText(p);
  const width: Width = pass.n % 4 === 0 ? 4 : 1;
  const size = Math.min(pass.length >= 2048 ? 256 : 64, c.adapter.maxInvocations);
  const { body, groups } = rowLoop(
    p,
    `${sharedRow(p, size, width)}
partial[local_index] = acc;
workgroupBarrier();
for (var half = ${size / 2}u; half > 0u; half /= 2u) {
if (local_index < half) {
partial[local_index] = ${text.combine('partial[local_index]', 'partial[local_index + half]')};
}
workgroupBarrier();
}
if (local_index == 0u) {
out[row] = ${text.finish('partial[0]')};
}
workgroupBarrier();`,
  );
  return shader(
    {
      label: `${reducer.name}.rowPerWorkgroup`,
      bindings: bindings(p, width, 1),
      workgroups: [groups, 1, 1],
      workgroupSize: size,
      declarations: `var<workgroup> partial: array<${text.type(1)}, ${size}>;`,
      body,
    },
    c.adapter,
  );
}

/** The result of combining nothing, for every element of the output. */
function fillIdentity(c: KernelContext, reducer: Reducer): Dispatch {
  const { dtype, shape } = c.output(0);
  const grid = gridFor(sizeOf(shape), 1, c.adapter);
  const identity = literal(reducer.identity(dtype), dtype);
  const total = dtype === 'bool' ? `u32(${identity})` : identity;
  const result = reducer.finish?.('total', 0, dtype) ?? 'total';
  return shader(
    {
      label: `${reducer.name}.empty`,
      bindings: [outputBinding(c)],
      workgroups: grid.workgroups,
      body: gridStride(grid, `let total = ${total};\nout[i] = ${result};`),
    },
    c.adapter,
  );
}
