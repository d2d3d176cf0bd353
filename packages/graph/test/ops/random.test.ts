/** Random builders: TensorFlow's nodes and its rule for seeds. */
import * as fr from '@forerun/graph';
import { Graph, type Tensor } from '@forerun/graph';

const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);

function seedsOf(tensor: Tensor): [number, number] {
  const node = tensor.graph.operations.find((op) => op.attrs.has('seed'));
  return [node?.attrs.int('seed') ?? NaN, node?.attrs.int('seed2') ?? NaN];
}

describe('seeds', () => {
  it('graph seed and op seed are both recorded', () => {
    inGraph(() => {
      fr.setRandomSeed(1);
      expect(seedsOf(fr.randomUniform([2], { seed: 2 }))).toEqual([1, 2]);
    });
  });

  it('an op seed alone comes with the default graph seed', () => {
    inGraph(() => expect(seedsOf(fr.randomUniform([2], { seed: 2 }))).toEqual([87654321, 2]));
  });

  it('a graph seed alone comes with the number of ops', () => {
    inGraph(() => {
      fr.setRandomSeed(7);
      // shape, min and max come before the random op
      expect(seedsOf(fr.randomUniform([2]))).toEqual([7, 3]);
    });
  });

  it('without any, a pair is drawn that is not (0, 0)', () => {
    const pairs = [1, 2, 3].map(() => inGraph(() => seedsOf(fr.randomNormal([2])).join()));
    expect(new Set(pairs).size).toBe(3);
    expect(pairs).not.toContain('0,0');
  });

  it('wrap as in TensorFlow, and (0, 0) becomes (0, 2^31 - 1)', () => {
    inGraph(() => {
      fr.setRandomSeed(0);
      expect(fr.getSeed(0)).toEqual([0, 2147483647]);
      expect(fr.getSeed(2147483647)).toEqual([0, 2147483647]);
      expect(fr.getSeed(2147483650)).toEqual([0, 3]);
      expect(fr.getSeed(-1)).toEqual([0, 2147483646]);
      expect(() => fr.getSeed(0.5)).toThrow('a seed must be an integer, got 0.5');
      expect(() => fr.setRandomSeed(NaN)).toThrow('a seed must be an integer, got NaN');
    });
  });
});

describe('builders', () => {
  it('make the nodes that TensorFlow makes, under one scope', () => {
    inGraph(() => {
      const x = fr.randomUniform([2, 3], { minval: -1, maxval: 1, seed: 1 });
      expect(x.name).toBe('random_uniform:0');
      expect(x.shape.dims).toEqual([2, 3]);
      expect(x.graph.operations.map((op) => `${op.name} ${op.type}`)).toEqual([
        'random_uniform/shape Const',
        'random_uniform/min Const',
        'random_uniform/max Const',
        'random_uniform/RandomUniform RandomUniform',
        'random_uniform/sub Sub',
        'random_uniform/mul Mul',
        'random_uniform Add',
      ]);
    });
  });

  it('normal and truncated normal scale by stddev and shift by mean', () => {
    inGraph(() => {
      expect(fr.randomNormal([2], { mean: 3, stddev: 0.1, name: 'w' }).name).toBe('w:0');
      expect(fr.truncatedNormal([]).shape.dims).toEqual([]);
      expect(fr.randomNormal([4], { stddev: [1, 2, 3, 4] }).shape.dims).toEqual([4]);
    });
  });

  it('draw integers from an interval that must be given', () => {
    inGraph(() => {
      const dice = fr.randomUniform([5], { minval: 1, maxval: 7, dtype: 'int32' });
      expect([dice.op.type, dice.dtype, dice.name]).toEqual([
        'RandomUniformInt',
        'int32',
        'random_uniform:0',
      ]);
      expect(() => fr.randomUniform([5], { dtype: 'int32' })).toThrow('maxval must be given for dtype int32');
      expect(() => fr.randomUniform([5], { minval: 3, maxval: 3, dtype: 'int32' })).toThrow(
        /minval must be below maxval, got 3 and 3/,
      );
    });
  });

  it('take shapes that are known only when they run', () => {
    inGraph(() => {
      const x = fr.placeholder('float32', [null, 4]);
      expect(fr.randomUniform(fr.shape(x)).shape.dims).toEqual([null, 4]);
      expect(fr.gradients(fr.randomUniform(fr.shape(x)), x)).toEqual([null]);
    });
  });
});
