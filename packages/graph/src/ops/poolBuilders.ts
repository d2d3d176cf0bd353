/** Builders of pooling. */
import { apply, applyOp, convertToTensor } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import type { AttrInputs } from '../resolveOp.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { expandDims, squeeze } from './arrayView.js';
import { perDimension, type DataFormat, type ExplicitPadding, type PerAxis } from './convWindows.js';

/** Order of the dimensions of sequences, images or volumes. */
export type PoolFormat = 'NWC' | 'NCW' | DataFormat | 'NDHWC' | 'NCDHW';

interface WindowOptions<Format extends string> {
  /** Size of the window: one number, one per pooled dimension, or one per dimension of the data format. */
  readonly ksize: PerAxis;
  /** Steps between windows, written as `ksize`. */
  readonly strides: PerAxis;
  readonly padding: 'SAME' | 'VALID';
  /** Order of the dimensions; default channels last. */
  readonly dataFormat?: Format | undefined;
  readonly name?: string | undefined;
}

export type PoolOptions = WindowOptions<PoolFormat>;
export type MaxPoolOptions = Omit<PoolOptions, 'padding'> & {
  /** Explicit paddings, a pair for every dimension of the data format, are for images only. */
  readonly padding: 'SAME' | 'VALID' | ExplicitPadding;
};
export type Pool1DOptions = WindowOptions<'NWC' | 'NCW'>;
export type Pool2DOptions = WindowOptions<DataFormat>;
export type MaxPool2DOptions = Omit<MaxPoolOptions, 'dataFormat'> & {
  readonly dataFormat?: DataFormat | undefined;
};
export type Pool3DOptions = WindowOptions<'NDHWC' | 'NCDHW'>;

function windowAttrs(caller: string, options: MaxPoolOptions, dataFormat: string): AttrInputs {
  const { padding } = options;
  return {
    ksize: perDimension(caller, 'ksize', options.ksize, dataFormat),
    strides: perDimension(caller, 'strides', options.strides, dataFormat),
    data_format: dataFormat,
    ...(typeof padding === 'string'
      ? { padding }
      : { padding: 'EXPLICIT', explicit_paddings: padding.flat() }),
  };
}

const FORMATS = new Map([
  [3, 'NWC'],
  [4, 'NHWC'],
  [5, 'NDHWC'],
]);

type Kind = 'max' | 'avg';
const NAMES = { max: 'maxPool', avg: 'avgPool' } as const;

/** Pools by the number of dimensions of the data format, or of the input where none is given; else images. */
function poolByRank(kind: Kind, value: TensorLike, options: MaxPoolOptions): Tensor {
  const input = convertToTensor(value);
  const format = options.dataFormat ?? FORMATS.get(input.shape.rank ?? 4) ?? 'NHWC';
  if (format.length === 3) return pool1d(kind, `${NAMES[kind]}1d`, input, options, format);
  const type = `${kind === 'max' ? 'MaxPool' : 'AvgPool'}${format.length === 5 ? '3D' : ''}`;
  if (typeof options.padding !== 'string' && type !== 'MaxPool') {
    throw new InvalidArgumentError(`${NAMES[kind]}: explicit paddings are for max pooling of images only`);
  }
  const attrs = windowAttrs(NAMES[kind], options, format);
  return apply(type, [input], { name: options.name, attrs });
}

/** Sequences are pooled as images of one row. */
function pool1d(
  kind: Kind,
  caller: string,
  value: TensorLike,
  options: MaxPoolOptions,
  format: string,
): Tensor {
  const input = convertToTensor(value);
  const { padding, name = kind === 'max' ? 'MaxPool1d' : 'AvgPool1D' } = options;
  if (typeof padding !== 'string') {
    throw new InvalidArgumentError(`${caller}: explicit paddings are for max pooling of images only`);
  }
  const axis = format === 'NCW' ? 2 : 1;
  const raised = (list: PerAxis, what: string): number[] =>
    perDimension(caller, what, list, format).toSpliced(axis, 0, 1);
  return withGraphOf(input, () =>
    nameScope(name, () => {
      const pooled = poolByRank(kind, expandDims(input, axis), {
        ksize: raised(options.ksize, 'ksize'),
        strides: raised(options.strides, 'strides'),
        padding,
        dataFormat: format === 'NCW' ? 'NCHW' : 'NHWC',
      });
      return squeeze(pooled, { axis: [axis] });
    }),
  );
}

