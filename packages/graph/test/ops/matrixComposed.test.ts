/** Builders of linear algebra and activations that are made of several ops: values by loops, gradients by differences. */
import {
  Graph,
  adjoint,
  constant,
  crelu,
  einsum,
  eye,
  gelu,
  logSigmoid,
  matrixBandPart,
  matrixDiag,
  matrixDiagPart,
  matrixSetDiag,
  matrixTranspose,
  matvec,
  placeholder,
  polyval,
  prelu,
  reluLayer,
  swish,
  tensordot,
  trace,
  xwPlusB,
  type HostValue,
  type ShapeLike,
  type Tensor,
} from '@forerun/graph';
import { checkGrad, interpret } from '@forerun/testing';
import { floats } from './floats.js';

/** Shape and elements of `build` of placeholders with the given values, gradients checked. */
function run(
  build: (...xs: Tensor[]) => Tensor,
  points: readonly HostValue[],
  shapes: readonly ShapeLike[] = points.map(({ shape }) => shape),
): { shape: readonly number[]; data: number[] } {
  return new Graph().asDefault(() => {
    const xs = points.map((_, i) => placeholder('float32', shapes[i] ?? null));
    const y = build(...xs);
    const feeds = new Map(xs.map((x, i) => [x, points[i] ?? floats([])] as const));
    if (points.length > 0) checkGrad([y], feeds);
    const [value] = interpret([y], feeds);
    if (value === undefined) throw new Error('there is no value');
    return { shape: value.shape, data: Array.from(value.data) };
  });
}

function expectNear(got: readonly number[], want: readonly number[]): void {
  expect(got.length).toBe(want.length);
  got.forEach((x, i) => {
    expect(x).toBeCloseTo(want[i] ?? NaN, 5);
  });
}

const at = (x: HostValue, i: number): number => x.data[i] ?? NaN;

describe('transposes and products', () => {
  const x = floats([2, 3, 4]);
  it.each([
    ['static', [2, 3, 4]],
    ['open dimensions', [null, null, null]],
    ['unknown rank', null],
  ] as const)('matrixTranspose of a %s shape', (_, shape) => {
    const y = run((a) => matrixTranspose(a), [x], [shape]);
    expect(y.shape).toEqual([2, 4, 3]);
    expectNear([y.data[1] ?? NaN, y.data[3] ?? NaN], [at(x, 4), at(x, 1)]);
    expect(run((a) => adjoint(a), [x]).data).toEqual(y.data);
  });

  it('matvec, with transpose and batches', () => {
    const v = floats([2, 4], 2);
    const y = run((a, b) => matvec(a, b), [x, v]);
    expect(y.shape).toEqual([2, 3]);
    const first = [0, 1, 2, 3].reduce((sum, k) => sum + at(x, k) * at(v, k), 0);
    expectNear([y.data[0] ?? NaN], [first]);
    expect(run((a, b) => matvec(a, b, { transposeA: true }), [x, floats([2, 3], 3)]).shape).toEqual([2, 4]);
    expect(run((a, b) => matvec(a, b), [floats([3, 4]), floats([4])]).shape).toEqual([3]);
  });

  it('trace', () => {
    const y = run((a) => trace(a), [x]);
    expectNear(
      y.data,
      [0, 12].map((o) => at(x, o) + at(x, o + 5) + at(x, o + 10)),
    );
  });

  it('rejects a transpose of a vector', () => {
    expect(() => matrixTranspose([1, 2])).toThrow(/a must have rank 2 or more, got \[2\]/);
  });
});

