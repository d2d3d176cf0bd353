/** Learning-rate schedules against their formulas, over steps before, at and after their bounds. */
import { Graph, Variable, placeholder, type Tensor } from '@forerun/graph';
import { train } from '@forerun/layers';
import { ReferenceSession } from './run.js';

const STEPS = [0, 1, 5, 9, 10, 11, 25, 100];
type Schedule = (step: Tensor) => Tensor;

describe('learning rates', () => {
  it.each<{ name: string; build: Schedule; formula: (step: number) => number }>([
    {
      name: 'exponentialDecay',
      build: (s) => train.exponentialDecay(0.1, s, 10, 0.96),
      formula: (t) => 0.1 * 0.96 ** (t / 10),
    },
    {
      name: 'exponentialDecay in steps',
      build: (s) => train.exponentialDecay(0.1, s, 10, 0.96, { staircase: true }),
      formula: (t) => 0.1 * 0.96 ** Math.floor(t / 10),
    },
    {
      name: 'naturalExpDecay',
      build: (s) => train.naturalExpDecay(0.1, s, 10, 0.5),
      formula: (t) => 0.1 * Math.exp(-0.5 * (t / 10)),
    },
    {
      name: 'inverseTimeDecay',
      build: (s) => train.inverseTimeDecay(0.1, s, 10, 0.5),
      formula: (t) => 0.1 / (1 + 0.5 * (t / 10)),
    },
    {
      name: 'inverseTimeDecay in steps',
      build: (s) => train.inverseTimeDecay(0.1, s, 10, 0.5, { staircase: true }),
      formula: (t) => 0.1 / (1 + 0.5 * Math.floor(t / 10)),
    },
    {
      name: 'piecewiseConstant',
      build: (s) => train.piecewiseConstant(s, [5, 10], [1, 0.5, 0.1]),
      formula: (t) => (t <= 5 ? 1 : t <= 10 ? 0.5 : 0.1),
    },
    {
      name: 'polynomialDecay',
      build: (s) => train.polynomialDecay(0.1, s, 10, { endLearningRate: 0.01, power: 2 }),
      formula: (t) => (0.1 - 0.01) * (1 - Math.min(t, 10) / 10) ** 2 + 0.01,
    },
    {
      name: 'polynomialDecay in cycles',
      build: (s) => train.polynomialDecay(0.1, s, 10, { endLearningRate: 0.01, cycle: true }),
      formula: (t) => (0.1 - 0.01) * (1 - t / (10 * Math.max(1, Math.ceil(t / 10)))) + 0.01,
    },
    {
      name: 'cosineDecay',
      build: (s) => train.cosineDecay(0.1, s, 10, { alpha: 0.2 }),
      formula: (t) => 0.1 * (0.8 * 0.5 * (1 + Math.cos((Math.PI * Math.min(t, 10)) / 10)) + 0.2),
    },
  ])('$name', ({ build, formula }) => {
    ReferenceSession.in((session) => {
      const step = placeholder('int64', []);
      const rate = build(step);
      expect([rate.dtype, rate.shape.dims]).toEqual(['float32', []]);
      for (const t of STEPS) expect(session.get(rate, [[step, t]])[0]).toBeCloseTo(formula(t), 6);
    });
  });

  it('take the global step itself', () => {
    ReferenceSession.in((session) => {
      const step = train.getOrCreateGlobalStep();
      const rate = train.exponentialDecay(1, step, 2, 0.5);
      session.initialize([step]);
      session.do(step.assignAdd(4, { readValue: false }));
      expect(session.get(rate)).toEqual([0.25]);
    });
  });

  it('refuse boundaries that do not fit', () => {
    new Graph().asDefault(() => {
      expect(() => train.piecewiseConstant(0, [1, 2], [1, 2])).toThrow('2 boundaries need 3 values, got 2');
      expect(() => train.piecewiseConstant(0, [2, 1], [1, 2, 3])).toThrow(
        'the boundaries must rise, got [2, 1]',
      );
    });
  });
});

describe('the global step', () => {
  it('is one int64 scalar per graph', () => {
    new Graph().asDefault(() => {
      expect(train.getGlobalStep()).toBeNull();
      const step = train.getOrCreateGlobalStep();
      expect([step.name, step.dtype, step.shape.dims, step.trainable]).toEqual([
        'global_step:0',
        'int64',
        [],
        false,
      ]);
      expect(train.getOrCreateGlobalStep()).toBe(step);
      expect(train.getGlobalStep()).toBe(step);
      expect(() => train.createGlobalStep()).toThrow(
        /the graph has a global step, global_step:0 \(created at/,
      );
    });
  });

  it('must be an integer scalar, and the only one', () => {
    const graph = new Graph();
    graph.asDefault(() => {
      const wrong = new Variable([1, 2], { name: 'steps', collections: ['global_step'], trainable: false });
      expect(() => train.getGlobalStep()).toThrow(
        'the global step steps:0 must be an integer scalar, it is float32 of shape [2]',
      );
      graph.addToCollection('global_step', wrong);
      expect(() => train.getGlobalStep()).toThrow('the graph has 2 global steps: steps:0, steps:0');
    });
  });
});
