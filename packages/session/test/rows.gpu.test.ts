/** Row programs in whole graphs, against the float64 interpreter: what joins, what stays apart, and awkward numbers. */
import * as fr from 'forerun';
import { expectClose, hostValue, interpret } from '@forerun/testing';
import type { HostValue } from '@forerun/graph';

interface Case {
  readonly shape: readonly number[];
  readonly build: (x: fr.Tensor) => readonly fr.Tensor[];
  /** Dispatches with and without the fusion. */
  readonly dispatches: readonly [number, number];
  readonly change?: (data: Float32Array) => void;
  readonly tolerance?: number;
}

function numbers(count: number): Float32Array {
  let state = 12345;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const last = { axis: -1, keepDims: true } as const;

function softmax(x: fr.Tensor): fr.Tensor {
  const raised = fr.exp(fr.sub(x, fr.reduceMax(x, last)));
  return fr.div(raised, fr.reduceSum(raised, last));
}

function normalized(x: fr.Tensor): fr.Tensor {
  const [mean, variance] = fr.nn.moments(x, [-1], { keepDims: true });
  return fr.mul(fr.sub(x, mean), fr.rsqrt(fr.add(variance, 1e-3)));
}

/** Over all dimensions but the first, scaled and shifted by channel as TensorFlow writes it; also what repeats itself along a row. */
function normalizedExamples(x: fr.Tensor): fr.Tensor[] {
  const axes = Array.from({ length: (x.shape.rank ?? 1) - 1 }, (_, i) => i + 1);
  const channels = x.shape.toStatic().at(-1) ?? 1;
  const [mean, variance] = fr.nn.moments(x, axes, { keepDims: true });
  const scale = fr.mul(fr.rsqrt(fr.add(variance, 1e-3)), fr.constant(numbers(channels)));
  const shift = fr.sub(fr.constant(numbers(channels)), fr.mul(mean, scale));
  return [fr.add(fr.mul(x, scale), shift), scale, shift];
}

const CASES: Record<string, Case> = {
  'values that repeat themselves along a row': {
    shape: [6, 5, 16],
    build: (x) => normalizedExamples(x),
    dispatches: [1, 4],
  },
  'the same in no whole vectors': {
    shape: [5, 3, 2, 6],
    build: (x) => normalizedExamples(x),
    dispatches: [1, 4],
  },
  'values that repeat themselves in another way stay apart': {
    shape: [5, 4, 3],
    build: (x) => {
      const mean = fr.reduceMean(x, { axis: [1, 2], keepDims: true });
      return [fr.mul(x, fr.exp(fr.add(mean, fr.constant(numbers(4), { shape: [4, 1] }))))];
    },
    dispatches: [3, 3],
  },
  'layer normalization is one dispatch': {
    shape: [6, 5, 16],
    build: (x) => [fr.add(fr.mul(normalized(x), fr.constant(numbers(16))), fr.constant(numbers(16)))],
    dispatches: [1, 3],
  },
  'its gradient is one more': {
    shape: [9, 33],
    build: (x) => {
      const y = normalized(x);
      return [y, ...fr.gradients(fr.reduceSum(fr.square(fr.sin(y))), [x]).flatMap((g) => g ?? [])];
    },
    dispatches: [1, 8],
    tolerance: 1e-4,
  },
  'a softmax that is written out': { shape: [12, 70], build: (x) => [softmax(x)], dispatches: [1, 4] },
  'results between that are fetched': {
    shape: [8, 12],
    build: (x) => {
      const mean = fr.reduceMean(x, last);
      const centred = fr.sub(x, mean);
      return [mean, centred, fr.div(centred, fr.reduceMax(fr.abs(centred), last))];
    },
    dispatches: [1, 4],
  },
  'operands that broadcast in every way, and choices': {
    shape: [4, 3, 8],
    build: (x) => {
      const mask = fr.constant(numbers(24), { shape: [3, 8] });
      const perRow = fr.constant(numbers(12), { shape: [4, 3, 1] });
      const perFirst = fr.constant(numbers(4), { shape: [4, 1, 1] });
      const y = fr.add(fr.mul(fr.add(x, mask), perRow), perFirst);
      const above = fr.greater(y, fr.reduceMean(y, last));
      return [fr.where(above, y, fr.neg(fr.reduceMin(y, last))), fr.cast(above, 'int32')];
    },
    dispatches: [1, 4],
  },
  'rows under another shape': {
    shape: [6, 4, 4],
    build: (x) => {
      const flat = fr.reshape(fr.mul(x, 2), [6, 16]);
      return [fr.sub(fr.reshape(flat, [6, 4, 4]), fr.reduceSum(x, { axis: [1, 2], keepDims: true })), flat];
    },
    dispatches: [1, 2],
  },
  'a sum that is read across rows stays apart': {
    shape: [5, 5],
    build: (x) => [fr.sub(x, fr.reduceSum(x, { axis: 1 }))],
    dispatches: [2, 2],
  },
  'one element per row': { shape: [7, 1], build: (x) => [softmax(x), normalized(x)], dispatches: [2, 2] },
  'no rows': { shape: [0, 3], build: (x) => [softmax(x), normalized(x)], dispatches: [0, 0] },
  'numbers that are none': {
    shape: [6, 9],
    build: (x) => [softmax(x), normalized(x)],
    dispatches: [2, 7],
    change: (data) => {
      data[3] = NaN;
      data[12] = Infinity;
      data[22] = -Infinity;
    },
  },
};

async function run(
  graph: fr.Graph,
  x: fr.Tensor,
  fetches: readonly fr.Tensor[],
  value: fr.TensorValue,
  rows: boolean,
) {
  const sess = await fr.Session.create({ graph, config: { passes: { rows, packs: false } } });
  try {
    const results = await sess.run(fetches, [[x, value]]);
    const { dispatches } = await sess.compile(fetches, new Map([[x, value.shape]]));
    return { results, dispatches };
  } finally {
    sess.close();
  }
}

test.each(Object.entries(CASES))('%s', async (_, { shape, build, dispatches, change, tolerance = 2e-5 }) => {
  const graph = new fr.Graph();
  const { x, fetches } = graph.asDefault(() => {
    const x = fr.placeholder('float32', shape);
    return { x, fetches: build(x) };
  });
  const data = numbers(shape.reduce((size, dim) => size * dim, 1));
  change?.(data);
  const fed: HostValue = { dtype: 'float32', shape, data: Float64Array.from(data) };
  const want = interpret(fetches, new Map([[x, fed]]));
  const value = new fr.TensorValue('float32', shape, data);
  const seen: number[] = [];
  for (const rows of [true, false]) {
    const { results, dispatches: count } = await run(graph, x, fetches, value, rows);
    seen.push(count);
    want.forEach((each, i) => {
      const got = results[i];
      if (got === undefined) throw new Error(`fetch ${i} is missing`);
      expectClose(hostValue(got), each, { rtol: tolerance, atol: tolerance }, `fetch ${i}, rows ${rows}`);
    });
  }
  expect(seen).toEqual(dispatches);
});
