/** Convolutions that are built of ops: their values by hand, their nodes, what they refuse. */
import {
  Graph,
  atrousConv2d,
  atrousConv2dTranspose,
  constant,
  conv1d,
  conv1dTranspose,
  conv2d,
  conv2dTranspose,
  conv3d,
  conv3dTranspose,
  convolution,
  depthwiseConv2d,
  dilation2d,
  erosion2d,
  gradients,
  placeholder,
  separableConv2d,
  type Tensor,
} from '@forerun/graph';
import { interpret } from '@forerun/testing';

const inGraph = <T>(build: () => T): T => new Graph().asDefault(build);
const valuesOf = (tensor: Tensor): number[] => Array.from(interpret([tensor])[0]?.data ?? []);
/** A ramp 1, 2, 3 … of `shape`. */
const ramp = (...shape: number[]): Tensor =>
  constant(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
    { shape },
  );
const unknown = (...shape: (number | null)[]): Tensor => placeholder('float32', shape);

describe('conv1d', () => {
  it('correlates sequences with filters', () => {
    inGraph(() => {
      const w = constant([[[1]], [[10]]]);
      expect(valuesOf(conv1d(ramp(1, 4, 1), w, { padding: 'VALID' }))).toEqual([21, 32, 43]);
      expect(valuesOf(conv1d(ramp(1, 4, 1), w, { padding: 'SAME', stride: 2 }))).toEqual([21, 43]);
      expect(valuesOf(conv1d(ramp(1, 4, 1), w, { padding: 'VALID', dilations: 2 }))).toEqual([31, 42]);
      const first = conv1d(ramp(1, 1, 4), w, { padding: 'VALID', dataFormat: 'NCW' });
      expect([first.shape.dims, valuesOf(first)]).toEqual([[1, 1, 3], [21, 32, 43]]); // prettier-ignore
      expect(first.name).toBe('conv1d_3:0');
    });
  });

  it('refuses strides of a wrong length, options by position and a missing padding', () => {
    inGraph(() => {
      const [x, w] = [unknown(1, 4, 1), unknown(2, 1, 1)];
      expect(() => conv1d(x, w, { padding: 'SAME', stride: [1, 2] })).toThrow(
        'conv1d: stride takes 1 or 3 numbers, got [1,2]',
      );
      expect(() => conv1d(x, w, 2 as never)).toThrow('conv1d: options must be an object');
      expect(() => conv1d(x, w, {} as never)).toThrow('conv1d: the option padding is missing');
      expect(() => conv1d(unknown(1, 4, 4, 1), w, { padding: 'SAME' })).toThrow(/Conv2D .*must have rank 4/);
    });
  });

  it('has a transpose', () => {
    inGraph(() => {
      const w = constant([[[1]], [[10]]]);
      const y = conv1dTranspose(ramp(1, 2, 1), w, [1, 4, 1], { strides: 2 });
      expect([y.shape.dims, valuesOf(y)]).toEqual([[1, 4, 1], [1, 10, 2, 20]]); // prettier-ignore
      const first = conv1dTranspose(ramp(1, 1, 2), w, [1, 1, 3], { padding: 'VALID', dataFormat: 'NCW' });
      expect(valuesOf(first)).toEqual([1, 12, 20]);
      expect(() => conv1dTranspose(ramp(1, 2, 1), w, [1, 4, 1], [2] as never)).toThrow(
        'conv1dTranspose: options must be an object',
      );
    });
  });
});

describe('transposed convolutions', () => {
  it('spread every pixel over a window', () => {
    inGraph(() => {
      const y = conv2dTranspose(ramp(1, 1, 2, 1), ramp(1, 2, 1, 1), [1, 1, 3, 1], { padding: 'VALID' });
      expect([y.name, valuesOf(y)]).toEqual(['conv2d_transpose:0', [1, 4, 4]]);
      const volume = conv3dTranspose(ramp(1, 1, 1, 2, 1), ramp(1, 1, 2, 1, 1), [1, 1, 1, 4, 1], {
        strides: [1, 1, 2],
      });
      expect([volume.name, valuesOf(volume)]).toEqual(['conv3d_transpose:0', [1, 2, 2, 4]]);
      const holes = { padding: 'VALID' } as const;
      const atrous = atrousConv2dTranspose(ramp(1, 1, 1, 1), ramp(1, 2, 1, 1), [1, 1, 3, 1], 2, holes);
      expect(valuesOf(atrous)).toEqual([1, 0, 2]);
    });
  });

  it('refuse shapes whose convolution is not the value', () => {
    inGraph(() => {
      const [x, w] = [unknown(1, 2, 2, 3), unknown(3, 3, 4, 3)];
      expect(() => conv2dTranspose(x, w, [1, 5, 4, 4], { strides: 2 })).toThrow(
        /out_backprop has shape \[1,2,2,3\], but input \[1,5,4,4\] .* give \[1,3,2,3\]/,
      );
      expect(conv2dTranspose(x, w, [1, 4, 3, 4], { strides: 2 }).shape.dims).toEqual([1, 4, 3, 4]);
      expect(() => conv2dTranspose(x, w, [1, 4, 4, 4], 2 as never)).toThrow('options must be an object');
    });
  });
});

