/** Initializers: constants exactly, random ones by their statistics, orthogonal ones by their products. */
import { Graph, setRandomSeed, type Tensor } from '@forerun/graph';
import * as layers from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

const { initializers } = layers;

function valueOf(initializer: layers.Initializer, shape: readonly number[]): number[] {
  return ReferenceSession.in((session) => {
    setRandomSeed(7);
    return session.get(initializer(shape));
  });
}

function statistics(values: readonly number[]): { mean: number; stddev: number; largest: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return { mean, stddev: Math.sqrt(variance), largest: Math.max(...values.map(Math.abs)) };
}

describe('constant initializers', () => {
  it('fill', () => {
    expect(valueOf(layers.zerosInitializer(), [2])).toEqual([0, 0]);
    expect(valueOf(layers.onesInitializer(), [2])).toEqual([1, 1]);
    expect(valueOf(layers.constantInitializer(2.5), [2])).toEqual([2.5, 2.5]);
    expect(
      valueOf(
        layers.constantInitializer([
          [1, 2],
          [3, 4],
        ]),
        [4],
      ),
    ).toEqual([1, 2, 3, 4]);
    expect(valueOf(layers.identityInitializer({ gain: 2 }), [2, 3])).toEqual([2, 0, 0, 0, 2, 0]);
  });

  it('refuse other sizes and ranks', () => {
    new Graph().asDefault(() => {
      expect(() => layers.constantInitializer([1, 2, 3])([2, 2])).toThrow(
        'a value of shape [2,2] needs 4 elements, got 3',
      );
      expect(() => layers.identityInitializer()([2])).toThrow('must be a matrix, its shape is [2]');
      expect(() => layers.orthogonalInitializer()([2])).toThrow('must have rank 2 or more, its shape is [2]');
      expect(() => layers.varianceScalingInitializer({ scale: 0 })).toThrow('scale must be positive, got 0');
      expect(() => layers.glorotUniformInitializer()([2], { dtype: 'int32' })).toThrow('it is int32');
    });
  });

  it('follow the dtype that is asked for', () => {
    new Graph().asDefault(() => {
      const dtypes = [layers.zerosInitializer(), layers.onesInitializer(), layers.constantInitializer(3)].map(
        (initializer): Tensor => initializer([2], { dtype: 'int32' }),
      );
      expect(dtypes.map((value) => value.dtype)).toEqual(['int32', 'int32', 'int32']);
    });
  });
});

