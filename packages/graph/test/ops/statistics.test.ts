/** Moments, counts and normalizations that are made of several ops, against numbers worked out by hand. */
import {
  Graph,
  constant,
  countNonzero,
  cumulativeLogsumexp,
  fusedBatchNorm,
  lrn,
  normalizeMoments,
  placeholder,
  sufficientStatistics,
  weightedMoments,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { checkGrad, expectClose, interpret } from '@forerun/testing';

const TIGHT = { rtol: 1e-6, atol: 1e-6 };

function floats(shape: readonly number[], ...data: number[]): HostValue {
  return { dtype: 'float32', shape, data: Float64Array.from(data) };
}

const POINT = floats([2, 3], 1, 3, 5, -2, 6, 2);

/** What `build` gives for a placeholder at `point`, with known and with unknown shape; gradients are checked. */
function check(
  build: (x: Tensor) => readonly Tensor[],
  want: readonly HostValue[],
  point: HostValue = POINT,
): void {
  for (const shape of [point.shape, point.shape.map(() => null), null]) {
    new Graph().asDefault(() => {
      const x = placeholder('float32', shape);
      const ys = build(x);
      checkGrad(ys, new Map([[x, point]]));
      interpret(ys, new Map([[x, point]])).forEach((got, i) => {
        const wanted = want[i];
        if (wanted === undefined) throw new Error(`there is no value ${i}`);
        expectClose(got, wanted, TIGHT);
      });
    });
  }
}

describe('weightedMoments', () => {
  it('counts elements as often as their weight says', () => {
    // column weights 1, 2, 1: rows (1, 3, 3, 5) and (-2, 6, 6, 2)
    check(
      (x) => weightedMoments(x, [1], [1, 2, 1]),
      [floats([2], 3, 3), floats([2], 2, (25 + 9 + 9 + 1) / 4)],
    );
  });

  it('keeps dimensions, and takes weights that broadcast', () => {
    // rows count 3 and 1 times
    check(
      (x) => weightedMoments(x, [0], [[3], [1]], { keepDims: true }),
      [floats([1, 3], 0.25, 3.75, 4.25), floats([1, 3], (3 * 0.5625 + 5.0625) / 4, 1.6875, 1.6875)],
    );
  });
});

describe('sufficientStatistics and normalizeMoments', () => {
  it('give counts, sums and sums of squares', () => {
    check(
      (x) => sufficientStatistics(x, [1]).slice(0, 3) as Tensor[],
      [floats([], 3), floats([2], 9, 6), floats([2], 35, 44)],
    );
  });

  it('take distances from a shift', () => {
    check(
      (x) => sufficientStatistics(x, [-1], { shift: 1, keepDims: true }).slice(0, 3) as Tensor[],
      [floats([], 3), floats([2, 1], 6, 3), floats([2, 1], 20, 35)],
    );
  });

  it('become mean and variance', () => {
    for (const shift of [null, 2]) {
      check(
        (x) => normalizeMoments(...sufficientStatistics(x, [1], { shift })),
        [floats([2], 3, 2), floats([2], 8 / 3, 32 / 3)],
      );
    }
  });
});

describe('countNonzero', () => {
  const count = (x: Tensor, ...options: Parameters<typeof countNonzero>[1][]): HostValue[] =>
    interpret([countNonzero(x, ...options)]);

  it('counts along axes, as int64 unless told otherwise', () => {
    new Graph().asDefault(() => {
      const x = constant([
        [0, 1, 0],
        [1, -1, NaN],
      ]);
      expect(count(x)).toEqual([{ dtype: 'int64', shape: [], data: Float64Array.of(4) }]);
      expect(count(x, { axis: 1, dtype: 'int32' })).toEqual([
        { dtype: 'int32', shape: [2], data: Float64Array.of(1, 3) },
      ]);
      expect(count(x, { axis: [0], keepDims: true })[0]?.shape).toEqual([1, 3]);
      expect(count(constant([true, false, true]))[0]?.data).toEqual(Float64Array.of(2));
    });
  });

  it('rejects axes that do not exist', () => {
    new Graph().asDefault(() => {
      expect(() => countNonzero(constant([1, 2]), { axis: 3 })).toThrow(/axis 3 is out of range/);
    });
  });
});

describe('cumulativeLogsumexp', () => {
  it('adds exponentials without overflow', () => {
    check(
      (x) => [cumulativeLogsumexp(x)],
      [floats([3], 1000, 1000 + Math.log(2), 1000 + Math.log(3))],
      floats([3], 1000, 1000, 1000),
    );
    check(
      (x) => [cumulativeLogsumexp(x, { axis: -1, reverse: true })],
      [floats([3], Math.log(6), Math.log(5), Math.log(3))],
      floats([3], 0, Math.log(2), Math.log(3)),
    );
  });
});

describe('fusedBatchNorm', () => {
  const images = floats([2, 1, 2, 1], 1, 3, 5, 7);
  const deviation = Math.sqrt(5 + 0.001);
  const normal = [-3, -1, 1, 3].map((x) => x / deviation);

  it('normalizes by the batch and gives the statistics for moving averages', () => {
    check(
      (x) => [fusedBatchNorm(x, [2], [1])[0]],
      [floats([2, 1, 2, 1], ...normal.map((x) => 2 * x + 1))],
      images,
    );
    new Graph().asDefault(() => {
      const x = constant([1, 3, 5, 7], { shape: [2, 1, 2, 1] });
      const options = { mean: [0], variance: [1], exponentialAvgFactor: 0.25 };
      const whole = interpret(fusedBatchNorm(x, [2], [1]));
      expectClose(whole[1] ?? images, floats([1], 4), TIGHT);
      expectClose(whole[2] ?? images, floats([1], 20 / 3), TIGHT);
      const part = interpret(fusedBatchNorm(x, [2], [1], options));
      expectClose(part[1] ?? images, floats([1], 1), TIGHT);
      expectClose(part[2] ?? images, floats([1], 0.75 + 20 / 12), TIGHT);
    });
  });

  it('normalizes by given statistics', () => {
    check(
      (x) => [fusedBatchNorm(x, [2], [1], { mean: [1], variance: [4], epsilon: 0, isTraining: false })[0]],
      [floats([2, 1, 2, 1], ...[0, 2, 4, 6].map((x) => (2 * x) / Math.sqrt(4 + 1.001e-5) + 1))],
      images,
    );
  });

  it('builds in the graph of its input', () => {
    const x = new Graph().asDefault(() => placeholder('float32', [1, 2, 2, 1]));
    const [y] = fusedBatchNorm(x, [1], [0]);
    expect(y.graph).toBe(x.graph);
  });

  it('asks for the statistics that it needs', () => {
    new Graph().asDefault(() => {
      const x = placeholder('float32', [1, 2, 2, 3]);
      const ones = [1, 1, 1];
      expect(() => fusedBatchNorm(x, ones, ones, { isTraining: false })).toThrow(
        /mean and variance are needed unless isTraining is true/,
      );
      expect(() => fusedBatchNorm(x, ones, [1], {})).toThrow(/offset has 1 elements for 3 channels/);
    });
  });
});

describe('lrn', () => {
  it('divides by a power of the sum of squares of neighbouring channels', () => {
    check(
      (x) => [lrn(x, { depthRadius: 1, bias: 1, alpha: 2, beta: 1 })],
      [floats([1, 1, 1, 3], 1 / 11, 2 / 29, 3 / 27)],
      floats([1, 1, 1, 3], 1, 2, 3),
    );
  });
});
