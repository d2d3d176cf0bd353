/** Image functions that are made of several ops: values counted by hand, sizes known and unknown, bad input. */
import {
  ResizeMethod,
  adjustBrightness,
  adjustContrast,
  adjustGamma,
  adjustHue,
  adjustSaturation,
  centralCrop,
  constant,
  convertImageDtype,
  cropToBoundingBox,
  extractImagePatches,
  flipLeftRight,
  flipUpDown,
  grayscaleToRgb,
  padToBoundingBox,
  perImageStandardization,
  placeholder,
  resetDefaultGraph,
  resizeBicubic,
  resizeImageWithCropOrPad,
  resizeImageWithPad,
  resizeImages,
  rgbToGrayscale,
  rgbToYiq,
  rgbToYuv,
  rot90,
  saturateCast,
  toHostValue,
  toTensorValue,
  transposeImage,
  yiqToRgb,
  yuvToRgb,
  type DType,
  type HostValue,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import { interpret } from '@forerun/testing';

beforeEach(resetDefaultGraph);

const run = (tensor: Tensor): HostValue => {
  const [value] = interpret([tensor]);
  if (value === undefined) throw new Error('nothing was computed');
  return value;
};
const elements = (tensor: Tensor): number[] => Array.from(run(tensor).data);
const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Feeds `value` to a placeholder that knows nothing of its shape but the rank. */
function open(value: TensorValue, build: (x: Tensor) => Tensor): HostValue | undefined {
  const x = placeholder(value.dtype, new Array<null>(value.shape.length).fill(null));
  const host = toHostValue(value);
  if (host === null) throw new Error('a value without numbers');
  return interpret([build(x)], new Map([[x, host]]))[0];
}

/** The result with shapes known and unknown, which must agree. */
function both(value: TensorValue, build: (x: Tensor) => Tensor): HostValue {
  const known = run(build(constant(value)));
  expect(open(value, build)).toEqual(known);
  return known;
}

const image = (shape: number[], dtype: DType = 'float32'): TensorValue =>
  toTensorValue(count(shape.reduce((a, b) => a * b, 1)), dtype, shape);

describe('turning and mirroring', () => {
  const x = image([2, 3, 1]);

  it('gives the pixels new places', () => {
    expect(both(x, flipLeftRight).data).toEqual(Float64Array.of(2, 1, 0, 5, 4, 3));
    expect(both(x, flipUpDown).data).toEqual(Float64Array.of(3, 4, 5, 0, 1, 2));
    expect(both(x, transposeImage)).toMatchObject({
      shape: [3, 2, 1],
      data: Float64Array.of(0, 3, 1, 4, 2, 5),
    });
    expect(both(x, rot90)).toMatchObject({ shape: [3, 2, 1], data: Float64Array.of(2, 5, 1, 4, 0, 3) });
    expect(both(x, (t) => rot90(t, { k: 2 })).data).toEqual(Float64Array.of(5, 4, 3, 2, 1, 0));
    expect(both(x, (t) => rot90(t, { k: -1 })).data).toEqual(Float64Array.of(3, 0, 4, 1, 5, 2));
    expect(both(x, (t) => rot90(t, { k: 4 })).data).toEqual(Float64Array.from(count(6)));
  });

  it('leaves the batch alone', () => {
    const batch = image([2, 1, 2, 1]);
    expect(both(batch, flipLeftRight).data).toEqual(Float64Array.of(1, 0, 3, 2));
    expect(both(batch, rot90)).toMatchObject({ shape: [2, 2, 1, 1], data: Float64Array.of(1, 0, 3, 2) });
  });

  it('refuses what is no image', () => {
    expect(() => flipLeftRight(constant([1, 2]))).toThrow(/flipLeftRight: an image has 3 dimensions.*\[2\]/);
    expect(() => rot90(constant([[[1]]]), { k: 0.5 })).toThrow(/rot90: k must be an integer, got 0.5/);
  });
});

describe('cropping and padding', () => {
  const x = image([4, 5, 1]);

  it('takes a part', () => {
    const part = both(x, (t) => cropToBoundingBox(t, 1, 2, 2, 3));
    expect(part).toMatchObject({ shape: [2, 3, 1], data: Float64Array.of(7, 8, 9, 12, 13, 14) });
    const middle = both(x, (t) => centralCrop(t, 0.5));
    expect(middle).toMatchObject({ shape: [2, 3, 1], data: Float64Array.of(6, 7, 8, 11, 12, 13) });
    expect(both(x, (t) => centralCrop(t, 1)).shape).toEqual([4, 5, 1]);
  });

  it('adds zeros around', () => {
    const padded = both(image([1, 2, 1]), (t) => padToBoundingBox(t, 1, 0, 3, 3));
    expect(padded).toMatchObject({ shape: [3, 3, 1], data: Float64Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0) });
  });

  it('crops one axis and pads the other', () => {
    const fitted = both(x, (t) => resizeImageWithCropOrPad(t, 2, 8));
    expect(fitted.shape).toEqual([2, 8, 1]);
    expect(Array.from(fitted.data)).toEqual([0, 5, 6, 7, 8, 9, 0, 0, 0, 10, 11, 12, 13, 14, 0, 0]);
    expect(both(image([2, 3, 3, 2]), (t) => resizeImageWithCropOrPad(t, 5, 1)).shape).toEqual([2, 5, 1, 2]);
  });

  it('refuses parts that do not lie within', () => {
    const t = constant(x);
    expect(() => cropToBoundingBox(t, 3, 0, 2, 2)).toThrow(
      /target height must be at most height - offset, got 2 and 1/,
    );
    expect(() => cropToBoundingBox(t, -1, 0, 2, 2)).toThrow(/offsets must be 0 or more/);
    expect(() => cropToBoundingBox(t, 0, 0, 0, 2)).toThrow(/must be positive/);
    expect(() => padToBoundingBox(t, 0, 0, 4, 4)).toThrow(/width must be at most target - offset/);
    expect(() => centralCrop(t, 0)).toThrow(/above 0 and at most 1, got 0/);
  });
});