describe('random initializers', () => {
  const SHAPE = [100, 50];

  it.each([
    {
      name: 'randomUniform',
      make: () => initializers.randomUniform({ minval: -1, maxval: 3 }),
      mean: 1,
      stddev: 4 / Math.sqrt(12),
      bound: 3,
    },
    {
      name: 'randomNormal',
      make: () => initializers.randomNormal({ mean: 1, stddev: 2 }),
      mean: 1,
      stddev: 2,
      bound: 12,
    },
    {
      name: 'truncatedNormal',
      make: () => initializers.truncatedNormal({ stddev: 1 }),
      mean: 0,
      stddev: 0.8796,
      bound: 2,
    },
    {
      name: 'glorotUniform',
      make: () => initializers.glorotUniform(),
      mean: 0,
      stddev: Math.sqrt(2 / 150),
      bound: Math.sqrt(6 / 150),
    },
    {
      name: 'glorotNormal',
      make: () => initializers.glorotNormal(),
      mean: 0,
      stddev: Math.sqrt(2 / 150),
      bound: (2 / 0.8796) * Math.sqrt(2 / 150),
    },
    {
      name: 'heNormal',
      make: () => initializers.heNormal(),
      mean: 0,
      stddev: Math.sqrt(2 / 100),
      bound: (2 / 0.8796) * Math.sqrt(2 / 100),
    },
    {
      name: 'heUniform',
      make: () => initializers.heUniform(),
      mean: 0,
      stddev: Math.sqrt(2 / 100),
      bound: Math.sqrt(6 / 100),
    },
    {
      name: 'lecunNormal',
      make: () => initializers.lecunNormal(),
      mean: 0,
      stddev: Math.sqrt(1 / 100),
      bound: (2 / 0.8796) * Math.sqrt(1 / 100),
    },
    {
      name: 'lecunUniform',
      make: () => initializers.lecunUniform(),
      mean: 0,
      stddev: Math.sqrt(1 / 100),
      bound: Math.sqrt(3 / 100),
    },
    {
      name: 'varianceScaling',
      make: () =>
        initializers.varianceScaling({ scale: 3, mode: 'fan_out', distribution: 'untruncated_normal' }),
      mean: 0,
      stddev: Math.sqrt(3 / 50),
      bound: 2,
    },
  ])(
    '$name has the mean, the deviation and the bounds of its distribution',
    ({ make, mean, stddev, bound }) => {
      const found = statistics(valueOf(make(), SHAPE));
      expect(Math.abs(found.mean - mean)).toBeLessThan((5 * stddev) / Math.sqrt(5000));
      expect(Math.abs(found.stddev / stddev - 1)).toBeLessThan(0.05);
      expect(found.largest).toBeLessThanOrEqual(bound * (1 + 1e-3));
    },
  );

  it('count the window of a convolution among the inputs', () => {
    const found = statistics(valueOf(initializers.heUniform(), [3, 3, 20, 30]));
    expect(Math.abs(found.stddev / Math.sqrt(2 / 180) - 1)).toBeLessThan(0.05);
  });

  it('uniformUnitScaling keeps to its limit, by all dimensions but the last', () => {
    const { stddev, largest } = statistics(
      valueOf(initializers.uniformUnitScaling({ factor: 1.43 }), [4, 5, 200]),
    );
    const limit = 1.43 * Math.sqrt(3 / 20);
    expect(largest).toBeLessThanOrEqual(limit);
    expect(stddev).toBeCloseTo(limit / Math.sqrt(3), 2);
  });

  it('refuse arguments by position, which would be lost', () => {
    const loose = layers.randomUniformInitializer as (...args: readonly unknown[]) => layers.Initializer;
    expect(() => loose(-1, 1)).toThrow(
      'randomUniformInitializer: options must be an object such as { minval: -1, maxval: 1 }, got -1',
    );
    for (const make of [layers.randomNormalInitializer, layers.truncatedNormalInitializer])
      expect(() => make(0.1 as never)).toThrow(
        /options must be an object such as \{ stddev: 0.1 \}, got 0.1/,
      );
  });

  it('repeat with the same seeds and differ with others', () => {
    const first = valueOf(initializers.glorotUniform({ seed: 3 }), [4]);
    expect(valueOf(initializers.glorotUniform({ seed: 3 }), [4])).toEqual(first);
    expect(valueOf(initializers.glorotUniform({ seed: 4 }), [4])).not.toEqual(first);
  });
});

describe('the orthogonal initializer', () => {
  it.each([[[6, 3]], [[3, 6]], [[5, 5]], [[2, 3, 4]]])('gives orthonormal vectors for %j', (shape) => {
    const columns = shape.at(-1) ?? 1;
    const flat = valueOf(initializers.orthogonal({ gain: 2, seed: 1 }), shape);
    const rows = flat.length / columns;
    const element = (row: number, column: number): number => flat[row * columns + column] ?? NaN;
    const count = Math.min(rows, columns);
    for (let i = 0; i < count; i++) {
      const dots = Array.from({ length: count }, (_, j) => {
        let dot = 0;
        for (let k = 0; k < Math.max(rows, columns); k++) {
          dot += rows >= columns ? element(k, i) * element(k, j) : element(i, k) * element(j, k);
        }
        return dot;
      });
      expectNear(
        dots,
        dots.map((_, j) => (i === j ? 4 : 0)),
        5,
      );
    }
  });

  it('repeats with the same seed only', () => {
    const first = valueOf(initializers.orthogonal({ seed: 1 }), [3, 3]);
    expect(valueOf(initializers.orthogonal({ seed: 1 }), [3, 3])).toEqual(first);
    expect(valueOf(initializers.orthogonal({ seed: 2 }), [3, 3])).not.toEqual(first);
  });
});
