/** Conversions of image dtypes, in which integers span their whole range and floats go from 0 to 1. */
import { convertToTensor, type NameOptions } from '../apply.js';
import { baseDType, isFloating, isInteger, type BaseDType, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { floorDiv, maximum, minimum, mul } from './binary.js';
import { identity } from './source.js';
import { cast } from './unary.js';

const MAX_FLOAT32 = 3.4028234663852886e38;

/** Smallest and largest finite value of the dtypes that are converted. */
const RANGES: Partial<Record<BaseDType, readonly [min: number, max: number]>> = {
  uint8: [0, 2 ** 8 - 1],
  uint16: [0, 2 ** 16 - 1],
  uint32: [0, 2 ** 32 - 1],
  int8: [-(2 ** 7), 2 ** 7 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  float16: [-65504, 65504],
  bfloat16: [-3.3895313892515355e38, 3.3895313892515355e38],
  float32: [-MAX_FLOAT32, MAX_FLOAT32],
  float64: [-Number.MAX_VALUE, Number.MAX_VALUE],
};

/** Throws for dtypes that no image has. int64 is left out: its range does not fit a float. */
function rangeOf(caller: string, dtype: DType): readonly [number, number] {
  const range = RANGES[baseDType(dtype)];
  if (range !== undefined) return range;
  throw new InvalidArgumentError(`${caller}: dtype ${dtype} has no range to convert to or from`);
}

/**
 * `value` in `dtype`, values beyond its range becoming the nearest in it (`tf.saturate_cast`). Throws for dtypes
 * without a range, such as int64 and bool.
 */
export function saturateCast(
  value: TensorLike,
  dtype: DType,
  { name = 'saturate_cast' }: NameOptions = {},
): Tensor {
  const x = convertToTensor(value);
  const [[low, high], [min, max]] = [rangeOf(name, x.dtype), rangeOf(name, dtype)];
  return withGraphOf(x, () =>
    nameScope(name, (scope) => {
      const above = low < min ? maximum(x, min) : x;
      // a bound that float32 cannot hold rounds up, and the conversion itself stops at the integer's
      const inside = high > max ? minimum(above, max) : above;
      return cast(inside, dtype, { name: scope });
    }),
  );
}

export interface ConvertImageOptions extends NameOptions {
  /** Values beyond the range of the new dtype become the nearest in it; without, integers wrap. */
  readonly saturate?: boolean;
}

/**
 * Images in another dtype (`tf.image.convert_image_dtype`): between floats and integers scaled by the integer's
 * largest value, between integers by powers of two. Throws for dtypes without a range.
 */
export function convertImageDtype(
  image: TensorLike,
  dtype: DType,
  { saturate = false, name = 'convert_image' }: ConvertImageOptions = {},
): Tensor {
  const x = convertToTensor(image);
  const [from, to] = [baseDType(x.dtype), baseDType(dtype)];
  if (from === to) return identity(x, { name });
  const [scaleIn, scaleOut] = [rangeOf(name, from)[1], rangeOf(name, to)[1]];
  const convert = (value: Tensor): Tensor => (saturate ? saturateCast(value, to) : cast(value, to));
  return withGraphOf(x, () =>
    nameScope(name, () => {
      if (isFloating(from) && isFloating(to)) return cast(x, to);
      if (isInteger(from) && isInteger(to)) {
        if (scaleIn > scaleOut) return convert(floorDiv(x, Math.floor((scaleIn + 1) / (scaleOut + 1))));
        return mul(convert(x), Math.floor((scaleOut + 1) / (scaleIn + 1)));
      }
      if (isInteger(from)) return mul(cast(x, to), 1 / scaleIn);
      return convert(mul(x, scaleOut + 0.5));
    }),
  );
}

/**
 * Runs `build` on `image` as floats and brings the result back to the image's dtype; how adjustments take integer
 * images.
 */
export function onFloats(
  image: TensorLike,
  name: string,
  options: { readonly saturate: boolean },
  build: (x: Tensor, scope: string) => Tensor,
): Tensor {
  const x = convertToTensor(image);
  const dtype = baseDType(x.dtype);
  return withGraphOf(x, () =>
    nameScope(name, (scope) => {
      if (dtype === 'float32' || dtype === 'float16') return build(x, scope);
      return convertImageDtype(build(convertImageDtype(x, 'float32'), `${scope}floats/`), dtype, options);
    }),
  );
}
