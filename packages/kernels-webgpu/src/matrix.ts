/** Kernels of matrix products. */
import { sizeOf, type OpName } from '@forerun/graph';
import { lowerChosen } from './contraction/candidates.js';
import type { Contraction, Variant } from './contraction/contraction.js';
import { linearFactor, linearOutput } from './contraction/linear.js';
import { lowerContraction } from './contraction/lower.js';
import type { ContractionShape } from './contraction/variant.js';
import { withFusedSteps } from './fusedSteps.js';
import {
  device,
  STORES_ONCE,
  type Kernel,
  type KernelContext,
  type KernelFacts,
  type Lowered,
} from './kernel.js';
import { MATRIX_DIAG_KERNELS } from './matrixDiag.js';
import { broadcastStrides, linearIndex, unflatten } from './wgsl/indexing.js';
import { inputBinding, outputBinding } from './wgsl/shader.js';

/** A (batched) product with everything that its kernel depends on. */
export interface MatrixProduct {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Leading dimensions of the output and of both factors. */
  readonly batchShape: readonly number[];
  readonly batchA: readonly number[];
  readonly batchB: readonly number[];
}

/** The product that the op in `c` asks for; `transposes` are its attributes. */
export function matrixProduct(c: KernelContext, transposeA: boolean, transposeB: boolean): MatrixProduct {
  const [a, b, out] = [c.input(0).shape, c.input(1).shape, c.output(0).shape];
  return {
    rows: out.at(-2) ?? 1,
    columns: out.at(-1) ?? 1,
    depth: a.at(transposeA ? -2 : -1) ?? 1,
    transposeA,
    transposeB,
    batchShape: out.slice(0, -2),
    batchA: a.slice(0, -2),
    batchB: b.slice(0, -2),
  };
}

/** What the choice of a variant depends on. */
export function productShape(p: MatrixProduct): ContractionShape {
  return {
    kind: 'product',
    rows: p.rows,
    columns: p.columns,
    depth: p.depth,
    batch: sizeOf(p.batchShape),
    detail: `${p.transposeA ? 'T' : 'N'}${p.transposeB ? 'T' : 'N'}`,
    splits: (wanted) => depthSplits(p.depth, wanted),
  };
}

/** The largest number of equal parts of the depth, at most `wanted`, that keeps vectors whole. */
function depthSplits(depth: number, wanted: number): number {
  const unit = depth % 4 === 0 ? 4 : 1;
  for (let parts = wanted; parts > 1; parts--) if (depth % (parts * unit) === 0) return parts;
  return 1;
}

/** Lowers a product with a given variant, so that tuning and tests can choose. */
export function lowerProduct(c: KernelContext, p: MatrixProduct, v: Variant): Lowered {
  const { rows, columns } = p;
  const depth = p.depth / v.splits;
  const a = factorStrides(p.transposeA, rows, p.depth);
  const b = factorStrides(!p.transposeB, columns, p.depth);
  const batch = batchOffsets(p);
  const contraction: Contraction = {
    label: c.op,
    dtype: c.output(0).dtype,
    rows,
    columns,
    depth,
    batch: sizeOf(p.batchShape),
    loops: v.splits === 1 ? [] : [{ variable: 'chunk', count: v.splits }],
    prologue: batch.code,
    a: linearFactor({
      binding: inputBinding(c, 0, 'a'),
      free: rows,
      depth,
      ...a,
      terms: [['batch_a', batch.a], ...chunkTerm(v, depth * a.depthStride)],
    }),
    b: linearFactor({
      binding: inputBinding(c, 1, 'b'),
      free: columns,
      depth,
      ...b,
      terms: [['batch_b', batch.b], ...chunkTerm(v, depth * b.depthStride)],
    }),
    output: linearOutput({
      binding: outputBinding(c),
      columns,
      rowStride: columns,
      columnStride: 1,
      terms: [['batch', rows * columns]],
    }),
  };
  return lowerContraction(c, contraction, v);
}

/** Strides of a factor stored `[free, depth]`, or `[depth, free]` when `depthFirst`. */
function factorStrides(
  depthFirst: boolean,
  free: number,
  depth: number,
): { freeStride: number; depthStride: number } {
  return depthFirst ? { freeStride: 1, depthStride: free } : { freeStride: depth, depthStride: 1 };
}

function chunkTerm(v: Variant, stride: number): [string, number][] {
  return v.splits === 1 ? [] : [['chunk', stride]];
}

/** Which matrix of each factor a product reads: `batch_a` and `batch_b`, and the sizes of the matrices. */
function batchOffsets(p: MatrixProduct): { code: string; a: number; b: number } {
  const [a, b] = [p.rows * p.depth, p.columns * p.depth];
  if (p.batchShape.every((dim) => dim === 1)) return { code: 'let batch_a = 0u;\nlet batch_b = 0u;', a, b };
  const { code, names } = unflatten('batch', p.batchShape, 'batch_dim');
  const offset = (shape: readonly number[]): string =>
    linearIndex(names, broadcastStrides(shape, p.batchShape));
  return { code: `${code}\nlet batch_a = ${offset(p.batchA)};\nlet batch_b = ${offset(p.batchB)};`, a, b };
}

function lowerProductOf(c: KernelContext, transposeA: string, transposeB: string): Lowered {
  const product = matrixProduct(c, c.attrs.bool(transposeA), c.attrs.bool(transposeB));
  return lowerChosen(c, productShape(product), (v) => lowerProduct(c, product, v));
}

const PRODUCT: KernelFacts = { ...STORES_ONCE, work: 'contraction' };

function lowerWith(transposeA: string, transposeB: string): Kernel {
  return device((c) => lowerProductOf(c, transposeA, transposeB), PRODUCT);
}

/** Factors and product of one dtype, which is all that the contraction multiplies. */
const batchMatMulV3 = device(
  (c) => {
    const [x, y, out] = [c.input(0).dtype, c.input(1).dtype, c.output(0).dtype];
    if (x !== y || x !== out) c.unsupported(`products of ${x} and ${y} as ${out} need a cast first`);
    return lowerProductOf(c, 'adj_x', 'adj_y');
  },
  { work: 'contraction' },
);

export const MATRIX_KERNELS = {
  ...MATRIX_DIAG_KERNELS,
  _FusedMatMul: withFusedSteps('MatMul', (c) => lowerProductOf(c, 'transpose_a', 'transpose_b')),
  MatMul: lowerWith('transpose_a', 'transpose_b'),
  BatchMatMul: lowerWith('adj_x', 'adj_y'),
  BatchMatMulV2: lowerWith('adj_x', 'adj_y'),
  BatchMatMulV3: batchMatMulV3,
} satisfies Partial<Record<OpName, Kernel>>;
