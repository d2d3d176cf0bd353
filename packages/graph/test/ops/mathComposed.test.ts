/** Functions that are made of several ops, against their definitions. */
import {
  Graph,
  IndexedSlices,
  besselI0,
  besselI1,
  confusionMatrix,
  constant,
  gradients,
  isNonDecreasing,
  isStrictlyIncreasing,
  lbeta,
  reciprocalNoNan,
  scalarMul,
  toFloat,
  toInt32,
  toInt64,
  truediv,
  type Tensor,
} from '@forerun/graph';
import { interpret } from '@forerun/testing';

/** The elements of what `build` makes. */
function compute(build: () => Tensor): number[] {
  return new Graph().asDefault(() => Array.from(interpret([build()])[0]?.data ?? []));
}

const ints = (...values: number[]): Tensor => constant(values, { dtype: 'int32' });

function expectNear(got: readonly number[], want: readonly number[]): void {
  expect(got).toHaveLength(want.length);
  got.forEach((x, i) => expect(x).toBeCloseTo(want[i] ?? NaN, 6));
}

test('Bessel functions, and that I0 has the derivative I1', () => {
  // Abramowitz and Stegun, table 9.8: e^-1 I0(1) = 0.4657596, e^-1 I1(1) = 0.2079104
  expectNear(
    compute(() => besselI0([1, 0])),
    [Math.E * 0.4657596077, 1],
  );
  expectNear(
    compute(() => besselI1([1, 0, -1])),
    [Math.E * 0.2079104154, 0, -Math.E * 0.2079104154],
  );
  const slopes = compute(() => {
    const x = constant([-2, 0.5, 3]);
    const [dx] = gradients(besselI0(x), x);
    if (dx === null || dx === undefined) throw new Error('there is no gradient');
    return dx;
  });
  expectNear(
    slopes,
    compute(() => besselI1([-2, 0.5, 3])),
  );
});

test('the beta function', () => {
  // B(2, 3) = 1/12, B(1, 1, 1) = 1/2
  expectNear(
    compute(() => lbeta([2, 3])),
    [-Math.log(12)],
  );
  expectNear(
    compute(() => lbeta([[1, 1, 1]])),
    [-Math.log(2)],
  );
});

test('reciprocals and quotients', () => {
  expect(compute(() => reciprocalNoNan([2, 0, -4]))).toEqual([0.5, 0, -0.25]);
  expect(compute(() => truediv(ints(7, -1), ints(2, 4)))).toEqual([3.5, -0.25]);
  expect(compute(() => truediv(constant([3]), 2))).toEqual([1.5]);
});

test.each<[number[], boolean, boolean]>([
  [[1, 2, 5], true, true],
  [[1, 1, 2], true, false],
  [[2, 1], false, false],
  [[4], true, true],
  [[], true, true],
])('the order of %j', (values, weakly, strictly) => {
  const x = (): Tensor => constant(values, { dtype: 'float32', shape: [values.length] });
  expect(compute(() => isNonDecreasing(x()))).toEqual([Number(weakly)]);
  expect(compute(() => isStrictlyIncreasing(x()))).toEqual([Number(strictly)]);
});

test('a scalar times a tensor or rows', () => {
  expect(compute(() => scalarMul(3, [1, 2]))).toEqual([3, 6]);
  expect(compute(() => scalarMul(2, new IndexedSlices(constant([[1, 2]]), ints(4))).values)).toEqual([2, 4]);
  new Graph().asDefault(() => {
    expect(() => scalarMul(constant([1, 2]), [1, 2])).toThrow(/the factor must be a scalar, got shape \[2\]/);
  });
});

test('a confusion matrix', () => {
  const made = compute(() => confusionMatrix(ints(0, 1, 2, 1), ints(0, 2, 2, 1)));
  expect(made).toEqual([1, 0, 0, 0, 1, 1, 0, 0, 1]);
  const weighted = compute(() =>
    confusionMatrix(ints(0, 1), ints(1, 1), { numClasses: 2, weights: [0.5, 3], dtype: 'float32' }),
  );
  expect(weighted).toEqual([0, 0.5, 0, 3]);
});

test('casts by name', () => {
  new Graph().asDefault(() => {
    const x = constant([1.7]);
    expect([toInt32(x), toInt64(x), toFloat(toInt32(x))].map(({ dtype }) => dtype)).toEqual([
      'int32',
      'int64',
      'float32',
    ]);
  });
});
