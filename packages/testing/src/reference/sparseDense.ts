/** Reference of SparseToDense. */
import type { FamilyReferences } from '../sample.js';

export const SPARSE_DENSE_REFERENCES = {
  SparseToDense: ({ input, outputs: [dtype = 'float32'] }) => {
    const [indices, values] = [input(0), input(2)];
    const shape = [...input(1).data];
    const size = shape.reduce((a, b) => a * b, 1);
    const data = new Float64Array(size).fill(input(3).data[0] ?? NaN);
    const count = indices.data.length / Math.max(1, shape.length);
    for (let n = 0; n < count; n++) {
      const at = shape.map((_, d) => indices.data[n * shape.length + d] ?? NaN);
      if (at.some((i, d) => i < 0 || i >= (shape[d] ?? 0))) continue;
      const flat = at.reduce((sum, i, d) => sum * (shape[d] ?? 1) + i, 0);
      data[flat] = values.data[values.data.length === 1 ? 0 : n] ?? NaN;
    }
    return [{ dtype, shape, data }];
  },
} satisfies FamilyReferences;
