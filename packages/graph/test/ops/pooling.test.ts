/** Builders of pooling: every rank and data format, against windows written out by hand; bad input. */
import {
  Graph,
  InvalidArgumentError,
  avgPool,
  avgPool1d,
  avgPool3d,
  constant,
  gradients,
  maxPool,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  maxPoolWithArgmax,
  placeholder,
  pool,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { checkGrad, interpret } from '@forerun/testing';

const SEQUENCE = [1, 5, 2, 8, 3, 9];

function sequence(): Tensor {
  return constant(SEQUENCE, { shape: [1, 6, 1] });
}

function inGraph<R>(build: () => R): R {
  return new Graph().asDefault(build);
}

function elements(y: Tensor): number[] {
  return Array.from(interpret([y])[0]?.data ?? []);
}

function expectElements(y: Tensor, want: readonly number[]): void {
  const got = elements(y);
  expect(got.length).toBe(want.length);
  got.forEach((x, i) => expect(x).toBeCloseTo(want[i] ?? NaN, 6));
}

describe('pooling of sequences', () => {
  it('is the largest or the mean of every window', () => {
    inGraph(() => {
      const options = { ksize: 3, strides: 2, padding: 'VALID' } as const;
      expectElements(maxPool1d(sequence(), options), [5, 8]);
      expectElements(avgPool1d(sequence(), { ...options, padding: 'SAME' }), [8 / 3, 13 / 3, 6]);
      expect(maxPool1d(sequence(), options).shape.dims).toEqual([1, 2, 1]);
    });
  });

  it('takes channels first, and sequences by their rank', () => {
    inGraph(() => {
      const x = constant(SEQUENCE, { shape: [1, 2, 3] });
      const options = { ksize: [2], strides: [1], padding: 'VALID' } as const;
      expectElements(maxPool1d(x, { ...options, dataFormat: 'NCW' }), [5, 5, 8, 9]);
      expectElements(maxPool(sequence(), { ksize: 2, strides: 2, padding: 'VALID' }), [5, 8, 9]);
      expect(avgPool(placeholder('float32', [null, null, 4]), options).shape.dims).toEqual([null, null, 4]);
    });
  });
});

describe('pooling of images and volumes', () => {
  const square = [1, 2, 3, 4, 5, 6, 7, 8, 9];

  it('pads explicitly, with gradients of both orders', () => {
    inGraph(() => {
      const x = placeholder('float32', [1, 3, 3, 1]);
      const padding = [
        [0, 0],
        [1, 0],
        [0, 1],
        [0, 0],
      ] as const;
      const y = maxPool2d(x, { ksize: 2, strides: 2, padding });
      const point: HostValue = { dtype: 'float32', shape: [1, 3, 3, 1], data: Float64Array.from(square) };
      expect(Array.from(interpret([y], new Map([[x, point]]))[0]?.data ?? [])).toEqual([2, 3, 8, 9]);
      checkGrad([y], new Map([[x, point]]));
    });
  });

  it('pools volumes by their rank or format', () => {
    inGraph(() => {
      const volume = constant(
        Array.from({ length: 16 }, (_, i) => i),
        { shape: [1, 2, 2, 4, 1] },
      );
      const options = { ksize: 2, strides: 2, padding: 'VALID' } as const;
      expectElements(maxPool(volume, options), [13, 15]);
      expectElements(maxPool3d(volume, options), [13, 15]);
      expectElements(avgPool3d(volume, { ...options, ksize: [1, 2, 2, 2, 1] }), [6.5, 8.5]);
    });
  });

  it('tells where the largest elements are', () => {
    inGraph(() => {
      const images = constant([...square, ...square.toReversed()], { shape: [2, 3, 3, 1] });
      const options = { ksize: 2, strides: 1, padding: 'VALID' } as const;
      const [y, argmax] = maxPoolWithArgmax(images, options);
      expect(argmax.dtype).toBe('int64');
      expectElements(y, [5, 6, 8, 9, 9, 8, 6, 5]);
      expectElements(argmax, [4, 5, 7, 8, 0, 1, 3, 4]);
      const [, whole] = maxPoolWithArgmax(images, {
        ...options,
        outputDtype: 'int32',
        includeBatchInIndex: true,
      });
      expectElements(whole, [4, 5, 7, 8, 9, 10, 12, 13]);
      const [dx] = gradients(y, [images]);
      if (dx === null || dx === undefined) throw new Error('there is no gradient');
      expectElements(dx, [0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0]);
    });
  });
});

describe('pool', () => {
  it('pools by the number of windows', () => {
    inGraph(() => {
      expectElements(pool(sequence(), [2], 'MAX', 'VALID', { strides: [2] }), [5, 8, 9]);
      expectElements(pool(sequence(), [3], 'AVG', 'SAME'), [3, 8 / 3, 5, 13 / 3, 20 / 3, 6]);
    });
  });

  it('skips elements', () => {
    inGraph(() => {
      expectElements(pool(sequence(), [2], 'MAX', 'VALID', { dilationRate: [2] }), [2, 8, 3, 9]);
      expectElements(pool(sequence(), [2], 'MAX', 'VALID', { dilationRate: [3] }), [8, 5, 9]);
      // zeros on both sides take part
      expectElements(pool(sequence(), [3], 'AVG', 'SAME', { dilationRate: [2] }), [
        3 / 3,
        13 / 3,
        6 / 3,
        22 / 3,
        5 / 3,
        17 / 3,
      ]);
      const x = constant(SEQUENCE, { shape: [1, 1, 6] });
      expectElements(pool(x, [2], 'MAX', 'VALID', { dilationRate: [2], dataFormat: 'NCW' }), [2, 8, 3, 9]);
    });
  });

  it('rejects lists that do not fit', () => {
    inGraph(() => {
      const x = sequence();
      expect(() => pool(x, [1, 1, 1, 1], 'MAX', 'SAME')).toThrow(/windowShape takes 1 to 3 numbers/);
      expect(() => pool(x, [2], 'MAX', 'SAME', { dataFormat: 'NHWC' })).toThrow(
        /windowShape takes 2 numbers, got \[2\]/,
      );
      expect(() => pool(x, [2], 'MAX', 'SAME', { strides: [0] })).toThrow(
        /strides must be 1 positive integers, got \[0\]/,
      );
      expect(() => pool(x, [2], 'AVG', 'SAME', { strides: [2], dilationRate: [2] })).toThrow(
        /do not go together/,
      );
      const unknown = placeholder('float32', [1, null, 1]);
      expect(() => pool(unknown, [2], 'AVG', 'SAME', { dilationRate: [2] })).toThrow(
        /dilation needs to know the pooled dimensions/,
      );
    });
  });
});

describe('bad windows', () => {
  it('are named with the numbers that are allowed', () => {
    inGraph(() => {
      const x = placeholder('float32', [1, 4, 4, 1]);
      const options = { strides: 1, padding: 'SAME' } as const;
      expect(() => maxPool(x, { ...options, ksize: [1, 2, 3] })).toThrow(
        /maxPool: ksize takes 1, 2 or 4 numbers, got \[1,2,3\]/,
      );
      expect(() => avgPool1d(placeholder('float32', [1, 4, 1]), { ...options, ksize: [2, 2] })).toThrow(
        /avgPool1d: ksize takes 1 or 3 numbers, got \[2,2\]/,
      );
      const padding = [[1, 1]] as const;
      expect(() => maxPool(placeholder('float32', [1, 4, 1]), { ksize: 1, strides: 1, padding })).toThrow(
        InvalidArgumentError,
      );
    });
  });
});