describe('tensordot', () => {
  const [a, b] = [floats([2, 3, 4], 1), floats([4, 3, 5], 2)];
  /** Sum over axes 2, 1 of a and 0, 1 of b. */
  const want = [0, 1].flatMap((i) =>
    [0, 1, 2, 3, 4].map((j) => {
      let sum = 0;
      for (let k = 0; k < 4; k++) {
        for (let l = 0; l < 3; l++) sum += at(a, (i * 3 + l) * 4 + k) * at(b, (k * 3 + l) * 5 + j);
      }
      return sum;
    }),
  );
  it.each([
    ['static shapes', [2, 3, 4], [4, 3, 5]],
    ['open dimensions', [null, 3, null], [null, null, 5]],
  ] as const)('over listed axes with %s', (_, shapeA, shapeB) => {
    const y = run(
      (x, w) =>
        tensordot(x, w, [
          [2, -2],
          [0, 1],
        ]),
      [a, b],
      [shapeA, shapeB],
    );
    expect(y.shape).toEqual([2, 5]);
    expectNear(y.data, want);
  });

  it.each([
    ['static shapes', [2, 3, 4], [4, 3, 5]],
    ['open dimensions', [null, null, null], [null, null, null]],
    ['unknown ranks', null, null],
  ] as const)('over counted axes with %s', (_, shapeA, shapeB) => {
    const y = run((x, w) => tensordot(x, w, 1), [a, b], [shapeA, shapeB]);
    expect(y.shape).toEqual([2, 3, 3, 5]);
    const first = [0, 1, 2, 3].reduce((sum, k) => sum + at(a, k) * at(b, k * 15), 0);
    expectNear([y.data[0] ?? NaN], [first]);
  });

  it('over no axes is the outer product, over all a scalar', () => {
    expect(run((x, y) => tensordot(x, y, 0), [floats([2]), floats([3], 2)]).shape).toEqual([2, 3]);
    const all = run((x, y) => tensordot(x, y, 2), [floats([2, 3]), floats([2, 3], 2)]);
    expect(all.shape).toEqual([]);
  });

  it('rejects axes that do not fit', () => {
    const [x, y] = [
      constant(new Float32Array(6), { shape: [2, 3] }),
      constant(new Float32Array(8), { shape: [4, 2] }),
    ];
    expect(() => tensordot(x, y, 1)).toThrow(/sizes of the axes differ: a \[3\], b \[4\]/);
    expect(() => tensordot(x, y, [2, 0])).toThrow(/axes \[2\] of a do not fit shape \[2,3\]/);
    expect(() => tensordot(x, y, -1)).toThrow(/axes must be a whole number from 0/);
    expect(() => tensordot(placeholder('float32'), y, [0, 0])).toThrow(/the rank of a must be known/);
  });
});

describe('einsum', () => {
  it('sorts the output where the equation has none', () => {
    const x = floats([2, 3]);
    expectNear(
      run((a) => einsum('ba', a), [x]).data,
      [0, 3, 1, 4, 2, 5].map((i) => at(x, i)),
    );
    expect(run((a, b) => einsum('...ij, jk', a, b), [floats([2, 3, 4]), floats([4, 5])]).shape).toEqual([
      2, 3, 5,
    ]);
  });

  it('multiplies many operands from the left', () => {
    const points = [floats([2, 3]), floats([3, 4], 2), floats([4, 2], 3), floats([2], 4)];
    const y = run((a, b, c, d) => einsum('ij,jk,kl,l->i', a, b, c, d, { name: 'chain' }), points);
    const z = run(
      (a, b, c, d) => einsum('ij,j->i', a, einsum('jk,k->j', b, einsum('kl,l->k', c, d))),
      points,
    );
    expectNear(y.data, z.data);
  });

  it('rejects wrong equations', () => {
    expect(() => einsum('ij->k', [[1]])).toThrow(/label "k" of the output/);
    expect(() => einsum('ij,jk', [[1]])).toThrow(/is for 2 operands, got 1/);
    expect(() => einsum('ij->i->j', [[1]])).toThrow(/more than one "->"/);
  });
});

