/** Gradients through the version 1 control flow of files, which becomes functional where they are asked for. */
import {
  Graph,
  constant,
  functionalize,
  gradients,
  importGraphDef,
  writeGraphDef,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import {
  branchingStep,
  checkGrad,
  CONDITIONAL,
  interpret,
  recurrentStep,
  RNN_SIZES,
  SUM_OF_ROWS,
} from '@forerun/testing';

function load(text: string): Graph {
  const graph = new Graph();
  importGraphDef(new TextEncoder().encode(text), { graph, name: '' });
  return graph;
}

function floats(...shape: number[]): HostValue {
  const size = shape.reduce((product, dim) => product * dim, 1);
  const data = Float64Array.from({ length: size }, (_, i) => Math.sin(3 * i + shape.length));
  return { dtype: 'float32', shape, data };
}

const number = (value: number): HostValue => ({ dtype: 'float32', shape: [], data: Float64Array.of(value) });

/** Derivatives of `y`, with respect to tensors with values. */
function slopes(graph: Graph, y: string, at: ReadonlyMap<string, HostValue>): number[][] {
  const xs = [...at.keys()].map((name) => graph.getTensorByName(name));
  const dxs = gradients(graph.getTensorByName(y), xs);
  const feeds = new Map(xs.map((x, i) => [x, [...at.values()][i] ?? number(0)]));
  return dxs.map((dx) => (dx === null ? [] : interpret([dx], feeds).flatMap(({ data }) => Array.from(data))));
}

test.each([
  [true, 1],
  [false, 10],
])('a conditional whose predicate is %s', (pred, want) => {
  const graph = load(CONDITIONAL);
  const [p, x] = ['pred:0', 'x:0'].map((name) => graph.getTensorByName(name));
  if (p === undefined || x === undefined) throw new Error('two placeholders');
  const [dx] = gradients(graph.getTensorByName('after:0'), [x]);
  const feeds = new Map<Tensor, HostValue>([
    [p, { dtype: 'bool', shape: [], data: Float64Array.of(Number(pred)) }],
    [x, number(2)],
  ]);
  expect(interpret([dx ?? constant(NaN)], feeds)[0]?.data[0]).toBe(-want);
});

test('a conditional in a loop that ends by a value, to second order', () => {
  const graph = load(branchingStep());
  const at = new Map([
    ['x:0', number(1.3)],
    ['a:0', number(3)],
  ]);
  // y = x⁴ a³
  const [dx, da] = slopes(graph, 'y:0', at);
  expect(dx?.[0]).toBeCloseTo(4 * 1.3 ** 3 * 27, 6);
  expect(da?.[0]).toBeCloseTo(1.3 ** 4 * 27, 6);
  const [x, a] = ['x:0', 'a:0'].map((name) => graph.getTensorByName(name));
  if (x === undefined || a === undefined) throw new Error('two placeholders');
  const y = graph.getTensorByName('y:0');
  graph.asDefault(() =>
    checkGrad(
      [y],
      new Map([
        [x, number(1.3)],
        [a, number(3)],
      ]),
    ),
  );
});

test('tensor arrays that a loop reads and writes', () => {
  const graph = load(SUM_OF_ROWS);
  const [dx] = slopes(graph, 'stack:0', new Map([['rows:0', floats(3, 2)]]));
  expect(dx).toEqual([3, 3, 2, 2, 1, 1]);
});

test('a recurrent net: as the file has them', () => {
  const { steps, batch, inputs, units } = RNN_SIZES;
  const weights = ['W', 'U'].map(
    (name) => `node { name: "${name}" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } }\n`,
  );
  const graph = load(recurrentStep(weights.join('')));
  const at = new Map([
    ['x:0', floats(steps, batch, inputs)],
    ['h0:0', floats(batch, units)],
    ['W:0', floats(inputs, units)],
    ['U:0', floats(units, units)],
  ]);
  const made = slopes(graph, 'loss:0', at);
  const written = ['dx:0', 'dh0:0', 'dW:0', 'dU:0'].map((name) => valueOf(graph, name, at));
  made.forEach((dx, i) => {
    expect(dx.length).toBe(written[i]?.length);
    dx.forEach((value, k) => {
      expect(value).toBeCloseTo(written[i]?.[k] ?? NaN, 9);
    });
  });
});

/** A gradient that the file itself has, after others were asked for in its graph. */
function valueOf(graph: Graph, name: string, at: ReadonlyMap<string, HostValue>): number[] {
  const feeds = [...at.keys()].map((tensor) => graph.getTensorByName(tensor));
  const made = functionalize({ fetches: [graph.getTensorByName(name)], targets: [], feeds });
  if (made === null) throw new Error('there is control flow of version 1');
  const values = new Map(made.feeds.map((tensor, i) => [tensor, [...at.values()][i] ?? number(0)]));
  return interpret(made.fetches, values).flatMap(({ data }) => Array.from(data));
}

describe('refusals', () => {
  test('a tensor within a loop', () => {
    const graph = load(branchingStep());
    const inner = graph.getTensorByName('while/Identity:0');
    expect(() => gradients(graph.getTensorByName('y:0'), inner)).toThrow(
      'Identity "while/Identity" lies in a loop of version 1 control flow: there are gradients only for what is outside',
    );
  });

  test('a stack of handles', () => {
    const graph = load(`
      node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { } } } }
      node { name: "size" op: "Const" attr { key: "dtype" value { type: DT_INT32 } } attr { key: "value" value { tensor { dtype: DT_INT32 tensor_shape { } int_val: 1 } } } }
      node { name: "handles" op: "StackV2" input: "size" attr { key: "elem_type" value { type: DT_RESOURCE } } }
      node { name: "array" op: "TensorArrayV3" input: "size" attr { key: "dtype" value { type: DT_FLOAT } } }
      node { name: "push" op: "StackPushV2" input: "handles" input: "array" attr { key: "T" value { type: DT_RESOURCE } } }
      node { name: "pop" op: "StackPopV2" input: "handles" input: "^push" attr { key: "elem_type" value { type: DT_RESOURCE } } }
      node { name: "y" op: "TensorArraySizeV3" input: "pop" input: "array:1" }
      node { name: "z" op: "Cast" input: "y" attr { key: "SrcT" value { type: DT_INT32 } } attr { key: "DstT" value { type: DT_FLOAT } } }
      node { name: "sum" op: "Add" input: "z" input: "x" attr { key: "T" value { type: DT_FLOAT } } }`);
    expect(() => gradients(graph.getTensorByName('sum:0'), graph.getTensorByName('x:0'))).toThrow(
      /StackPushV2 "push": "handles" is a stack of handles|StackV2 "handles": "handles" is a stack of handles|its handle comes from StackPopV2 "pop"/,
    );
  });
});

test('the nodes of the file are still there, and a file with the new ones can be read', () => {
  const graph = load(branchingStep());
  const names = graph.operations.map(({ name }) => name);
  const [dx] = gradients(graph.getTensorByName('y:0'), [graph.getTensorByName('x:0')]);
  for (const name of names) expect(graph.getOperationByName(name).name).toBe(name);
  const again = new Graph();
  importGraphDef(writeGraphDef(graph), { graph: again, name: '' });
  const feeds = new Map([
    [again.getTensorByName('x:0'), number(1.3)],
    [again.getTensorByName('a:0'), number(3)],
  ]);
  const value = interpret([again.getTensorByName(dx?.name ?? '')], feeds)[0]?.data[0];
  expect(value).toBeCloseTo(4 * 1.3 ** 3 * 27, 6);
});
