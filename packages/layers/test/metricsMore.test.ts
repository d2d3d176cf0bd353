/** Metrics of classes, thresholds and distances against counts by hand. */
import {
  Graph,
  constant,
  localVariables,
  localVariablesInitializer,
  placeholder,
  type TensorLike,
} from '@forerun/graph';
import { metrics } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

/** The value after one batch. */
function once(build: () => metrics.Metric, digits: (got: number[]) => void): void {
  ReferenceSession.in((session) => {
    const [value, update] = build();
    session.do(localVariablesInitializer());
    const updated = session.get(update);
    expectNear(session.get(value), updated);
    digits(updated);
  });
}

const LABELS = [1, 0, 1, 1, 0, 0];
const ANSWERS = [1, 1, 0, 1, 0, 1];
const SCORES = [0.9, 0.6, 0.3, 0.8, 0.2, 0.55];

type Answers = (
  labels: TensorLike,
  predictions: TensorLike,
  options?: metrics.MetricOptions,
) => metrics.Metric;

describe('metrics of answers', () => {
  it.each<[string, Answers, number]>([
    ['truePositives', metrics.truePositives, 2],
    ['falsePositives', metrics.falsePositives, 2],
    ['trueNegatives', metrics.trueNegatives, 1],
    ['falseNegatives', metrics.falseNegatives, 1],
    ['precision', metrics.precision, 2 / 4],
    ['recall', metrics.recall, 2 / 3],
  ])('%s', (_, build, wanted) => {
    once(
      () => build(LABELS, ANSWERS),
      (got) => expectNear(got, [wanted]),
    );
  });

  it('weigh their items, over several batches', () => {
    ReferenceSession.in((session) => {
      const [labels, answers, weights] = [
        placeholder('bool', [null]),
        placeholder('bool', [null]),
        placeholder('float32', [null]),
      ];
      const [value, update] = metrics.precision(labels, answers, { weights, name: 'p' });
      session.do(localVariablesInitializer());
      const feed = (y: boolean[], p: boolean[], w: number[]): void => {
        session.get(update, [
          [labels, y],
          [answers, p],
          [weights, w],
        ]);
      };
      feed([true, false], [true, true], [1, 3]);
      feed([true], [true], [4]);
      expectNear(session.get(value), [5 / 8]);
      expect(localVariables().map((v) => v.op.name)).toEqual([
        'p/true_positives/count',
        'p/false_positives/count',
      ]);
    });
  });
});

describe('metrics of scores', () => {
  it('count at thresholds', () => {
    const thresholds = [0.25, 0.7];
    once(
      () => metrics.precisionAtThresholds(LABELS, SCORES, thresholds),
      (got) => expectNear(got, [3 / 5, 2 / 2], 5),
    );
    once(
      () => metrics.recallAtThresholds(LABELS, SCORES, thresholds),
      (got) => expectNear(got, [1, 2 / 3], 5),
    );
    once(
      () => metrics.trueNegativesAtThresholds(LABELS, SCORES, thresholds, { weights: [1, 1, 1, 1, 5, 1] }),
      (got) => expectNear(got, [5, 7]),
    );
  });

  it('auc is the share of pairs in the right order, up to the thresholds', () => {
    const pairs = LABELS.flatMap((y, i) =>
      LABELS.map((z, j) => [y, z, SCORES[i] ?? 0, SCORES[j] ?? 0] as const),
    );
    const mixed = pairs.filter(([y, z]) => y === 1 && z === 0);
    const wanted = mixed.filter(([, , a, b]) => a > b).length / mixed.length;
    once(
      () => metrics.auc(LABELS, SCORES, { numThresholds: 201 }),
      (got) => expectNear(got, [wanted], 5),
    );
    new Graph().asDefault(() => {
      expect(() => metrics.auc(LABELS, SCORES, { numThresholds: 1 })).toThrow(
        'numThresholds must be an integer of 2 or more, got 1',
      );
    });
  });

  it('sensitivity and specificity', () => {
    once(
      () => metrics.sensitivityAtSpecificity(LABELS, SCORES, 0.66),
      (got) => expectNear(got, [2 / 3], 5),
    );
    once(
      () => metrics.specificityAtSensitivity(LABELS, SCORES, 0.66),
      (got) => expectNear(got, [1], 5),
    );
    new Graph().asDefault(() => {
      expect(() => metrics.sensitivityAtSpecificity(LABELS, SCORES, 2)).toThrow(
        'specificity must be in [0, 1], got 2',
      );
    });
  });
});

describe('metrics of classes', () => {
  const labels = constant.bind(null, [0, 1, 2, 1, 0], { dtype: 'int32' });
  const guesses = constant.bind(null, [0, 1, 1, 1, 2], { dtype: 'int32' });

  it('meanIou leaves out classes that do not occur, and updates its matrix', () => {
    ReferenceSession.in((session) => {
      const [value, update] = metrics.meanIou(labels(), guesses(), 4);
      session.do(localVariablesInitializer());
      expect(update.shape.dims).toEqual([4, 4]);
      // By row the labels, by column the answers.
      expectNear(session.get(update), [1, 0, 1, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
      expectNear(session.get(value), [(1 / 2 + 2 / 3 + 0) / 3]);
    });
  });

  it('meanPerClassAccuracy updates the accuracy of each class', () => {
    ReferenceSession.in((session) => {
      const [value, update] = metrics.meanPerClassAccuracy(labels(), guesses(), 3);
      session.do(localVariablesInitializer());
      expectNear(session.get(update), [1 / 2, 1, 0]);
      expectNear(session.get(value), [(1 / 2 + 1 + 0) / 3]);
    });
  });
});

describe('metrics of distances', () => {
  it.each<[string, () => metrics.Metric, number]>([
    ['meanAbsoluteError', () => metrics.meanAbsoluteError([1, 2], [3, 1]), 1.5],
    ['rootMeanSquaredError', () => metrics.rootMeanSquaredError([1, 2], [3, 1]), Math.sqrt(2.5)],
    ['meanRelativeError', () => metrics.meanRelativeError([1, 2, 5], [3, 1, 7], [2, 4, 0]), 1.25 / 3],
    ['meanCosineDistance', () => metrics.meanCosineDistance([[1, 0]], [[0.6, 0.8]], 1), 0.4],
    ['percentageBelow', () => metrics.percentageBelow([1, 2, 3, 4], 2.5), 0.5],
  ])('%s', (_, build, wanted) => {
    once(build, (got) => expectNear(got, [wanted]));
  });

  it('meanTensor keeps the shape', () => {
    once(
      () => metrics.meanTensor([[1, 2]]),
      (got) => expectNear(got, [1, 2]),
    );
    new Graph().asDefault(() => {
      expect(() => metrics.meanAbsoluteError([1, 2], [1, 2, 3])).toThrow(
        'labels have shape [2], predictions [3]',
      );
    });
  });
});