describe('diagonals and identities', () => {
  it('eye of all kinds', () => {
    expect(run(() => eye(2), []).data).toEqual([1, 0, 0, 1]);
    expect(run(() => eye(2, { numColumns: 3, batchShape: [2] }), [])).toEqual({
      shape: [2, 2, 3],
      data: [1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0],
    });
    const rows = run(() => eye(constant(3, { dtype: 'int32' }), { numColumns: 2 }), []);
    expect(rows).toEqual({ shape: [3, 2], data: [1, 0, 0, 1, 0, 0] });
  });

  it('options choose the op', () => {
    expect(matrixDiag([1, 2]).op.type).toBe('MatrixDiag');
    expect(matrixDiag([1, 2], { k: 1 }).op.type).toBe('MatrixDiagV3');
    expect(matrixDiagPart([[1, 2]], { k: [0, 1] }).op.type).toBe('MatrixDiagPartV3');
    expect(matrixSetDiag([[1, 2]], [3]).op.type).toBe('MatrixSetDiag');
    expect(matrixSetDiag([[1, 2]], [3], { k: 1 }).op.type).toBe('MatrixSetDiagV3');
    const band = run(
      () =>
        matrixBandPart(
          [
            [1, 2],
            [3, 4],
          ],
          0,
          -1,
        ),
      [],
    );
    expect(band.data).toEqual([1, 2, 0, 4]);
  });
});

describe('activations and affine layers', () => {
  const x = floats([2, 3]);
  const values = Array.from(x.data);
  it('swish and gelu', () => {
    expectNear(
      run((a) => swish(a), [x]).data,
      values.map((v) => v / (1 + Math.exp(-v))),
    );
    const tanh = values.map((v) => 0.5 * v * (1 + Math.tanh(0.7978845608 * (v + 0.044715 * v ** 3))));
    expectNear(run((a) => gelu(a, { approximate: true }), [x]).data, tanh);
    run((a) => gelu(a), [x]).data.forEach((y, i) =>
      expect(Math.abs(y - (tanh[i] ?? NaN))).toBeLessThan(1e-3),
    );
    expectNear(run(() => gelu([1]), []).data, [0.8413447461]);
  });

  it('prelu', () => {
    const alpha = floats([3], 2);
    const y = run((a, slope) => prelu(a, slope), [x, alpha]);
    expectNear(
      y.data,
      values.map((v, i) => (v > 0 ? v : v * Number(alpha.data[i % 3]))),
    );
    expect(() => new Graph().asDefault(() => prelu([1, 2], [1, 2, 3]))).toThrow(/\[3\].*\[2\]/);
  });

  it('crelu and logSigmoid', () => {
    expectNear(run(() => crelu([1, -2]), []).data, [1, 0, 0, 2]);
    expect(run(() => crelu([[1, -2]], { axis: 0 }), []).shape).toEqual([2, 2]);
    expectNear(
      run((a) => logSigmoid(a), [x]).data,
      values.map((v) => -Math.log1p(Math.exp(-v))),
    );
    expectNear(run(() => logSigmoid([-200]), []).data, [-200]);
  });

  it('xwPlusB and reluLayer', () => {
    const [w, bias] = [floats([3, 2], 2), floats([2], 3)];
    const y = run((a, b, c) => xwPlusB(a, b, c), [x, w, bias]);
    const first = at(x, 0) * at(w, 0) + at(x, 1) * at(w, 2) + at(x, 2) * at(w, 4) + at(bias, 0);
    expectNear([y.data[0] ?? NaN], [first]);
    expectNear(
      run((a, b, c) => reluLayer(a, b, c), [x, w, bias]).data,
      y.data.map((v) => Math.max(v, 0)),
    );
  });

  it('polyval', () => {
    expectNear(
      run((a) => polyval([2, -1, 3], a), [x]).data,
      values.map((v) => 2 * v * v - v + 3),
    );
    expectNear(run(() => polyval([], [4, 5]), []).data, [0, 0]);
    expectNear(run(() => polyval([[7]], [4, 5]), []).data, [7]);
  });
});
