/** Layers that convolve: values by hand, shapes, names of variables, bad input. */
import { Graph, constant, globalVariables, gradients, placeholder } from '@forerun/graph';
import { constantInitializer, layers } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);
const variableNames = (): string[] => globalVariables().map((v) => `${v.op.name} ${v.shape.toString()}`);

describe('conv1d', () => {
  it('convolves sequences and adds the bias', () => {
    ReferenceSession.in((session) => {
      const x = constant([[[1], [2], [3], [4]]]);
      const y = layers.conv1d(x, 1, 2, {
        kernelInitializer: constantInitializer([1, 10]),
        biasInitializer: constantInitializer(0.5),
      });
      expect(y.shape.dims).toEqual([1, 3, 1]);
      session.initializeAll();
      expectNear(session.get(y), [21.5, 32.5, 43.5]);
    });
  });

  it('makes variables and shapes as TensorFlow does', () => {
    inGraph(() => {
      const x = placeholder('float32', [null, 20, 3]);
      expect(layers.conv1d(x, 8, 5, { strides: 2 }).shape.dims).toEqual([null, 8, 8]);
      const wide = { dilationRate: [3], padding: 'same', useBias: false } as const;
      expect(layers.conv1d(x, 4, [5], wide).shape.dims).toEqual([null, 20, 4]);
      const first = layers.conv1d(placeholder('float32', [2, 3, 20]), 8, 5, { dataFormat: 'channels_first' });
      expect(first.shape.dims).toEqual([2, 8, 16]);
      expect(variableNames()).toEqual([
        'conv1d/kernel [5,3,8]',
        'conv1d/bias [8]',
        'conv1d_1/kernel [5,3,4]',
        'conv1d_2/kernel [5,3,8]',
        'conv1d_2/bias [8]',
      ]);
    });
  });

  it('refuses other ranks, sizes and numbers of filters', () => {
    inGraph(() => {
      const x = placeholder('float32', [1, 9, 2]);
      expect(() => layers.conv1d(placeholder('float32', [1, 9, 9, 2]), 1, 1)).toThrow(
        'conv1d: the inputs must have rank 3',
      );
      expect(() => layers.conv1d(x, 1, [2, 2])).toThrow(
        'conv1d: kernelSize must be a positive integer, got [2,2]',
      );
      expect(() => layers.conv1d(x, 1, 3, { strides: 0 })).toThrow(
        'conv1d: strides must be a positive integer, got 0',
      );
      expect(() => layers.conv1d(x, 0, 3)).toThrow('filters must be a positive integer, got 0');
    });
  });
});

describe('conv3d', () => {
  it('convolves volumes', () => {
    ReferenceSession.in((session) => {
      const x = constant(1, { shape: [1, 2, 2, 3, 1] });
      const y = layers.conv3d(x, 1, 2, { kernelInitializer: constantInitializer(0.5) });
      session.initializeAll();
      expectNear(session.get(y), [4, 4]);
      expect(y.shape.dims).toEqual([1, 1, 1, 2, 1]);
      const same = { strides: [2, 1, 1], padding: 'same' } as const;
      const wide = layers.conv3d(placeholder('float32', [null, 5, 6, 7, 2]), 4, [1, 2, 3], same);
      expect(wide.shape.dims).toEqual([null, 3, 6, 7, 4]);
      const first = { dataFormat: 'channels_first' } as const;
      expect(layers.conv3d(placeholder('float32', [1, 2, 5, 6, 7]), 4, 2, first).shape.dims).toEqual([
        1, 4, 4, 5, 6,
      ]);
      expect(variableNames().slice(2, 4)).toEqual(['conv3d_1/kernel [1,2,3,2,4]', 'conv3d_1/bias [4]']);
      expect(() => layers.conv3d(x, 1, [2, 2])).toThrow('kernelSize must be 1 or 3 positive integers');
    });
  });
});

