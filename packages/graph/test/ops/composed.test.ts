/** Builders that are made of several ops: values against direct formulas, gradients against differences. */
import {
  Graph,
  TensorShape,
  constant,
  l2Normalize,
  logSoftmax,
  moments,
  placeholder,
  reduceLogSumExp,
  reduceMax,
  reduceMean,
  reduceProd,
  reduceStd,
  reduceSum,
  reduceVariance,
  sigmoidCrossEntropyWithLogits,
  softmax,
  softmaxCrossEntropyWithLogits,
  softmaxCrossEntropyWithLogitsV2,
  sparseSoftmaxCrossEntropyWithLogits,
  gradients,
  type HostValue,
  type ShapeLike,
  type Tensor,
} from '@forerun/graph';
import { checkGrad, expectClose, interpret } from '@forerun/testing';
import { floats } from './floats.js';

/** `build(x)` for a placeholder of static shape `shape`, its value at `point`, and its gradients checked. */
function valueOf(build: (x: Tensor) => Tensor, point: HostValue, shape: ShapeLike = point.shape): HostValue {
  return new Graph().asDefault(() => {
    const x = placeholder('float32', shape);
    const y = build(x);
    checkGrad([y], new Map([[x, point]]));
    const [value] = interpret([y], new Map([[x, point]]));
    if (value === undefined) throw new Error('there is no value');
    expect(y.shape.isCompatibleWith(new TensorShape(value.shape))).toBe(true);
    return value;
  });
}

function vector(...data: number[]): HostValue {
  return { dtype: 'float32', shape: [data.length], data: Float64Array.from(data) };
}

const TIGHT = { rtol: 1e-7, atol: 1e-7 };

describe('reductions of tensors whose shape is not known', () => {
  const point = floats([3, 4, 2]);
  const cases: readonly [string, ShapeLike][] = [
    ['unknown dimensions', [null, null, null]],
    ['an unknown rank', null],
  ];
  it.each(cases)('have gradients for %s', (_, shape) => {
    for (const reduce of [reduceSum, reduceMean, reduceProd, reduceMax]) {
      for (const options of [{ axis: 1 }, { axis: [-1, 0] }, { axis: [0, 2], keepDims: true }, {}]) {
        const known = valueOf((x) => reduce(x, options), point);
        expectClose(
          valueOf((x) => reduce(x, options), point, shape),
          known,
          TIGHT,
        );
      }
    }
  });

  it('take the axes from a tensor', () => {
    const known = valueOf((x) => reduceSum(x, { axis: [0, 2] }), point);
    expectClose(
      valueOf((x) => reduceSum(x, { axis: constant([0, 2], { dtype: 'int32' }) }), point, null),
      known,
      TIGHT,
    );
  });
});

describe('composed reductions', () => {
  it('reduceLogSumExp does not overflow', () => {
    const point: HostValue = {
      dtype: 'float32',
      shape: [2, 2],
      data: Float64Array.of(1000, 1000, 0, Math.log(3)),
    };
    const value = valueOf((x) => reduceLogSumExp(x, { axis: 1 }), point);
    expectClose(value, vector(1000 + Math.log(2), Math.log(4)), TIGHT);
    expect(valueOf((x) => reduceLogSumExp(x, { axis: 1, keepDims: true }), point).shape).toEqual([2, 1]);
  });

  it('reduceVariance and reduceStd', () => {
    const point: HostValue = { dtype: 'float32', shape: [2, 2], data: Float64Array.of(1, 3, -2, 6) };
    expectClose(
      valueOf((x) => reduceVariance(x, { axis: 1 }), point),
      vector(1, 16),
      TIGHT,
    );
    expectClose(
      valueOf((x) => reduceStd(x, { axis: 1 }), point),
      vector(1, 4),
      TIGHT,
    );
  });

  it('moments gives mean and variance', () => {
    const point: HostValue = { dtype: 'float32', shape: [2, 2], data: Float64Array.of(1, 3, -2, 6) };
    expectClose(
      valueOf((x) => moments(x, [1])[0], point),
      vector(2, 2),
      TIGHT,
    );
    expectClose(
      valueOf((x) => moments(x, [1])[1], point),
      vector(1, 16),
      TIGHT,
    );
    expect(valueOf((x) => moments(x, [0], { keepDims: true })[0], point).shape).toEqual([1, 2]);
  });

  it('l2Normalize gives unit vectors', () => {
    expectClose(
      valueOf((x) => l2Normalize(x, { axis: 0 }), vector(3, -4)),
      vector(0.6, -0.8),
      TIGHT,
    );
  });
});

