/** Custom gradients: replace those of the ops, for several arguments and results, to second order. */
import {
  add,
  customGradient,
  exp,
  gradients,
  identity,
  log,
  mul,
  placeholder,
  resetDefaultGraph,
  sigmoid,
  square,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { interpret } from '@forerun/testing';

interface Setting {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly valueOf: (tensor: Tensor | null | undefined) => number[];
}

function setUp(): Setting {
  resetDefaultGraph();
  const [x, y] = [placeholder('float32', [2], { name: 'x' }), placeholder('float32', [2], { name: 'y' })];
  const value = (...data: number[]): HostValue => ({
    dtype: 'float32',
    shape: [data.length],
    data: Float64Array.from(data),
  });
  const feeds = new Map([
    [x, value(1, 100)],
    [y, value(2, -5)],
  ]);
  const valueOf = (tensor: Tensor | null | undefined): number[] => [
    ...(interpret([present(tensor)], feeds)[0]?.data ?? []),
  ];
  return { x, y, valueOf };
}

function present(tensor: Tensor | null | undefined): Tensor {
  if (tensor === null || tensor === undefined) throw new Error('there is no tensor');
  return tensor;
}

const softplus = customGradient((v: Tensor) => ({
  value: log(add(exp(v), 1)),
  grad: (dy: Tensor) => mul(dy, sigmoid(v)),
}));

describe('customGradient', () => {
  it('uses the given gradient', () => {
    const { x, valueOf } = setUp();
    const [a = 0, b = 0] = valueOf(gradients(softplus(x), x)[0]);
    expect(a).toBeCloseTo(1 / (1 + Math.exp(-1)), 12);
    expect(b).toBe(1);
  });

  it('can be differentiated again', () => {
    const { x, valueOf } = setUp();
    const [dx] = gradients(softplus(x), x);
    const s = 1 / (1 + Math.exp(-1));
    expect(valueOf(gradients(present(dx), x)[0])[0]).toBeCloseTo(s * (1 - s), 12);
  });

  it('takes several arguments and gives several results', () => {
    const { x, y, valueOf } = setUp();
    const fn = customGradient((a: Tensor, b: Tensor) => ({
      value: [mul(a, b), add(a, b)],
      grad: (dp: Tensor, ds: Tensor) => [mul(dp, 10), add(mul(dp, b), mul(ds, 1000))],
    }));
    const [product, sum] = fn(x, y);
    expect([product, sum].map(valueOf)).toEqual([
      [2, -500],
      [3, 95],
    ]);
    expect(gradients([present(product), present(sum)], [x, y]).map(valueOf)).toEqual([
      [10, 10],
      [1002, 995],
    ]);
    expect(gradients(present(sum), [x, y]).map(valueOf)).toEqual([
      [0, 0],
      [1000, 1000],
    ]);
  });

  it('differentiates the gradients of several arguments again', () => {
    const { x, y, valueOf } = setUp();
    const fn = customGradient((a: Tensor, b: Tensor) => ({
      value: mul(a, b),
      grad: (dy: Tensor) => [mul(dy, mul(a, b)), mul(dy, square(b))],
    }));
    const [dx, dy] = gradients(fn(x, y), [x, y]);
    expect(gradients(present(dx), [x, y]).map(valueOf)).toEqual([
      [2, -5],
      [1, 100],
    ]);
    expect(gradients(present(dy), y).map(valueOf)).toEqual([[4, -10]]);
  });

  it('passes on what flows before and after it, and null', () => {
    const { x, y, valueOf } = setUp();
    const fn = customGradient((a: Tensor, b: Tensor) => ({
      value: mul(a, b),
      grad: (dy: Tensor) => [mul(dy, 7), null],
    }));
    const [dx, dy] = gradients(square(fn(square(x), y)), [x, y]);
    // 2 x²y · 7 · 2x
    expect(valueOf(dx)).toEqual([2 * 2 * 7 * 2, 2 * -50000 * 7 * 200]);
    expect(dy).toBeNull();
  });

  it('lets nothing flow into the function itself', () => {
    const { x, y } = setUp();
    const fn = customGradient((a: Tensor) => ({ value: mul(a, y), grad: (dy: Tensor) => dy }));
    expect(gradients(fn(x), y)).toEqual([null]);
  });

  it('rejects a wrong number of gradients, wrong shapes and a missing value', () => {
    const { x, y } = setUp();
    const short = customGradient((a: Tensor, b: Tensor) => ({ value: add(a, b), grad: (dy: Tensor) => dy }));
    expect(() => gradients(short(x, y), x)).toThrow(
      /customGradient "IdentityN": grad gave 1 gradients for 2 arguments/,
    );
    const wide = customGradient((a: Tensor) => ({
      value: identity(a),
      grad: () => placeholder('float32', [3]),
    }));
    expect(() => gradients(wide(x), x)).toThrow(
      /the gradient of argument 0 has shape \[3\], the argument \[2\]/,
    );
    const empty = customGradient(() => ({ value: [], grad: () => null }));
    expect(() => empty(x)).toThrow(/the function gave no value/);
  });
});
