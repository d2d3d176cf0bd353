/** Kernels of the array ops that look for each output element whether, and where, the input has it. */
import { resolveStridedSlice, sizeOf, sliceMasks, stridesOf, type OpName } from '@forerun/graph';
import { MOVES_ONCE, device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { literal, storageType, vectorType, type Width } from './wgsl/dtype.js';
import { bytesOf, gridFor, gridStride, linearIndex, unflatten } from './wgsl/indexing.js';
import { inputBinding, outputBinding, scratchBinding, shader, type ShaderBinding } from './wgsl/shader.js';

/** How the output coordinate `i32` called `p` of one dimension leads to one of the input. */
interface AxisRule {
  readonly output: number;
  readonly input: number;
  /** The input coordinate as an `i32` expression of `p`. */
  readonly coordinate: (p: string) => string;
  /** The condition under which the input has the element; absent: always. */
  readonly inside?: (p: string) => string;
  /** The coordinates are equal and the rule can be merged with its neighbours. */
  readonly same: boolean;
}

/** A dimension that is passed on as it is. */
function passed(dim: number): AxisRule {
  return { output: dim, input: dim, coordinate: (p) => p, same: true };
}

/** Merges neighbouring dimensions that are passed on. */
function mergeRules(rules: readonly AxisRule[]): AxisRule[] {
  const merged: AxisRule[] = [];
  for (const rule of rules) {
    const last = merged.at(-1);
    if (last !== undefined && last.same && rule.same)
      merged[merged.length - 1] = passed(last.output * rule.output);
    else merged.push(rule);
  }
  return merged;
}

/**
 * One loop over the output: the element of input `input` that the rules lead to, or `fill` where it has
 * none. Runs in vectors when the last dimension is passed on.
 */
function lowerRules(c: KernelContext, input: number, axes: readonly AxisRule[], fill: Fill): Lowered {
  const elements = sizeOf(c.output(0).shape);
  if (elements === 0) return { dispatches: [] };
  const rules = mergeRules(axes);
  const last = rules.at(-1);
  const width: Width = last?.same === true && last.output % 4 === 0 ? 4 : 1;
  const grid = gridFor(elements, width, c.adapter);
  const bindings = [
    inputBinding(c, input, 'source', sizeOf(c.input(input).shape) % 4 === 0 ? width : 1),
    ...(fill.input === undefined ? [] : [inputBinding(c, fill.input, 'fill_value')]),
    outputBinding(c, 0, 'out', width),
  ];
  const body = gridStride(grid, ruleBody(c, rules, width, fill));
  return { dispatches: [shader({ label: c.op, bindings, workgroups: grid.workgroups, body }, c.adapter)] };
}

/** What stands where the input has no element: 0, or the only element of an input. */
interface Fill {
  readonly input?: number;
}

function ruleBody(c: KernelContext, rules: readonly AxisRule[], width: Width, fill: Fill): string {
  const { dtype } = c.output(0);
  const type = storageType(dtype);
  const narrow = (dims: readonly number[]): number[] =>
    dims.map((d, i) => (i === dims.length - 1 ? d / width : d));
  const { code, names } = unflatten('i', narrow(rules.map(({ output }) => output)));
  const strides = stridesOf(narrow(rules.map(({ input }) => input)));
  const empty = fill.input === undefined ? literal(0, type === 'u32' ? 'uint32' : dtype) : 'fill_value[0]';
  const lines = [code, `var value = ${vectorType(type, width)}(${empty});`];
  const conditions: string[] = [];
  const reads = rules.map((rule, d) => {
    const name = names[d] ?? '0u';
    if (rule.same) return name;
    lines.push(`let p${d} = i32(${name});`);
    const inside = rule.inside?.(`p${d}`);
    if (inside !== undefined) conditions.push(inside);
    return `u32(${rule.coordinate(`p${d}`)})`;
  });
  const load = `value = source[${linearIndex(reads, strides)}];`;
  if (conditions.length === 0) lines.push(load);
  else lines.push(`if (${conditions.join(' && ')}) {\n${load}\n}`);
  lines.push('out[i] = value;');
  return lines.join('\n');
}

/** Pairs [before, after] per dimension. */
function paddingsOf(c: KernelContext): [number, number][] {
  const { data } = c.requireHost(1, 'paddings');
  return c.input(0).shape.map((_, d) => [data[2 * d] ?? 0, data[2 * d + 1] ?? 0]);
}

function lowerPad(c: KernelContext, fill: Fill): Lowered {
  const paddings = paddingsOf(c);
  const rules = c.input(0).shape.map((dim, d): AxisRule => {
    const [before, after] = paddings[d] ?? [0, 0];
    if (before === 0 && after === 0) return passed(dim);
    return {
      output: dim + before + after,
      input: dim,
      coordinate: (p) => `(${p} - ${before})`,
      inside: (p) => `${p} >= ${before} && ${p} < ${before + dim}`,
      same: false,
    };
  });
  return lowerRules(c, 0, rules, fill);
}

/** 1 when the mirror leaves out the edge. */
function mirrorOffset(c: KernelContext): 0 | 1 {
  return c.attrs.string('mode') === 'REFLECT' ? 1 : 0;
}

function lowerMirrorPad(c: KernelContext): Lowered {
  const paddings = paddingsOf(c);
  const skip = mirrorOffset(c);
  const rules = c.input(0).shape.map((dim, d): AxisRule => {
    const [before, after] = paddings[d] ?? [0, 0];
    if (before === 0 && after === 0) return passed(dim);
    const start = skip - 1;
    const end = 2 * dim - 1 - skip;
    return {
      output: dim + before + after,
      input: dim,
      coordinate: (p) => {
        const x = `(${p} - ${before})`;
        return `select(select(${x}, ${end} - ${x}, ${x} >= ${dim}), ${start} - ${x}, ${x} < 0)`;
      },
      same: false,
    };
  });
  return lowerRules(c, 0, rules, {});
}

function lowerStridedSliceGrad(c: KernelContext): Lowered {
  const { shape } = c.output(0);
  const bounds = {
    begin: [...c.requireHost(1, 'begin').data],
    end: [...c.requireHost(2, 'end').data],
    strides: [...c.requireHost(3, 'strides').data],
  };
  const slice = resolveStridedSlice(shape, bounds, sliceMasks(c.attrs), (rule) => c.unsupported(rule));
  const rules = slice.ranges.map(({ begin, stride, count }, d): AxisRule => {
    const [dim, taken] = [shape[d] ?? 1, count ?? 0];
    if (begin === 0 && stride === 1 && taken === dim) return passed(dim);
    const [size, step] = [Math.abs(stride), stride < 0 ? -1 : 1];
    // Steps from the first element that is read, in the direction of the stride.
    const walked = (p: string): string => (step < 0 ? `(${begin} - ${p})` : `(${p} - ${begin})`);
    const onGrid = (p: string): string => (size === 1 ? '' : ` && ${walked(p)} % ${size} == 0`);
    return {
      output: dim,
      input: taken,
      coordinate: (p) => (size === 1 ? walked(p) : `(${walked(p)} / ${size})`),
      inside: (p) => `${walked(p)} >= 0 && ${walked(p)} < ${taken * size}${onGrid(p)}`,
      same: false,
    };
  });
  return lowerRules(c, 4, rules, {});
}

/** One dimension of a tensor with its surroundings flattened. */
interface FoldStep {
  readonly outer: number;
  readonly inner: number;
  readonly dim: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Folds one padded dimension after the other: an element gets itself and its images in the border
 * before and after, at most three in all. Values between the steps are in scratch buffers.
 */
function lowerMirrorPadGrad(c: KernelContext): Lowered {
  if (sizeOf(c.output(0).shape) === 0) return { dispatches: [] };
  const steps = foldSteps(c);
  const { dtype } = c.output(0);
  const scratch: number[] = [];
  const dispatches = steps.map((step, k) => {
    const from = k === 0 ? inputBinding(c, 0, 'source') : scratchBinding(k - 1, 'source', dtype);
    const isLast = k === steps.length - 1;
    if (!isLast) scratch.push(bytesOf([step.outer, step.dim, step.inner]));
    const to = isLast ? outputBinding(c) : scratchBinding(k, 'out', dtype);
    return foldDispatch(c, step, [{ ...from, access: 'read' }, to]);
  });
  return { dispatches, scratch };
}

function foldSteps(c: KernelContext): FoldStep[] {
  const paddings = paddingsOf(c);
  const dims = [...c.input(0).shape];
  const steps: FoldStep[] = [];
  paddings.forEach(([before, after], d) => {
    const isLast = d === paddings.length - 1 && steps.length === 0;
    if (before === 0 && after === 0 && !isLast) return;
    const dim = (dims[d] ?? 1) - before - after;
    dims[d] = dim;
    steps.push({ outer: sizeOf(dims.slice(0, d)), inner: sizeOf(dims.slice(d + 1)), dim, before, after });
  });
  return steps.length > 0 ? steps : [{ outer: 1, inner: 1, dim: 1, before: 0, after: 0 }];
}

function foldDispatch(
  c: KernelContext,
  { outer, inner, dim, before, after }: FoldStep,
  bindings: readonly ShaderBinding[],
): Lowered['dispatches'][number] {
  const skip = mirrorOffset(c);
  const padded = dim + before + after;
  const grid = gridFor(outer * dim * inner, 1, c.adapter);
  const { code, names } = unflatten('i', [outer, dim, inner]);
  const [o = '0u', x = '0u', n = '0u'] = names;
  const at = (position: string): string =>
    `source[(${o} * ${padded}u + u32(${position})) * ${inner}u + ${n}]`;
  const lines = [
    code,
    `let x = i32(${x});`,
    `var value = ${at(`x + ${before}`)};`,
    // Position in the padded dimension of the image before the start, and of the one after the end.
    `let head = ${before + skip - 1} - x;`,
    `if (head >= 0 && x >= ${skip}) {\nvalue += ${at('head')};\n}`,
    `let tail = ${before + 2 * dim - 1 - skip} - x;`,
    `if (tail < ${padded} && x < ${dim - skip}) {\nvalue += ${at('tail')};\n}`,
    'out[i] = value;',
  ];
  const body = gridStride(grid, lines.join('\n'));
  return shader({ label: c.op, bindings, workgroups: grid.workgroups, body }, c.adapter);
}

export const BORDER_KERNELS = {
  Pad: device((c) => lowerPad(c, {}), MOVES_ONCE),
  PadV2: device((c) => lowerPad(c, { input: 2 }), MOVES_ONCE),
  MirrorPad: device(lowerMirrorPad, MOVES_ONCE),
  MirrorPadGrad: device(lowerMirrorPadGrad),
  StridedSliceGrad: device(lowerStridedSliceGrad, MOVES_ONCE),
} satisfies Partial<Record<OpName, Kernel>>;
