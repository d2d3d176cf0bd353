/** What tests of optimizers share: a quadratic loss, its minimization by graph, and by hand. */
import { Variable, reduceSum, square, sub, type Tensor } from '@forerun/graph';
import type { train } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

export const START = [1, -2, 3];
export const TARGET = [0.5, 0, 4];

/** loss = sum((w - target)^2), so dloss/dw = 2 (w - target). */
export function quadratic(): { w: Variable; loss: Tensor } {
  const w = new Variable(START, { name: 'w' });
  return { w, loss: reduceSum(square(sub(w, TARGET))) };
}

/** Runs `steps` training steps; returns the variable's elements after each. */
export function trajectory(make: () => train.Optimizer, steps: number): number[][] {
  return ReferenceSession.in((session) => {
    const { w, loss } = quadratic();
    const step = make().minimize(loss);
    session.initializeAll();
    return Array.from({ length: steps }, () => {
      session.do(step);
      return session.read(w);
    });
  });
}

/** The same by a rule for one element: `rule` returns the new element and keeps its state in `state`. */
export function byHand(
  steps: number,
  rule: (x: number, g: number, state: number[], t: number) => number,
): number[][] {
  const w = [...START];
  const states = w.map(() => [0, 0]);
  return Array.from({ length: steps }, (_, t) => {
    w.forEach((x, i) => {
      w[i] = rule(x, 2 * (x - (TARGET[i] ?? 0)), states[i] ?? [], t + 1);
    });
    return [...w];
  });
}

export function expectTrajectory(
  got: readonly (readonly number[])[],
  want: readonly (readonly number[])[],
): void {
  expect(got.length).toBe(want.length);
  got.forEach((point, i) => expectNear(point, want[i] ?? [], 6));
}
