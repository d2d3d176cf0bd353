/** Optimizers over several steps against their formulas, the names of their variables, and bad input. */
import {
  Graph,
  GraphKeys,
  Variable,
  constant,
  getCollection,
  globalVariables,
  mul,
  nameScope,
  reduceSum,
  stopGradient,
  trainableVariables,
  type Operation,
} from '@forerun/graph';
import { train, variableScope } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';
import { START, TARGET, byHand, expectTrajectory, quadratic, trajectory } from './trajectories.js';

describe('a training step', () => {
  it('of gradient descent', () => {
    const got = trajectory(() => new train.GradientDescentOptimizer(0.1), 4);
    expectTrajectory(
      got,
      byHand(4, (x, g) => x - 0.1 * g),
    );
  });

  it.each([false, true])('of momentum, nesterov %s', (useNesterov) => {
    const got = trajectory(() => new train.MomentumOptimizer(0.1, 0.9, { useNesterov }), 4);
    const want = byHand(4, (x, g, state) => {
      const accum = 0.9 * (state[0] ?? 0) + g;
      state[0] = accum;
      return x - 0.1 * (useNesterov ? g + 0.9 * accum : accum);
    });
    expectTrajectory(got, want);
  });

  it('of Adam', () => {
    const got = trajectory(() => new train.AdamOptimizer(0.1, { beta1: 0.8, beta2: 0.99, epsilon: 1e-3 }), 5);
    const want = byHand(5, (x, g, state, t) => {
      const m = 0.8 * (state[0] ?? 0) + 0.2 * g;
      const v = 0.99 * (state[1] ?? 0) + 0.01 * g * g;
      state.splice(0, 2, m, v);
      return x - (0.1 * Math.sqrt(1 - 0.99 ** t) * m) / ((1 - 0.8 ** t) * (Math.sqrt(v) + 1e-3));
    });
    expectTrajectory(got, want);
  });

  it('counts in the global step and follows a schedule', () => {
    ReferenceSession.in((session) => {
      const { w, loss } = quadratic();
      const globalStep = train.getOrCreateGlobalStep();
      const rate = train.piecewiseConstant(globalStep, [0], [0.1, 0]);
      const step = new train.GradientDescentOptimizer(rate).minimize(loss, { globalStep });
      session.initializeAll();
      session.do(step);
      const after = session.read(w);
      expectNear(
        after,
        START.map((x, i) => x - 0.2 * (x - (TARGET[i] ?? 0))),
      );
      session.do(step);
      expect(session.read(w)).toEqual(after);
      expect(session.read(globalStep)).toEqual([2]);
    });
  });

  it('scales with gradLoss and changes only varList', () => {
    ReferenceSession.in((session) => {
      const [a, b] = [new Variable(1, { name: 'a' }), new Variable(1, { name: 'b' })];
      const options = { varList: [a], gradLoss: constant(10) };
      const step = new train.GradientDescentOptimizer(0.01).minimize(mul(a, b), options);
      session.initializeAll();
      session.do(step);
      expectNear([...session.read(a), ...session.read(b)], [0.9, 1]);
    });
  });
});

describe('update operations', () => {
  it('run with a training step by default', () => {
    ReferenceSession.in((session) => {
      const { w, loss } = quadratic();
      const seen = new Variable(0, { name: 'seen', trainable: false });
      const update = seen.assign(reduceSum(w), { readValue: false });
      w.graph.addToCollection(GraphKeys.UPDATE_OPS, update);
      const step = new train.GradientDescentOptimizer(0.1).minimize(loss);
      const bare = new train.GradientDescentOptimizer(0.1).minimize(loss, { updateOps: [] });
      session.initializeAll();
      session.do(bare);
      expect(session.read(seen)).toEqual([0]);
      const before = session.read(w).reduce((sum, x) => sum + x, 0);
      session.do(step);
      expectNear(session.read(seen), [before]);
    });
  });
});

