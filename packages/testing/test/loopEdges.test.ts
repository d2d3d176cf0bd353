/** Edges of loops: none or few iterations, records as variables, options, second order, what is refused. */
import * as fr from '@forerun/graph';
import { checkGrad, interpret, placeholderNode } from '@forerun/testing';

const int = (value: number): fr.Tensor => fr.constant(value, { dtype: 'int32' });
const number = (value: number): fr.HostValue => ({
  dtype: 'float32',
  shape: [],
  data: Float64Array.of(value),
});
const valueOf = (tensor: fr.Tensor): number[] => Array.from(interpret([tensor])[0]?.data ?? []);

beforeEach(() => fr.resetDefaultGraph());

test('options of TensorFlow programs are accepted', () => {
  const [i] = fr.whileLoop(
    (i) => fr.less(i, 5),
    (i) => [fr.add(i, 1)],
    [int(0)],
    { parallelIterations: 1, backProp: false, swapMemory: true },
  );
  expect(valueOf(i)).toEqual([5]);
});

test.each([
  [0, 0],
  [3, 3],
  [9, 5],
])('at most %d iterations, given as a tensor', (limit, want) => {
  const [i] = fr.whileLoop(
    (i) => fr.less(i, 5),
    (i) => [fr.add(i, 1)],
    [int(0)],
    { maximumIterations: int(limit) },
  );
  expect(valueOf(i)).toEqual([want]);
});

test('records are loop variables, to second order and with a captured tensor', () => {
  const graph = new fr.Graph();
  graph.asDefault(() => {
    const [x, a] = [0, 1].map(() => placeholderNode(graph, 'float32', fr.TensorShape.SCALAR));
    if (x === undefined || a === undefined) throw new Error('two placeholders');
    const [, state] = fr.whileLoop(
      (i) => fr.less(i, 3),
      (i, { y, z }) => [fr.add(i, 1), { y: fr.mul(y, fr.sin(a)), z: fr.add(z, fr.mul(y, y)) }],
      [int(0), { y: x, z: a }],
    );
    const feeds = new Map([
      [x, number(0.7)],
      [a, number(1.2)],
    ]);
    checkGrad([state.z], feeds);
  });
});

test('folds over no rows give the initial value', () => {
  const rows = fr.zeros([0, 2]);
  const sum = fr.foldl((a, row) => fr.add(a, row), rows, { initializer: fr.constant([3, 4]) });
  expect(valueOf(sum)).toEqual([3, 4]);
});

test('shapes that change need invariants', () => {
  const grow = (options: fr.WhileLoopOptions): fr.Tensor =>
    fr.whileLoop(
      (i) => fr.less(i, 2),
      (i, x) => [fr.add(i, 1), fr.concat([x, x], 0)],
      [int(0), fr.constant([1])],
      options,
    )[1];
  expect(() => grow({})).toThrow(/body returns \[2\]: give shapeInvariants where a shape changes/);
  expect(() => grow({ shapeInvariants: [[]] })).toThrow(/there are 1 shapeInvariants for 2 loop variables/);
  expect(() => grow({ shapeInvariants: [[], [3]] })).toThrow(/which its invariant \[3\] does not allow/);
  expect(valueOf(grow({ shapeInvariants: [[], [null]] }))).toEqual([1, 1, 1, 1]);
});
