/** Losses from sampled classes and lookups against their formulas; bad input. */
import { Graph, constant, gradients, placeholder, uniformCandidateSampler } from '@forerun/graph';
import { nn } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

const WEIGHTS = [
  [0.1, 0.2],
  [-0.3, 0.5],
  [0.7, -0.4],
  [0.2, 0.9],
  [-0.6, 0.3],
];
const BIASES = [0.1, -0.2, 0.3, 0, 0.5];
const INPUTS = [
  [1, 2],
  [-1, 0.5],
];
const LABELS = [[3], [1]];
const SAMPLED = [1, 4, 0];
const TRUE_COUNTS = [[0.5], [0.25]];
const SAMPLED_COUNTS = [0.25, 0.75, 0.1];

const at = (row: number, id: number): number =>
  (INPUTS[row] ?? []).reduce((sum, x, k) => sum + x * (WEIGHTS[id]?.[k] ?? NaN), BIASES[id] ?? NaN);

/** Logits of row `row`: the true class first. */
function logitsOf(row: number, removeHits: boolean): number[] {
  const [label = 0] = LABELS[row] ?? [];
  const first = at(row, label) - Math.log(TRUE_COUNTS[row]?.[0] ?? NaN);
  const rest = SAMPLED.map((id, k) =>
    removeHits && id === label ? -Infinity : at(row, id) - Math.log(SAMPLED_COUNTS[k] ?? NaN),
  );
  return [first, ...rest];
}

const given = (): Parameters<typeof nn.sampledSoftmaxLoss> => [
  constant(WEIGHTS),
  constant(BIASES),
  constant(LABELS, { dtype: 'int64' }),
  constant(INPUTS),
  3,
  5,
  {
    sampledValues: [constant(SAMPLED, { dtype: 'int64' }), constant(TRUE_COUNTS), constant(SAMPLED_COUNTS)],
  },
];

describe('nn.sampledSoftmaxLoss', () => {
  it('is the cross-entropy over true and sampled classes, accidental hits left out', () => {
    ReferenceSession.in((session) => {
      const wanted = [0, 1].map((row) => {
        const logits = logitsOf(row, true);
        return Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0)) - (logits[0] ?? NaN);
      });
      expectNear(session.get(nn.sampledSoftmaxLoss(...given())), wanted, 5);
    });
  });

  it('samples by itself, and has gradients by weights and inputs', () => {
    new Graph().asDefault(() => {
      const weights = placeholder('float32', [50, 4]);
      const inputs = placeholder('float32', [null, 4]);
      const labels = placeholder('int64', [null, 2]);
      const loss = nn.sampledSoftmaxLoss(weights, placeholder('float32', [50]), labels, inputs, 8, 50, {
        numTrue: 2,
        seed: 1,
      });
      expect(loss.shape.rank).toBe(1);
      const [dw, dx] = gradients(loss, [weights, inputs]);
      expect([dw?.shape.dims, dx?.shape.dims]).toEqual([
        [50, 4],
        [null, 4],
      ]);
      expect(loss.graph.operations.map((op) => op.type)).toContain('LogUniformCandidateSampler');
    });
  });
});

describe('nn.nceLoss', () => {
  it('sums logistic losses, hits included', () => {
    ReferenceSession.in((session) => {
      const wanted = [0, 1].map((row) =>
        logitsOf(row, false).reduce((sum, x, k) => sum + Math.log1p(Math.exp(k === 0 ? -x : x)), 0),
      );
      expectNear(session.get(nn.nceLoss(...given())), wanted, 5);
    });
  });

  it('refuses a sample that is larger than the range', () => {
    new Graph().asDefault(() => {
      expect(() => uniformCandidateSampler([[1]], 1, 9, true, 5)).toThrow(
        '9 different classes cannot be drawn from a range of 5',
      );
    });
  });
});

describe('nn.embeddingLookup', () => {
  it('takes rows of one table or of its parts', () => {
    ReferenceSession.in((session) => {
      const ids = constant(
        [
          [4, 0],
          [3, 3],
        ],
        { dtype: 'int32' },
      );
      const wanted = [4, 0, 3, 3].flatMap((id) => WEIGHTS[id] ?? []);
      expectNear(session.get(nn.embeddingLookup(constant(WEIGHTS), ids)), wanted);
      expectNear(session.get(nn.embeddingLookup(WEIGHTS, ids)), wanted);
      const dealt = [0, 1].map((part) => constant(WEIGHTS.filter((_, id) => id % 2 === part)));
      expectNear(session.get(nn.embeddingLookup(dealt, ids)), wanted);
      const blocks = [constant(WEIGHTS.slice(0, 3)), constant(WEIGHTS.slice(3))];
      expectNear(session.get(nn.embeddingLookup(blocks, ids, { partitionStrategy: 'div' })), wanted);
    });
  });

  it('limits the norm of rows', () => {
    ReferenceSession.in((session) => {
      const rows = nn.embeddingLookup(
        constant([
          [3, 4],
          [0.3, 0.4],
        ]),
        [0, 1],
        { maxNorm: 1 },
      );
      expectNear(session.get(rows), [0.6, 0.8, 0.3, 0.4]);
    });
  });

  it('takes parts of unknown size', () => {
    ReferenceSession.in((session) => {
      const parts = [placeholder('float32', [null, 1]), placeholder('float32', [null, 1])];
      const values = [
        [[1], [2], [3]],
        [[4], [5]],
      ];
      const lookup = (partitionStrategy: 'mod' | 'div'): number[] =>
        session.get(
          nn.embeddingLookup(parts, [3, 1, 4], { partitionStrategy }),
          parts.map((part, i) => [part, values[i] ?? []] as const),
        );
      expect(lookup('mod')).toEqual([5, 4, 3]);
      expect(lookup('div')).toEqual([4, 2, 5]);
    });
  });
});
