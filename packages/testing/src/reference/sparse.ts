/** References of ops on sparse tensors: each makes or reads the elements one by one. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, ReferenceContext } from '../sample.js';

interface Element {
  readonly at: readonly number[];
  readonly value: number;
  /** Its number in the input. */
  readonly k: number;
}

function elements({ input }: ReferenceContext): Element[] {
  const rank = input(2).data.length;
  return Array.from(input(1).data, (value, k) => ({
    at: Array.from(input(0).data.subarray(k * rank, (k + 1) * rank)),
    value,
    k,
  }));
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function cwise(combine: (a: number, b: number) => number) {
  return (c: ReferenceContext): HostValue[] => {
    const dense = c.input(3);
    const values = elements(c).map(({ at, value }) => {
      const own = at.slice(at.length - dense.shape.length);
      const place = dense.shape.reduce(
        (flat, size, axis) => flat * size + (size === 1 ? 0 : (own[axis] ?? NaN)),
        0,
      );
      return combine(value, dense.data[place] ?? NaN);
    });
    return [{ ...c.input(1), data: Float64Array.from(values) }];
  };
}

function softmax(c: ReferenceContext): HostValue[] {
  const all = elements(c);
  const rowOf = (at: readonly number[]): string => at.slice(0, -1).join();
  const data = all.map(({ at, value }) => {
    const row = all.filter((other) => rowOf(other.at) === rowOf(at)).map((other) => other.value - value);
    return 1 / row.reduce((sum, x) => sum + Math.exp(x), 0);
  });
  return [{ ...c.input(1), data: Float64Array.from(data) }];
}

function denseMatMul(c: ReferenceContext): HostValue[] {
  const [adjointA, adjointB] = [c.attrs.bool('adjoint_a'), c.attrs.bool('adjoint_b')];
  const dims = adjointA ? [...c.input(2).data].reverse() : [...c.input(2).data];
  const b = c.input(3);
  const [first = 0, second = 0] = b.shape;
  const columns = adjointB ? first : second;
  const rows = dims[0] ?? 0;
  const data = new Float64Array(rows * columns);
  for (const { at, value } of elements(c)) {
    const [row = 0, inner = 0] = adjointA ? [...at].reverse() : at;
    for (let n = 0; n < columns; n++) {
      const factor = adjointB ? b.data[n * second + inner] : b.data[inner * second + n];
      data[row * columns + n] = (data[row * columns + n] ?? NaN) + value * (factor ?? NaN);
    }
  }
  return [{ dtype: b.dtype, shape: [rows, columns], data }];
}

function compare(a: Element, b: Element): number {
  const d = a.at.findIndex((coordinate, i) => coordinate !== b.at[i]);
  return d < 0 ? a.k - b.k : (a.at[d] ?? 0) - (b.at[d] ?? 0);
}

function reorder(c: ReferenceContext): HostValue[] {
  const sorted = elements(c).sort(compare);
  return [
    { ...c.input(0), data: Float64Array.from(sorted.flatMap(({ at }) => at)) },
    { ...c.input(1), data: Float64Array.from(sorted, ({ value }) => value) },
  ];
}

function reduceSum(c: ReferenceContext): HostValue[] {
  const dims = [...c.input(2).data];
  const axes = Array.from(c.input(3).data, (axis) => (axis + dims.length) % dims.length);
  const kept = dims.map((dim, d) => (axes.includes(d) ? 1 : dim));
  const data = new Float64Array(sizeOf(kept));
  for (const { at, value } of elements(c)) {
    const flat = at.reduce((sum, i, d) => sum * (kept[d] ?? 1) + (axes.includes(d) ? 0 : i), 0);
    data[flat] = (data[flat] ?? NaN) + value;
  }
  const shape = c.attrs.bool('keep_dims') ? kept : dims.filter((_, d) => !axes.includes(d));
  return [{ dtype: c.input(1).dtype, shape, data }];
}

function fillEmptyRows(c: ReferenceContext): HostValue[] {
  const [rows = 0, ...rest] = c.input(2).data;
  const given = elements(c);
  const filled: Element[] = [];
  const empty = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = given.filter(({ at }) => at[0] === row);
    if (own.length === 0) {
      empty[row] = 1;
      filled.push({ at: [row, ...Array.from(rest, () => 0)], value: c.input(3).data[0] ?? NaN, k: -1 });
    }
    filled.push(...own);
  }
  const list = (dtype: HostValue['dtype'], values: readonly number[]): HostValue => ({
    dtype,
    shape: [values.length],
    data: Float64Array.from(values),
  });
  const places = list(
    'int64',
    filled.flatMap(({ at }) => at),
  );
  return [
    { ...places, shape: [filled.length, rest.length + 1] },
    list(
      c.input(1).dtype,
      filled.map(({ value }) => value),
    ),
    { dtype: 'bool', shape: [rows], data: empty },
    list(
      'int64',
      given.map(({ k }) => filled.findIndex((element) => element.k === k)),
    ),
  ];
}

/** The number of each element in row-major order, counted down again by the other shape. */
function reshape({ input }: ReferenceContext): HostValue[] {
  const [indices, from, asked] = [input(0), input(1).data, input(2).data];
  const known = asked.reduce((size, dim) => (dim === -1 ? size : size * dim), 1);
  const to = Array.from(asked, (dim) => (dim === -1 ? sizeOf([...from]) / known : dim));
  const rows = Array.from({ length: indices.shape[0] ?? 0 }, (_, k) => {
    let place = 0;
    from.forEach((size, d) => (place = place * size + (indices.data[k * from.length + d] ?? NaN)));
    const at: number[] = [];
    for (const size of [...to].reverse()) {
      at.unshift(place % size);
      place = Math.floor(place / size);
    }
    return at;
  });
  return [
    { dtype: 'int64', shape: [rows.length, to.length], data: Float64Array.from(rows.flat()) },
    { dtype: 'int64', shape: [to.length], data: Float64Array.from(to) },
  ];
}

export const SPARSE_REFERENCES = {
  SparseReshape: reshape,
  SparseSoftmax: softmax,
  SparseDenseCwiseAdd: cwise((a, b) => a + b),
  SparseDenseCwiseMul: cwise((a, b) => a * b),
  SparseDenseCwiseDiv: cwise((a, b) => a / b),
  SparseTensorDenseMatMul: denseMatMul,
  SparseReorder: reorder,
  SparseReduceSum: reduceSum,
  SparseFillEmptyRows: fillEmptyRows,
  SparseFillEmptyRowsGrad: ({ input }) => {
    const [map, grad] = [input(0), input(1)];
    const named = new Set(map.data);
    const rest = grad.data.reduce((sum, x, p) => (named.has(p) ? sum : sum + x), 0);
    return [
      { ...grad, shape: map.shape, data: map.data.map((p) => grad.data[p] ?? NaN) },
      { dtype: grad.dtype, shape: [], data: Float64Array.of(rest) },
    ];
  },
} satisfies FamilyReferences;
