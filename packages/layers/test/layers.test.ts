/** Layers: shapes, names, values against plain arithmetic, reuse, bad input. */
import {
  Graph,
  GraphKeys,
  constant,
  getCollection,
  globalVariables,
  placeholder,
  relu,
  trainableVariables,
} from '@forerun/graph';
import {
  AUTO_REUSE,
  constantInitializer,
  getVariable,
  l2Regularizer,
  layers,
  nn,
  variableScope,
} from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);
const variableNames = (): string[] => globalVariables().map((v) => `${v.op.name} ${v.shape.toString()}`);

describe('dense', () => {
  it('is activation(x * kernel + bias)', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, 2]);
      const y = layers.dense(x, 3, {
        activation: relu,
        kernelInitializer: constantInitializer([1, 2, 3, 4, 5, -6]),
        biasInitializer: constantInitializer([0.5, 0, 0]),
      });
      expect(y.name).toBe('dense/Relu:0');
      expect(y.shape.dims).toEqual([null, 3]);
      expect(variableNames()).toEqual(['dense/kernel [2,3]', 'dense/bias [3]']);
      session.initializeAll();
      expectNear(
        session.get(y, [
          [
            x,
            [
              [1, 1],
              [-1, 0],
            ],
          ],
        ]),
        [5.5, 7, 0, 0, 0, 0],
      );
    });
  });

  it('has the node names of TensorFlow', () => {
    inGraph(() => {
      const y = layers.dense(placeholder('float32', [4, 2]), 3, { name: 'fc', useBias: false });
      expect(y.name).toBe('fc/MatMul:0');
      expect(layers.dense(y, 2).name).toBe('dense/BiasAdd:0');
      expect(layers.dense(y, 2).name).toBe('dense_1/BiasAdd:0');
      expect(variableNames()).toEqual([
        'fc/kernel [2,3]',
        'dense/kernel [3,2]',
        'dense/bias [2]',
        'dense_1/kernel [3,2]',
        'dense_1/bias [2]',
      ]);
    });
  });

  it('works along the last dimension of any rank', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, 2, 2]);
      const y = layers.dense(x, 1, { kernelInitializer: constantInitializer([1, 10]) });
      expect(y.shape.dims).toEqual([null, 2, 1]);
      session.initializeAll();
      expectNear(
        session.get(y, [
          [
            x,
            [
              [
                [1, 2],
                [3, 4],
              ],
            ],
          ],
        ]),
        [21, 43],
      );
    });
  });

  it('shares variables by name and reuse, and by object', () => {
    inGraph(() => {
      const x = placeholder('float32', [null, 2]);
      layers.dense(x, 3, { name: 'fc' });
      expect(() => layers.dense(x, 3, { name: 'fc' })).toThrow(
        /variable "fc\/kernel" exists already \(created at layers\.test\.ts:\d+\)/,
      );
      layers.dense(x, 3, { name: 'fc', reuse: true });
      variableScope('net', { reuse: AUTO_REUSE }, () => layers.dense(x, 3, { name: 'fc' }));
      variableScope('net', { reuse: AUTO_REUSE }, () => layers.dense(x, 3, { name: 'fc' }));
      const layer = new layers.Dense(3);
      const [a, b] = [layer.apply(x), layer.apply(x)];
      expect([a.name, b.name, layer.name]).toEqual(['dense/BiasAdd:0', 'dense/BiasAdd_1:0', 'dense']);
      expect(layer.weights.map((w) => w.op.name)).toEqual(['dense/kernel', 'dense/bias']);
      expect(globalVariables().length).toBe(6);
      expect(() => layers.dense(x, 3, { reuse: true })).toThrow('dense: reuse needs the name of the layer');
    });
  });

  it('regularizes and freezes', () => {
    inGraph(() => {
      const x = placeholder('float32', [null, 2]);
      layers.dense(x, 3, {
        kernelRegularizer: l2Regularizer(0.1),
        activityRegularizer: l2Regularizer(0.2),
        trainable: false,
      });
      const names = getCollection(GraphKeys.REGULARIZATION_LOSSES).map((loss) => loss.name);
      expect(names).toEqual([
        'dense/kernel/Regularizer/l2_regularizer:0',
        'dense/ActivityRegularizer/l2_regularizer:0',
      ]);
      expect(trainableVariables()).toEqual([]);
    });
  });

  it('refuses unknown sizes', () => {
    inGraph(() => {
      expect(() => layers.dense(placeholder('float32', [2, null]), 3)).toThrow(
        'dense: the last dimension of the inputs must be known to make the variables, the inputs have shape [2,?]',
      );
      expect(() => layers.dense(placeholder('float32'), 3)).toThrow('the inputs have shape <unknown>');
      expect(() => layers.dense(constant([[1]]), 0)).toThrow(
        'dense: units must be a positive integer, got 0',
      );
    });
  });
});