/**
 * Largest element of every window (`tf.nn.max_pool`, and `tf.nn.max_pool_v2` for sequences and volumes).
 * `value` is `[batch, height, width, channels]`; without `height` it is a sequence, with `depth` before it a
 * volume; the channels come second in `NCW`, `NCHW` and `NCDHW`. SAME pads so that there are
 * `ceil(size / stride)` windows; padding never wins. Of equal elements the first gets the gradient. Throws
 * `InvalidArgumentError` for lists of a wrong length and for windows that do not fit.
 */
export function maxPool(value: TensorLike, options: MaxPoolOptions): Tensor {
  return poolByRank('max', value, options);
}

/** Mean of every window (`tf.nn.avg_pool`); as `maxPool`. Padding is not counted. */
export function avgPool(value: TensorLike, options: PoolOptions): Tensor {
  return poolByRank('avg', value, options);
}

/** `maxPool` of sequences `[batch, width, channels]` (`tf.nn.max_pool1d`). */
export function maxPool1d(input: TensorLike, options: Pool1DOptions): Tensor {
  return pool1d('max', 'maxPool1d', input, options, options.dataFormat ?? 'NWC');
}

/** `avgPool` of sequences `[batch, width, channels]` (`tf.nn.avg_pool1d`). */
export function avgPool1d(input: TensorLike, options: Pool1DOptions): Tensor {
  return pool1d('avg', 'avgPool1d', input, options, options.dataFormat ?? 'NWC');
}

/** `maxPool` of images `[batch, height, width, channels]` (`tf.nn.max_pool2d`). */
export function maxPool2d(input: TensorLike, options: MaxPool2DOptions): Tensor {
  return poolByRank('max', input, { dataFormat: 'NHWC', ...options });
}

/** `avgPool` of images `[batch, height, width, channels]` (`tf.nn.avg_pool2d`). */
export function avgPool2d(input: TensorLike, options: Pool2DOptions): Tensor {
  return poolByRank('avg', input, { dataFormat: 'NHWC', ...options });
}

/** `maxPool` of volumes `[batch, depth, height, width, channels]` (`tf.nn.max_pool3d`). */
export function maxPool3d(input: TensorLike, options: Pool3DOptions): Tensor {
  return poolByRank('max', input, { dataFormat: 'NDHWC', ...options });
}

/** `avgPool` of volumes `[batch, depth, height, width, channels]` (`tf.nn.avg_pool3d`). */
export function avgPool3d(input: TensorLike, options: Pool3DOptions): Tensor {
  return poolByRank('avg', input, { dataFormat: 'NDHWC', ...options });
}

export interface MaxPoolWithArgmaxOptions extends WindowOptions<'NHWC'> {
  /** Dtype of the positions; default int64. */
  readonly outputDtype?: 'int32' | 'int64' | undefined;
  /** Counts positions over the whole batch, not within each image. */
  readonly includeBatchInIndex?: boolean | undefined;
}

/**
 * Largest element of every window of images `[batch, height, width, channels]` and its position
 * (`tf.nn.max_pool_with_argmax`): `(y * width + x) * channels + channel`, the first of equal ones.
 */
export function maxPoolWithArgmax(
  input: TensorLike,
  options: MaxPoolWithArgmaxOptions,
): [output: Tensor, argmax: Tensor] {
  const { ksize, strides, padding } = windowAttrs('maxPoolWithArgmax', options, 'NHWC');
  const node = applyOp('MaxPoolWithArgmax', [input], {
    name: options.name,
    attrs: {
      ksize,
      strides,
      padding,
      Targmax: options.outputDtype ?? 'int64',
      include_batch_in_index: options.includeBatchInIndex ?? false,
    },
  });
  return [node.output(0), node.output(1)];
}