describe('resizing', () => {
  it('takes images and batches, by every method', () => {
    const x = image([2, 2, 1]);
    expect(Array.from(both(x, (t) => resizeImages(t, [2, 4])).data)).toEqual([0, 0.5, 1, 1, 2, 2.5, 3, 3]);
    const nearest = { method: ResizeMethod.NEAREST_NEIGHBOR };
    expect(Array.from(both(x, (t) => resizeImages(t, [1, 4], nearest)).data)).toEqual([0, 0, 1, 1]);
    expect(Array.from(both(x, (t) => resizeImages(t, [1, 1], { method: ResizeMethod.AREA })).data)).toEqual([
      1.5,
    ]);
    const corners = resizeImages(constant(x), [3, 3], { method: ResizeMethod.BICUBIC, alignCorners: true });
    expect(elements(corners)[4]).toBeCloseTo(1.5);
    expect(both(image([2, 2, 2, 3]), (t) => resizeImages(t, [3, 1])).shape).toEqual([2, 3, 1, 3]);
  });

  it('keeps proportions, and images of the right size', () => {
    const x = image([4, 6, 1], 'uint8');
    const kept = both(x, (t) => resizeImages(t, [2, 6], { preserveAspectRatio: true }));
    expect(kept).toMatchObject({ shape: [2, 3, 1], dtype: 'float32' });
    expect(resizeImages(constant(x), [4, 6]).dtype).toBe('uint8');
  });

  it('pads to proportions', () => {
    const padded = both(toTensorValue([1, 1], 'float32', [1, 2, 1]), (t) => resizeImageWithPad(t, 4, 4));
    expect(padded.shape).toEqual([4, 4, 1]);
    expect(Array.from(padded.data)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
  });

  it('has the cubic of Catmull and Rom where pixels are sampled at their centres', () => {
    const row = constant([0, 0, 1, 0, 0], { shape: [1, 1, 5, 1] });
    const wide = elements(resizeBicubic(row, [1, 10], { halfPixelCenters: true }));
    // a = -0.5 at the distances 0.75 and 0.25; the outer ones lose a tap at the border and are renormalized
    expect(wide[3]).toBeCloseTo(0.2265625, 9);
    expect(wide[4]).toBeCloseTo(0.8671875, 9);
    expect(wide[2]).toBeCloseTo(-0.0703125 / 1.0234375, 9);
    expect(wide.slice(5)).toEqual(wide.slice(0, 5).reverse());
  });

  it('refuses sizes that are no pair', () => {
    const x = constant(image([2, 2, 1]));
    expect(() => resizeImages(x, [2])).toThrow(/size must be \[height, width\], got 1 elements/);
    expect(() => resizeImages(x, [2, 0])).toThrow(/must be positive, got size \[2,0\]/);
    expect(() => resizeImages(x, [2, 2], { method: 7 as ResizeMethod })).toThrow(
      /7 is not one of ResizeMethod/,
    );
    expect(() => resizeImageWithPad(x, 0, 2)).toThrow(/must be positive, got 0/);
  });
});

describe('dtypes', () => {
  it('scales between integers and fractions', () => {
    const bytes = constant([0, 51, 255], { dtype: 'uint8' });
    expect(elements(convertImageDtype(bytes, 'float32')).map((x) => x.toFixed(6))).toEqual([
      '0.000000',
      '0.200000',
      '1.000000',
    ]);
    expect(elements(convertImageDtype(constant([0, 0.5, 1]), 'uint8'))).toEqual([0, 127, 255]);
    expect(elements(convertImageDtype(constant([-0.5, 2]), 'uint8', { saturate: true }))).toEqual([0, 255]);
    expect(elements(convertImageDtype(constant([256, 65535], { dtype: 'uint16' }), 'uint8'))).toEqual([
      1, 255,
    ]);
    expect(elements(convertImageDtype(constant([1, 255], { dtype: 'uint8' }), 'uint16'))).toEqual([
      256, 65280,
    ]);
    expect(convertImageDtype(bytes, 'uint8').op.type).toBe('Identity');
  });

  it('saturates', () => {
    expect(elements(saturateCast(constant([-3.7, 12.9, 400]), 'uint8'))).toEqual([0, 12, 255]);
    expect(elements(saturateCast(constant([-200, 7], { dtype: 'int32' }), 'int8'))).toEqual([-128, 7]);
    expect(elements(saturateCast(constant([3e9, -3e9]), 'int32'))).toEqual([2147483647, -2147483648]);
    expect(() => saturateCast(constant([true]), 'uint8')).toThrow(/dtype bool has no range/);
  });
});

describe('adjustments', () => {
  it('take integers as fractions and saturate', () => {
    const bytes = constant([100, 250], { dtype: 'uint8', shape: [1, 2, 1] });
    expect(elements(adjustBrightness(bytes, 0.1))).toEqual([125, 255]);
    expect(elements(adjustContrast(bytes, 0.5))).toEqual([137, 212]);
    expect(adjustGamma(bytes, { gamma: 2 }).dtype).toBe('uint8');
    expect(elements(adjustGamma(constant([0.5, 1]), { gamma: 2, gain: 3 }))).toEqual([0.75, 3]);
    expect(() => adjustGamma(bytes, { gamma: -1 })).toThrow(/gamma must not be negative, got -1/);
  });

  it('turn hues and pale colours', () => {
    const red = constant([1, 0, 0], { shape: [1, 1, 3] });
    expect(elements(adjustHue(red, 1 / 3)).map((x) => Math.round(1e6 * x) / 1e6)).toEqual([0, 1, 0]);
    expect(elements(adjustSaturation(red, 0.25))).toEqual([1, 0.75, 0.75]);
  });

  it('convert colour spaces there and back', () => {
    const colour = [0.2, 0.7, 0.4];
    const x = constant(colour, { shape: [1, 3] });
    expect(elements(rgbToYuv(x))[0]).toBeCloseTo(0.299 * 0.2 + 0.587 * 0.7 + 0.114 * 0.4, 6);
    for (const [there, back] of [
      [rgbToYuv, yuvToRgb],
      [rgbToYiq, yiqToRgb],
    ] as const) {
      elements(back(there(x))).forEach((value, i) => {
        expect(value).toBeCloseTo(colour[i] ?? NaN, 4);
      });
    }
    expect(elements(rgbToGrayscale(x))[0]).toBeCloseTo(0.2989 * 0.2 + 0.587 * 0.7 + 0.114 * 0.4, 6);
    expect(elements(grayscaleToRgb(constant([[3], [4]])))).toEqual([3, 3, 3, 4, 4, 4]);
    expect(() => rgbToGrayscale(constant([[1, 2]]))).toThrow(/need 3 channels in the last dimension/);
    expect(() => grayscaleToRgb(constant([[1, 2]]))).toThrow(/need 1 channels/);
  });

  it('standardize each image', () => {
    const batch = toTensorValue([1, 3, 5, 7, 2, 2, 2, 2], 'float32', [2, 2, 2, 1]);
    const result = Array.from(both(batch, perImageStandardization).data);
    const deviation = Math.sqrt(5);
    const expected = [-3, -1, 1, 3].map((x) => x / deviation);
    expect(result.slice(4)).toEqual([0, 0, 0, 0]);
    result.slice(0, 4).forEach((x, i) => {
      expect(x).toBeCloseTo(expected[i] ?? NaN, 6);
    });
    expect(() => perImageStandardization(constant([[1]]))).toThrow(/rank 3 or more/);
  });
});

it('cuts patches', () => {
  const x = constant(count(9), { shape: [1, 3, 3, 1] });
  const patches = extractImagePatches(x, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], 'VALID');
  expect(elements(patches)).toEqual([0, 1, 3, 4, 1, 2, 4, 5, 3, 4, 6, 7, 4, 5, 7, 8]);
});
