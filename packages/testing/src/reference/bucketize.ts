/** Float64 references of comparisons with thresholds. */
import type { FamilyReferences } from '../sample.js';

export const BUCKETIZE_REFERENCES = {
  Bucketize: ({ attrs, input }) => {
    const boundaries = attrs.floats('boundaries').map(Math.fround);
    const { shape, data } = input(0);
    const bin = (x: number): number => boundaries.filter((boundary) => !(x < boundary)).length;
    return [{ dtype: 'int32', shape, data: data.map(bin) }];
  },
  CompareAndBitpack: ({ input }) => {
    const { dtype, shape, data } = input(0);
    const threshold = dtype === 'bool' ? 0 : (input(1).data[0] ?? NaN);
    const bytes = new Float64Array(data.length / 8).map((_, i) =>
      Number.parseInt(
        Array.from(data.subarray(8 * i, 8 * i + 8), (x) => (x > threshold ? '1' : '0')).join(''),
        2,
      ),
    );
    return [{ dtype: 'uint8', shape: [...shape.slice(0, -1), (shape.at(-1) ?? 0) / 8], data: bytes }];
  },
} satisfies FamilyReferences;