describe('transposed convolutions', () => {
  it('enlarge images', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, null, 2, 1]);
      const y = layers.conv2dTranspose(x, 1, 2, {
        strides: 2,
        kernelInitializer: constantInitializer([1, 2, 3, 4]),
      });
      expect(y.shape.dims?.slice(2)).toEqual([4, 1]);
      session.initializeAll();
      const images = [[[[1], [2]], [[3], [4]]]]; // prettier-ignore
      expectNear(session.get(y, [[x, images]]), [1, 2, 2, 4, 3, 4, 6, 8, 3, 6, 4, 8, 9, 12, 12, 16]);
      expect(gradients(y, x)[0]?.shape.rank).toBe(4);
    });
  });

  it('have the output sizes of TensorFlow', () => {
    inGraph(() => {
      const x = placeholder('float32', [3, 5, 6, 2]);
      expect(layers.conv2dTranspose(x, 4, [4, 2], { strides: [2, 3] }).shape.dims).toEqual([3, 12, 18, 4]);
      expect(layers.conv2dTranspose(x, 4, 5, { strides: 2, padding: 'same' }).shape.dims).toEqual([
        3, 10, 12, 4,
      ]);
      const first = { dataFormat: 'channels_first', useBias: false } as const;
      expect(layers.conv2dTranspose(placeholder('float32', [3, 2, 5, 6]), 4, 3, first).shape.dims).toEqual([
        3, 4, 7, 8,
      ]);
      expect(variableNames()).toEqual([
        'conv2d_transpose/kernel [4,2,4,2]',
        'conv2d_transpose/bias [4]',
        'conv2d_transpose_1/kernel [5,5,4,2]',
        'conv2d_transpose_1/bias [4]',
        'conv2d_transpose_2/kernel [3,3,4,2]',
      ]);
    });
  });

  it('enlarge volumes', () => {
    ReferenceSession.in((session) => {
      const ones = { kernelInitializer: constantInitializer(1), strides: 2 };
      const y = layers.conv3dTranspose(constant([[[[[3]]]]]), 1, 2, ones);
      expect(y.shape.dims).toEqual([1, 2, 2, 2, 1]);
      session.initializeAll();
      expectNear(session.get(y), new Array<number>(8).fill(3));
      const first = { dataFormat: 'channels_first' } as const;
      const x = placeholder('float32', [null, 2, 3, 3, 3]);
      expect(layers.conv3dTranspose(x, 4, 3, first).shape.dims?.slice(1)).toEqual([4, 5, 5, 5]);
      expect(variableNames()[2]).toBe('conv3d_transpose_1/kernel [3,3,3,4,2]');
    });
  });
});

describe('separable convolutions', () => {
  it('filter the channels of images, then mix them', () => {
    ReferenceSession.in((session) => {
      const x = constant([[[[1, 10], [2, 20]], [[3, 30], [4, 40]]]]); // prettier-ignore
      const y = layers.separableConv2d(x, 1, 1, {
        depthwiseInitializer: constantInitializer([2, 0.5]),
        pointwiseInitializer: constantInitializer(1),
        biasInitializer: constantInitializer(-7),
      });
      session.initializeAll();
      expectNear(session.get(y), [0, 7, 14, 21]);
      expect(variableNames()).toEqual([
        'separable_conv2d/depthwise_kernel [1,1,2,1]',
        'separable_conv2d/pointwise_kernel [1,1,2,1]',
        'separable_conv2d/bias [1]',
      ]);
    });
  });

  it('filter the channels of sequences, then mix them', () => {
    ReferenceSession.in((session) => {
      const y = layers.separableConv1d(constant([[[1], [2], [3]]]), 1, 2, {
        depthMultiplier: 2,
        depthwiseInitializer: constantInitializer([1, 0, 0, 1]),
        pointwiseInitializer: constantInitializer([1, 10]),
        useBias: false,
      });
      expect(y.shape.dims).toEqual([1, 2, 1]);
      session.initializeAll();
      expectNear(session.get(y), [21, 32]);
      expect(variableNames()).toEqual([
        'separable_conv1d/depthwise_kernel [2,1,2]',
        'separable_conv1d/pointwise_kernel [1,2,1]',
      ]);
    });
  });

  it('take strides, dilations and channels first; refuse what makes no sense', () => {
    inGraph(() => {
      const x = placeholder('float32', [null, 3, 9, 8]);
      const first = { dataFormat: 'channels_first', padding: 'same' } as const;
      expect(layers.separableConv2d(x, 5, 3, { ...first, strides: 2 }).shape.dims).toEqual([null, 5, 5, 4]);
      expect(layers.separableConv2d(x, 5, 3, { dilationRate: [1, 3] }).shape.dims).toEqual([null, 1, 3, 5]);
      const sequences = placeholder('float32', [2, 3, 9]);
      expect(layers.separableConv1d(sequences, 5, 3, { ...first, strides: 3 }).shape.dims).toEqual([2, 5, 3]);
      expect(() => layers.separableConv2d(x, 5, 3, { depthMultiplier: 0 })).toThrow(
        'separable_conv2d: depthMultiplier must be a positive integer, got 0',
      );
      expect(() => layers.separableConv1d(x, 5, 3)).toThrow('separable_conv1d: the inputs must have rank 3');
    });
  });
});