describe('softmax', () => {
  it('normalizes any axis', () => {
    const point: HostValue = { dtype: 'float32', shape: [2, 1], data: Float64Array.of(0, Math.log(3)) };
    expectClose(
      valueOf((x) => softmax(x, { axis: 0 }), point),
      { ...point, data: Float64Array.of(0.25, 0.75) },
      TIGHT,
    );
    const logs = { ...point, data: Float64Array.of(Math.log(0.25), Math.log(0.75)) };
    expectClose(
      valueOf((x) => logSoftmax(x, { axis: -2 }), point),
      logs,
      TIGHT,
    );
  });

  it('rejects an axis that does not exist', () => {
    expect(() => softmax(placeholder('float32', [2, 3]), { axis: 2 })).toThrow(
      'axis 2 is out of range [-2, 2)',
    );
    expect(() => softmax(placeholder('float32'), { axis: 0 })).toThrow('axis 0 needs logits of known rank');
  });
});

describe('cross-entropies', () => {
  const logits = floats([2, 3, 4], 5);
  const labels = [
    [0, 1, 2],
    [3, 3, 0],
  ];
  const oneHot = labels.map((row) => row.map((label) => [0, 1, 2, 3].map((k) => Number(k === label))));
  const expected = labels.flatMap((row, b) =>
    row.map((label, r) => {
      const x = logits.data.slice((b * 3 + r) * 4, (b * 3 + r + 1) * 4);
      return Math.log(x.reduce((sum, v) => sum + Math.exp(v), 0)) - (x[label] ?? NaN);
    }),
  );
  const want: HostValue = { dtype: 'float32', shape: [2, 3], data: Float64Array.from(expected) };

  it.each([[[2, 3, 4]], [[null, null, 4]], [[null, 3, null]]] as [ShapeLike][])(
    'take logits of shape %j',
    (shape) => {
      expectClose(
        valueOf((x) => softmaxCrossEntropyWithLogits({ labels: oneHot, logits: x }), logits, shape),
        want,
        TIGHT,
      );
      const build = (x: Tensor): Tensor =>
        sparseSoftmaxCrossEntropyWithLogits({ labels: constant(labels, { dtype: 'int32' }), logits: x });
      expectClose(valueOf(build, logits, shape), want, TIGHT);
    },
  );

  it('flow into labels only in the second version', () => {
    new Graph().asDefault(() => {
      const [x, y] = [placeholder('float32', [2, 3]), placeholder('float32', [2, 3])];
      expect(gradients(softmaxCrossEntropyWithLogits({ labels: y, logits: x }), [y])).toEqual([null]);
      expect(gradients(softmaxCrossEntropyWithLogitsV2({ labels: y, logits: x }), [y])).not.toEqual([null]);
    });
  });

  it('reject labels of another rank', () => {
    expect(() =>
      sparseSoftmaxCrossEntropyWithLogits({ labels: [[1]], logits: placeholder('float32', [1, 3]) }),
    ).toThrow('labels have shape [1,1], logits of shape [1,3] need rank 1');
  });

  it('of sigmoids stay finite for large logits', () => {
    const point = vector(1000, -1000, 0.5);
    const build = (x: Tensor): Tensor => sigmoidCrossEntropyWithLogits({ labels: [1, 1, 0.25], logits: x });
    const value = valueOf(build, point);
    expectClose(value, vector(0, 1000, Math.log(1 + Math.exp(0.5)) - 0.125), TIGHT);
    expect(() =>
      sigmoidCrossEntropyWithLogits({ labels: [1, 2], logits: placeholder('float32', [3]) }),
    ).toThrow('labels have shape [2], logits [3]');
  });
});
