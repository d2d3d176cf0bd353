/** Layer, instance and group normalization, and the fused op in batch normalization, against plain arithmetic. */
import {
  Graph,
  GraphKeys,
  getCollection,
  globalVariables,
  group,
  placeholder,
  relu,
  type Variable,
} from '@forerun/graph';
import { constantInitializer, layers, variableScope } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

const variableNames = (): string[] => globalVariables().map((v) => `${v.op.name} ${v.shape.toString()}`);

/** (x - mean) / sqrt(variance + epsilon) of a list. */
function standardized(list: readonly number[], epsilon: number): number[] {
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  const variance = list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / list.length;
  return list.map((x) => (x - mean) / Math.sqrt(variance + epsilon));
}

describe('layerNormalization', () => {
  it('normalizes every example and has the variables of tf.contrib', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, 3]);
      const y = layers.layerNormalization(x, {
        gammaInitializer: constantInitializer([1, 2, 3]),
        betaInitializer: constantInitializer([0, 0, 1]),
      });
      expect(variableNames()).toEqual(['LayerNorm/beta [3]', 'LayerNorm/gamma [3]']);
      expect(y.shape.dims).toEqual([null, 3]);
      session.initializeAll();
      const rows = [
        [1, 2, 6],
        [-4, 0, 1],
      ];
      const want = rows.flatMap((row) =>
        standardized(row, 1e-12).map((v, i) => v * (i + 1) + (i === 2 ? 1 : 0)),
      );
      expectNear(session.get(y, [[x, rows]]), want, 5);
    });
  });

  it('takes the axes of the statistics and of the parameters', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [1, 2, 2, 2]);
      const all = layers.layerNormalization(x, { beginParamsAxis: 1, scale: false, activation: relu });
      const last = layers.layerNormalization(x, { beginNormAxis: -1, center: false, name: 'last' });
      expect(variableNames()).toEqual(['LayerNorm/beta [2,2,2]', 'last/gamma [2]']);
      session.initializeAll();
      const list = [1, 2, 3, 4, 5, 6, 7, 16];
      const fed = [
        [
          x,
          [
            [
              [list.slice(0, 2), list.slice(2, 4)],
              [list.slice(4, 6), list.slice(6)],
            ],
          ],
        ],
      ] as const;
      expectNear(
        session.get(all, fed),
        standardized(list, 1e-12).map((v) => Math.max(v, 0)),
        5,
      );
      expectNear(session.get(last, fed), [-1, 1, -1, 1, -1, 1, -1, 1], 5);
    });
  });

  it('rejects axes that do not exist and shapes that are not known', () => {
    new Graph().asDefault(() => {
      const x = placeholder('float32', [null, 3]);
      expect(() => layers.layerNormalization(x, { beginNormAxis: 2 })).toThrow(
        /LayerNorm: beginNormAxis 2 is out of range for inputs of shape \[\?,3\]/,
      );
      expect(() => layers.layerNormalization(placeholder('float32', null))).toThrow(/rank .* must be known/);
      expect(() => layers.layerNormalization(placeholder('float32', [2, null]))).toThrow(/must be known/);
    });
  });
});

describe('instanceNormalization', () => {
  const images = [1, 10, 2, 30, 6, 20, 7, 0]; // two channels, last

  it('normalizes every channel of every example', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, 2, 2, 2]);
      const y = layers.instanceNormalization(x);
      expect(variableNames()).toEqual(['InstanceNorm/beta [2]', 'InstanceNorm/gamma [2]']);
      session.initializeAll();
      const [even, odd] = [0, 1].map((k) =>
        standardized(
          images.filter((_, i) => i % 2 === k),
          1e-6,
        ),
      );
      const want = images.map((_, i) => (i % 2 === 0 ? even : odd)?.[i >> 1] ?? NaN);
      const fed = [
        [
          [
            [1, 10],
            [2, 30],
          ],
          [
            [6, 20],
            [7, 0],
          ],
        ],
      ];
      expectNear(session.get(y, [[x, fed]]), want, 5);
    });
  });

  it('takes channels first, and rejects matrices', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [1, 2, 3]);
      const y = layers.instanceNormalization(x, {
        dataFormat: 'channels_first',
        gammaInitializer: constantInitializer([1, 10]),
        epsilon: 0.5,
      });
      session.initializeAll();
      const rows = [
        [1, 2, 6],
        [-4, 0, 1],
      ];
      const want = rows.flatMap((row, i) => standardized(row, 0.5).map((v) => v * (i === 0 ? 1 : 10)));
      expectNear(session.get(y, [[x, [rows]]]), want, 5);
      expect(() => layers.instanceNormalization(placeholder('float32', [2, 3]))).toThrow(
        /must have rank 3 or more/,
      );
    });
  });
});

