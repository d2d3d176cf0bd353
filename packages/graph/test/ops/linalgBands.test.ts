/** What is made of triangles and of tridiagonal matrices: against the general solver, with gradients. */
import {
  Graph,
  batchMatMul,
  eye,
  expandDims,
  lu,
  luMatrixInverse,
  luReconstruct,
  luSolve,
  matrixInverse,
  matrixSolve,
  placeholder,
  slice,
  squeeze,
  tridiagonalMatmul,
  tridiagonalSolve,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { checkGrad, interpret } from '@forerun/testing';
import { floats } from './floats.js';

type Build = (...xs: Tensor[]) => Tensor;

/** Values are equal and the gradient of the first is right. */
function compare(points: readonly HostValue[], got: Build, want: Build): void {
  new Graph().asDefault(() => {
    const xs = points.map(({ shape }) => placeholder('float32', shape));
    const feeds = new Map(xs.map((x, i) => [x, points[i]] as const)) as Map<Tensor, HostValue>;
    const pair = [got(...xs), want(...xs)] as const;
    const [a, b] = interpret(pair, feeds);
    expect(a?.shape).toEqual(b?.shape);
    a?.data.forEach((v, i) => expect(v).toBeCloseTo(b?.data[i] ?? NaN, 8));
    expect(() => checkGrad([pair[0]], feeds, { order: 1 })).not.toThrow();
  });
}

describe.each([
  ['one', []],
  ['a batch', [2, 2]],
])('of %s', (_, batch: readonly number[]) => {
  const [a, b] = [floats([...batch, 3, 3], 5), floats([...batch, 3, 2], 6)];
  /** Passes the factors of x to `build`. */
  const factored =
    (build: (factors: Tensor, p: Tensor, b: Tensor) => Tensor) =>
    (x: Tensor, rhs: Tensor): Tensor => {
      const { lu: factors, p } = lu(x);
      return build(factors, p, rhs);
    };

  it('factors solve, multiply to the matrix and invert it', () => {
    compare([a, b], factored(luSolve), matrixSolve);
    compare(
      [a],
      factored((f, p) => luReconstruct(f, p)),
      (x) => x,
    );
    compare(
      [a],
      factored((f, p) => luMatrixInverse(f, p)),
      (x) => matrixInverse(x),
    );
  });

  const bands = floats([...batch, 3, 4], 8);
  const main = bands.data.map((x, i) => (Math.floor(i / 4) % 3 === 1 ? x + 5 : x));
  const [d, rhs] = [{ ...bands, data: main }, floats([...batch, 4, 2], 9)];
  const row = (x: Tensor, i: number, from: number, to: number): Tensor =>
    squeeze(slice(x, [...batch.map(() => 0), i, from], [...batch.map(() => -1), 1, to - from]), { axis: -2 });
  const sequence = (x: Tensor): Tensor[] => [row(x, 0, 0, 3), row(x, 1, 0, 4), row(x, 2, 1, 4)];
  /** The whole matrix: its product with the identity. */
  const whole = (x: Tensor): Tensor => tridiagonalMatmul(x, eye(4, { batchShape: batch }));

  it('tridiagonal systems and products agree with those of the whole matrix, in every form', () => {
    compare(
      [d, rhs],
      (x, y) => tridiagonalSolve(x, y),
      (x, y) => matrixSolve(whole(x), y),
    );
    compare(
      [d, rhs],
      (x, y) => tridiagonalMatmul(x, y),
      (x, y) => batchMatMul(whole(x), y),
    );
    const want: Build = (x, y) => tridiagonalSolve(x, y);
    compare([d, rhs], (x, y) => tridiagonalSolve(sequence(x), y, { diagonalsFormat: 'sequence' }), want);
    compare([d, rhs], (x, y) => tridiagonalSolve(whole(x), y, { diagonalsFormat: 'matrix' }), want);
    compare(
      [d, rhs],
      (x, y) => tridiagonalMatmul(sequence(x), y, { diagonalsFormat: 'sequence' }),
      (x, y) => tridiagonalMatmul(x, y),
    );
  });

  it('right-hand sides may be vectors or transposed', () => {
    const column = floats([...batch, 4], 3);
    const turned = floats([...batch, 2, 4], 4);
    compare(
      [d, column],
      (x, y) => tridiagonalSolve(x, y),
      (x, y) => squeeze(tridiagonalSolve(x, expandDims(y, -1), { partialPivoting: false }), { axis: -1 }),
    );
    compare(
      [d, turned],
      (x, y) => tridiagonalSolve(x, y, { transposeRhs: true }),
      (x, y) => batchMatMul(y, matrixInverse(whole(x)), { adjY: true }),
    );
  });
});

it('unknown forms are refused', () => {
  new Graph().asDefault(() => {
    const [d, rhs] = [placeholder('float32', [3, 4]), placeholder('float32', [4, 2])];
    expect(() => tridiagonalSolve([d], rhs, { diagonalsFormat: 'sequence' })).toThrow(
      /diagonalsFormat must be "compact", "matrix" or "sequence", with three diagonals in a list, got "sequence"/,
    );
  });
});
