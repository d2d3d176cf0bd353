/** Builders of matrix products and convolutions: how their options become nodes, and what they refuse. */
import {
  Graph,
  constant,
  conv2d,
  conv2dBackpropInput,
  gradients,
  matMul,
  placeholder,
  windowCount,
  windowPadding,
  type ConvOptions,
  type Tensor,
} from '@forerun/graph';

const inGraph = <T>(build: () => T): T => new Graph().asDefault(build);

describe('matMul', () => {
  it('makes MatMul of matrices and BatchMatMulV2 of everything else', () => {
    inGraph(() => {
      const matrix = placeholder('float32', [null, 3]);
      const stack = placeholder('float32', [2, null, 3]);
      const options = { transposeB: true };
      expect(matMul(matrix, matrix, options).op.type).toBe('MatMul');
      expect(matMul(stack, matrix, options).op.type).toBe('BatchMatMulV2');
      expect(matMul(placeholder('float32'), matrix, options).op.type).toBe('BatchMatMulV2');
      expect(matMul(stack, matrix, options).shape.dims).toEqual([2, null, null]);
    });
  });

  it('gives literals the dtype of the other factor', () => {
    inGraph(() => {
      const x = constant([[1, 2]], { dtype: 'int32' });
      expect(matMul(x, [[3], [4]]).dtype).toBe('int32');
      expect(matMul([[3], [4]], x, { name: 'outer' }).op).toMatchObject({ type: 'MatMul', name: 'outer' });
    });
  });

  it('names node, rule and values when the factors do not fit', () => {
    inGraph(() => {
      const [a, b] = [placeholder('float32', [32, 784]), placeholder('float32', [785, 10])];
      expect(() => matMul(a, b, { name: 'logits' })).toThrow(
        /MatMul "logits": inner dimensions differ: a \[32,784\], b \[785,10\]/,
      );
    });
  });
});

describe('conv2d', () => {
  const build = (options: ConvOptions, shape: number[] = [1, 9, 9, 2]): Tensor =>
    conv2d(placeholder('float32', shape), placeholder('float32', [3, 3, 2, 4]), options);

  it.each([
    [2, [1, 2, 2, 1]],
    [[3], [1, 3, 3, 1]],
    [
      [3, 2],
      [1, 3, 2, 1],
    ],
    [
      [1, 3, 2, 1],
      [1, 3, 2, 1],
    ],
  ])('takes strides %j', (strides, want) => {
    inGraph(() => {
      expect(build({ strides, padding: 'SAME' }).op.attrs.ints('strides')).toEqual(want);
    });
  });

  it('puts strides and dilations where the data format has height and width', () => {
    inGraph(() => {
      const y = build({ strides: [1, 2], dilations: 2, padding: 'VALID', dataFormat: 'NCHW' }, [1, 2, 9, 9]);
      expect(y.op.attrs.ints('strides')).toEqual([1, 1, 1, 2]);
      expect(y.op.attrs.ints('dilations')).toEqual([1, 1, 2, 2]);
      expect(y.shape.dims).toEqual([1, 4, 5, 3]);
    });
  });

  it('takes explicit padding as pairs, which gradients keep', () => {
    inGraph(() => {
      const pairs = [
        [0, 0],
        [1, 2],
        [0, 1],
        [0, 0],
      ] as const;
      const x = placeholder('float32', [1, 9, 9, 2]);
      const y = conv2d(x, placeholder('float32', [3, 3, 2, 4]), { padding: pairs });
      expect(y.shape.dims).toEqual([1, 10, 8, 4]);
      const [dx] = gradients(y, x);
      expect(dx?.op.attrs.ints('explicit_paddings')).toEqual([0, 0, 1, 2, 0, 1, 0, 0]);
      expect(dx?.shape.dims).toEqual([1, 9, 9, 2]);
    });
  });

  it('refuses lists of a wrong length and gradients of a wrong shape', () => {
    inGraph(() => {
      expect(() => build({ strides: 1 } as ConvOptions)).toThrow(/conv2d: the option padding is missing/);
      expect(() => build({ strides: [1, 2, 3], padding: 'SAME' })).toThrow(
        /conv2d: strides takes 1, 2 or 4 numbers, got \[1,2,3\]/,
      );
      const [w, dy] = [placeholder('float32', [3, 3, 2, 4]), placeholder('float32', [1, 8, 9, 4])];
      expect(() => conv2dBackpropInput([1, 9, 9, 2], w, dy, { padding: 'SAME', name: 'dx' })).toThrow(
        /Conv2DBackpropInput "dx": out_backprop has shape \[1,8,9,4\]/,
      );
    });
  });
});

describe('windows', () => {
  const axis = { size: 3, stride: 2, dilation: 1, padding: 'SAME' } as const;

  it('puts the odd element of padding after', () => {
    expect(windowPadding(6, axis)).toEqual([0, 1]);
    expect(windowPadding(5, axis)).toEqual([1, 1]);
    expect(windowPadding(6, { ...axis, padding: 'EXPLICIT', explicit: [2, 0] })).toEqual([2, 0]);
  });

  it('counts windows, as far as sizes are known', () => {
    expect(windowCount(6, axis)).toBe(3);
    expect(windowCount(null, axis)).toBeNull();
    expect(windowCount(6, { ...axis, size: null })).toBe(3);
    expect(windowCount(6, { ...axis, size: null, padding: 'VALID' })).toBeNull();
    expect(windowCount(2, { ...axis, padding: 'VALID' })).toBe(0);
  });
});
