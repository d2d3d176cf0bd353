/** Float64 references of the family `scatter`. */
import { SPARSE_REFERENCES } from './sparse.js';
import { SPARSE_DENSE_REFERENCES } from './sparseDense.js';
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';
import { isInside, vectors } from './array.js';
import { coordinates, tabulate } from './tabulate.js';

type Rule = (old: number, value: number) => number;

const RULES = {
  update: (_, value) => value,
  add: (old, value) => old + value,
  sub: (old, value) => old - value,
  mul: (old, value) => old * value,
  div: (old, value) => old / value,
  min: (old, value) => Math.min(old, value),
  max: (old, value) => Math.max(old, value),
} satisfies Record<string, Rule>;

/** Applies `rule` to the parts of `target` at the index vectors, one update after the other. */
function applied(
  target: HostValue,
  lists: readonly (readonly number[])[],
  update: (k: number, n: number) => number,
  rule: Rule,
): HostValue {
  const data = Float64Array.from(target.data);
  lists.forEach((vector, k) => {
    if (!isInside(vector, target.shape)) return;
    const inner = target.shape.slice(vector.length).reduce((a, b) => a * b, 1);
    const row = vector.reduce((sum, i, d) => sum * (target.shape[d] ?? 1) + i, 0);
    for (let n = 0; n < inner; n++) {
      const result = rule(data[row * inner + n] ?? NaN, update(k, n));
      data[row * inner + n] = target.dtype.startsWith('int') ? Math.trunc(result) : result;
    }
  });
  return { ...target, data };
}

function byVectors(target: HostValue, indices: HostValue, updates: HostValue, rule: Rule): HostValue {
  const lists = vectors(indices);
  const inner = updates.data.length / Math.max(1, lists.length);
  return applied(target, lists, (k, n) => updates.data[k * inner + n] ?? NaN, rule);
}

function tensorScatter(rule: Rule): Reference {
  return ({ input }) => [byVectors(input(0), input(1), input(2), rule)];
}

function rows(rule: Rule): Reference {
  return ({ input }) => {
    const [target, indices, updates] = [input(0), input(1), input(2)];
    const inner = target.shape.slice(1).reduce((a, b) => a * b, 1);
    const read = (k: number, n: number): number =>
      updates.shape.length === 0 ? (updates.data[0] ?? NaN) : (updates.data[k * inner + n] ?? NaN);
    const lists = Array.from(indices.data, (i) => [i]);
    return [applied(target, lists, read, rule)];
  };
}

/** Results of reads of a variable are followed by its value, which does not change. */
function reading(value: (c: ReferenceContext) => HostValue): Reference {
  return (c) => [value(c), c.input(0)];
}

function rowsAt(params: HostValue, indices: HostValue, batch: number): HostValue {
  const [read, index] = [coordinates(params), coordinates(indices)];
  const shape = [...indices.shape, ...params.shape.slice(batch + 1)];
  return tabulate(params.dtype, shape, (at) => {
    const row = index(at.slice(0, indices.shape.length));
    if (row < 0 || row >= (params.shape[batch] ?? 0)) return 0;
    return read([...at.slice(0, batch), row, ...at.slice(indices.shape.length)]);
  });
}

function partsAt(params: HostValue, indices: HostValue): HostValue {
  const lists = vectors(indices);
  const outer = indices.shape.slice(0, -1);
  const inner = params.shape.slice(indices.shape.at(-1) ?? 0);
  const read = coordinates(params);
  const parts = lists.map((list) =>
    tabulate(params.dtype, inner, (at) => (isInside(list, params.shape) ? read([...list, ...at]) : 0)),
  );
  const data = Float64Array.from(parts.flatMap((part) => [...part.data]));
  return { dtype: params.dtype, shape: [...outer, ...inner], data };
}

/** Rows of x, one after the other. */
function inplace(rule: (x: number, v: number) => number): Reference {
  return ({ input }) => {
    const [x, rows, v] = [input(0), input(1), input(2)];
    const width = x.shape.slice(1).reduce((a, b) => a * b, 1);
    const data = Float64Array.from(x.data);
    rows.data.forEach((row, k) => {
      for (let j = 0; j < width; j++) {
        const at = row * width + j;
        data[at] = rule(data[at] ?? NaN, v.data[k * width + j] ?? NaN);
      }
    });
    return [{ dtype: x.dtype, shape: x.shape, data }];
  };
}

export const SCATTER_REFERENCES = {
  ...SPARSE_REFERENCES,
  ...SPARSE_DENSE_REFERENCES,
  ScatterNd: ({ input }) => {
    const zeros = tabulate(input(1).dtype, [...input(2).data], () => 0);
    return [byVectors(zeros, input(0), input(1), RULES.add)];
  },
  InplaceUpdate: inplace((_, v) => v),
  InplaceAdd: inplace((x, v) => x + v),
  InplaceSub: inplace((x, v) => x - v),
  TensorScatterUpdate: tensorScatter(RULES.update),
  TensorScatterAdd: tensorScatter(RULES.add),
  TensorScatterSub: tensorScatter(RULES.sub),
  TensorScatterMax: tensorScatter(RULES.max),
  TensorScatterMin: tensorScatter(RULES.min),
  ScatterNdNonAliasingAdd: tensorScatter(RULES.add),
  ResourceScatterUpdate: rows(RULES.update),
  ResourceScatterAdd: rows(RULES.add),
  ResourceScatterSub: rows(RULES.sub),
  ResourceScatterMul: rows(RULES.mul),
  ResourceScatterDiv: rows(RULES.div),
  ResourceScatterMin: rows(RULES.min),
  ResourceScatterMax: rows(RULES.max),
  ResourceScatterNdUpdate: tensorScatter(RULES.update),
  ResourceScatterNdAdd: tensorScatter(RULES.add),
  ResourceScatterNdSub: tensorScatter(RULES.sub),
  ResourceGather: reading(({ input, attrs }) => rowsAt(input(0), input(1), attrs.int('batch_dims'))),
  ResourceGatherNd: reading(({ input }) => partsAt(input(0), input(1))),
} satisfies FamilyReferences;
