/** Functions in graph files: loops and conditionals survive being written and read. */
import {
  Graph,
  add,
  cond,
  constant,
  gradients,
  greater,
  importGraphDef,
  less,
  mul,
  neg,
  placeholder,
  whileLoop,
  writeGraphDef,
  readGraphDef,
} from '../../src/index.js';

function loopGraph(): Graph {
  const graph = new Graph();
  graph.asDefault(() => {
    const x = placeholder('float32', [2], { name: 'x' });
    const [, y] = whileLoop(
      (i) => less(i, 3),
      (i, y) => [
        add(i, 1),
        cond(
          greater(i, 1),
          () => mul(y, x),
          () => neg(y),
        ),
      ],
      [constant(0, { dtype: 'int32' }), x],
    );
    gradients(y, x);
  });
  return graph;
}

test('a graph with functions gives the same bytes after a round trip', () => {
  // The first trip puts nodes after their inputs: gradients gave the loop inputs that are younger than it.
  const first = new Graph();
  importGraphDef(writeGraphDef(loopGraph()), { graph: first, name: '' });
  const bytes = writeGraphDef(first);
  const second = new Graph();
  importGraphDef(bytes, { graph: second, name: '' });
  expect(writeGraphDef(second)).toEqual(bytes);
});

test('functions that were read are graphs again', () => {
  const source = loopGraph();
  const graph = new Graph();
  importGraphDef(writeGraphDef(source), { graph, name: '' });
  expect([...graph.functions.keys()].sort()).toEqual([...source.functions.keys()].sort());
  for (const [name, fn] of source.functions) {
    const read = graph.getFunction(name);
    expect(read.inputs.map(({ dtype, shape }) => `${dtype} ${shape.toString()}`)).toEqual(
      fn.inputs.map(({ dtype, shape }) => `${dtype} ${shape.toString()}`),
    );
    expect(read.operations.map(({ type }) => type).sort()).toEqual(
      fn.operations.map(({ type }) => type).sort(),
    );
  }
});

test('arguments and results are named as FunctionDef wants', () => {
  const { library } = readGraphDef(writeGraphDef(loopGraph()));
  const names =
    library?.function.flatMap(({ signature }) => signature?.inputArg.map(({ name }) => name) ?? []) ?? [];
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
  const body = library?.function.find(({ nodeDef }) => nodeDef.some(({ op }) => op === 'StatelessIf'));
  expect([...(body?.ret.values() ?? [])].every((ref) => ref.split(':').length !== 2)).toBe(true);
});

test('a function that does not fit together fails when it is called, naming the node', () => {
  const def = readGraphDef(writeGraphDef(loopGraph()));
  const broken = def.library?.function[0];
  const node = broken?.nodeDef.find(({ input }) => input.length > 0);
  if (broken?.signature === undefined || node === undefined) throw new Error('there is no function to break');
  node.input = ['nowhere', ...node.input.slice(1)];
  const graph = new Graph();
  importGraphDef(def, { graph, name: '' });
  const { name } = broken.signature;
  expect(() => graph.getFunction(name)).toThrow(/needs "nowhere", which is not there/);
  expect(() => graph.getFunction('none')).toThrow(/the graph has no function "none"/);
});