describe('convolution', () => {
  it('is the one of the rank', () => {
    inGraph(() => {
      const options = { padding: 'VALID', strides: 2 } as const;
      const types = [3, 4, 5].map((rank) => {
        const image = new Array<number>(rank - 2).fill(5);
        const y = convolution(unknown(2, ...image, 3), unknown(...image.map(() => 3), 3, 4), options);
        expect(y.shape.dims).toEqual([2, ...image.map(() => 2), 4]);
        return y.op.type;
      });
      expect(types).toEqual(['Squeeze', 'Conv2D', 'Conv3D']);
      const first = { padding: 'SAME', dataFormat: 'NCHW', dilationRate: [1, 2] } as const;
      const y = convolution(placeholder('float32'), unknown(3, 3, 2, 4), first);
      expect(y.op.attrs.ints('dilations')).toEqual([1, 1, 1, 2]);
      expect(() => convolution(unknown(2, 3), unknown(3, 3), options)).toThrow(
        'convolution: input must have rank 3, 4 or 5, got shape [2,3]',
      );
    });
  });

  it('leaves holes', () => {
    inGraph(() => {
      const y = atrousConv2d(ramp(1, 1, 5, 1), constant([[[[1]], [[100]]]]), 3, { padding: 'VALID' });
      expect(valuesOf(y)).toEqual([401, 502]);
      expect(conv3d(unknown(1, 4, 4, 4, 2), unknown(2, 2, 2, 2, 3), { padding: 'SAME' }).op.type).toBe(
        'Conv3D',
      );
    });
  });
});

describe('depthwise and separable convolutions', () => {
  it('keep channels apart', () => {
    inGraph(() => {
      const x = constant([[[[1, 10], [2, 20]]]]); // prettier-ignore
      const w = constant([[[[1, 2], [3, 4]]]]); // prettier-ignore
      const y = depthwiseConv2d(x, w, { padding: 'SAME' });
      expect([y.name, valuesOf(y)]).toEqual(['depthwise:0', [1, 2, 30, 40, 2, 4, 60, 80]]);
      const rated = depthwiseConv2d(unknown(1, 9, 9, 2), unknown(3, 3, 2, 1), {
        padding: 'VALID',
        rate: [2, 1],
      });
      expect(rated.shape.dims).toEqual([1, 5, 7, 2]);
      expect(() => depthwiseConv2d(x, w, { padding: 'SAME', rate: 2, dilations: 2 })).toThrow(
        'depthwiseConv2d: rate and dilations are the same option',
      );
    });
  });

  it('mix the channels', () => {
    inGraph(() => {
      const x = constant([[[[1, 10], [2, 20]]]]); // prettier-ignore
      const depthwise = constant([[[[1, 2], [3, 4]]]]); // prettier-ignore
      const y = separableConv2d(x, depthwise, constant(1, { shape: [1, 1, 4, 1] }), { padding: 'SAME' });
      expect([y.name, valuesOf(y)]).toEqual(['separable_conv2d:0', [73, 146]]);
      const nchw = { padding: 'VALID', dataFormat: 'NCHW', strides: 2 } as const;
      const first = separableConv2d(unknown(1, 2, 9, 9), unknown(3, 3, 2, 3), unknown(1, 1, 6, 5), nchw);
      expect(first.shape.dims).toEqual([1, 5, 4, 4]);
      expect(() => separableConv2d(x, depthwise, unknown(1, 1, 2, 2), { padding: 'SAME' })).toThrow(
        'pointwise filter must have shape [1,1,4,filters], got [1,1,2,2]',
      );
    });
  });

  it('have gradients of their own attributes', () => {
    inGraph(() => {
      const [x, w] = [unknown(1, 2, 9, 9), unknown(3, 3, 2, 3)];
      const y = depthwiseConv2d(x, w, { padding: 'SAME', strides: 2, dataFormat: 'NCHW' });
      const [dx, dw] = gradients(y, [x, w]);
      expect(dx?.op.attrs.string('data_format')).toBe('NCHW');
      expect([dx?.shape.dims, dw?.shape.dims]).toEqual([[1, 2, 9, 9], [3, 3, 2, 3]]); // prettier-ignore
      const [again] = gradients(conv2d(x, unknown(3, 3, 1, 4), { padding: 'SAME', dataFormat: 'NCHW' }), x);
      expect(again?.shape.dims).toEqual([1, 2, 9, 9]);
    });
  });
});

describe('dilation and erosion', () => {
  it('take the largest sum and the smallest difference', () => {
    inGraph(() => {
      const w = constant([[[0], [5]]]);
      expect(valuesOf(dilation2d(ramp(1, 1, 4, 1), w, { padding: 'VALID' }))).toEqual([7, 8, 9]);
      expect(valuesOf(dilation2d(ramp(1, 1, 4, 1), w, { padding: 'SAME', rates: 2 }))).toEqual([7, 8, 9, 3]);
      const eroded = erosion2d(ramp(1, 1, 4, 1), w, { padding: 'VALID', strides: [1, 2] });
      expect([eroded.name, valuesOf(eroded)]).toEqual(['erosion2d:0', [-4, -2]]);
    });
  });

  it('refuse rates of a wrong length and options by position', () => {
    inGraph(() => {
      const [x, w] = [unknown(1, 4, 4, 1), unknown(2, 2, 1)];
      expect(() => dilation2d(x, w, { padding: 'SAME', rates: [1, 2, 3] })).toThrow(
        'dilation2d: rates takes 1, 2 or 4 numbers, got [1,2,3]',
      );
      expect(() => erosion2d(x, w, [1, 1, 1, 1] as never)).toThrow('erosion2d: options must be an object');
      expect(() => dilation2d(x, unknown(2, 2, 3), { padding: 'SAME' })).toThrow(
        /Dilation2D .*: the input has 1 channels, the filter is for 3/,
      );
    });
  });
});
