/**
 * The kernel of `Einsum`. Every equation has a direct form: one invocation, or for long sums one workgroup, adds the
 * products of an output element. Two operands that are matrices in disguise are multiplied by the matrix
 * product's kernels instead, after operands in another order have been copied into scratch buffers.
 */
import { labelEquation, sizeOf, stridesOf, type OpName } from '@forerun/graph';
import {
  device,
  type BindingSource,
  type Dispatch,
  type Kernel,
  type KernelContext,
  type Lowered,
} from './kernel.js';
import { lowerProduct, productShape, type MatrixProduct } from './matrix.js';
import { lowerChosen } from './contraction/candidates.js';
import { storageType, wrapped } from './wgsl/dtype.js';
import { bytesOf, gridFor, gridStride, linearIndex, unflatten } from './wgsl/indexing.js';
import { inputBinding, outputBinding, rebound, shader, type ShaderBinding } from './wgsl/shader.js';

/** A tensor whose dimensions have labels. */
interface Labelled {
  readonly source: BindingSource;
  readonly labels: readonly string[];
  readonly shape: readonly number[];
}

type Sizes = ReadonlyMap<string, number>;

const WORKGROUP = 256;
/** From this many terms on, few output elements are given a workgroup each. */
const LONG_SUM = 512;
const FEW_OUTPUTS = 8192;

/** How far a label steps through an operand: repeated labels walk its diagonal, broadcast ones stand still. */
function strideOf({ labels, shape }: Labelled, label: string, size: number): number {
  const strides = stridesOf(shape);
  return labels.reduce((sum, own, d) => {
    const still = own !== label || (shape[d] === 1 && size !== 1);
    return still ? sum : sum + (strides[d] ?? 0);
  }, 0);
}

function sizesOf(operands: readonly Labelled[]): Sizes {
  const sizes = new Map<string, number>();
  for (const { labels, shape } of operands) {
    labels.forEach((label, d) => {
      const dim = shape[d] ?? 1;
      const known = sizes.get(label);
      if (known === undefined || known === 1) sizes.set(label, dim);
    });
  }
  return sizes;
}

const without = (labels: readonly string[], other: readonly string[]): string[] =>
  labels.filter((label) => !other.includes(label));
const within = (labels: readonly string[], other: readonly string[]): string[] =>
  labels.filter((label) => other.includes(label));
const unique = (labels: readonly string[]): string[] => [...new Set(labels)];

function binding(c: KernelContext, source: BindingSource, name: string): ShaderBinding {
  if (source.kind === 'input') return inputBinding(c, source.index, name);
  if (source.kind === 'output') return outputBinding(c, 0, name);
  return { name, source, dtype: c.output(0).dtype };
}

/** Sums the products of `operands` into `target`, whatever the labels. */
function direct(c: KernelContext, operands: readonly Labelled[], target: Labelled, sizes: Sizes): Dispatch[] {
  const outputs = sizeOf(target.shape);
  if (outputs === 0) return [];
  const summed = without(unique(operands.flatMap(({ labels }) => labels)), target.labels);
  const dims = summed.map((label) => sizes.get(label) ?? 1);
  const terms = sizeOf(dims);
  const [out, term] = [unflatten('i', target.shape, 'o'), unflatten('s', dims, 's')];
  const kept = unique(target.labels);
  const names = kept.map((label) => out.names[target.labels.indexOf(label)] ?? '0u');
  const factors = operands.map((operand, k) => {
    const stride = (label: string): number => strideOf(operand, label, sizes.get(label) ?? 1);
    const base = linearIndex(names, kept.map(stride));
    const step = linearIndex(term.names, summed.map(stride));
    return { base: `let base${k} = ${base};`, element: `x${k}[base${k} + ${step}]` };
  });
  const { dtype } = c.output(0);
  const product = factors.map(({ element }) => element).join(' * ');
  const sum: Sum = {
    outputs,
    terms,
    type: storageType(dtype),
    coordinates: [out.code, ...factors.map(({ base }) => base)].join('\n'),
    add: `${term.code}\nsum = ${wrapped(`(sum + ${product})`, dtype)};`,
    onDiagonal: diagonalTest(target.labels, out.names),
    wrap: (text) => wrapped(text, dtype),
  };
  const bindings = [
    ...operands.map(({ source }, k) => ({ ...binding(c, source, `x${k}`), access: 'read' as const })),
    binding(c, target.source, 'out'),
  ];
  const long = terms >= LONG_SUM && outputs <= FEW_OUTPUTS && !c.adapter.software;
  return [long ? sumByWorkgroup(c, bindings, sum) : sumByInvocation(c, bindings, sum)];
}

