/** Training steps of version 1 files, with stacks and gradients of tensor arrays, as functions. */
import {
  Graph,
  constant,
  functionalize,
  gradients,
  importGraphDef,
  matMul,
  placeholder,
  reduceSum,
  scan,
  square,
  tanh,
  add,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { interpret, branchingStep, recurrentStep, RNN_SIZES } from '@forerun/testing';

function load(text: string): Graph {
  const graph = new Graph();
  importGraphDef(new TextEncoder().encode(text), { graph, name: '' });
  return graph;
}

type Values = Readonly<Record<string, HostValue>>;

function floats(...shape: number[]): HostValue {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return {
    dtype: 'float32',
    shape,
    data: Float64Array.from({ length: size }, (_, i) => Math.sin(3 * i + shape.length)),
  };
}

const number = (value: number): HostValue => ({ dtype: 'float32', shape: [], data: Float64Array.of(value) });

/** Values of tensors of a version 1 graph, by the functions that it is translated into. */
function run(graph: Graph, names: readonly string[], feeds: Values): number[][] {
  const fed = Object.keys(feeds).map((name) => graph.getTensorByName(`${name}:0`));
  const fetches = names.map((name) => graph.getTensorByName(`${name}:0`));
  const made = functionalize({ fetches, targets: [], feeds: fed });
  if (made === null) throw new Error('there is no control flow of version 1');
  const values = made.feeds.map((tensor, i) => [tensor, feeds[Object.keys(feeds)[i] ?? '']] as const);
  const given = values.filter((entry): entry is [Tensor, HostValue] => entry[1] !== undefined);
  return interpret(made.fetches, new Map(given)).map(({ data }) => Array.from(data));
}

function expectAll(results: readonly number[][], wanted: readonly number[][]): void {
  expect(results.length).toBe(wanted.length);
  results.forEach((result, i) => {
    expect(result.length).toBe(wanted[i]?.length);
    result.forEach((value, k) => {
      expect(value).toBeCloseTo(wanted[i]?.[k] ?? NaN, 9);
    });
  });
}

/** Loss and gradients of the recurrent net, built by `scan` and differentiated here. */
function wantedOfNet(values: Values): number[][] {
  const graph = new Graph();
  return graph.asDefault(() => {
    const names = ['x', 'h0', 'W', 'U'];
    const [x, h0, w, u] = names.map((name) => placeholder('float32', values[name]?.shape ?? []));
    if (x === undefined || h0 === undefined || w === undefined || u === undefined)
      throw new Error('four inputs');
    const outputs = scan((h, row) => tanh(add(matMul(row, w), matMul(h, u))), x, { initializer: h0 });
    const loss = reduceSum(square(outputs));
    const grads = gradients(loss, [x, h0, w, u]).map((dx) => dx ?? constant(NaN));
    const feeds = new Map([x, h0, w, u].map((t, i) => [t, values[names[i] ?? ''] ?? number(0)]));
    return interpret([loss, ...grads], feeds).map(({ data }) => Array.from(data));
  });
}

test('a recurrent net with its gradients', () => {
  const { steps, batch, inputs, units } = RNN_SIZES;
  const weights = ['W', 'U'].map(
    (name) => `node { name: "${name}" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } }\n`,
  );
  const graph = load(recurrentStep(weights.join('')));
  const values = {
    x: floats(steps, batch, inputs),
    h0: floats(batch, units),
    W: floats(inputs, units),
    U: floats(units, units),
  };
  expectAll(run(graph, ['loss', 'dx', 'dh0', 'dW', 'dU'], values), wantedOfNet(values));
});

describe('a conditional in a loop', () => {
  /** The loop by hand, with the derivatives of its result. */
  function byHand(x: number, a: number): number[][] {
    let [y, dx, da] = [x, 1, 0];
    while (y < 50) {
      if (y < 2) [y, dx, da] = [y * y, 2 * y * dx, 2 * y * da];
      else [y, dx, da] = [y * a, a * dx, y + a * da];
    }
    return [[y], [dx], [da]];
  }

  test.each([
    [1.3, 3],
    [4, 2.5],
    [60, 2],
  ])('from %d by %d', (x, a) => {
    expectAll(run(load(branchingStep()), ['y', 'dx', 'da'], { x: number(x), a: number(a) }), byHand(x, a));
  });
});
