/** References of the family `dynamic`. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference } from '../sample.js';
import { coordinates, tabulate } from './tabulate.js';

const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);
const list = (dtype: HostValue['dtype'], data: readonly number[]): HostValue => ({
  dtype,
  shape: [data.length],
  data: Float64Array.from(data),
});

/** The slice of `x` at position `i` of `axis`, as a list. */
function slice(x: HostValue, axis: number, i: number): number[] {
  const read = coordinates(x);
  const rest = x.shape.filter((_, d) => d !== axis);
  return [...tabulate(x.dtype, rest, (at) => read([...at.slice(0, axis), i, ...at.slice(axis)])).data];
}

const same = (a: readonly number[], b: readonly number[]): boolean => a.every((x, i) => x === b[i]);

function unique(hasAxis: boolean): Reference {
  return ({ input, outputs }) => {
    const x = input(0);
    const given = hasAxis ? (input(1).data[0] ?? 0) : 0;
    const axis = given < 0 ? given + x.shape.length : given;
    const slices = Array.from({ length: x.shape[axis] ?? 0 }, (_, i) => slice(x, axis, i));
    // What equals nothing, itself included (NaN), is a first occurrence each time.
    const first = slices.map((own, i) => {
      const found = slices.findIndex((other) => same(other, own));
      return found === -1 ? i : found;
    });
    const firsts = first.filter((found, i) => found === i);
    const numbers = first.map((found) => firsts.indexOf(found));
    const read = coordinates(x);
    const shape = x.shape.map((dim, d) => (d === axis ? firsts.length : dim));
    const y = tabulate(x.dtype, shape, (at) => read(at.map((i, d) => (d === axis ? (firsts[i] ?? 0) : i))));
    const counts = firsts.map((_, k) => numbers.filter((n) => n === k).length);
    const dtype = outputs[1] ?? 'int32';
    return [y, list(dtype, numbers), list(dtype, counts)].slice(0, outputs.length);
  };
}

const stitch: Reference = ({ inputs }) => {
  const count = inputs.length / 2;
  const [indices, data] = [inputs.slice(0, count), inputs.slice(count)];
  const row = data[0]?.shape.slice(indices[0]?.shape.length ?? 0) ?? [];
  const inner = product(row);
  const rows = Math.max(-1, ...indices.flatMap((part) => [...part.data])) + 1;
  const merged = tabulate(data[0]?.dtype ?? 'float32', [rows, ...row], () => 0);
  indices.forEach((part, m) => {
    part.data.forEach((index, k) => {
      for (let n = 0; n < inner; n++) merged.data[index * inner + n] = data[m]?.data[k * inner + n] ?? NaN;
    });
  });
  return [merged];
};

/** For each element the rows that lead to it are followed; where one ends before, the default stands. */
const raggedDense: Reference = ({ attrs, input, inputs }) => {
  const [asked, values, filling] = [input(0), input(1), input(2)];
  const types = attrs.strings('row_partition_types');
  const partitions = inputs.slice(3).map(({ data }) => Array.from(data));
  const rowIds = (type: string, data: readonly number[]): number[] =>
    type === 'ROW_SPLITS'
      ? data.slice(1).flatMap((end, row) => new Array<number>(end - (data[row] ?? 0)).fill(row))
      : [...data];
  const ids = types.flatMap((type, i) =>
    type === 'FIRST_DIM_SIZE' ? [] : [rowIds(type, partitions[i] ?? [])],
  );
  const first = types[0] === 'FIRST_DIM_SIZE' ? (partitions[0]?.[0] ?? 0) : (partitions[0]?.length ?? 1) - 1;
  const children = (depth: number, row: number): number[] =>
    [...(ids[depth] ?? []).keys()].filter((k) => ids[depth]?.[k] === row);
  const widths = ids.map((own, depth) => Math.max(0, ...own.map((row) => children(depth, row).length)));
  const inner = values.shape.slice(1);
  const shape = [first, ...widths, ...inner].map((size, i) =>
    asked.shape.length > 0 && (asked.data[i] ?? -1) >= 0 ? (asked.data[i] ?? 0) : size,
  );
  const read = coordinates(values);
  return [
    tabulate(values.dtype, shape, (at) => {
      let row: number | undefined = at[0] !== undefined && at[0] < first ? at[0] : undefined;
      ids.forEach((_, depth) => {
        row = row === undefined ? undefined : children(depth, row)[at[depth + 1] ?? 0];
      });
      const rest = at.slice(ids.length + 1);
      if (row !== undefined) return read([row, ...rest]);
      return filling.data[filling.data.length === 1 ? 0 : (rest.at(-1) ?? 0)] ?? 0;
    }),
  ];
};

export const DYNAMIC_REFERENCES = {
  RaggedTensorToTensor: raggedDense,
  Where: ({ input }) => {
    const x = input(0);
    const found: number[][] = [];
    const read = coordinates(x);
    tabulate('int32', x.shape, (at) => {
      if (read(at) !== 0) found.push([...at]);
      return 0;
    });
    return [{ dtype: 'int64', shape: [found.length, x.shape.length], data: Float64Array.from(found.flat()) }];
  },
  Unique: unique(false),
  UniqueV2: unique(true),
  UniqueWithCounts: unique(false),
  UniqueWithCountsV2: unique(true),
  ListDiff: ({ input, outputs }) => {
    const [x, y] = [input(0), [...input(1).data]];
    const places = [...x.data.keys()].filter((i) => !y.some((other) => other === x.data[i]));
    const elements = places.map((i) => x.data[i] ?? NaN);
    return [list(x.dtype, elements), list(outputs[1] ?? 'int32', places)];
  },
  DynamicPartition: ({ input, attrs }) => {
    const [data, ids] = [input(0), [...input(1).data]];
    const row = data.shape.slice(input(1).shape.length);
    const inner = product(row);
    return Array.from({ length: attrs.int('num_partitions') }, (_, k) => {
      const rows = ids.flatMap((id, i) => (id === k ? [i] : []));
      const flat = rows.flatMap((i) => [...data.data.subarray(i * inner, i * inner + inner)]);
      return { dtype: data.dtype, shape: [rows.length, ...row], data: Float64Array.from(flat) };
    });
  },
  DynamicStitch: stitch,
  ParallelDynamicStitch: stitch,
} satisfies FamilyReferences;
