/** Each optimizer over several steps against its formula in float64, its slots, its convergence, and bad input. */
import { Graph, Variable, constant, globalVariables, reduceSum, square, sub } from '@forerun/graph';
import { train } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';
import { START, TARGET, byHand, expectTrajectory, quadratic, trajectory } from './trajectories.js';

type Rule = (x: number, g: number, state: number[], t: number) => number;

const soft = (x: number, limit: number): number => Math.sign(x) * Math.max(Math.abs(x) - limit, 0);
const [first = 0] = [START[0]];

interface Case {
  readonly name: string;
  readonly make: () => train.Optimizer;
  /** State begins as [0, 0]. */
  readonly rule: Rule;
  readonly slots: Readonly<Record<string, string>>;
}

function ftrl(shrinkage: number): Rule {
  return (x, gradient, state) => {
    const g = gradient + 2 * shrinkage * x;
    const [extra = 0, linear = 0] = state;
    const [old, sum] = [0.1 + extra, 0.1 + extra + g * g];
    const z = linear + g - ((Math.sqrt(sum) - Math.sqrt(old)) / 0.3) * x;
    state.splice(0, 2, sum - 0.1, z);
    return Math.abs(z) > 0.2 ? (Math.sign(z) * 0.2 - z) / (Math.sqrt(sum) / 0.3 + 2 * 0.05) : 0;
  };
}

function adam(step: (m: number, v: number, g: number, t: number, x: number) => number): Rule {
  return (x, g, state, t) => {
    const m = 0.8 * (state[0] ?? 0) + 0.2 * g;
    const v = 0.99 * (state[1] ?? 0) + 0.01 * g * g;
    state.splice(0, 2, m, v);
    return x - step(m, v, g, t, x);
  };
}

const ADAM = { beta1: 0.8, beta2: 0.99, epsilon: 1e-3 };
const rate = (t: number): number => (0.1 * Math.sqrt(1 - 0.99 ** t)) / (1 - 0.8 ** t);
const PENALTIES = { l1RegularizationStrength: 0.2, l2RegularizationStrength: 0.05 };

/** The running average in `state[0]`, and whether the gradient agrees with it. */
function agreement(g: number, state: number[]): number {
  state[0] = 0.8 * (state[0] ?? 0) + 0.2 * g;
  return Math.sign(g) * Math.sign(state[0]);
}

