/** Float64 references of matrix products. */
import { sizeOf, type HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference } from '../sample.js';
import { einsum } from './einsum.js';
import { withSteps } from './fused.js';
import { MATRIX_DIAG_REFERENCES } from './matrixDiag.js';

/** Rows, columns and element access of the last two dimensions of matrix number `matrix`. */
function view(value: HostValue, matrix: number, transposed: boolean) {
  const [rows = 0, columns = 0] = value.shape.slice(-2);
  const at = (i: number, j: number): number => value.data[(matrix * rows + i) * columns + j] ?? 0;
  return transposed
    ? { rows: columns, columns: rows, at: (i: number, j: number) => at(j, i) }
    : { rows, columns, at };
}

/** Number of the matrix of `batch` that takes part in product `product` of `out`. */
function matrixOf(batch: readonly number[], out: readonly number[], product: number): number {
  let [index, stride, rest] = [0, 1, product];
  for (let d = out.length - 1; d >= 0; d--) {
    const coordinate = rest % (out[d] ?? 1);
    rest = Math.floor(rest / (out[d] ?? 1));
    const dim = batch[d - out.length + batch.length];
    if (dim !== undefined && dim !== 1) index += coordinate * stride;
    stride *= dim ?? 1;
  }
  return index;
}

function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, d) => {
    const [da, db] = [a[d - rank + a.length] ?? 1, b[d - rank + b.length] ?? 1];
    return da === 1 ? db : da;
  });
}

/** sum + x * y modulo 2^32, exactly. */
function wrappingMultiplyAdd(sum: number, x: number, y: number): number {
  return (sum + Math.imul(x, y)) | 0;
}

function product(transposeA: string, transposeB: string): Reference {
  return ({ input, attrs, outputs: [dtype = 'float32'] }) => {
    const [a, b] = [input(0), input(1)];
    const [ta, tb] = [attrs.bool(transposeA), attrs.bool(transposeB)];
    const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const multiplyAdd =
      dtype === 'int32' ? wrappingMultiplyAdd : (sum: number, x: number, y: number) => sum + x * y;
    const data: number[] = [];
    const [sizeA, sizeB] = [view(a, 0, ta), view(b, 0, tb)];
    for (let p = 0; p < sizeOf(batch); p++) {
      const left = view(a, matrixOf(a.shape.slice(0, -2), batch, p), ta);
      const right = view(b, matrixOf(b.shape.slice(0, -2), batch, p), tb);
      for (let i = 0; i < left.rows; i++) {
        for (let j = 0; j < right.columns; j++) {
          let sum = 0;
          for (let k = 0; k < left.columns; k++) sum = multiplyAdd(sum, left.at(i, k), right.at(k, j));
          data.push(sum);
        }
      }
    }
    return [{ dtype, shape: [...batch, sizeA.rows, sizeB.columns], data: Float64Array.from(data) }];
  };
}

export const MATRIX_REFERENCES = {
  MatMul: product('transpose_a', 'transpose_b'),
  _FusedMatMul: withSteps(product('transpose_a', 'transpose_b')),
  BatchMatMul: product('adj_x', 'adj_y'),
  BatchMatMulV2: product('adj_x', 'adj_y'),
  BatchMatMulV3: product('adj_x', 'adj_y'),
  Einsum: einsum,
  ...MATRIX_DIAG_REFERENCES,
} satisfies FamilyReferences;
