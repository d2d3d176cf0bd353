/** Losses against their formulas, their weights and reductions, gradients, collections and bad input. */
import {
  Graph,
  GraphKeys,
  constant,
  getCollection,
  gradients,
  placeholder,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';
import { getVariable, l1L2Regularizer, l1Regularizer, l2Regularizer, losses } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

const LABELS = [
  [1, 0, 1],
  [0, 0, 1],
];
const PREDICTIONS = [
  [0.9, 0.2, 0.4],
  [0.3, 0.6, 0.7],
];
const pairs = LABELS.flatMap((row, i) => row.map((y, j) => [y, PREDICTIONS[i]?.[j] ?? NaN] as const));
const average = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

function logSumExp(row: readonly number[]): number {
  return Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
}

const softmaxLoss = (row: readonly number[], labels: readonly number[]): number =>
  labels.reduce((sum, y, i) => sum + y * (logSumExp(row) - (row[i] ?? NaN)), 0);

type Loss = (labels: TensorLike, predictions: TensorLike, options?: losses.LossOptions) => Tensor;

describe('losses of labels and predictions', () => {
  it.each<{ name: string; loss: Loss; formula: (y: number, p: number) => number }>([
    { name: 'absoluteDifference', loss: losses.absoluteDifference, formula: (y, p) => Math.abs(y - p) },
    { name: 'meanSquaredError', loss: losses.meanSquaredError, formula: (y, p) => (y - p) ** 2 },
    {
      name: 'huberLoss',
      loss: (y, p, options) => losses.huberLoss(y, p, { delta: 0.35, ...options }),
      formula: (y, p) => {
        const d = Math.abs(y - p);
        return d <= 0.35 ? d ** 2 / 2 : 0.35 * d - 0.35 ** 2 / 2;
      },
    },
    {
      name: 'logLoss',
      loss: losses.logLoss,
      formula: (y, p) => -y * Math.log(p + 1e-7) - (1 - y) * Math.log(1 - p + 1e-7),
    },
    { name: 'hingeLoss', loss: losses.hingeLoss, formula: (y, p) => Math.max(0, 1 - (2 * y - 1) * p) },
    {
      name: 'sigmoidCrossEntropy',
      loss: losses.sigmoidCrossEntropy,
      formula: (y, p) => Math.max(p, 0) - p * y + Math.log1p(Math.exp(-Math.abs(p))),
    },
  ])('$name is the mean of its formula, with a gradient', ({ loss, formula }) => {
    ReferenceSession.in((session) => {
      const p = constant(PREDICTIONS);
      const value = loss(LABELS, p);
      const each = loss(LABELS, p, { reduction: losses.Reduction.NONE });
      const wanted = pairs.map(([y, x]) => formula(y, x));
      expectNear(session.get(value), [average(wanted)], 6);
      expectNear(session.get(each), wanted, 6);
      const [dp] = gradients(value, p);
      if (dp === null || dp === undefined) throw new Error('there is no gradient');
      const h = 1e-6;
      expectNear(
        session.get(dp),
        pairs.map(([y, x]) => (formula(y, x + h) - formula(y, x - h)) / (2 * h * 6)),
        5,
      );
    });
  });

  it('softmaxCrossEntropy and its sparse form agree with the formula', () => {
    ReferenceSession.in((session) => {
      const logits = constant(PREDICTIONS);
      const onehot = [
        [0, 1, 0],
        [1, 0, 0],
      ];
      const wanted = onehot.map((labels, i) => softmaxLoss(PREDICTIONS[i] ?? [], labels));
      const dense = losses.softmaxCrossEntropy(onehot, logits);
      const sparse = losses.sparseSoftmaxCrossEntropy(constant([1, 0], { dtype: 'int32' }), logits);
      const column = losses.sparseSoftmaxCrossEntropy(constant([[1], [0]], { dtype: 'int64' }), logits);
      expectNear(session.run([dense, sparse, column]).flat(), Array<number>(3).fill(average(wanted)));
      const [d1] = gradients(dense, logits);
      const [d2] = gradients(sparse, logits);
      if (!d1 || !d2) throw new Error('there is no gradient');
      expectNear(session.get(d1), session.get(d2));
    });
  });

  it('smooth labels', () => {
    ReferenceSession.in((session) => {
      const onehot = [[0, 1, 0]];
      const row = [0.5, 1, -2];
      const x = placeholder('float32', null);
      const known = losses.softmaxCrossEntropy(onehot, [row], { labelSmoothing: 0.3 });
      const unknown = losses.softmaxCrossEntropy(x, [row], { labelSmoothing: 0.3 });
      const want = softmaxLoss(row, [0.1, 0.8, 0.1]);
      expectNear(session.run([known, unknown], [[x, onehot]]).flat(), [want, want]);
      const sigmoid = losses.sigmoidCrossEntropy([[1, 0]], [[0.3, 2]], { labelSmoothing: 0.2 });
      const term = (y: number, p: number): number =>
        Math.max(p, 0) - p * y + Math.log1p(Math.exp(-Math.abs(p)));
      expectNear(session.get(sigmoid), [(term(0.9, 0.3) + term(0.1, 2)) / 2]);
    });
  });

  it('cosineDistance compares directions', () => {
    ReferenceSession.in((session) => {
      const loss = losses.cosineDistance([[1, 0]], [[0.6, 0.8]], { axis: 1 });
      expectNear(session.get(loss), [0.4]);
    });
  });
});

describe('weights and reductions', () => {
  const values = [
    [1, 2],
    [3, 4],
  ];

  it.each([
    { reduction: losses.Reduction.SUM, want: 1 * 0 + 2 * 0 + 3 * 2 + 4 * 2 },
    { reduction: losses.Reduction.MEAN, want: 14 / 4 },
    { reduction: losses.Reduction.SUM_OVER_BATCH_SIZE, want: 14 / 4 },
    { reduction: losses.Reduction.SUM_BY_NONZERO_WEIGHTS, want: 14 / 2 },
  ])('$reduction', ({ reduction, want }) => {
    ReferenceSession.in((session) => {
      const loss = losses.computeWeightedLoss(values, { weights: [[0], [2]], reduction });
      expectNear(session.get(loss), [want]);
    });
  });

  it('weigh by a scalar, and give 0 when all weights are 0', () => {
    ReferenceSession.in((session) => {
      expectNear(session.get(losses.computeWeightedLoss(values, { weights: 0.5 })), [10 / 2 / 4]);
      expectNear(session.get(losses.computeWeightedLoss(values, { weights: 0 })), [0]);
      expectNear(session.get(losses.computeWeightedLoss(values, { weights: constant([[0], [0]]) })), [0]);
    });
  });

  it('divide by the number of elements that are fed', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null]);
      const loss = losses.meanSquaredError(x, x, { weights: 1 });
      const other = losses.absoluteDifference(x, [0]);
      expect(session.run([loss], [[x, [1, 2, 3]]])).toEqual([[0]]);
      expect(session.run([other], [[x, [3]]])).toEqual([[3]]);
    });
  });

  it('must broadcast', () => {
    new Graph().asDefault(() => {
      expect(() => losses.computeWeightedLoss(values, { weights: [1, 2] })).toThrow(
        'weights of shape [2] do not broadcast to losses of shape [2,2]: each dimension must be equal or 1',
      );
      expect(() => losses.meanSquaredError(values, [1, 2, 3])).toThrow(
        'mean_squared_error: labels have shape [2,2], predictions [3]: they must be equal',
      );
      expect(() => losses.softmaxCrossEntropy([[1, 0]], [[1, 0, 0]])).toThrow(
        'onehotLabels have shape [1,2], logits [1,3]',
      );
    });
  });
});

