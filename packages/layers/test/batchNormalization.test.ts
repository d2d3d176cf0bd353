/** Batch normalization: values while training and in inference, moving averages, gradients, names. */
import {
  Graph,
  GraphKeys,
  getCollection,
  globalVariables,
  gradients,
  group,
  mul,
  placeholder,
  reduceSum,
  square,
  trainableVariables,
  type Operation,
  type Variable,
} from '@forerun/graph';
import { layers, train } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

const BATCH = [
  [1, 10],
  [2, 30],
  [6, 20],
];
const EPSILON = 0.001;
const columns = [0, 1].map((j) => BATCH.map((row) => row[j] ?? NaN));
const means = columns.map((column) => column.reduce((a, b) => a + b, 0) / 3);
const variances = columns.map(
  (column, j) => column.reduce((sum, x) => sum + (x - (means[j] ?? 0)) ** 2, 0) / 3,
);
const normalized = BATCH.flatMap((row) =>
  row.map((x, j) => (x - (means[j] ?? 0)) / Math.sqrt((variances[j] ?? 0) + EPSILON)),
);

const updates = (): Operation => group(getCollection(GraphKeys.UPDATE_OPS));
function variable(name: string): Variable {
  const found = globalVariables().find((v) => v.op.name === name);
  if (found === undefined) throw new Error(`there is no variable ${name}`);
  return found;
}

describe('batchNormalization', () => {
  it('has the variables of TensorFlow', () => {
    new Graph().asDefault(() => {
      layers.batchNormalization(placeholder('float32', [null, 2]));
      layers.batchNormalization(placeholder('float32', [null, 2]), { scale: false, name: 'bn' });
      expect(globalVariables().map((v) => v.op.name)).toEqual([
        'batch_normalization/gamma',
        'batch_normalization/beta',
        'batch_normalization/moving_mean',
        'batch_normalization/moving_variance',
        'bn/beta',
        'bn/moving_mean',
        'bn/moving_variance',
      ]);
      expect(trainableVariables().map((v) => v.op.name)).toEqual([
        'batch_normalization/gamma',
        'batch_normalization/beta',
        'bn/beta',
      ]);
      expect(getCollection(GraphKeys.UPDATE_OPS)).toEqual([]);
    });
  });

  it('normalizes by the batch while training, and updates the moving averages', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, 2]);
      const y = layers.batchNormalization(x, { training: true, momentum: 0.9 });
      session.initializeAll();
      expectNear(session.get(y, [[x, BATCH]]), normalized, 5);
      session.do(updates(), [[x, BATCH]]);
      expectNear(
        session.read(variable('batch_normalization/moving_mean')),
        means.map((m) => 0.1 * m),
      );
      expectNear(
        session.read(variable('batch_normalization/moving_variance')),
        variances.map((v) => 0.9 + 0.1 * v),
        5,
      );
    });
  });

  it('normalizes by the moving averages in inference', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, 2]);
      const y = layers.batchNormalization(x);
      session.initializeAll();
      const scale = 1 / Math.sqrt(1 + EPSILON);
      expectNear(
        session.get(y, [[x, BATCH]]),
        BATCH.flat().map((value) => value * scale),
        5,
      );
    });
  });

  it('takes the flag as a tensor: fed as false it changes nothing', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, 2]);
      const training = placeholder('bool', []);
      const y = layers.batchNormalization(x, { training, momentum: 0.9 });
      session.initializeAll();
      const scale = 1 / Math.sqrt(1 + EPSILON);
      expectNear(
        session.get(y, [
          [x, BATCH],
          [training, false],
        ]),
        BATCH.flat().map((value) => value * scale),
        5,
      );
      expectNear(
        session.get(y, [
          [x, BATCH],
          [training, true],
        ]),
        normalized,
        5,
      );
      session.do(updates(), [
        [x, BATCH],
        [training, false],
      ]);
      expect(session.read(variable('batch_normalization/moving_mean'))).toEqual([0, 0]);
      session.do(updates(), [
        [x, BATCH],
        [training, true],
      ]);
      expectNear(
        session.read(variable('batch_normalization/moving_mean')),
        means.map((m) => 0.1 * m),
      );
    });
  });

  it('keeps the variance of the sample for images, along either channel axis', () => {
    for (const axis of [-1, 1]) {
      ReferenceSession.in((session) => {
        const shape = axis === 1 ? [null, 2, 1, 1] : [null, 1, 1, 2];
        const x = placeholder('float32', shape);
        const y = layers.batchNormalization(x, { training: true, momentum: 0.9, axis });
        session.initializeAll();
        const fed = axis === 1 ? BATCH.map((row) => row.map((v) => [[v]])) : BATCH.map((row) => [[row]]);
        expectNear(session.get(y, [[x, fed]]), normalized, 5);
        session.do(updates(), [[x, fed]]);
        const moving = session.read(variable('batch_normalization/moving_variance'));
        expectNear(
          moving,
          variances.map((v) => 0.9 + 0.1 * v * (3 / 2)),
          5,
        );
      });
    }
  });

  it('has the gradient of the whole formula', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [3, 2]);
      const y = layers.batchNormalization(x, { training: true });
      const weights = [
        [1, -2],
        [3, 0.5],
        [-1, 2],
      ];
      const loss = reduceSum(mul(square(y), weights));
      const [dx] = gradients(loss, x);
      if (dx === null || dx === undefined) throw new Error('there is no gradient');
      session.initializeAll();
      const flat = BATCH.flat();
      const at = (values: readonly number[]): number =>
        session.get(loss, [[x, [values.slice(0, 2), values.slice(2, 4), values.slice(4, 6)]]])[0] ?? NaN;
      const h = 2 ** -8;
      const wanted = flat.map((_, i) => {
        const [up, down] = [h, -h].map((step) => at(flat.map((v, j) => (j === i ? v + step : v))));
        return ((up ?? NaN) - (down ?? NaN)) / (2 * h);
      });
      expectNear(session.get(dx, [[x, BATCH]]), wanted, 3);
    });
  });

  it('is updated by a training step', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, 2]);
      const y = layers.batchNormalization(x, { training: true, momentum: 0.9 });
      const step = new train.GradientDescentOptimizer(0.1).minimize(reduceSum(square(y)));
      session.initializeAll();
      session.do(step, [[x, BATCH]]);
      expectNear(
        session.read(variable('batch_normalization/moving_mean')),
        means.map((m) => 0.1 * m),
      );
    });
  });

  it('refuses unknown ranks and axes', () => {
    new Graph().asDefault(() => {
      expect(() => layers.batchNormalization(placeholder('float32'))).toThrow(
        'the rank of the inputs must be known',
      );
      expect(() => layers.batchNormalization(placeholder('float32', [2, 3]), { axis: 2 })).toThrow(
        'batch_normalization: axis 2 is out of range for inputs of shape [2,3]',
      );
      expect(() => layers.batchNormalization(placeholder('float32', [2, null]))).toThrow(
        'the dimension of the features of the inputs must be known',
      );
    });
  });
});
