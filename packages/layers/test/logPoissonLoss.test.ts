/** The loss of counts, and batch normalization with positional arguments. */
import { Graph, constant, gradients, placeholder } from '@forerun/graph';
import { nn } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

describe('logPoissonLoss', () => {
  const targets = [0, 1, 2, 5];
  const logs = [0.5, -1, 0, 2];

  it('is exp(logInput) - logInput * targets', () => {
    ReferenceSession.in((session) => {
      const loss = nn.logPoissonLoss(targets, constant(logs));
      expectNear(
        session.get(loss),
        logs.map((x, i) => Math.exp(x) - x * (targets[i] ?? 0)),
      );
    });
  });

  it("adds Stirling's approximation above 1, and has a gradient at 0", () => {
    ReferenceSession.in((session) => {
      const z = constant(targets);
      const loss = nn.logPoissonLoss(z, constant(logs), { computeFullLoss: true });
      const stirling = (n: number): number =>
        n > 1 ? n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) : 0;
      expectNear(
        session.get(loss),
        logs.map((x, i) => Math.exp(x) - x * (targets[i] ?? 0) + stirling(targets[i] ?? 0)),
      );
      const [dz] = gradients(loss, [z]);
      if (dz === null || dz === undefined) throw new Error('there is no gradient');
      // d/dz (z log z - z + log(2 pi z) / 2) = log z + 1 / (2 z)
      expectNear(session.get(dz), [-0.5, 1, Math.log(2) + 0.25, Math.log(5) + 0.1 - 2]);
    });
  });

  it('rejects shapes that differ', () => {
    new Graph().asDefault(() => {
      expect(() => nn.logPoissonLoss([1, 2], placeholder('float32', [3]))).toThrow(
        /targets have shape \[2\], logInput \[3\]/,
      );
    });
  });
});

describe('batchNormWithGlobalNormalization', () => {
  it('scales by gamma only where asked to', () => {
    ReferenceSession.in((session) => {
      const x = constant([1, 5]);
      const of = (scale: boolean): number[] =>
        session.get(nn.batchNormWithGlobalNormalization(x, [3], [4], [1], [10], 0, scale));
      expectNear(of(true), [-9, 11]);
      expectNear(of(false), [0, 2]);
    });
  });
});