const CASES: readonly Case[] = [
  {
    name: 'AddSign',
    make: () => new train.AddSignOptimizer(0.1, { alpha: 0.5, beta: 0.8, signDecayFn: () => 0.25 }),
    rule: (x, g, state) => x - 0.1 * (0.5 + 0.25 * agreement(g, state)) * g,
    slots: { m: 'w/AddSignOptimizer' },
  },
  {
    name: 'PowerSign',
    make: () => new train.PowerSignOptimizer(0.125, { base: 2, beta: 0.8 }),
    rule: (x, g, state) => x - 0.125 * 2 ** agreement(g, state) * g,
    slots: { m: 'w/PowerSignOptimizer' },
  },
  {
    name: 'Adagrad',
    make: () => new train.AdagradOptimizer(0.3),
    rule: (x, g, state) => {
      state[0] = (state[0] ?? 0) + g * g;
      return x - (0.3 * g) / Math.sqrt(0.1 + state[0]);
    },
    slots: { accumulator: 'w/Adagrad' },
  },
  {
    name: 'Adadelta',
    make: () => new train.AdadeltaOptimizer(0.5, { rho: 0.9, epsilon: 0.01 }),
    rule: (x, g, state) => {
      const a = 0.9 * (state[0] ?? 0) + 0.1 * g * g;
      const step = (g * Math.sqrt((state[1] ?? 0) + 0.01)) / Math.sqrt(a + 0.01);
      state.splice(0, 2, a, 0.9 * (state[1] ?? 0) + 0.1 * step * step);
      return x - 0.5 * step;
    },
    slots: { accum: 'w/Adadelta', accum_update: 'w/Adadelta_1' },
  },
  {
    name: 'RMSProp',
    make: () => new train.RMSPropOptimizer(0.1, { decay: 0.8, momentum: 0.5, epsilon: 1e-3 }),
    rule: (x, g, state, t) => {
      const ms = 0.8 * (t === 1 ? 1 : (state[0] ?? 0)) + 0.2 * g * g;
      const step = 0.5 * (state[1] ?? 0) + (0.1 * g) / Math.sqrt(ms + 1e-3);
      state.splice(0, 2, ms, step);
      return x - step;
    },
    slots: { rms: 'w/RMSProp', momentum: 'w/RMSProp_1' },
  },
  {
    name: 'centered RMSProp',
    make: () => new train.RMSPropOptimizer(0.1, { decay: 0.8, epsilon: 0.1, centered: true }),
    rule: (x, g, state, t) => {
      const ms = 0.8 * (t === 1 ? 1 : (state[0] ?? 0)) + 0.2 * g * g;
      const mg = 0.8 * (state[1] ?? 0) + 0.2 * g;
      state.splice(0, 2, ms, mg);
      return x - (0.1 * g) / Math.sqrt(ms - mg * mg + 0.1);
    },
    slots: { rms: 'w/RMSProp', mg: 'w/RMSProp_1', momentum: 'w/RMSProp_2' },
  },
  {
    name: 'FTRL',
    make: () => new train.FtrlOptimizer(0.3, PENALTIES),
    rule: ftrl(0),
    slots: { accum: 'w/Ftrl', linear: 'w/Ftrl_1' },
  },
  {
    name: 'FTRL with shrinkage',
    make: () =>
      new train.FtrlOptimizer(0.3, {
        ...PENALTIES,
        l2ShrinkageRegularizationStrength: 0.02,
        accumName: 'a',
        linearName: 'z',
      }),
    rule: ftrl(0.02),
    slots: { accum: 'w/a', linear: 'w/z' },
  },
  {
    name: 'proximal gradient descent',
    make: () => new train.ProximalGradientDescentOptimizer(0.1, PENALTIES),
    rule: (x, g) => soft(x - 0.1 * g, 0.1 * 0.2) / (1 + 0.1 * 0.05),
    slots: {},
  },
  {
    name: 'proximal Adagrad',
    make: () => new train.ProximalAdagradOptimizer(0.3, PENALTIES),
    rule: (x, g, state) => {
      state[0] = (state[0] ?? 0) + g * g;
      const step = 0.3 / Math.sqrt(0.1 + state[0]);
      return soft(x - step * g, step * 0.2) / (1 + step * 0.05);
    },
    slots: { accumulator: 'w/ProximalAdagrad' },
  },
  {
    name: 'AdaMax',
    make: () => new train.AdaMaxOptimizer(0.1, ADAM),
    rule: (x, g, state, t) => {
      const m = 0.8 * (state[0] ?? 0) + 0.2 * g;
      const v = Math.max(0.99 * (state[1] ?? 0), Math.abs(g));
      state.splice(0, 2, m, v);
      return x - (0.1 * m) / ((1 - 0.8 ** t) * (v + 1e-3));
    },
    slots: { m: 'w/AdaMax', v: 'w/AdaMax_1' },
  },
  {
    name: 'Nadam',
    make: () => new train.NadamOptimizer(0.1, ADAM),
    rule: adam((m, v, g, t) => (rate(t) * (0.8 * m + 0.2 * g)) / (Math.sqrt(v) + 1e-3)),
    slots: { m: 'w/Adam', v: 'w/Adam_1' },
  },
  {
    name: 'AdamW',
    make: () => new train.AdamWOptimizer(0.02, 0.1, ADAM),
    rule: adam((m, v, _, t, x) => 0.02 * x + (rate(t) * m) / (Math.sqrt(v) + 1e-3)),
    slots: { m: 'w/AdamW', v: 'w/AdamW_1' },
  },
  {
    name: 'MomentumW',
    make: () => new train.MomentumWOptimizer(0.02, 0.1, 0.9),
    rule: (x, g, state) => {
      state[0] = 0.9 * (state[0] ?? 0) + g;
      return x - 0.02 * x - 0.1 * state[0];
    },
    slots: { momentum: 'w/MomentumW' },
  },
  {
    name: 'SGDW',
    make: () => new train.SGDWOptimizer(0.02, 0.1),
    rule: (x, g) => x - 0.02 * x - 0.1 * g,
    slots: {},
  },
];

describe.each(CASES)('$name', ({ make, rule, slots }) => {
  it('takes the steps of its formula', () => {
    expectTrajectory(trajectory(make, 5), byHand(5, rule));
  });

  it('keeps its slots under the names of TensorFlow', () => {
    new Graph().asDefault(() => {
      const { w, loss } = quadratic();
      const optimizer = make();
      optimizer.minimize(loss);
      const names = optimizer.getSlotNames().map((name) => [name, optimizer.getSlot(w, name)?.op.name]);
      expect(Object.fromEntries(names)).toEqual(slots);
      expect(optimizer.variables().every((variable) => globalVariables().includes(variable))).toBe(true);
    });
  });
});

it('Adagrad with dual averaging computes the variable anew from all gradients', () => {
  ReferenceSession.in((session) => {
    const { w, loss } = quadratic();
    const step = new Variable(1, { name: 'step', dtype: 'int64', trainable: false });
    const optimizer = new train.AdagradDAOptimizer(0.5, step, PENALTIES);
    const op = optimizer.minimize(loss, { globalStep: step });
    session.initializeAll();
    let [x, sum, squares] = [first, 0, 0.1];
    for (let t = 1; t <= 4; t++) {
      const g = 2 * (x - (TARGET[0] ?? 0));
      [sum, squares] = [sum + g, squares + g * g];
      x = (-0.5 * soft(sum, 0.2 * t)) / (0.05 * t * 0.5 + Math.sqrt(squares));
      session.do(op);
      expect(session.read(w)[0]).toBeCloseTo(x, 6);
    }
    expect(optimizer.getSlotNames()).toEqual(['gradient_accumulator', 'gradient_squared_accumulator']);
    expect(session.read(step)).toEqual([5]);
  });
});

