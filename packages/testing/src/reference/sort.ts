/** Float64 references of the family `sort`. NaN counts as the largest, equal elements keep their order. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences } from '../sample.js';

function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Rows along the last axis. */
function rowsOf({ shape, data }: HostValue): number[][] {
  const length = shape.at(-1) ?? 1;
  const lines = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  return Array.from({ length: lines }, (_, i) => [...data.subarray(i * length, (i + 1) * length)]);
}

function topK(x: HostValue, k: number): HostValue[] {
  const orders = rowsOf(x).map((row) =>
    [...row.keys()].sort((i, j) => compare(row[j] ?? 0, row[i] ?? 0) || i - j).slice(0, k),
  );
  const shape = [...x.shape.slice(0, -1), k];
  const values = rowsOf(x).flatMap((row, r) => (orders[r] ?? []).map((i) => row[i] ?? NaN));
  return [
    { dtype: x.dtype, shape, data: Float64Array.from(values) },
    { dtype: 'int32', shape, data: Float64Array.from(orders.flat()) },
  ];
}

function positions(
  { input, outputs: [dtype = 'int32'] }: Parameters<NonNullable<FamilyReferences['LowerBound']>>[0],
  before: (element: number, value: number) => boolean,
): HostValue[] {
  const [rows, values] = [rowsOf(input(0)), input(1)];
  const found = rowsOf(values).flatMap((list, r) =>
    list.map((value) => (rows[r] ?? []).filter((element) => before(element, value)).length),
  );
  return [{ dtype, shape: values.shape, data: Float64Array.from(found) }];
}

export const SORT_REFERENCES = {
  TopK: ({ input, attrs }) => topK(input(0), attrs.int('k')),
  TopKV2: ({ input }) => topK(input(0), input(1).data[0] ?? 0),
  NthElement: ({ input, attrs }) => {
    const x = input(0);
    const sign = attrs.bool('reverse') ? -1 : 1;
    const values = rowsOf(x).map(
      (row) => row.sort((a, b) => sign * compare(a, b))[input(1).data[0] ?? 0] ?? NaN,
    );
    return [{ dtype: x.dtype, shape: x.shape.slice(0, -1), data: Float64Array.from(values) }];
  },
  LowerBound: (c) => positions(c, (element, value) => element < value),
  UpperBound: (c) => positions(c, (element, value) => element <= value),
} satisfies FamilyReferences;