describe('groupNormalization', () => {
  it('normalizes groups of channels, of batches and images whose size is not known', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, null, 2, 4]);
      const y = layers.groupNormalization(x, {
        groups: 2,
        gammaInitializer: constantInitializer([1, 2, 3, 4]),
      });
      expect(variableNames()).toEqual(['GroupNorm/beta [4]', 'GroupNorm/gamma [4]']);
      session.initializeAll();
      const pixels = [
        [1, 2, 30, 40],
        [5, -4, 0, 10],
      ];
      const halves = [0, 2].map((k) => {
        const list = pixels.flatMap((pixel) => pixel.slice(k, k + 2));
        return standardized(list, 1e-6);
      });
      const want = pixels.flatMap((pixel, p) =>
        pixel.map((_, k) => (halves[k >> 1]?.[2 * p + (k % 2)] ?? NaN) * (k + 1)),
      );
      expectNear(session.get(y, [[x, [[pixels]]]]), want, 5);
    });
  });

  it('takes channels first', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [1, 2, 1, 3]);
      const y = layers.groupNormalization(x, { groups: 1, channelsAxis: 1, reductionAxes: [2, 3] });
      session.initializeAll();
      const list = [1, 2, 6, -4, 0, 1];
      expectNear(session.get(y, [[x, [[[list.slice(0, 3)], [list.slice(3)]]]]]), standardized(list, 1e-6), 5);
    });
  });

  it('rejects groups that do not divide the channels', () => {
    new Graph().asDefault(() => {
      const x = placeholder('float32', [1, 2, 2, 6]);
      expect(() => layers.groupNormalization(x)).toThrow(/6 channels cannot be divided into 32 groups/);
      expect(() => layers.groupNormalization(x, { groups: 2, reductionAxes: [-1] })).toThrow(
        /reductionAxes must not include the channels/,
      );
    });
  });
});

describe('fused batch normalization', () => {
  const images = [1, 10, 2, 30, 6, 20, 7, 0];
  const fed = [
    [[[1, 10]], [[2, 30]]],
    [[[6, 20]], [[7, 0]]],
  ];
  const variable = (name: string): Variable => {
    const found = globalVariables().find((v) => v.op.name === name);
    if (found === undefined) throw new Error(`there is no variable ${name}`);
    return found;
  };

  it('is used for images, and gives what the other way gives', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, 2, 1, 2]);
      const options = { training: true, momentum: 0.5, scale: false } as const;
      const fused = layers.batchNormalization(x, { ...options, name: 'fused' });
      const plain = layers.batchNormalization(x, { ...options, name: 'plain', fused: false });
      expect(fused.op.type).toBe('FusedBatchNormV3');
      expect(plain.op.type).not.toBe('FusedBatchNormV3');
      session.initializeAll();
      const updates = group(getCollection(GraphKeys.UPDATE_OPS));
      expectNear(session.get(fused, [[x, fed]]), session.get(plain, [[x, fed]]), 5);
      session.do(updates, [[x, fed]]);
      const even = images.filter((_, i) => i % 2 === 0);
      const mean = even.reduce((a, b) => a + b, 0) / 4;
      const variance = even.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 3;
      expect(session.read(variable('fused/moving_mean'))[0]).toBeCloseTo(mean / 2, 5);
      expect(session.read(variable('fused/moving_variance'))[0]).toBeCloseTo(0.5 + variance / 2, 5);
    });
  });

  it('uses the moving averages outside of training, channels first too', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [1, 2, 1, 1]);
      const y = layers.batchNormalization(x, {
        axis: 1,
        epsilon: 0.01,
        movingMeanInitializer: constantInitializer([1, 2]),
        movingVarianceInitializer: constantInitializer([4, 9]),
      });
      expect(y.op.attrs.string('data_format')).toBe('NCHW');
      session.initializeAll();
      expectNear(session.get(y, [[x, [[[[3]], [[5]]]]]]), [2 / Math.sqrt(4.01), 3 / Math.sqrt(9.01)], 6);
      expect(getCollection(GraphKeys.UPDATE_OPS)).toEqual([]);
    });
  });

  it('refuses inputs that the op does not take', () => {
    new Graph().asDefault(() => {
      const x = placeholder('float32', [4, 2]);
      expect(() => layers.batchNormalization(x, { fused: true })).toThrow(
        /fused needs inputs of rank 4 and axis 1 or 3, got shape \[4,2\] and axis 1/,
      );
    });
  });
});

