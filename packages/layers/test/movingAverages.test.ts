/** Moving averages against their recurrence, their names for a Saver, and cosine learning rates by formula. */
import { Variable, constant, placeholder } from '@forerun/graph';
import { train } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

describe('ExponentialMovingAverage', () => {
  it('follows variables from their initial values', () => {
    ReferenceSession.in((session) => {
      const w = new Variable([1, 2], { name: 'w' });
      const average = new train.ExponentialMovingAverage(0.9);
      const update = average.apply([w]);
      const set = w.assign([3, 4], { readValue: false });
      session.initializeAll();
      session.do(set);
      session.do(update);
      session.do(update);
      const shadow = average.average(w);
      if (shadow === null) throw new Error('there is no average');
      expect(shadow.op.name).toBe('w/ExponentialMovingAverage');
      expect(update.name).toBe('ExponentialMovingAverage');
      expectNear(session.read(shadow), [3 - 2 * 0.81, 4 - 2 * 0.81]);
    });
  });

  it('is quicker at first with numUpdates, and weighs averages of tensors when asked', () => {
    ReferenceSession.in((session) => {
      const [w, steps] = [new Variable(0, { name: 'w', dtype: 'float32' }), constant(2)];
      const quick = new train.ExponentialMovingAverage(0.9, { numUpdates: steps, name: 'quick' });
      const update = quick.apply([w]);
      const x = placeholder('float32', [1], { name: 'x' });
      const weighed = new train.ExponentialMovingAverage(0.9, { zeroDebias: true });
      const follow = weighed.apply([x]);
      session.initializeAll();
      session.do(w.assign(1, { readValue: false }));
      session.do(update);
      session.do(follow, [[x, [4]]]);
      session.do(follow, [[x, [6]]]);
      const [a, b] = [quick.average(w), weighed.average(x)];
      if (a === null || b === null) throw new Error('there is no average');
      expectNear(session.read(a), [0.75]);
      expectNear(session.read(b), [(0.09 * 4 + 0.1 * 6) / 0.19]);
    });
  });

  it('names what a Saver restores into variables', () => {
    ReferenceSession.in(() => {
      const [w, step] = [new Variable(1, { name: 'w' }), new Variable(0, { name: 'step', dtype: 'int32' })];
      const average = new train.ExponentialMovingAverage(0.9);
      average.apply();
      expect(average.variablesToRestore()).toEqual({ 'w/ExponentialMovingAverage': w, step });
      expect(() => average.apply([step])).toThrow(/step:0 is int32; only floats are averaged/);
    });
  });
});

describe('learning rates along cosines', () => {
  const at = (make: (step: number) => ReturnType<typeof constant>, step: number): number =>
    ReferenceSession.in((session) => session.get(make(step))[0] ?? NaN);

  it('begin anew after each period', () => {
    const rate = (step: number): number =>
      at((s) => train.cosineDecayRestarts(0.5, s, 10, { mMul: 0.8, alpha: 0.1 }), step);
    const cosine = (share: number, m: number): number =>
      0.5 * (0.9 * m * 0.5 * (1 + Math.cos(Math.PI * share)) + 0.1);
    expect(rate(3)).toBeCloseTo(cosine(0.3, 1), 6);
    expect(rate(15)).toBeCloseTo(cosine(0.25, 0.8), 6);
    expect(rate(45)).toBeCloseTo(cosine(15 / 40, 0.64), 6);
    const equal = at((s) => train.cosineDecayRestarts(1, s, 10, { tMul: 1 }), 25);
    expect(equal).toBeCloseTo(0.5, 6);
  });

  it('fall linearly besides, and end where they end', () => {
    const rate = (step: number): number =>
      at((s) => train.linearCosineDecay(0.5, s, 10, { alpha: 0.1, beta: 0.01 }), step);
    const want = (share: number): number =>
      0.5 * ((0.1 + 1 - share) * 0.5 * (1 + Math.cos(Math.PI * share)) + 0.01);
    expect(rate(4)).toBeCloseTo(want(0.4), 6);
    expect(rate(40)).toBeCloseTo(want(1), 6);
    const still = at(
      (s) => train.noisyLinearCosineDecay(0.5, s, 10, { initialVariance: 0, alpha: 0.1, beta: 0.01 }),
      4,
    );
    expect(still).toBeCloseTo(want(0.4), 6);
  });
});
