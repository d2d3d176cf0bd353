/** `withSpaceToBatch`: any operation on windows with holes, by cutting the images into interleaved parts. */
import { convertToTensor, type NameOptions } from '../apply.js';
import { constantValue } from '../constantValue.js';
import { InvalidArgumentError } from '../errors.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { batchToSpaceNd, requiredSpaceToBatchPaddings, spaceToBatchNd } from './arrayBlock.js';

export interface SpaceToBatchOptions extends NameOptions {
  /** Sizes of the windows along the image axes; needed with `SAME` padding and a rate above 1. */
  readonly filterShape?: readonly number[] | undefined;
  /** The image axes, counted from 0 and rising, from 1 on. Default: the first after the batch; after the channels in `NC…`. */
  readonly spatialDims?: readonly number[] | undefined;
  /** Order of the dimensions, of which only whether it begins with `NC` counts. */
  readonly dataFormat?: string | undefined;
}

/** Zeros around the images that `SAME` padding gives to windows with holes. */
function basePaddings(
  padding: string,
  rates: readonly number[],
  filterShape: readonly number[] | undefined,
): number[][] {
  if (padding === 'VALID') return rates.map(() => [0, 0]);
  if (padding !== 'SAME') {
    throw new InvalidArgumentError(`withSpaceToBatch: padding must be "SAME" or "VALID", got "${padding}"`);
  }
  if (filterShape?.length !== rates.length) {
    throw new InvalidArgumentError(
      `withSpaceToBatch: with SAME padding "filterShape" must have the ${rates.length} sizes of the window, got [${String(filterShape)}]`,
    );
  }
  return rates.map((rate, i) => {
    const extra = ((filterShape[i] ?? 1) - 1) * rate;
    return [Math.floor(extra / 2), extra - Math.floor(extra / 2)];
  });
}

/**
 * Applies `op` to windows whose taps are `dilationRate` apart (`tf.nn.with_space_to_batch`; Chen et al., 2014): the images are
 * divided into interleaved parts, `op(parts, axes, 'VALID')` works on these, and the results are put together again. With rates of 1
 * `op(input, axes, padding)` itself. The sizes of the image axes must be known where a rate is above 1. Throws
 * `InvalidArgumentError` for rates below 1, and for axes that are not there.
 */
export function withSpaceToBatch(
  input: TensorLike,
  dilationRate: readonly number[],
  padding: 'SAME' | 'VALID',
  op: (input: Tensor, numSpatialDims: number, padding: 'SAME' | 'VALID') => Tensor,
  { filterShape, spatialDims, dataFormat, name = 'with_space_to_batch' }: SpaceToBatchOptions = {},
): Tensor {
  const x = convertToTensor(input);
  const count = dilationRate.length;
  const first = dataFormat?.startsWith('NC') === true ? 2 : 1;
  const axes = spatialDims ?? dilationRate.map((_, i) => first + i);
  const rising = axes.every((axis, i) => Number.isInteger(axis) && axis > (axes[i - 1] ?? 0));
  if (axes.length !== count || !rising) {
    throw new InvalidArgumentError(
      `withSpaceToBatch: spatialDims must be ${count} axes from 1 on in rising order, got [${axes.join(',')}]`,
    );
  }
  if (dilationRate.some((rate) => !Number.isInteger(rate) || rate < 1)) {
    throw new InvalidArgumentError(
      `withSpaceToBatch: dilationRate must hold integers of 1 or more, got [${dilationRate.join(',')}]`,
    );
  }
  if (dilationRate.every((rate) => rate === 1)) return op(x, count, padding);
  const base = basePaddings(padding, dilationRate, filterShape);
  const { dims } = x.shape;
  const sizes = axes.map((axis) => dims?.[axis] ?? null);
  if (sizes.some((size) => size === null)) {
    throw new InvalidArgumentError(
      `withSpaceToBatch: the sizes of the image axes must be known, the input has shape ${x.shape.toString()}`,
    );
  }
  // space-to-batch takes all axes from the first on: those between stay as they are
  const last = axes.at(-1) ?? 1;
  const every = Array.from({ length: last }, (_, i) => axes.indexOf(i + 1));
  const spread = <T>(values: readonly T[], none: T): T[] => every.map((i) => values[i] ?? none);
  return withGraphOf(x, () =>
    nameScope(name, () => {
      const [pads, crops] = requiredSpaceToBatchPaddings(sizes as readonly number[], dilationRate, {
        basePaddings: base,
      });
      const block = spread(dilationRate, 1);
      const parts = spaceToBatchNd(x, block, spread(rowsOf(pads), [0, 0]));
      return batchToSpaceNd(op(parts, count, 'VALID'), block, spread(rowsOf(crops), [0, 0]));
    }),
  );
}

/** The pairs of a constant [n, 2]. */
function rowsOf(t: Tensor): number[][] {
  const data = constantValue(t)?.data ?? new Float64Array();
  return Array.from({ length: data.length / 2 }, (_, i) => [data[2 * i] ?? 0, data[2 * i + 1] ?? 0]);
}