describe('collections of losses', () => {
  it("take each loss under TensorFlow's name, and sum up", () => {
    ReferenceSession.in((session) => {
      expect(() => losses.getTotalLoss()).toThrow('getTotalLoss: the graph has no losses');
      const a = losses.meanSquaredError([1], [3]);
      const b = losses.absoluteDifference([1], [2], { scope: 'mine' });
      losses.meanSquaredError([1], [9], { lossCollection: null });
      losses.addLoss(constant(10));
      const w = getVariable('w', { initializer: [3, -4], regularizer: l2Regularizer(0.1) });
      session.initialize([w]);
      expect([a.name, b.name]).toEqual(['mean_squared_error/value:0', 'mine/value:0']);
      expect(losses.getLosses().length).toBe(3);
      expect(losses.getLosses({ scope: 'mine' })).toEqual([b]);
      expect(getCollection(GraphKeys.LOSSES)).toEqual(losses.getLosses());
      expect(losses.getRegularizationLosses().map((loss) => loss.name)).toEqual([
        'w/Regularizer/l2_regularizer:0',
      ]);
      const total = losses.getTotalLoss();
      const plain = losses.getTotalLoss({ addRegularizationLosses: false, name: 'plain' });
      expect([total.name, plain.name]).toEqual(['total_loss:0', 'plain:0']);
      expectNear(session.run([total, plain, losses.getRegularizationLoss()]).flat(), [
        4 + 1 + 10 + 1.25,
        15,
        1.25,
      ]);
    });
  });

  it('have a regularization loss of 0 when there are none', () => {
    ReferenceSession.in((session) => expect(session.get(losses.getRegularizationLoss())).toEqual([0]));
  });
});

describe('regularizers', () => {
  it('are the norms times their scale', () => {
    ReferenceSession.in((session) => {
      const w = constant([3, -4]);
      const penalties = [l1Regularizer(0.5)(w), l2Regularizer(0.5)(w), l1L2Regularizer(0.5, 0.5)(w)];
      expectNear(session.run(penalties.filter((penalty) => penalty !== null)).flat(), [3.5, 6.25, 9.75]);
      expect([l1Regularizer(0)(w), l2Regularizer(0)(w), l1L2Regularizer(0, 0)(w)]).toEqual([
        null,
        null,
        null,
      ]);
      expect(() => l2Regularizer(-1)).toThrow(
        'the scale of a regularizer must be a finite number of 0 or more, got -1',
      );
    });
  });
});
