/** Ops that the host evaluates in a run: shapes of variables, distances of sequences that are fed or computed. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

let graph: fr.Graph;
let sess: Session;

beforeEach(async () => {
  graph = new fr.Graph();
  sess = await Session.create({ graph });
});

afterEach(() => sess.close());

test('the shape of a variable is known when a plan is made', async () => {
  const { v, shape, y } = graph.asDefault(() => {
    const v = new fr.Variable(fr.zeros([2, 3]), { name: 'v' });
    const shape = graph.createOp({ type: 'VariableShape', inputs: [v.handle] }).output(0);
    // static shapes see through it too
    const y = fr.reshape(fr.range(0, 6, { dtype: 'float32' }), shape);
    return { v, shape, y };
  });
  expect(y.shape.dims).toEqual([2, 3]);
  await sess.run(v.initializer);
  expect((await sess.run(shape)).toArray()).toEqual([2, 3]);
  expect((await sess.run(y)).toArray()).toEqual([
    [0, 1, 2],
    [3, 4, 5],
  ]);
});

test('edit distances of sequences, one of them computed', async () => {
  const { values, distance } = graph.asDefault(() => {
    const long = (x: number[] | number[][]): fr.Tensor => fr.constant(x, { dtype: 'int64' });
    const values = fr.placeholder('float32', [3]);
    const rows = [
      [0, 0],
      [0, 1],
      [1, 0],
    ];
    const guess = new fr.SparseTensor(long(rows), fr.cast(fr.mul(values, 2), 'int32'), long([2, 2]));
    const truth = new fr.SparseTensor(long(rows), fr.constant([2, 8, 6], { dtype: 'int32' }), long([2, 2]));
    return { values, distance: fr.editDistance(guess, truth) };
  });
  expect((await sess.run(distance, new Map([[values, [1, 4, 3]]]))).toArray()).toEqual([0, 0]);
  expect((await sess.run(distance, new Map([[values, [1, 2, 0]]]))).toArray()).toEqual([0.5, 1]);
});

test('sequences of different dtypes are refused', () => {
  graph.asDefault(() => {
    const at = fr.constant([[0, 0]], { dtype: 'int64' });
    const size = fr.constant([1, 1], { dtype: 'int64' });
    const of = (dtype: 'int32' | 'float32'): fr.SparseTensor =>
      new fr.SparseTensor(at, fr.constant([1], { dtype }), size);
    expect(() => fr.editDistance(of('int32'), of('float32'))).toThrow(
      /hypothesis is int32, truth float32: they must have one dtype/,
    );
  });
});
