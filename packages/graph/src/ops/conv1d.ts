/** Convolutions of sequences: those of images of height 1. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { checkOptions } from '../checkOptions.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { concat } from './arrayJoin.js';
import { slice } from './arraySlice.js';
import { expandDims, squeeze } from './arrayView.js';
import {
  checkWindowOptions,
  perDimension,
  windowAttrs,
  type DataFormat,
  type PerAxis,
} from './convWindows.js';

/** Order of the dimensions of sequences; the names for images are taken too, as TensorFlow does. */
export type DataFormat1d = 'NWC' | 'NCW' | DataFormat;

/** What convolutions of sequences have in common. */
interface SequenceOptions extends NameOptions {
  /** Default `NWC`: `[batch, width, channels]`. */
  readonly dataFormat?: DataFormat1d | undefined;
  /** Distance between the elements that neighbouring filter taps see; default 1. */
  readonly dilations?: PerAxis | undefined;
}

export interface Conv1dOptions extends SequenceOptions {
  /** Default 1. */
  readonly stride?: PerAxis | undefined;
  readonly padding: 'SAME' | 'VALID';
}

export interface Conv1dTransposeOptions extends SequenceOptions {
  /** Default 1. */
  readonly strides?: PerAxis | undefined;
  /** Default `SAME`. */
  readonly padding?: 'SAME' | 'VALID' | undefined;
}

/** The data format of images of height 1, and the axis of the height. */
function asImages(format: DataFormat1d): { dataFormat: DataFormat; axis: 1 | 2 } {
  return format.startsWith('NC') ? { dataFormat: 'NCHW', axis: 2 } : { dataFormat: 'NHWC', axis: 1 };
}

/** The number of an option for the axis of a sequence, in the form for images. */
function alongWidth(type: string, name: string, value: PerAxis, { axis }: { axis: 1 | 2 }): [number, number] {
  return [1, perDimension(type, name, value, axis === 2 ? 'NCW' : 'NWC')[axis] ?? 1];
}

/**
 * Convolution of sequences (`tf.nn.conv1d`): `value` `[batch, width, channels]` (or NCW by
 * `dataFormat`) with `filters` `[width, channels, filters]`.
 */
export function conv1d(value: TensorLike, filters: TensorLike, options: Conv1dOptions): Tensor {
  checkWindowOptions('conv1d', options);
  const { stride = 1, dilations = 1, dataFormat = 'NWC', padding, name = 'conv1d' } = options;
  const images = asImages(dataFormat);
  const attrs = windowAttrs('conv1d', {
    strides: alongWidth('conv1d', 'stride', stride, images),
    dilations: alongWidth('conv1d', 'dilations', dilations, images),
    dataFormat: images.dataFormat,
    padding,
  });
  const x = convertToTensor(value);
  return withGraphOf(x, () =>
    nameScope(name, (scope) => {
      const inputs = [expandDims(x, images.axis), expandDims(filters, 0)];
      return squeeze(apply('Conv2D', inputs, { attrs }), { axis: [images.axis], name: scope });
    }),
  );
}

/**
 * Transposed convolution of sequences (`tf.nn.conv1d_transpose`): the gradient of `conv1d` with respect
 * to a value of shape `outputShape`. `filters` is `[width, output channels, channels]`.
 */
export function conv1dTranspose(
  input: TensorLike,
  filters: TensorLike,
  outputShape: TensorLike,
  options: Conv1dTransposeOptions = {},
): Tensor {
  checkOptions('conv1dTranspose', options, '{ strides: 2 }');
  const { strides = 1, dilations = 1, dataFormat = 'NWC', padding = 'SAME', name } = options;
  const images = asImages(dataFormat);
  const attrs = windowAttrs('conv1dTranspose', {
    strides: alongWidth('conv1dTranspose', 'strides', strides, images),
    dilations: alongWidth('conv1dTranspose', 'dilations', dilations, images),
    dataFormat: images.dataFormat,
    padding,
  });
  const x = convertToTensor(input);
  return withGraphOf(x, () =>
    nameScope(name ?? 'conv1d_transpose', (scope) => {
      const shape = convertToTensor(outputShape, { dtype: 'int32' });
      const [before, after] = [slice(shape, [0], [images.axis]), slice(shape, [images.axis], [-1])];
      const sizes = concat([before, convertToTensor([1], { dtype: 'int32' }), after], 0);
      const inputs = [sizes, expandDims(filters, 0), expandDims(x, images.axis)];
      const images2d = apply('Conv2DBackpropInput', inputs, { attrs });
      return squeeze(images2d, { axis: [images.axis], name: scope });
    }),
  );
}