describe('conv2d', () => {
  it('convolves, adds the bias and activates', () => {
    ReferenceSession.in((session) => {
      const x = constant([
        [
          [[1], [2]],
          [[3], [4]],
        ],
      ]);
      const y = layers.conv2d(x, 1, 2, {
        padding: 'same',
        kernelInitializer: constantInitializer(1),
        biasInitializer: constantInitializer(-5),
        activation: relu,
      });
      expect([y.name, y.shape.dims]).toEqual(['conv2d/Relu:0', [1, 2, 2, 1]]);
      session.initializeAll();
      expectNear(session.get(y), [5, 1, 2, 0]);
    });
  });

  it('makes variables and shapes as TensorFlow does', () => {
    inGraph(() => {
      const x = placeholder('float32', [null, 28, 28, 3]);
      const y = layers.conv2d(x, 8, [5, 3], { strides: 2 });
      expect(y.shape.dims).toEqual([null, 12, 13, 8]);
      expect(layers.conv2d(x, 8, 3, { dilationRate: 2, useBias: false }).shape.dims).toEqual([
        null,
        24,
        24,
        8,
      ]);
      const first = placeholder('float32', [null, 3, 28, 28]);
      expect(layers.conv2d(first, 8, 3, { dataFormat: 'channels_first' }).shape.dims).toEqual([
        null,
        8,
        26,
        26,
      ]);
      expect(variableNames()).toEqual([
        'conv2d/kernel [5,3,3,8]',
        'conv2d/bias [8]',
        'conv2d_1/kernel [3,3,3,8]',
        'conv2d_2/kernel [3,3,3,8]',
        'conv2d_2/bias [8]',
      ]);
    });
  });

  it('refuses other ranks, unknown channels and paddings', () => {
    inGraph(() => {
      expect(() => layers.conv2d(placeholder('float32', [1, 2, 3]), 1, 1)).toThrow(
        'conv2d: the inputs must have rank 4',
      );
      expect(() => layers.conv2d(placeholder('float32', [1, 2, 3, null]), 1, 1)).toThrow(
        'the number of channels of the inputs must be known',
      );
      expect(() => layers.conv2d(constant([[[[1]]]]), 1, 1, { padding: 'full' as 'same' })).toThrow(
        'padding must be "valid" or "same", got "full"',
      );
      expect(() => layers.conv2d(constant([[[[1]]]]), 1.5, 1)).toThrow(
        'filters must be a positive integer, got 1.5',
      );
    });
  });
});

describe('pooling and flatten', () => {
  it('reduce windows', () => {
    ReferenceSession.in((session) => {
      const x = constant([
        [
          [[1], [2]],
          [[3], [4]],
        ],
      ]);
      const [max, mean] = [layers.maxPooling2d(x, 2, 2), layers.averagePooling2d(x, 2, 2)];
      expect([max.name, mean.name]).toEqual(['max_pooling2d/MaxPool:0', 'average_pooling2d/AvgPool:0']);
      expect(session.run([max, mean])).toEqual([[4], [2.5]]);
      expect(layers.maxPooling2d(x, [2, 1], 1, { padding: 'SAME' }).shape.dims).toEqual([1, 2, 2, 1]);
      expect(() => layers.maxPooling2d(constant([1]), 2, 2)).toThrow(
        'max_pooling2d: the inputs must have rank 4',
      );
    });
  });

  it('flatten all but the first dimension', () => {
    inGraph(() => {
      const y = layers.flatten(placeholder('float32', [null, 7, 7, 64]));
      expect([y.name, y.shape.dims]).toEqual(['flatten/Reshape:0', [null, 3136]]);
      expect(layers.flatten(placeholder('float32', [5, null, 2])).shape.dims).toEqual([5, null]);
    });
  });
});