/** What both forms of the direct kernel are written from. */
interface Sum {
  readonly outputs: number;
  readonly terms: number;
  readonly type: string;
  readonly coordinates: string;
  /** Adds term `s` to `sum`. */
  readonly add: string;
  /** Whether output element `i` is on the diagonal that repeated output labels mean. */
  readonly onDiagonal: string;
  readonly wrap: (text: string) => string;
}

function diagonalTest(labels: readonly string[], names: readonly string[]): string {
  const tests = labels.flatMap((label, d) => {
    const first = labels.indexOf(label);
    return first === d ? [] : [`${names[first] ?? '0u'} == ${names[d] ?? '0u'}`];
  });
  return tests.join(' && ');
}

function sumByInvocation(c: KernelContext, bindings: readonly ShaderBinding[], sum: Sum): Dispatch {
  const grid = gridFor(sum.outputs, 1, c.adapter);
  const loop = `for (var s = 0u; s < ${sum.terms}u; s += 1u) {\n${sum.add}\n}`;
  const guarded = sum.onDiagonal === '' ? loop : `if (${sum.onDiagonal}) {\n${loop}\n}`;
  const body = `${sum.coordinates}\nvar sum = ${sum.type}(0);\n${guarded}\nout[i] = sum;`;
  const spec = {
    label: 'Einsum.direct',
    bindings,
    workgroups: grid.workgroups,
    body: gridStride(grid, body),
  };
  return shader(spec, c.adapter);
}

function sumByWorkgroup(c: KernelContext, bindings: readonly ShaderBinding[], sum: Sum): Dispatch {
  const groups = Math.min(sum.outputs, c.adapter.maxWorkgroups);
  const size = Math.min(WORKGROUP, c.adapter.maxInvocations);
  const total = `select(${sum.type}(0), parts[0], ${sum.onDiagonal === '' ? 'true' : sum.onDiagonal})`;
  const body = `for (var i = group_id.x; i < ${sum.outputs}u; i += ${groups}u) {
${sum.coordinates}
var sum = ${sum.type}(0);
for (var s = local_index; s < ${sum.terms}u; s += ${size}u) {
${sum.add}
}
parts[local_index] = sum;
workgroupBarrier();
for (var half = ${size / 2}u; half > 0u; half /= 2u) {
if (local_index < half) { parts[local_index] = ${sum.wrap('(parts[local_index] + parts[local_index + half])')}; }
workgroupBarrier();
}
if (local_index == 0u) { out[i] = ${total}; }
workgroupBarrier();
}`;
  return shader(
    {
      label: 'Einsum.workgroup',
      bindings,
      workgroups: [groups, 1, 1],
      workgroupSize: size,
      declarations: `var<workgroup> parts: array<${sum.type}, ${size}>;`,
      body,
    },
    c.adapter,
  );
}

/** The parts that labels play in a product of two operands. */
interface Roles {
  readonly batch: readonly string[];
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly depth: readonly string[];
}

function rolesOf(a: Labelled, b: Labelled, target: Labelled): Roles {
  const shared = within(unique(target.labels), a.labels);
  return {
    batch: within(shared, b.labels),
    rows: without(shared, b.labels),
    columns: without(unique(target.labels), a.labels),
    depth: without(within(unique(a.labels), b.labels), target.labels),
  };
}

/** Lists scratch buffers and the dispatches that fill them. */
class Steps {
  readonly dispatches: Dispatch[] = [];
  readonly scratch: number[] = [];

  constructor(
    readonly c: KernelContext,
    readonly sizes: Sizes,
  ) {}

  buffer(labels: readonly string[]): Labelled {
    const shape = labels.map((label) => this.sizes.get(label) ?? 1);
    this.scratch.push(Math.max(4, bytesOf(shape)));
    return { source: { kind: 'scratch', index: this.scratch.length - 1 }, labels, shape };
  }

  /** `x` with its dimensions as in `labels`, copied only where they are not so already. */
  ordered(x: Labelled, labels: readonly string[]): Labelled {
    const copy = this.buffer(labels);
    this.dispatches.push(...direct(this.c, [x], copy, this.sizes));
    return copy;
  }
}

/** Whether the dimensions of `x` are exactly those of `labels`, none of them broadcast. */
function isOrdered(x: Labelled, labels: readonly string[], sizes: Sizes): boolean {
  return x.labels.join() === labels.join() && x.labels.every((label, d) => x.shape[d] === sizes.get(label));
}

/** A factor as a batch of matrices, as it lies or copied. */
function factor(
  steps: Steps,
  x: Labelled,
  orders: { readonly plain: readonly string[]; readonly transposed: readonly string[] },
): { matrix: Labelled; transposed: boolean } {
  if (isOrdered(x, orders.plain, steps.sizes)) return { matrix: x, transposed: false };
  if (isOrdered(x, orders.transposed, steps.sizes)) return { matrix: x, transposed: true };
  return { matrix: steps.ordered(x, orders.plain), transposed: false };
}

