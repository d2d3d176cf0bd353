/** Builders of random numbers with parameters: nodes, shapes, seeds, gradients, bad input. */
import * as fr from '@forerun/graph';
import { Graph, type Tensor } from '@forerun/graph';

const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);
const typesOf = (x: Tensor): string[] => x.graph.operations.map((op) => op.type);

describe('randomGamma', () => {
  it('divides by the rates, and is never 0', () => {
    inGraph(() => {
      const x = fr.randomGamma([5], [1, 2, 3], { beta: [[2], [4]], seed: 1 });
      expect([x.name, x.shape.dims]).toEqual(['random_gamma:0', [5, 2, 3]]);
      expect(typesOf(x).slice(-4)).toEqual(['RandomGamma', 'RealDiv', 'Const', 'Maximum']);
    });
  });

  it('has gradients by alpha of its shape, whatever is known of the shapes', () => {
    inGraph(() => {
      const alpha = fr.placeholder('float32', [null, 3]);
      const size = fr.placeholder('int32', [2]);
      const x = fr.randomGamma(size, alpha, { beta: [1, 2, 3] });
      expect(x.shape.dims).toEqual([null, null, null, 3]);
      expect(fr.gradients(x, alpha)[0]?.shape.isCompatibleWith(alpha.shape)).toBe(true);
      expect(typesOf(x)).toContain('RandomGammaGrad');
    });
  });
});

describe('counts and classes', () => {
  it('randomPoisson takes the rates first', () => {
    inGraph(() => {
      const x = fr.randomPoisson([1, 2], [7], { dtype: 'int32' });
      expect([x.dtype, x.shape.dims, x.op.type]).toEqual(['int32', [7, 2], 'RandomPoissonV2']);
      expect(fr.randomPoisson(3, []).dtype).toBe('float32');
    });
  });

  it('categorical and multinomial are one op', () => {
    inGraph(() => {
      const logits = fr.placeholder('float32', [null, 4]);
      const [a, b] = [
        fr.categorical(logits, 5, { seed: 3 }),
        fr.multinomial(logits, 5, { outputDtype: 'int32' }),
      ];
      expect([a.name, a.dtype, a.shape.dims]).toEqual(['categorical/Multinomial:0', 'int64', [null, 5]]);
      expect([b.name, b.dtype]).toEqual(['multinomial/Multinomial:0', 'int32']);
      expect(a.op.attrs.int('seed2')).toBe(3);
      expect(() => fr.categorical([1, 2], 3)).toThrow('logits must have rank 2, got shape [2]');
    });
  });

  it('randomShuffle keeps dtype and shape', () => {
    inGraph(() => {
      const x = fr.randomShuffle(fr.placeholder('int32', [null, 2]), { name: 'mixed' });
      expect([x.name, x.dtype, x.shape.dims]).toEqual(['mixed:0', 'int32', [null, 2]]);
    });
  });

  it('parameterizedTruncatedNormal has a row of parameters per row', () => {
    inGraph(() => {
      const x = fr.parameterizedTruncatedNormal([2, 5], { means: [0, 1], maxvals: 9 });
      expect(x.shape.dims).toEqual([2, 5]);
      expect(() => fr.parameterizedTruncatedNormal([2, 5], { means: [0, 1, 2] })).toThrow(
        'means has 3 elements, the output has 2 rows',
      );
    });
  });
});

describe('stateless numbers', () => {
  it('take the seed as an input', () => {
    inGraph(() => {
      const seed = fr.placeholder('int64', [2]);
      const x = fr.statelessRandomUniform([3], seed, { minval: 1, maxval: 2 });
      expect([x.name, x.op.type]).toEqual(['stateless_random_uniform:0', 'Add']);
      expect(fr.statelessRandomNormal([3], [1, 2]).shape.dims).toEqual([3]);
      expect(fr.statelessTruncatedNormal([3], [1, 2], { mean: [1, 2, 3] }).shape.dims).toEqual([3]);
      const dice = fr.statelessRandomUniform([4], [1, 2], { minval: 1, maxval: 7, dtype: 'int32' });
      expect([dice.op.type, dice.dtype]).toEqual(['StatelessRandomUniformInt', 'int32']);
      const classes = fr.statelessCategorical([[0, 1]], 3, seed);
      expect([classes.dtype, classes.shape.dims]).toEqual(['int64', [1, 3]]);
      expect(() => fr.statelessRandomNormal([3], [1, 2, 3])).toThrow('seed must have shape [2], got [3]');
      expect(() => fr.statelessRandomUniform([3], seed, { dtype: 'int32' })).toThrow('maxval must be given');
    });
  });
});
