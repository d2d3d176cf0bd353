/** Builders that are made of factorizations: values by other ways, gradients by differences. */
import {
  Graph,
  add,
  choleskySolve,
  cholesky,
  constant,
  eye,
  gradients,
  logMatrixDeterminant,
  logdet,
  lstsq,
  matMul,
  matrixSolve,
  norm,
  placeholder,
  qr,
  type HostValue,
  type NormOptions,
  type Tensor,
} from '@forerun/graph';
import { checkGrad, interpret } from '@forerun/testing';
import { floats } from './floats.js';

function run(build: (...xs: Tensor[]) => Tensor, points: readonly HostValue[]): HostValue {
  return new Graph().asDefault(() => {
    const xs = points.map(({ shape }) => placeholder('float32', shape));
    const y = build(...xs);
    const feeds = new Map(xs.map((x, i) => [x, points[i] ?? floats([])] as const));
    checkGrad([y], feeds);
    const [value] = interpret([y], feeds);
    if (value === undefined) throw new Error('there is no value');
    return value;
  });
}

function expectNear(got: HostValue, want: readonly number[], shape: readonly number[]): void {
  expect(got.shape).toEqual(shape);
  got.data.forEach((x, i) => {
    expect(x).toBeCloseTo(want[i] ?? NaN, 6);
  });
}

const definite = (x: Tensor): Tensor => add(matMul(x, x, { transposeB: true }), eye(3));

describe('determinants and solutions', () => {
  it('logdet agrees with the general determinant', () => {
    const x = floats([3, 3]);
    const want = run((a) => logMatrixDeterminant(definite(a)).logAbsDeterminant, [x]);
    expectNear(
      run((a) => logdet(definite(a)), [x]),
      [...want.data],
      [],
    );
  });

  it('choleskySolve solves', () => {
    const [x, b] = [floats([3, 3]), floats([3, 2], 2)];
    const want = run((a, rhs) => matrixSolve(definite(a), rhs), [x, b]);
    expectNear(
      run((a, rhs) => choleskySolve(cholesky(definite(a)), rhs), [x, b]),
      [...want.data],
      [3, 2],
    );
  });

  it('lstsq fits a line and finds the shortest solution', () => {
    const line = [
      [
        [1, 0],
        [1, 1],
        [1, 2],
      ],
      [[1], [3], [5]],
    ] as const;
    const fit = new Graph().asDefault(() =>
      interpret([lstsq([...line[0].map((r) => [...r])], [[1], [3], [5]])], new Map()),
    );
    if (fit[0] !== undefined) expectNear(fit[0], [1, 2], [2, 1]);
    const short = new Graph().asDefault(() => interpret([lstsq([[1, 1]], [[2]])], new Map()));
    if (short[0] !== undefined) expectNear(short[0], [1, 1], [2, 1]);
    run((a, b) => lstsq(a, b, { l2Regularizer: 0.5 }), [floats([4, 3]), floats([4, 1], 2)]);
    const deficient = new Graph().asDefault(() =>
      interpret(
        [
          lstsq(
            [
              [1, 1],
              [1, 1],
            ],
            [[2], [4]],
            { fast: false },
          ),
        ],
        new Map(),
      ),
    );
    if (deficient[0] !== undefined) expectNear(deficient[0], [1.5, 1.5], [2, 1]);
    const x = constant([[1], [2]]);
    expect(() => gradients([lstsq(x, [[1], [1]], { fast: false })], [x])).toThrow(
      /not defined for fast = false/,
    );
    expect(() => lstsq(placeholder('float32'), [[1]])).toThrow(/the sizes of matrix must be known/);
  });

  it('the gradient of full q of deep matrices is refused', () => {
    const x = constant([[1], [2]]);
    expect(() => gradients([qr(x, { fullMatrices: true }).q], [x])).toThrow(/is not defined/);
  });
});

describe('norm', () => {
  const x = floats([2, 3]);
  const v = [...x.data].map(Math.abs);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = v;
  const euclidean = Math.hypot(...v);
  const cases: readonly [string, NormOptions, readonly number[], readonly number[]][] = [
    ['of all', {}, [euclidean], []],
    ['of all, kept', { keepDims: true }, [euclidean], [1, 1]],
    ['along an axis', { axis: 1 }, [Math.hypot(a, b, c), Math.hypot(d, e, f)], [2]],
    ['sum', { ord: 1, axis: -1, keepDims: true }, [a + b + c, d + e + f], [2, 1]],
    ['largest', { ord: Infinity, axis: 0 }, [Math.max(a, d), Math.max(b, e), Math.max(c, f)], [3]],
    ['p', { ord: 3 }, [v.reduce((sum, y) => sum + y ** 3, 0) ** (1 / 3)], []],
    ['Frobenius', { ord: 'fro', axis: [0, 1] }, [euclidean], []],
    ['columns', { ord: 1, axis: [0, 1] }, [Math.max(a + d, b + e, c + f)], []],
    ['rows', { ord: Infinity, axis: [-2, -1], keepDims: true }, [Math.max(a + b + c, d + e + f)], [1, 1]],
  ];
  it.each(cases)('%s', (_, options, want, shape) => {
    expectNear(
      run((t) => norm(t, options), [x]),
      want,
      shape,
    );
  });

  it('the largest singular value', () => {
    const [ax, ay, az, bx, by, bz] = [...x.data] as [number, number, number, number, number, number];
    const [aa, bb] = [ax * ax + ay * ay + az * az, bx * bx + by * by + bz * bz];
    const ab = ax * bx + ay * by + az * bz;
    const want = Math.sqrt((aa + bb) / 2 + Math.hypot((aa - bb) / 2, ab));
    expectNear(
      run((t) => norm(t, { ord: 2, axis: [0, 1] }), [x]),
      [want],
      [],
    );
    expectNear(
      run((t) => norm(t, { ord: 2, axis: [-1, 0], keepDims: true }), [x]),
      [want],
      [1, 1],
    );
  });

  it('rejects what is no norm', () => {
    expect(() => norm([[1]], { ord: 0 })).toThrow(
      /ord of vectors must be euclidean or a number above 0, got 0/,
    );
    expect(() => norm([[1]], { ord: 3, axis: [0, 1] })).toThrow(/ord of matrices must be/);
    expect(() => norm([[1]], { axis: [1, 1] })).toThrow(/two different ones/);
  });
});
