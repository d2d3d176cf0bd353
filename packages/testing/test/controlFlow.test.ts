/** Gradients of loops and conditionals, of first and second order, against finite differences. No device is needed. */
import {
  Graph,
  TensorArray,
  TensorShape,
  add,
  cond,
  constant,
  greater,
  less,
  mapFn,
  matMul,
  mul,
  reduceSum,
  scan,
  sin,
  tanh,
  whileLoop,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { checkGrad, interpret, placeholderNode } from '@forerun/testing';

const floats = (shape: readonly number[], ...data: number[]): HostValue => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from(data),
});
const int = (value: number): Tensor => constant(value, { dtype: 'int32' });

/** Builds in a graph of its own and compares the gradients of the result. */
function check(values: readonly HostValue[], build: (...xs: Tensor[]) => Tensor): void {
  const graph = new Graph();
  graph.asDefault(() => {
    const xs = values.map(({ dtype, shape }) => placeholderNode(graph, dtype, new TensorShape(shape)));
    const y = build(...xs);
    checkGrad([y], new Map(xs.map((x, i) => [x, values[i] ?? floats([], 0)])));
  });
}

test('a loop with a counter', () => {
  check(
    [floats([2], 0.5, -0.7), floats([], 1.3)],
    (x, a) =>
      whileLoop(
        (i) => less(i, 3),
        (i, y) => [add(i, 1), mul(sin(y), a)],
        [int(0), x],
      )[1],
  );
});

test('a loop that ends by a value', () => {
  check(
    [floats([], 1.1), floats([], 1.7)],
    (x, a) =>
      whileLoop(
        (y) => less(y, 8),
        (y) => [mul(mul(y, a), a)],
        [x],
      )[0],
  );
});

test('a loop that does not run at all', () => {
  check([floats([], 9)], (x) =>
    mul(
      x,
      whileLoop(
        (y) => less(y, 8),
        (y) => [mul(y, y)],
        [x],
      )[0],
    ),
  );
});

test('a recurrent step with weights from outside', () => {
  const weights = floats([2, 2], 0.3, -0.4, 0.7, 0.2);
  check([floats([3, 1, 2], 1, 2, -1, 0.5, 0.3, -0.2), weights], (x, w) =>
    scan((h, row) => tanh(add(matMul(h, w), row)), x, {
      initializer: constant([[0.1, 0.2]]),
    }),
  );
});

test('arrays that are written and read', () => {
  check([floats([3], 0.4, 0.5, 0.6)], (x) => {
    const rows = new TensorArray('float32', { size: 3 }).unstack(x);
    const [, out] = whileLoop(
      (i) => less(i, 3),
      (i, array) => [add(i, 1), array.write(i, mul(rows.read(i), rows.read(0)))],
      [int(0), new TensorArray('float32', { size: 3, elementShape: [] })],
    );
    return out.stack();
  });
});

test('a loop in a loop', () => {
  check(
    [floats([], 0.8)],
    (x) =>
      whileLoop(
        (i) => less(i, 3),
        (i, y) => [
          add(i, 1),
          whileLoop(
            (j) => less(j, i),
            (j, z) => [add(j, 1), mul(z, sin(add(z, x)))],
            [int(0), add(y, x)],
          )[1],
        ],
        [int(0), x],
      )[1],
  );
});

test.each([0.5, -0.5])('a conditional at %d', (at) => {
  check([floats([], at), floats([], 1.5)], (x, a) =>
    cond(
      greater(x, 0),
      () => mul(mul(x, x), a),
      () => mul(sin(x), mul(a, a)),
    ),
  );
});

test('a conditional in a loop', () => {
  check(
    [floats([], 0.9)],
    (x) =>
      whileLoop(
        (i) => less(i, 4),
        (i, y) => [
          add(i, 1),
          cond(
            less(i, 2),
            () => mul(y, sin(x)),
            () => add(y, mul(x, y)),
          ),
        ],
        [int(0), x],
      )[1],
  );
});

test('a loop in a conditional', () => {
  check([floats([], 0.9)], (x) =>
    cond(
      greater(x, 0),
      () =>
        whileLoop(
          (i) => less(i, 3),
          (i, y) => [add(i, 1), mul(y, x)],
          [int(0), x],
        )[1],
      () => x,
    ),
  );
});

test('mapFn over rows', () => {
  check([floats([2, 2], 1, 2, 3, 4)], (x) => mapFn((row) => mul(row, reduceSum(row)), x));
});

test('the interpreter runs a loop', () => {
  const graph = new Graph();
  graph.asDefault(() => {
    const [i, y] = whileLoop(
      (i) => less(i, 5),
      (i, y) => [add(i, 1), mul(y, 2)],
      [int(0), constant(1)],
    );
    expect(interpret([i, y]).map(({ data }) => data[0])).toEqual([5, 32]);
  });
});