describe('dropout', () => {
  it('keeps the expected value and scales what it keeps', () => {
    ReferenceSession.in((session) => {
      const x = constant(Array<number>(4000).fill(2));
      const keep = placeholder('float32', []);
      for (const values of [
        session.get(nn.dropout(x, { rate: 0.25, seed: 1 })),
        session.get(nn.dropout(x, 0.75, { seed: 2 })),
        session.get(nn.dropout(x, keep, { seed: 3 }), [[keep, 0.75]]),
      ]) {
        const kept = values.filter((value) => value !== 0);
        expect(Math.abs(kept.length / 4000 - 0.75)).toBeLessThan(0.04);
        expectNear(
          kept,
          kept.map(() => 2 / 0.75),
          5,
        );
      }
      expect(session.get(nn.dropout(x, 1)).every((value) => value === 2)).toBe(true);
    });
  });

  it('shares decisions along dimensions of size 1 in noiseShape', () => {
    ReferenceSession.in((session) => {
      const x = constant(1, { shape: [50, 4] });
      const values = session.get(nn.dropout(x, { rate: 0.5, seed: 1, noiseShape: [50, 1] }));
      for (let i = 0; i < 200; i += 4) expect(new Set(values.slice(i, i + 4)).size).toBe(1);
      expect(new Set(values)).toEqual(new Set([0, 2]));
    });
  });

  it('of the layer acts only while training', () => {
    ReferenceSession.in((session) => {
      const x = constant(1, { shape: [100] });
      const training = placeholder('bool', []);
      const fed = layers.dropout(x, { training, seed: 1 });
      expect(session.get(layers.dropout(x))).toEqual(Array<number>(100).fill(1));
      expect(session.get(fed, [[training, false]])).toEqual(Array<number>(100).fill(1));
      expect(new Set(session.get(fed, [[training, true]]))).toEqual(new Set([0, 2]));
      expect(new Set(session.get(layers.dropout(x, { training: true, rate: 0.2, seed: 1 })))).toEqual(
        new Set([0, 1.25]),
      );
    });
  });

  it('refuses probabilities out of range', () => {
    inGraph(() => {
      expect(() => nn.dropout([1], { rate: 1 })).toThrow('dropout: rate must be in [0, 1), got 1');
      expect(() => nn.dropout([1], 0)).toThrow('dropout: keepProb must be in (0, 1], got 0');
      expect(() => nn.dropout([1], {})).toThrow('dropout: give either keepProb or rate');
      expect(() => nn.dropout([1], 0.5, { rate: 0.5 })).toThrow('dropout: give either keepProb or rate');
    });
  });
});

describe('zeroFraction', () => {
  it('is the share of zeros', () => {
    ReferenceSession.in((session) => expect(session.get(nn.zeroFraction([0, 1, 0, 2]))).toEqual([0.5]));
  });
});

describe('options by position', () => {
  it('are refused where plain JavaScript would ignore them', () => {
    inGraph(() => {
      const x = placeholder('float32', [null, 2]);
      const call = (build: unknown, ...args: readonly unknown[]): (() => unknown) => {
        return () => (build as (...args: readonly unknown[]) => unknown)(...args);
      };
      expect(call(layers.dense, x, 3, relu)).toThrow(
        'dense: options must be an object such as { activation: fr.nn.relu }, got a function',
      );
      expect(call(layers.dropout, x, 0.4)).toThrow(
        'dropout: options must be an object such as { rate: 0.4 }, got 0.4',
      );
      expect(call(getVariable, 'w', [3])).toThrow(
        'getVariable: options must be an object such as { shape: [10] }, got [3]',
      );
    });
  });
});
