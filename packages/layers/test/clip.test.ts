/** Clipping of gradients by norms. */
import { Graph, constant, gradients, reduceSum } from '@forerun/graph';
import { clipByAverageNorm, clipByGlobalNorm, clipByNorm, globalNorm } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

describe('clipByGlobalNorm', () => {
  it('scales all tensors alike when their norm is too large', () => {
    ReferenceSession.in((session) => {
      const tensors = [constant([3]), null, constant([[0, 4]])] as const;
      const [clipped, norm] = clipByGlobalNorm(tensors, 1);
      expect(clipped[1]).toBeNull();
      const [a, c] = [clipped[0], clipped[2]];
      if (a === null || a === undefined || c === null || c === undefined)
        throw new Error('a tensor is missing');
      const values = session.run([a, c, norm]);
      expectNear(values.flat(), [0.6, 0, 0.8, 5]);
      const [same] = clipByGlobalNorm([constant([3, 4])], 10)[0];
      if (same === undefined) throw new Error('a tensor is missing');
      expectNear(session.get(same), [3, 4]);
    });
  });

  it('makes everything NaN when the norm is', () => {
    ReferenceSession.in((session) => {
      const [clipped] = clipByGlobalNorm([constant([1]), constant([NaN])], 1);
      expect(session.run(clipped).flat()).toEqual([NaN, NaN]);
      const [infinite] = clipByGlobalNorm([constant([1]), constant([Infinity])], 1);
      expect(session.run(infinite).flat()).toEqual([NaN, NaN]);
    });
  });

  it('takes a norm that is known', () => {
    ReferenceSession.in((session) => {
      const [clipped] = clipByGlobalNorm([constant([3])], 1, { useNorm: constant(6) });
      expectNear(session.run(clipped).flat(), [0.5]);
    });
  });

  it('needs a tensor', () => {
    new Graph().asDefault(() => expect(() => globalNorm([null])).toThrow('globalNorm: there are no tensors'));
  });
});

test('clipByAverageNorm limits the norm divided by the number of elements', () => {
  ReferenceSession.in((session) => {
    // the norm of [3, 4] is 5, its average 2.5
    expectNear(session.get(clipByAverageNorm(constant([3, 4]), 1)), [1.2, 1.6]);
    expectNear(session.get(clipByAverageNorm(constant([3, 4]), 3)), [3, 4]);
    expectNear(session.get(clipByAverageNorm(constant([0, 0]), 1)), [0, 0]);
  });
});

describe('clipByNorm', () => {
  it('limits the norm over all elements or over axes', () => {
    ReferenceSession.in((session) => {
      const x = constant([
        [3, 4],
        [0.3, 0.4],
      ]);
      expectNear(session.get(clipByNorm(x, 1, { axes: [1] })), [0.6, 0.8, 0.3, 0.4]);
      expectNear(session.get(clipByNorm(constant([3, 4]), 1)), [0.6, 0.8]);
      expectNear(session.get(clipByNorm(constant([0, 0]), 1)), [0, 0]);
    });
  });

  it('has a finite gradient at zero', () => {
    ReferenceSession.in((session) => {
      const x = constant([0, 0]);
      const [dx] = gradients(reduceSum(clipByNorm(x, 2)), x);
      if (dx === null || dx === undefined) throw new Error('there is no gradient');
      expectNear(session.get(dx), [1, 1]);
    });
  });
});
