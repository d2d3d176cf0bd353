/** Weighted cross-entropy, pairwise errors and CTC against their formulas, and bad input. */
import {
  Graph,
  SparseTensor,
  constant,
  ctcLoss,
  gradients,
  placeholder,
  sparsePlaceholder,
  sparseTensorToDense,
  sparseToDense,
} from '@forerun/graph';
import { losses, nn } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

describe('nn.weightedCrossEntropyWithLogits', () => {
  it('weighs the positive part', () => {
    ReferenceSession.in((session) => {
      const [labels, logits] = [
        [1, 0, 0.3],
        [2, -3, 0.5],
      ];
      const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
      const wanted = labels.map((z, i) => {
        const p = sigmoid(logits[i] ?? NaN);
        return -3 * z * Math.log(p) - (1 - z) * Math.log(1 - p);
      });
      expectNear(session.get(nn.weightedCrossEntropyWithLogits(labels, logits, 3)), wanted, 6);
      expectNear(session.get(nn.weightedCrossEntropyWithLogits([1], [-1000], 3)), [3000]);
      expect(() => nn.weightedCrossEntropyWithLogits([1, 2], [1], 3)).toThrow(
        'labels have shape [2], logits [1]',
      );
    });
  });
});

describe('losses.meanPairwiseSquaredError', () => {
  it('compares the errors of all pairs of an item', () => {
    ReferenceSession.in((session) => {
      const errors = [
        [1, 2, 4],
        [0, -1, 3],
      ];
      const pairs = errors.map((d) => {
        const squares = d.flatMap((a, i) => d.flatMap((b, j) => (i === j ? [] : [(a - b) ** 2])));
        return squares.reduce((a, b) => a + b, 0) / squares.length;
      });
      const zeros = errors.map((row) => row.map(() => 0));
      const loss = losses.meanPairwiseSquaredError(zeros, errors);
      expectNear(session.get(loss), [(pairs[0] ?? NaN) + (pairs[1] ?? NaN)]);
      const weighted = losses.meanPairwiseSquaredError(zeros, errors, { weights: [[0], [2]] });
      expectNear(session.get(weighted), [2 * (pairs[1] ?? NaN)]);
      expect(losses.getLosses().length).toBe(2);
      expect(() => losses.meanPairwiseSquaredError([1, 2], [1])).toThrow('they must be equal');
    });
  });
});

describe('ctcLoss', () => {
  it('is the probability of all ways to spell the labels', () => {
    ReferenceSession.in((session) => {
      const labels = new SparseTensor([[0, 0]], constant([0], { dtype: 'int32' }), [1, 1]);
      const inputs = constant([[[Math.log(3), 0]], [[0, 0]]]); // p = (3/4, 1/4), (1/2, 1/2)
      const loss = ctcLoss(labels, inputs, [2]);
      const spelt = 3 / 8 + 3 / 8 + 1 / 8;
      expectNear(session.get(loss), [-Math.log(spelt)]);
      const [dx] = gradients(loss, inputs);
      expect(dx?.shape.dims).toEqual([2, 1, 2]);
      const byBatch = ctcLoss(
        labels,
        constant([
          [
            [Math.log(3), 0],
            [0, 0],
          ],
        ]),
        [2],
        { timeMajor: false },
      );
      expectNear(session.get(byBatch), [-Math.log(spelt)]);
      if (!dx) throw new Error('there is no gradient');
      // d loss / d x_k = p_k - the share of paths through k
      expectNear(session.get(dx), [3 / 4 - 6 / 7, 1 / 4 - 1 / 7, 1 / 2 - 4 / 7, 1 / 2 - 3 / 7], 6);
      expect(() => gradients(dx, inputs)).toThrow('its gradient has no gradient');
    });
  });
});

describe('sparse tensors', () => {
  it('become dense ones', () => {
    ReferenceSession.in((session) => {
      const sparse = new SparseTensor(
        [
          [0, 1],
          [1, 0],
        ],
        constant([5, 6]),
        [2, 3],
      );
      expect([sparse.shape.dims, sparse.dtype]).toEqual([[2, 3], 'float32']);
      expect(session.get(sparseTensorToDense(sparse, { defaultValue: -1 }))).toEqual([-1, 5, -1, 6, -1, -1]);
      expect(session.get(sparseToDense([2, 0], [4], [7, 8]))).toEqual([8, 0, 7, 0]);
    });
  });

  it('are fed by their three tensors', () => {
    new Graph().asDefault(() => {
      const sparse = sparsePlaceholder('int32', { shape: [null, 7], name: 'labels' });
      expect([sparse.indices.name, sparse.values.name, sparse.denseShape.name]).toEqual([
        'labels/indices:0',
        'labels/values:0',
        'labels/shape:0',
      ]);
      expect(sparse.shape.dims).toEqual([null, null]);
      expect(() => new SparseTensor([[0, 1]], placeholder('float32', [2]), [2, 3])).toThrow(
        'got shapes [1,2], [2] and [2]',
      );
    });
  });
});