it('LAMB scales the step of each variable to the ratio of norms', () => {
  const options = { ...ADAM, weightDecayRate: 0.1 };
  const got = trajectory(() => new train.LAMBOptimizer(0.1, options), 3);
  const norm = (x: readonly number[]): number => Math.hypot(...x);
  const w = [...START];
  const [m, v] = [w.map(() => 0), w.map(() => 0)];
  for (let t = 1; t <= 3; t++) {
    const step = w.map((x, i) => {
      const g = 2 * (x - (TARGET[i] ?? 0));
      m[i] = 0.8 * (m[i] ?? 0) + 0.2 * g;
      v[i] = 0.99 * (v[i] ?? 0) + 0.01 * g * g;
      const root = Math.sqrt((v[i] ?? 0) / (1 - 0.99 ** t));
      return (m[i] ?? 0) / (1 - 0.8 ** t) / (root + 1e-3) + 0.1 * x;
    });
    const ratio = norm(w) / norm(step);
    step.forEach((s, i) => (w[i] = (w[i] ?? 0) - 0.1 * ratio * s));
    expectNear(got[t - 1] ?? [], w);
  }
});

describe('every optimizer', () => {
  const MAKERS: Readonly<Record<string, () => train.Optimizer>> = {
    adagrad: () => new train.AdagradOptimizer(1),
    adadelta: () => new train.AdadeltaOptimizer(1, { epsilon: 1e-2 }),
    rmsProp: () => new train.RMSPropOptimizer(0.03),
    ftrl: () => new train.FtrlOptimizer(1),
    proximal: () => new train.ProximalGradientDescentOptimizer(0.2),
    proximalAdagrad: () => new train.ProximalAdagradOptimizer(1),
    adaMax: () => new train.AdaMaxOptimizer(0.1),
    nadam: () => new train.NadamOptimizer(0.1),
    lamb: () => new train.LAMBOptimizer(0.01),
    adamW: () => new train.AdamWOptimizer(0, 0.1),
  };

  it.each(Object.keys(MAKERS))('%s finds the minimum of a bowl', (name) => {
    const steps = trajectory(() => MAKERS[name]?.() ?? new train.AdamOptimizer(), 200);
    const distance = (steps.at(-1) ?? []).map((x, i) => Math.abs(x - (TARGET[i] ?? 0)));
    expect(Math.max(...distance)).toBeLessThan(0.1);
  });

  it('takes its learning rate from a function and waits for all gradients when asked', () => {
    ReferenceSession.in((session) => {
      const { w, loss } = quadratic();
      const optimizer = new train.AdagradOptimizer(() => constant(0.3));
      const step = optimizer.minimize(loss, { gateGradients: 'graph' });
      session.initializeAll();
      session.do(step);
      expectNear(
        session.read(w),
        START.map((x, i) => {
          const g = 2 * (x - (TARGET[i] ?? 0));
          return x - (0.3 * g) / Math.sqrt(0.1 + g * g);
        }),
      );
    });
  });

  it('decays only the variables that it is told to', () => {
    ReferenceSession.in((session) => {
      const [a, b] = [new Variable(1, { name: 'a' }), new Variable(1, { name: 'b' })];
      const loss = reduceSum(square(sub(a, b)));
      const step = new train.AdamWOptimizer(0.5, 0).minimize(loss, { decayVarList: [a] });
      session.initializeAll();
      session.do(step);
      expectNear([...session.read(a), ...session.read(b)], [0.5, 1]);
    });
  });

  it('refuses hyper-parameters that it cannot work with', () => {
    expect(() => new train.AdagradOptimizer(0.1, { initialAccumulatorValue: 0 })).toThrow(
      'AdagradOptimizer: initialAccumulatorValue must be positive, got 0',
    );
    expect(() => new train.FtrlOptimizer(0.1, { learningRatePower: 0.5 })).toThrow(
      'FtrlOptimizer: learningRatePower must not be positive, got 0.5',
    );
    expect(() => new train.FtrlOptimizer(0.1, { l1RegularizationStrength: -1 })).toThrow(
      'FtrlOptimizer: l1RegularizationStrength must not be negative, got -1',
    );
    expect(
      () => new train.AdagradDAOptimizer(0.1, 1, { initialGradientSquaredAccumulatorValue: -1 }),
    ).toThrow(/initialGradientSquaredAccumulatorValue must be positive, got -1/);
  });
});
