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
  const first = dataFormat?.startsWith('NC') === true ? 2 : 1;
  const axes = spatialDims ?? dilationRate.map((_, i) => first + i);
  checkDilation(axes, dilationRate);
  if (dilationRate.every((rate) => rate === 1)) return op(x, axes.length, padding);
  const basePads = basePaddings(padding, dilationRate, filterShape);
  const sizes = imageSizes(x, axes);
  // space-to-batch takes all axes from the first on: those between stay as they are
  const every = Array.from({ length: axes.at(-1) ?? 1 }, (_, i) => axes.indexOf(i + 1));
  const spread = <T>(values: readonly T[], none: T): T[] => every.map((i) => values[i] ?? none);
  return withGraphOf(x, () =>
    nameScope(name, () => {
      const [pads, crops] = requiredSpaceToBatchPaddings(sizes, dilationRate, { basePaddings: basePads });
      const block = spread(dilationRate, 1);
      const parts = spaceToBatchNd(x, block, spread(rowsOf(pads), [0, 0]));
      return batchToSpaceNd(op(parts, axes.length, 'VALID'), block, spread(rowsOf(crops), [0, 0]));
    }),
  );
}

function checkDilation(axes: readonly number[], dilationRate: readonly number[]): void {
  const rising = axes.every((axis, i) => Number.isInteger(axis) && axis > (axes[i - 1] ?? 0));
  if (axes.length !== dilationRate.length || !rising) {
    throw new InvalidArgumentError(
      `withSpaceToBatch: spatialDims must be ${dilationRate.length} axes from 1 on in rising order, got [${axes.join(',')}]`,
    );
  }
  if (dilationRate.some((rate) => !Number.isInteger(rate) || rate < 1)) {
    throw new InvalidArgumentError(
      `withSpaceToBatch: dilationRate must hold integers of 1 or more, got [${dilationRate.join(',')}]`,
    );
  }
}

function imageSizes({ shape }: Tensor, axes: readonly number[]): number[] {
  const sizes = axes.flatMap((axis) => shape.dims?.[axis] ?? []);
  if (sizes.length === axes.length) return sizes;
  throw new InvalidArgumentError(
    `withSpaceToBatch: the sizes of the image axes must be known, the input has shape ${shape.toString()}`,
  );
}

/** The pairs of a constant [n, 2]. */
function rowsOf(t: Tensor): number[][] {
  const data = constantValue(t)?.data ?? new Float64Array();
  return Array.from({ length: data.length / 2 }, (_, i) => [data[2 * i] ?? 0, data[2 * i + 1] ?? 0]);
}
