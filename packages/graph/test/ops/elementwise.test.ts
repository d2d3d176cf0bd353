/** Builders of elementwise ops: which nodes they make, infix methods, host arithmetic, errors. */
import * as fr from '@forerun/graph';
import { constantValue, gradients, Graph, type Tensor } from '@forerun/graph';

const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);
const known = (tensor: Tensor): number[] => Array.from(constantValue(tensor)?.data ?? []);
const ints = (...value: number[]): Tensor => fr.constant(value, { dtype: 'int32' });

describe('builders', () => {
  it('div makes the op that fits the dtype', () => {
    inGraph(() => {
      const x = fr.placeholder('float32', [2]);
      const n = fr.placeholder('int32', [2]);
      expect(fr.div(x, 2).op.type).toBe('RealDiv');
      expect(fr.div(n, 2).op.type).toBe('Div');
      expect(fr.div(2, n).dtype).toBe('int32');
    });
  });

  it('cast to the same dtype is the tensor itself', () => {
    inGraph(() => {
      const x = fr.placeholder('float32', [2]);
      expect(fr.cast(x, 'float32')).toBe(x);
      expect(fr.cast(x, 'int32').dtype).toBe('int32');
    });
  });

  it('where selects by shape rules first and broadcasts otherwise', () => {
    inGraph(() => {
      const rows = fr.placeholder('bool', [3]);
      const matrix = fr.placeholder('float32', [3, 4]);
      expect(fr.where(rows, matrix, matrix).op.type).toBe('Select');
      expect(fr.where(fr.greater(matrix, 0), matrix, 0).op.type).toBe('SelectV2');
      expect(fr.where(fr.greater(matrix, 0), 0, matrix).dtype).toBe('float32');
      expect(() => fr.where(rows, matrix, fr.placeholder('float32', [5]))).toThrow(
        /SelectV2 .*shapes do not broadcast: condition \[3\], t \[3,4\], e \[5\]/,
      );
    });
  });

  it('addN of one tensor is that tensor, of none an error', () => {
    inGraph(() => {
      const x = fr.placeholder('float32', [2]);
      expect(fr.addN([x])).toBe(x);
      expect(fr.addN([x, x]).op.attrs.int('N')).toBe(2);
      expect(() => fr.addN([])).toThrow('addN: at least one tensor is needed');
    });
  });

  it('names the op, the node and the values when shapes or dtypes do not fit', () => {
    inGraph(() => {
      const [x, y] = [fr.placeholder('float32', [2, 3]), fr.placeholder('float32', [2])];
      expect(() => fr.mul(x, y, { name: 'scaled' })).toThrow(
        /Mul "scaled": shapes do not broadcast: \[2,3\] and \[2\]/,
      );
      expect(() => fr.add(x, fr.placeholder('int32', [3]))).toThrow(
        /input "y" must be float32 \(T\), .* is int32/,
      );
      expect(() => fr.sqrt(fr.placeholder('int32', [3]))).toThrow(
        /Sqrt .*attribute "T" must be one of float32/,
      );
    });
  });
});

describe('infix methods', () => {
  it('make the same nodes as their builders', () => {
    inGraph(() => {
      const x = fr.placeholder('float32', [2, 3]);
      expect(x.add(1).op.type).toBe('Add');
      expect(x.sub(x).mul(2).div(3).pow(2).neg().op.type).toBe('Neg');
      expect(x.matMul(x, { transposeB: true }).shape.dims).toEqual([2, 2]);
      expect(x.sum({ axis: 1, keepDims: true }).shape.dims).toEqual([2, 1]);
      expect(x.reshape([3, 2]).shape.dims).toEqual([3, 2]);
      expect(x.transpose().shape.dims).toEqual([3, 2]);
      expect(x.slice([0, 1], [2, 2]).shape.dims).toEqual([2, 2]);
      expect(x.greater(0).cast('float32', { name: 'mask' }).name).toBe('mask:0');
    });
  });
});

describe('host arithmetic', () => {
  it('follows int32: wrapping, truncating, flooring', () => {
    inGraph(() => {
      expect(known(fr.add(ints(2 ** 31 - 1), 1))).toEqual([-(2 ** 31)]);
      expect(known(fr.mul(ints(65537, -3), ints(65539, 7)))).toEqual([Math.imul(65537, 65539), -21]);
      expect(known(fr.floorDiv(ints(7, -7), 2))).toEqual([3, -4]);
      expect(known(fr.truncateDiv(ints(7, -7), 2))).toEqual([3, -3]);
      expect(known(fr.floorMod(ints(7, -7), ints(3, 3)))).toEqual([1, 2]);
      expect(known(fr.truncateMod(ints(7, -7), ints(3, 3)))).toEqual([1, -1]);
      expect(known(fr.pow(ints(3, -2), ints(4, 31)))).toEqual([81, -(2 ** 31)]);
      expect(known(fr.maximum(ints(1, 5), 3))).toEqual([3, 5]);
      expect(known(fr.where(fr.less(ints(1, 5), 3), ints(10, 20), ints(-1, -2)))).toEqual([10, -2]);
    });
  });

  it('keeps unknown dimensions unknown', () => {
    inGraph(() => {
      const shape = fr.shape(fr.placeholder('float32', [null, 4]));
      expect(known(fr.mul(shape, 2))).toEqual([NaN, 8]);
      expect(known(fr.add(fr.neg(shape), 1))).toEqual([NaN, -3]);
      expect(known(fr.cast(shape, 'int64'))).toEqual([NaN, 4]);
      expect(known(fr.addN([shape, shape]))).toEqual([NaN, 8]);
    });
  });
});

describe('gradients', () => {
  it('sum back to the operands, and stop at integers and comparisons', () => {
    inGraph(() => {
      const x = fr.placeholder('float32', [5, 3]);
      const bias = fr.placeholder('float32', [3]);
      const [dx, dBias] = gradients(fr.add(x, bias), [x, bias]);
      expect(dx?.shape.dims).toEqual([5, 3]);
      expect(dBias?.shape.dims).toEqual([3]);
      expect(gradients(fr.cast(fr.cast(x, 'int32'), 'float32'), x)).toEqual([null]);
      expect(gradients(fr.floor(x), x)).toEqual([null]);
    });
  });

  it('are refused where TensorFlow has none', () => {
    inGraph(() => {
      const x = fr.placeholder('float32', [3], { name: 'x' });
      expect(() => gradients(fr.truncateMod(x, 2, { name: 'rest' }), x)).toThrow(
        /TruncateMod "rest" has no gradient: TensorFlow defines none for truncating remainders; use floorMod/,
      );
    });
  });
});
