/** Shapes that a graph would have with other inputs: the same as those of a graph that is built with them, and only for the time being. */
import {
  add,
  constantValue,
  Graph,
  importGraphDef,
  InvalidArgumentError,
  matMul,
  placeholder,
  proto,
  reshape,
  shape,
  slice,
  TensorArray,
  TensorShape,
  withAssumedShapes,
  writeGraphDef,
} from '@forerun/graph';

/** A network that flattens its input by arithmetic on the shape. */
function build(): Graph {
  const graph = new Graph();
  graph.asDefault(() => {
    const x = placeholder('float32', [null, 2, 3], { name: 'x' });
    const size = slice(shape(x, { name: 'shape' }), [0], [1], { name: 'size' });
    const flat = reshape(x, [-1, 6], { name: 'flat' });
    const w = placeholder('float32', [6, 4], { name: 'w' });
    add(matMul(flat, w, { name: 'product' }), 1, { name: 'sum' });
    reshape(add(x, 1), add(size, 5), { name: 'long' });
  });
  return graph;
}

function shapesOf(graph: Graph): Record<string, string> {
  return Object.fromEntries(
    graph.operations.flatMap(({ outputs }) =>
      outputs.map((tensor) => [tensor.name, tensor.shape.toString()]),
    ),
  );
}

test('shapes are those of a graph that is built with them, and afterwards as before', () => {
  const graph = build();
  const before = shapesOf(graph);
  const size = graph.getTensorByName('size:0');
  expect(before['sum:0']).toBe('[?,4]');
  const assumed = new Map([[graph.getOperationByName('x'), new TensorShape([1, 2, 3])]]);
  const found = withAssumedShapes(graph, assumed, () => ({
    shapes: shapesOf(graph),
    size: [...(constantValue(size)?.data ?? [])],
  }));
  const def = proto.decode('GraphDef', writeGraphDef(graph));
  const fixed = proto.decode(
    'AttrValue',
    proto.encode('AttrValue', { shape: { dim: [1, 2, 3].map((n) => ({ size: n })) } }),
  );
  for (const node of def.node) if (node.name === 'x') node.attr.set('shape', fixed);
  const built = new Graph();
  importGraphDef(def, { graph: built, name: '' });
  expect(found).toEqual({ shapes: shapesOf(built), size: [1] });
  expect(found?.shapes['sum:0']).toBe('[1,4]');
  expect(found?.shapes['long:0']).toBe('[6]');
  expect(shapesOf(graph)).toEqual(before);
  expect([...(constantValue(size)?.data ?? [])]).toEqual([NaN]);
  expect(graph.getOperationByName('x').attrs.shape('shape').dims).toEqual([null, 2, 3]);
});

test('shapes that do not fit name the node, and leave the graph as it was', () => {
  const graph = build();
  const before = shapesOf(graph);
  const assume = (dims: readonly number[]): unknown =>
    withAssumedShapes(graph, new Map([[graph.getOperationByName('w'), new TensorShape(dims)]]), () => 'done');
  expect(() => assume([5, 4])).toThrow(InvalidArgumentError);
  expect(() => assume([5, 4])).toThrow(/MatMul "product": .*\[\?,6\].*\[5,4\]/);
  expect(shapesOf(graph)).toEqual(before);
  expect(assume([6, 9])).toBe('done');
});

test('where lists depend on an input nothing is assumed', () => {
  const graph = new Graph();
  graph.asDefault(() => {
    const x = placeholder('float32', [null, 3], { name: 'x' });
    new TensorArray('float32', { size: 2, elementShape: [null, 3] }).write(0, x).write(1, x).stack();
  });
  const assumed = new Map([[graph.getOperationByName('x'), new TensorShape([2, 3])]]);
  expect(withAssumedShapes(graph, assumed, () => 'done')).toBeUndefined();
});