describe('pooling layers', () => {
  const SEQUENCE = [[[1], [5], [2], [8], [3], [9]]];

  it('pool sequences', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, 6, 1]);
      const y = layers.maxPooling1d(x, 3, 2);
      expect(y.shape.dims).toEqual([null, 2, 1]);
      expectNear(session.get(y, [[x, SEQUENCE]]), [5, 8]);
      const mean = layers.averagePooling1d(x, 3, 2, { padding: 'same' });
      expectNear(session.get(mean, [[x, SEQUENCE]]), [8 / 3, 13 / 3, 6]);
      const first = placeholder('float32', [null, 1, 6]);
      const y1 = layers.maxPooling1d(first, [2], [1], { dataFormat: 'channels_first' });
      expect(y1.shape.dims).toEqual([null, 1, 5]);
    });
  });

  it('pool volumes', () => {
    new Graph().asDefault(() => {
      const x = placeholder('float32', [2, 4, 6, 8, 3]);
      expect(layers.maxPooling3d(x, [1, 2, 3], 2).shape.dims).toEqual([2, 2, 3, 3, 3]);
      const first = layers.averagePooling3d(x, 2, 2, { dataFormat: 'channels_first', padding: 'same' });
      expect(first.shape.dims).toEqual([2, 4, 3, 4, 2]);
    });
  });

  it('pool everything', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, 6, 1]);
      expectNear(session.get(layers.globalAveragePooling1d(x), [[x, SEQUENCE]]), [28 / 6]);
      expectNear(session.get(layers.globalMaxPooling1d(x), [[x, SEQUENCE]]), [9]);
      const images = placeholder('float32', [null, 4, 5, 3]);
      expect(layers.globalAveragePooling2d(images).shape.dims).toEqual([null, 3]);
      expect(layers.globalMaxPooling2d(images, { keepDims: true }).shape.dims).toEqual([null, 1, 1, 3]);
      expect(layers.globalMaxPooling2d(images, { dataFormat: 'channels_first' }).shape.dims).toEqual([
        null,
        4,
      ]);
      const volumes = placeholder('float32', [2, 4, 5, 6, 3]);
      expect(layers.globalAveragePooling3d(volumes).shape.dims).toEqual([2, 3]);
      expect(layers.globalMaxPooling3d(volumes).shape.dims).toEqual([2, 3]);
    });
  });

  it('reject inputs of another rank and unknown options', () => {
    new Graph().asDefault(() => {
      const x = placeholder('float32', [1, 4, 4, 1]);
      expect(() => layers.maxPooling1d(x, 2, 2)).toThrow(/max_pooling1d: the inputs must have rank 3/);
      expect(() => layers.globalMaxPooling3d(x)).toThrow(/must have rank 5/);
      const options = { padding: 'full' as 'same' };
      expect(() => layers.averagePooling3d(x, 2, 2, options)).toThrow(/padding must be "valid" or "same"/);
      variableScope('scope', () => {
        expect(layers.globalMaxPooling2d(x).name).toMatch(/^scope\/global_max_pooling2d\//);
      });
    });
  });
});
