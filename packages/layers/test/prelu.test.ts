/** The rectifier with learnt slopes. */
import { placeholder, trainableVariables } from '@forerun/graph';
import { constantInitializer, layers } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

const shapes = (): string[] => trainableVariables().map((v) => `${v.op.name} ${v.shape.toString()}`);

describe('prelu', () => {
  it('has a slope per element of an example', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, 3]);
      const y = layers.prelu(x, { alphaInitializer: constantInitializer([0.1, 0.2, 0.3]) });
      expect(shapes()).toEqual(['p_re_lu/alpha [3]']);
      session.initializeAll();
      const rows = [
        [1, -2, -6],
        [-4, 0, 1],
      ];
      expectNear(session.get(y, [[x, rows]]), [1, -0.4, -1.8, -0.4, 0, 1]);
    });
  });

  it('shares slopes along axes, whose sizes may be unknown', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, null, null, 2]);
      const y = layers.prelu(x, { sharedAxes: [1, -2], alphaInitializer: constantInitializer([0.5, 0.25]) });
      expect(shapes()).toEqual(['p_re_lu/alpha [1,1,2]']);
      session.initializeAll();
      expectNear(session.get(y, [[x, [[[[-1, -1]], [[-2, 3]]]]]]), [-0.5, -0.25, -1, 3]);
    });
  });

  it('refuses sizes and axes that do not do', () => {
    ReferenceSession.in(() => {
      const x = placeholder('float32', [null, null, 2]);
      expect(() => layers.prelu(x)).toThrow(/dimension 1/);
      expect(() => layers.prelu(x, { sharedAxes: [0] })).toThrow(/sharedAxes must lie in \[1, 3\), got 0/);
      expect(() => layers.prelu(placeholder('float32', null))).toThrow(/known rank/);
    });
  });
});