function lowerAsProduct(c: KernelContext, a: Labelled, b: Labelled, target: Labelled, sizes: Sizes): Lowered {
  const { batch, rows, columns, depth } = rolesOf(a, b, target);
  const steps = new Steps(c, sizes);
  const left = factor(steps, a, {
    plain: [...batch, ...rows, ...depth],
    transposed: [...batch, ...depth, ...rows],
  });
  const right = factor(steps, b, {
    plain: [...batch, ...depth, ...columns],
    transposed: [...batch, ...columns, ...depth],
  });
  const order = [...batch, ...rows, ...columns];
  const result = target.labels.join() === order.join() ? target : steps.buffer(order);
  const size = (labels: readonly string[]): number => sizeOf(labels.map((label) => sizes.get(label) ?? 1));
  const batchShape = [size(batch)];
  const product: MatrixProduct = {
    rows: size(rows),
    columns: size(columns),
    depth: size(depth),
    transposeA: left.transposed,
    transposeB: right.transposed,
    batchShape,
    batchA: batchShape,
    batchB: batchShape,
  };
  multiply(steps, product, [left.matrix, right.matrix, result]);
  if (result !== target) steps.dispatches.push(...direct(c, [result], target, sizes));
  return { dispatches: steps.dispatches, scratch: steps.scratch };
}

/** The matrix product of operands that may lie in scratch buffers. */
function multiply(
  steps: Steps,
  product: MatrixProduct,
  [a, b, out]: readonly [Labelled, Labelled, Labelled],
): void {
  const { c } = steps;
  const dtype = c.output(0).dtype;
  const seen: KernelContext = {
    ...c,
    inputs: [a, b].map(({ shape }) => ({ dtype, shape })),
    outputs: [{ dtype, shape: out.shape }],
    input: (i) => ({ dtype, shape: (i === 0 ? a : b).shape }),
    output: () => ({ dtype, shape: out.shape }),
    unsupported: (why) => c.unsupported(why),
  };
  const lowered = lowerChosen(seen, productShape(product), (v) => lowerProduct(seen, product, v));
  const first = steps.scratch.length;
  steps.scratch.push(...(lowered.scratch ?? []));
  const moved = (source: BindingSource): BindingSource => {
    if (source.kind === 'input') return (source.index === 0 ? a : b).source;
    if (source.kind === 'output') return out.source;
    return source.kind === 'scratch' ? { kind: 'scratch', index: first + source.index } : source;
  };
  steps.dispatches.push(...lowered.dispatches.map((dispatch) => rebound(dispatch, moved)));
}

/** Whether the product's kernels gain anything: sums of some length, for matrices and not for single numbers. */
function isProduct(a: Labelled, b: Labelled, target: Labelled, sizes: Sizes): boolean {
  const { rows, columns, depth } = rolesOf(a, b, target);
  const size = (labels: readonly string[]): number => sizeOf(labels.map((label) => sizes.get(label) ?? 1));
  const alone = [
    ...without(a.labels, [...b.labels, ...target.labels]),
    ...without(b.labels, [...a.labels, ...target.labels]),
  ];
  return alone.length === 0 && size(rows) * size(columns) >= 16 && size(depth) >= 4;
}

function lowerEinsum(c: KernelContext): Lowered {
  const { dtype, shape } = c.output(0);
  if (dtype === 'bool') c.unsupported('bools have no sums of products');
  const equation = c.attrs.string('equation');
  const labels = labelEquation(
    equation,
    c.inputs.map((input) => input.shape.length),
  );
  if (typeof labels === 'string') c.unsupported(labels);
  const operands = c.inputs.map((input, index): Labelled => {
    return { source: { kind: 'input', index }, labels: labels.inputs[index] ?? [], shape: input.shape };
  });
  const target: Labelled = { source: { kind: 'output', index: 0 }, labels: labels.output, shape };
  const sizes = sizesOf(operands);
  const [a, b, ...more] = operands;
  if (a !== undefined && b !== undefined && more.length === 0 && sizeOf(shape) > 0) {
    // The factor whose labels lead in the output is the left one.
    const first = target.labels.find((label) => a.labels.includes(label) !== b.labels.includes(label));
    const [left, right] = first !== undefined && b.labels.includes(first) ? [b, a] : [a, b];
    if (isProduct(left, right, target, sizes)) return lowerAsProduct(c, left, right, target, sizes);
  }
  return { dispatches: direct(c, operands, target, sizes) };
}

export const EINSUM_KERNELS = { Einsum: device(lowerEinsum) } satisfies Partial<Record<OpName, Kernel>>;
