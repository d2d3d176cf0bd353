/** Tensor arrays and stacks of version 1 files in their rarer forms: values, the files' gradients, and ours. */
import { Graph, functionalize, gradients, importGraphDef, type HostValue } from '@forerun/graph';
import { CUT_AND_JOINED, NESTED_STACKS, READ_TWICE, interpret } from '@forerun/testing';

function load(text: string): Graph {
  const graph = new Graph();
  importGraphDef(new TextEncoder().encode(text), { graph, name: '' });
  return graph;
}

const float = (shape: readonly number[], ...data: number[]): HostValue => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from(data),
});

const ROWS = float([6, 2], ...Array.from({ length: 12 }, (_, i) => i + 1));
/** The pieces of ROWS times 1, 2 and 3. */
const SCALED = [1, 2, 6, 8, 10, 12, 21, 24, 27, 30, 33, 36];

function compute(
  graph: Graph,
  fetches: readonly string[],
  at: Readonly<Record<string, HostValue>>,
): number[][] {
  const feeds = Object.keys(at).map((name) => graph.getTensorByName(name));
  const made = functionalize({
    fetches: fetches.map((name) => graph.getTensorByName(name)),
    targets: [],
    feeds,
  });
  if (made === null) throw new Error('there is nothing of version 1');
  const values = new Map(made.feeds.map((tensor, i) => [tensor, Object.values(at)[i] ?? float([], NaN)]));
  return interpret(made.fetches, values).map(({ data }) => Array.from(data));
}

/** The gradient of `y` with respect to `x`, with `dy` flowing in. */
function slope(
  graph: Graph,
  y: string,
  x: string,
  dy: string,
  at: Readonly<Record<string, HostValue>>,
): number[] {
  const [dx] = gradients(graph.getTensorByName(y), [graph.getTensorByName(x)], {
    gradYs: [graph.getTensorByName(dy)],
  });
  if (dx === null || dx === undefined) throw new Error('there is no gradient');
  const feeds = new Map(Object.entries(at).map(([name, value]) => [graph.getTensorByName(name), value]));
  return interpret([dx], feeds).flatMap(({ data }) => Array.from(data));
}

test('pieces of several lengths, in an array that grows from nothing', () => {
  const [y, lengths, size] = compute(load(CUT_AND_JOINED), ['concat:0', 'concat:1', 'size:0'], {
    'x:0': ROWS,
  });
  expect(y).toEqual(SCALED);
  expect(lengths).toEqual([1, 2, 3]);
  expect(size).toEqual([3]);
});

test('an array of gradients adds up what is split into it', () => {
  const at = { 'x:0': ROWS, 'dy:0': ROWS };
  const [twice] = compute(load(CUT_AND_JOINED), ['back/concat:0'], at);
  expect(twice).toEqual(Array.from(ROWS.data, (x) => 2 * x));
});

test('gradients go through pieces and a growing array', () => {
  const at = { 'x:0': ROWS, 'dy:0': ROWS };
  expect(slope(load(CUT_AND_JOINED), 'concat:0', 'x:0', 'dy:0', at)).toEqual(SCALED);
});

describe('a row that is read twice', () => {
  const at = { 'x:0': float([3, 2], 1, 2, 3, 4, 5, 6), 'dy:0': float([3, 2], 1, 10, 100, 1000, 7, 70) };
  const wanted = [100, 1000, 0, 0, 8, 80];

  it('gets the sum of its gradients in the file', () => {
    const [y, dx] = compute(load(READ_TWICE), ['y:0', 'dx:0'], at);
    expect(y).toEqual([5, 6, 1, 2, 5, 6]);
    expect(dx).toEqual(wanted);
  });

  it('and in gradients', () => {
    expect(slope(load(READ_TWICE), 'y:0', 'x:0', 'dy:0', at)).toEqual(wanted);
  });
});

describe('nested loops with stacks', () => {
  const at = { 'h:0': float([], 3), 'w:0': float([], 2), 'dy:0': float([], 1) };

  it('hand back in the file what they pushed', () => {
    // y = h w^6, dw = 6 h w^5
    expect(compute(load(NESTED_STACKS), ['y:0', 'dw:0'], at)).toEqual([[192], [576]]);
  });

  it('and in gradients', () => {
    expect(slope(load(NESTED_STACKS), 'y:0', 'w:0', 'dy:0', at)).toEqual([576]);
  });
});
