/** Builders that are made of singular values, and what the gradient of the decomposition refuses. */
import {
  Graph,
  batchMatMul,
  gradients,
  matMul,
  matrixInverse,
  matrixRank,
  matrixTranspose,
  mul,
  pinv,
  placeholder,
  svd,
  type HostValue,
  type ShapeLike,
  type Tensor,
} from '@forerun/graph';
import { checkGrad, interpret } from '@forerun/testing';
import { floats } from './floats.js';

function compare(
  x: HostValue,
  got: (x: Tensor) => Tensor,
  want: (x: Tensor) => Tensor,
  differentiate = true,
): void {
  new Graph().asDefault(() => {
    const t = placeholder('float32', x.shape);
    const feeds = new Map([[t, x]]);
    const pair = [got(t), want(t)] as const;
    const [a, b] = interpret(pair, feeds);
    expect(a?.shape).toEqual(b?.shape);
    a?.data.forEach((v, i) => {
      expect(v).toBeCloseTo(b?.data[i] ?? NaN, 8);
    });
    if (differentiate) checkGrad([pair[0]], feeds, { order: 1 });
  });
}

const gramInverse = (x: Tensor): Tensor =>
  matMul(matrixInverse(matMul(x, x, { transposeA: true })), x, { transposeB: true });

describe('pinv', () => {
  it('is (aᵀ a)⁻¹ aᵀ of deep matrices, its transpose of wide ones, and the inverse of square ones', () => {
    compare(floats([4, 3]), (x) => pinv(x), gramInverse);
    compare(
      floats([2, 4]),
      (x) => pinv(x),
      (x) => matrixTranspose(gramInverse(matrixTranspose(x))),
    );
    compare(
      floats([2, 3, 3], 4),
      (x) => pinv(x),
      (x) => matrixInverse(x),
    );
  });

  it('takes small singular values for 0', () => {
    const singular = { ...floats([2, 2]), data: Float64Array.of(1, 2, 2, 4) };
    compare(
      singular,
      (x) => pinv(x),
      (x) => mul(x, 1 / 25),
      false,
    );
    const diagonal = { ...floats([2, 2]), data: Float64Array.of(4, 0, 0, 1) };
    const half = (x: Tensor): Tensor =>
      mul(x, [
        [1 / 16, 0],
        [0, 0],
      ]);
    compare(diagonal, (x) => pinv(x, { rcond: 0.5 }), half, false);
  });

  it('takes a bound for each matrix, and sizes that are not known', () => {
    new Graph().asDefault(() => {
      const x = placeholder('float32');
      const value = { ...floats([2, 2, 2]), data: Float64Array.of(4, 0, 0, 1, 4, 0, 0, 1) };
      const [y, z] = interpret([pinv(x, { rcond: [0.5, 0.1] }), pinv(x)], new Map([[x, value]]));
      expect(Array.from(y?.data ?? [], Math.fround)).toEqual([0.25, 0, 0, 0, 0.25, 0, 0, 1]);
      expect(Array.from(z?.data ?? [], Math.fround)).toEqual([0.25, 0, 0, 1, 0.25, 0, 0, 1]);
    });
  });
});

test('matrixRank counts singular values above a bound', () => {
  new Graph().asDefault(() => {
    const x = placeholder('float32', [null, 2, 2]);
    const value = { ...floats([3, 2, 2]), data: Float64Array.of(4, 0, 0, 1, 1, 2, 2, 4, 0, 0, 0, 0) };
    const [y, z] = interpret([matrixRank(x), matrixRank(x, { tol: 2 })], new Map([[x, value]]));
    expect(Array.from(y?.data ?? [])).toEqual([2, 1, 0]);
    expect(Array.from(z?.data ?? [])).toEqual([1, 1, 0]);
  });
});

describe('svd', () => {
  it('of values alone gives one tensor, of full matrices all vectors', () => {
    new Graph().asDefault(() => {
      const x = placeholder('float32', [5, 3]);
      expect(svd(x, { computeUv: false }).shape.toString()).toBe('[3]');
      const { u, s, v } = svd(x);
      const back = batchMatMul(mul(u, s), v, { adjY: true });
      const value = floats([5, 3]);
      const [again] = interpret([back], new Map([[x, value]]));
      again?.data.forEach((y, i) => {
        expect(y).toBeCloseTo(value.data[i] ?? NaN, 10);
      });
      expect(svd(x, { fullMatrices: true }).u.shape.toString()).toBe('[5,5]');
    });
  });

  const refused: readonly [ShapeLike, boolean, RegExp][] = [
    [[5, 3], true, /differ by more than 1, got \[5,3\]/],
    [[null, 3], false, /needs the numbers of rows and columns, got \[\?,3\]/],
  ];
  it.each(refused)('has no gradient of vectors for %j, full: %s', (shape, fullMatrices, message) => {
    new Graph().asDefault(() => {
      const x = placeholder('float32', shape);
      expect(() => gradients([svd(x, { fullMatrices }).u], [x])).toThrow(message);
      expect(gradients([svd(x, { computeUv: false })], [x])[0]?.shape.rank).toBe(2);
    });
  });
});
