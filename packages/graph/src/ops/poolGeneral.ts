/** `pool`: pooling of any kind over one to three dimensions, also with windows that skip elements. */
import { convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { batchToSpaceNd, requiredSpaceToBatchPaddings, spaceToBatchNd } from './arrayBlock.js';
import { concat } from './arrayJoin.js';
import { avgPool, maxPool, type PoolFormat } from './poolBuilders.js';

export interface GeneralPoolOptions extends NameOptions {
  /** Steps between windows, one per pooled dimension; default 1. Not together with dilation. */
  readonly strides?: readonly number[] | undefined;
  /** Distance between neighbouring elements of a window, one per pooled dimension; default 1. */
  readonly dilationRate?: readonly number[] | undefined;
  /** Default channels last. */
  readonly dataFormat?: PoolFormat | undefined;
}

const FORMATS = new Map<number, PoolFormat>([
  [1, 'NWC'],
  [2, 'NHWC'],
  [3, 'NDHWC'],
]);

interface Windows {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly format: PoolFormat;
}

function windowsOf(sizes: readonly number[], options: GeneralPoolOptions): Windows {
  const ones = sizes.map(() => 1);
  const { strides = ones, dilationRate: dilations = ones, dataFormat } = options;
  const format = dataFormat ?? FORMATS.get(sizes.length);
  if (format?.length !== sizes.length + 2) {
    throw new InvalidArgumentError(
      `pool: windowShape takes ${format === undefined ? '1 to 3' : format.length - 2} numbers, got [${sizes.join(',')}]`,
    );
  }
  for (const [name, list] of Object.entries({ windowShape: sizes, strides, dilationRate: dilations })) {
    if (list.length !== sizes.length || !list.every((n) => Number.isInteger(n) && n >= 1)) {
      throw new InvalidArgumentError(
        `pool: ${name} must be ${sizes.length} positive integers, got [${list.join(',')}]`,
      );
    }
  }
  const dilated = dilations.some((rate) => rate > 1);
  if (dilated && strides.some((stride) => stride > 1)) {
    throw new InvalidArgumentError('pool: strides above 1 and dilationRate above 1 do not go together');
  }
  return { sizes, strides, dilations, format };
}

/**
 * Pooling of `windowShape`, one number per pooled dimension (`tf.nn.pool`). `poolingType` is `MAX` or `AVG`.
 * With a `dilationRate` above 1 and SAME padding the padding consists of zeros that count, as in TensorFlow;
 * the pooled dimensions must be known then. Throws `InvalidArgumentError` for lists of a wrong length and for
 * strides together with dilation.
 */
export function pool(
  input: TensorLike,
  windowShape: readonly number[],
  poolingType: 'MAX' | 'AVG',
  padding: 'SAME' | 'VALID',
  options: GeneralPoolOptions = {},
): Tensor {
  const windows = windowsOf(windowShape, options);
  const x = convertToTensor(input);
  return withGraphOf(x, () =>
    nameScope(options.name ?? `${poolingType.toLowerCase()}_pool`, () =>
      windows.dilations.every((rate) => rate === 1)
        ? plain(x, poolingType, padding, windows)
        : dilated(x, poolingType, padding, windows),
    ),
  );
}

function plain(
  x: Tensor,
  type: 'MAX' | 'AVG',
  padding: 'SAME' | 'VALID',
  { sizes, strides, format }: Windows,
): Tensor {
  const options = { ksize: sizes, strides, padding, dataFormat: format };
  return type === 'MAX' ? maxPool(x, options) : avgPool(x, options);
}

/** Elements that are `dilationRate` apart become neighbours in batches of their own. */
function dilated(x: Tensor, type: 'MAX' | 'AVG', padding: 'SAME' | 'VALID', windows: Windows): Tensor {
  const { sizes, dilations, format } = windows;
  const first = format.startsWith('NC') ? 2 : 1;
  const dims = x.shape.dims?.slice(first, first + sizes.length) ?? [null];
  const known = dims.filter((dim) => dim !== null);
  if (known.length !== sizes.length) {
    throw new InvalidArgumentError(
      `pool: dilation needs to know the pooled dimensions, the input has shape ${x.shape.toString()}`,
    );
  }
  const base = sizes.map((size, i): [number, number] => {
    const total = padding === 'SAME' ? (size - 1) * (dilations[i] ?? 1) : 0;
    return [Math.floor(total / 2), total - Math.floor(total / 2)];
  });
  const [paddings, crops] = requiredSpaceToBatchPaddings(known, dilations, { basePaddings: base });
  const blocks = first === 2 ? [1, ...dilations] : dilations;
  const whole = (list: Tensor): TensorLike => (first === 2 ? concat([[[0, 0]], list], 0) : list);
  const apart = spaceToBatchNd(x, blocks, whole(paddings));
  return batchToSpaceNd(plain(apart, type, 'VALID', windows), blocks, whole(crops));
}
