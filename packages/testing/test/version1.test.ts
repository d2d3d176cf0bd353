/** Loops and conditionals of version 1 files, written as TensorFlow 1.15 writes them, as functions. */
import {
  Graph,
  functionalize,
  importGraphDef,
  writeGraphDef,
  type HostValue,
  type Operation,
  type Tensor,
} from '@forerun/graph';
import { interpret, CONDITIONAL, FIBONACCI, NESTED, SUM_OF_ROWS, inputsOf } from '@forerun/testing';

function load(text: string): Graph {
  const graph = new Graph();
  importGraphDef(new TextEncoder().encode(text), { graph, name: '' });
  return graph;
}

function compute(
  graph: Graph,
  fetches: readonly string[],
  feeds: Readonly<Record<string, HostValue>> = {},
): number[][] {
  const fed = Object.entries(feeds).map(([name, value]) => [graph.getTensorByName(name), value] as const);
  const made = functionalize({
    fetches: fetches.map((name) => graph.getTensorByName(name)),
    targets: [],
    feeds: fed.map(([tensor]) => tensor),
  });
  if (made === null) throw new Error('there is no control flow of version 1');
  const values = new Map<Tensor, HostValue>(
    made.feeds.flatMap((tensor, i) => {
      const value = fed[i]?.[1];
      return value === undefined ? [] : [[tensor, value] as const];
    }),
  );
  return interpret(made.fetches, values).map(({ data }) => Array.from(data));
}

const float = (...data: number[]): HostValue => ({
  dtype: 'float32',
  shape: data.length === 1 ? [] : [data.length],
  data: Float64Array.from(data),
});
const bool = (value: boolean): HostValue => ({
  dtype: 'bool',
  shape: [],
  data: Float64Array.of(Number(value)),
});

describe('conditionals', () => {
  it.each([
    [true, [3]],
    [false, [20]],
  ])('take the branch for %s', (pred, want) => {
    const graph = load(CONDITIONAL);
    const feeds = { 'pred:0': bool(pred), 'x:0': float(2) };
    expect(compute(graph, ['cond/Merge:0'], feeds)).toEqual([want]);
    expect(compute(graph, ['cond/Merge:1', 'after:0'], feeds)).toEqual([[pred ? 1 : 0], [-(want[0] ?? 0)]]);
  });

  it('do not give values from within a branch', () => {
    const graph = load(CONDITIONAL);
    expect(() => compute(graph, ['cond/Add:0'])).toThrow(
      'Add "cond/Add" lies in a branch of version 1 control flow and is used or fetched outside of it',
    );
  });
});

describe('loops', () => {
  it('run as often as their condition holds, with what is constant in them', () => {
    expect(compute(load(FIBONACCI), ['while/Exit:0', 'while/Exit_2:0'], { 'limit:0': float(50) })).toEqual([
      [34],
      [55],
    ]);
  });

  it('read and write tensor arrays', () => {
    expect(compute(load(SUM_OF_ROWS), ['stack:0'])).toEqual([[1, 2, 4, 6, 9, 12]]);
  });

  it('nest, with conditionals in them', () => {
    // For i below 4: add i * 3 (by an inner loop) where i is odd, else 100.
    expect(compute(load(NESTED), ['outer/Exit_1:0'])).toEqual([[100 + 3 + 100 + 9]]);
  });
});

describe('files', () => {
  it.each([
    ['a conditional', CONDITIONAL],
    ['a loop', FIBONACCI],
    ['tensor arrays', SUM_OF_ROWS],
    ['nested ones', NESTED],
  ])('keep %s', (_, text) => {
    const graph = load(text);
    const names = graph.operations.map(({ name, type }: Operation) => `${type} ${name}`).sort();
    const again = new Graph();
    importGraphDef(writeGraphDef(graph), { graph: again, name: '' });
    expect(again.operations.map(({ name, type }) => `${type} ${name}`).sort()).toEqual(names);
    for (const op of graph.operations) {
      expect(inputsOf(again.getOperationByName(op.name))).toEqual(inputsOf(op));
    }
  });

  it('without version 1 control flow stay as they are', () => {
    const graph = load('node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } }');
    expect(functionalize({ fetches: [graph.getTensorByName('x:0')], targets: [], feeds: [] })).toBeNull();
  });
});
