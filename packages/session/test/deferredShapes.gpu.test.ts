/** Graphs that were imported without inferring shapes: the run finds what does not fit, and only in what it needs. */
import { Graph, importGraphDef, InvalidArgumentError, TensorValue } from '@forerun/graph';
import { Session } from '../src/index.js';

type Attr = { readonly type: number } | { readonly shape: object };
const node = (
  name: string,
  op: string,
  input: string[],
  attr: [string, Attr][] = [['T', { type: 1 }]],
): object => ({
  name,
  op,
  input,
  attr: new Map(attr),
});

/** x, a product that cannot be, and relu(x). */
function imported(): Graph {
  const graph = new Graph();
  const shape = { dim: [{ size: 2 }, { size: 3 }] };
  const nodes = [
    node(
      'x',
      'Placeholder',
      [],
      [
        ['dtype', { type: 1 }],
        ['shape', { shape }],
      ],
    ),
    node('bad', 'MatMul', ['x', 'x']),
    node('user', 'Relu', ['bad']),
    node('good', 'Relu', ['x']),
  ];
  importGraphDef({ node: nodes }, { graph, name: '', deferShapes: true });
  return graph;
}

const X = new TensorValue('float32', [2, 3], Float32Array.of(-1, 2, -3, 4, -5, 6));

test('a run names the node that does not fit; the session stays usable', async () => {
  const session = await Session.create({ graph: imported() });
  const run = session.run('user:0', { x: X });
  await expect(run).rejects.toThrow(/MatMul "bad": inner dimensions differ: a \[2,3\], b \[2,3\]/);
  await expect(run).rejects.toThrow(InvalidArgumentError);
  expect(Array.from((await session.run('good:0', { x: X })).data as Float32Array)).toEqual([
    0, 2, 0, 4, 0, 6,
  ]);
  session.close();
});

test('a run infers no shapes of the graph that it does not need', async () => {
  const graph = imported();
  const session = await Session.create({ graph });
  const wrong = session.run('good:0', { x: new TensorValue('float32', [3], Float32Array.of(1, 2, 3)) });
  await expect(wrong).rejects.toThrow(/"x:0".*\[2,3\]/);
  await session.run('good:0', { x: X });
  expect(graph.getTensorByName('bad:0').inferredShape).toBeNull();
  expect(graph.getTensorByName('good:0').inferredShape).toBeNull();
  session.close();
});