describe('names', () => {
  const typesAndNames = (ops: readonly Operation[]): string[] => ops.map((op) => `${op.name} ${op.type}`);

  it('of the training operation and its parts are those of TensorFlow', () => {
    new Graph().asDefault(() => {
      const { w, loss } = quadratic();
      const globalStep = train.getOrCreateGlobalStep();
      const before = w.graph.operations.length;
      const step = new train.AdamOptimizer(0.1).minimize(loss, { globalStep });
      const made = w.graph.operations.slice(before);
      expect(`${step.name} ${step.type}`).toBe('Adam AssignAddVariableOp');
      const adam = typesAndNames(made.filter((op) => op.name.startsWith('Adam')));
      expect(adam).toEqual(
        expect.arrayContaining([
          'Adam/learning_rate Const',
          'Adam/beta1 Const',
          'Adam/beta2 Const',
          'Adam/epsilon Const',
          'Adam/update_w/ResourceApplyAdam ResourceApplyAdam',
          'Adam/update NoOp',
          'Adam AssignAddVariableOp',
        ]),
      );
      expect(getCollection(GraphKeys.TRAIN_OP)).toEqual([step]);
      expect(new train.GradientDescentOptimizer(0.1).minimize(loss).name).toBe('GradientDescent');
      expect(new train.GradientDescentOptimizer(0.1).minimize(loss, { name: 'step' }).name).toBe('step');
    });
  });

  it('of slots and powers are those of TensorFlow', () => {
    new Graph().asDefault(() => {
      const { w, loss } = variableScope('net', () => quadratic());
      const adam = new train.AdamOptimizer(0.1);
      adam.minimize(loss);
      adam.minimize(loss);
      new train.MomentumOptimizer(0.1, 0.9).minimize(loss);
      new train.AdamOptimizer(0.1).minimize(loss);
      expect(globalVariables().map((variable) => variable.op.name)).toEqual([
        'net/w',
        'beta1_power',
        'beta2_power',
        'net/w/Adam',
        'net/w/Adam_1',
        'net/w/Momentum',
        'beta1_power_1',
        'beta2_power_1',
        'net/w/Adam_2',
        'net/w/Adam_3',
      ]);
      expect(trainableVariables()).toEqual([w]);
      expect(adam.getSlotNames()).toEqual(['m', 'v']);
      expect(adam.getSlot(w, 'v')?.op.name).toBe('net/w/Adam_1');
      expect(adam.getSlot(w, 'momentum')).toBeNull();
      expect(adam.variables().map((variable) => variable.op.name)).toEqual([
        'beta1_power',
        'beta2_power',
        'net/w/Adam',
        'net/w/Adam_1',
      ]);
    });
  });

  it('of slots do not depend on the name scope of minimize', () => {
    new Graph().asDefault(() => {
      const { w, loss } = quadratic();
      const momentum = new train.MomentumOptimizer(0.1, 0.9);
      const step = nameScope('train', () => momentum.minimize(loss));
      expect(step.name).toBe('train/Momentum');
      expect(momentum.getSlot(w, 'momentum')?.op.name).toBe('w/Momentum');
    });
  });
});

describe('an optimizer refuses', () => {
  it('what it cannot train, naming loss and variables', () => {
    new Graph().asDefault(() => {
      const sgd = new train.GradientDescentOptimizer(0.1);
      const x = constant(1, { name: 'x' });
      expect(() => sgd.minimize(x)).toThrow('GradientDescent: there are no variables to train');
      const { w, loss } = quadratic();
      expect(() => sgd.minimize(x)).toThrow(
        'GradientDescent: the loss x:0 does not depend on any of the variables [w:0] in a differentiable way',
      );
      expect(() => sgd.minimize(stopGradient(loss))).toThrow('does not depend on any of the variables [w:0]');
      expect(() => sgd.applyGradients([[null, w]])).toThrow(
        'GradientDescent: no gradients for any of the variables [w:0]',
      );
      const n = new Variable(1, { name: 'n', dtype: 'int32' });
      expect(() => sgd.minimize(loss, { varList: [n] })).toThrow(
        'variable n:0 is int32 and cannot be trained',
      );
    });
  });
});
