/** Metrics of rankings against counts by hand, over weights, classes, sparse labels and several batches. */
import {
  Graph,
  SparseTensor,
  constant,
  localVariables,
  localVariablesInitializer,
  placeholder,
  type TensorLike,
} from '@forerun/graph';
import { metrics } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

/** Two examples of four classes; the three likeliest are 3, 1, 2 and 0, 2, 3. */
const PREDICTIONS = [
  [0.1, 0.3, 0.2, 0.4],
  [0.5, 0.05, 0.25, 0.2],
];
const RANKED = [
  [3, 1, 2],
  [0, 2, 3],
];
const LABELS = [
  [1, 3],
  [2, 1],
];
const labels = (rows: number[][] = LABELS) => constant(rows, { dtype: 'int64' });

function once(build: () => metrics.Metric, wanted: number): void {
  ReferenceSession.in((session) => {
    const [value, update] = build();
    session.do(localVariablesInitializer());
    expectNear(session.get(update), [wanted]);
    expectNear(session.get(value), [wanted]);
  });
}

type AtK = (
  labels: TensorLike | SparseTensor,
  predictions: TensorLike,
  k: number,
  options?: metrics.AtKOptions,
) => metrics.Metric;

describe('metrics at k', () => {
  it.each<[string, AtK, metrics.AtKOptions, number]>([
    ['precision', metrics.precisionAtK, {}, 3 / 6],
    ['precision of the older name', metrics.sparsePrecisionAtK, {}, 3 / 6],
    ['precision by weight', metrics.precisionAtK, { weights: [1, 3] }, (2 + 3) / (3 + 9)],
    ['precision of a class', metrics.precisionAtK, { classId: 2 }, 1 / 2],
    ['precision of a class by weight', metrics.precisionAtK, { classId: 2, weights: [3, 1] }, 1 / 4],
    ['recall', metrics.recallAtK, {}, 3 / 4],
    ['recall by weight', metrics.recallAtK, { weights: [1, 3] }, (2 + 3) / (2 + 6)],
    ['recall of a class', metrics.recallAtK, { classId: 1 }, 1 / 2],
    ['recall of a class by weight', metrics.recallAtK, { classId: 1, weights: [3, 1] }, 3 / 4],
  ])('%s', (_, build, options, wanted) => {
    once(() => build(labels(), PREDICTIONS, 3, options), wanted);
  });

  it('take the ranking itself', () => {
    once(() => metrics.precisionAtTopK(labels(), RANKED, { k: 3 }), 3 / 6);
    once(() => metrics.recallAtTopK(labels(), RANKED, { classId: 1 }), 1 / 2);
  });

  it('take one label per example, and labels of more dimensions', () => {
    once(() => metrics.recallAtK(constant([3, 1], { dtype: 'int64' }), PREDICTIONS, 1), 1 / 2);
    const nested = () => constant([LABELS], { dtype: 'int32' });
    once(() => metrics.precisionAtK(nested(), [PREDICTIONS], 3, { weights: [[1, 3]] }), 5 / 12);
  });

  it('count a label that is listed twice once', () => {
    const twice = [
      [3, 3],
      [1, 1],
    ];
    once(() => metrics.recallAtK(labels(twice), PREDICTIONS, 3), 1 / 2);
    once(() => metrics.precisionAtK(labels(twice), PREDICTIONS, 3), 1 / 6);
  });

  it('take sparse labels, of as many per example as there are', () => {
    // 0 is a class, not a place without a label
    const sparse = () => {
      const indices = [
        [0, 0],
        [1, 0],
        [1, 1],
        [1, 2],
      ];
      return new SparseTensor(
        constant(indices, { dtype: 'int64' }),
        constant([1, 0, 2, 1], { dtype: 'int64' }),
        constant([2, 3], { dtype: 'int64' }),
      );
    };
    once(() => metrics.precisionAtK(sparse(), PREDICTIONS, 3), 3 / 6);
    once(() => metrics.recallAtK(sparse(), PREDICTIONS, 3), 3 / 4);
    // first: 1 is second; second: 0 and 2 are first and second of three labels
    once(() => metrics.averagePrecisionAtK(sparse(), PREDICTIONS, 3), (1 / 2 + (1 + 1) / 3) / 2);
  });

  it('average the precision at the places of the labels', () => {
    // first: 3 and 1 in the first two places; second: 2 in the second place
    once(() => metrics.averagePrecisionAtK(labels(), PREDICTIONS, 3), (1 + 1 / 4) / 2);
    once(() => metrics.averagePrecisionAtK(labels(), PREDICTIONS, 1), 1 / 2);
    once(
      () => metrics.sparseAveragePrecisionAtK(labels(), PREDICTIONS, 3, { weights: [1, 3] }),
      (1 + 3 / 4) / 4,
    );
  });

  it('add up batches, in variables named after k and class', () => {
    ReferenceSession.in((session) => {
      const [truths, scores] = [placeholder('int32', [null, 1]), placeholder('float32', [null, 3])];
      const [value, update] = metrics.recallAtK(truths, scores, 2, { classId: 1, name: 'r' });
      session.do(localVariablesInitializer());
      expect(session.get(value)).toEqual([NaN]);
      const feed = (y: number[][], p: number[][]): void => {
        session.get(update, [
          [truths, y],
          [scores, p],
        ]);
      };
      feed(
        [[1], [0]],
        [
          [0.5, 0.4, 0.1],
          [0.1, 0.8, 0.1],
        ],
      );
      feed([[1]], [[0.5, 0.1, 0.4]]);
      expectNear(session.get(value), [1 / 2]);
      expect(localVariables().map((v) => v.op.name)).toEqual([
        'r/true_positive_at_2_class1',
        'r/false_negative_at_2_class1',
      ]);
    });
  });

  it('refuse labels whose rank does not fit', () => {
    new Graph().asDefault(() => {
      expect(() => metrics.recallAtK(constant(1, { dtype: 'int32' }), PREDICTIONS, 2)).toThrow(
        /labels of rank 0 do not go with predictions of rank 2/,
      );
      expect(() => metrics.precisionAtTopK(labels(), 3)).toThrow(/must not be a scalar/);
    });
  });
});
