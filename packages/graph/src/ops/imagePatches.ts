/** Records and builders that cut images and volumes into patches. */
import { apply, type NameOptions } from '../apply.js';
import { isFloating } from '../dtype.js';
import { withRank } from '../inferHelpers.js';
import { op, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { toTensorValue } from '../value.js';
import { windowCount, type PaddingRule } from '../windows.js';
import type { Ops } from './index.js';

const REAL =
  'T: {float32, float64, int32, uint8, int16, int8, int64, bfloat16, uint16, float16, uint32, uint64}';
const PADDING = 'padding: {"SAME", "VALID"}';

/** Rejects a list attribute that is not positive, or not 1 for batch and channels. */
function checkList(c: InferContext, name: string, rank: number): void {
  const list = c.attrs.ints(name);
  const ok = list.length === rank && list.every((n, i) => (i === 0 || i === rank - 1 ? n === 1 : n >= 1));
  if (ok) return;
  c.fail(`${name} must be ${rank} positive numbers, 1 for batch and channels, got [${list.join(',')}]`);
}

function inferPatches(c: InferContext, rank: number, name: string): TensorShape[] {
  const images = withRank(c, 0, rank, name);
  const lists = c.attrs.has('rates') ? ['ksizes', 'strides', 'rates'] : ['ksizes', 'strides'];
  for (const list of lists) checkList(c, list, rank);
  const [sizes, strides] = [c.attrs.ints('ksizes'), c.attrs.ints('strides')];
  const rates = c.attrs.has('rates') ? c.attrs.ints('rates') : [];
  const padding = c.attrs.string('padding') as PaddingRule;
  const dims: Dim[] = [...(images.dims ?? [])];
  for (let d = 1; d < rank - 1; d++) {
    const axis = { size: sizes[d] ?? 1, stride: strides[d] ?? 1, dilation: rates[d] ?? 1, padding };
    const count = windowCount(images.dim(d), axis);
    if (count !== null && count < 0) {
      c.fail(`a patch of size ${axis.size} does not fit dimension ${d} of shape ${images.toString()}`);
    }
    dims[d] = count;
  }
  const channels = images.dim(rank - 1);
  const taps = sizes.reduce((product, n) => product * n, 1);
  dims[rank - 1] = channels === null ? null : channels * taps;
  return [new TensorShape(dims)];
}

/** How patches lie on the two axes of an image. */
interface Patches {
  readonly size: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly rate: readonly [number, number];
  readonly padding: PaddingRule;
}

/**
 * The transpose of cutting `[b, h, w, c]` images, whose sizes `image` holds, into patches: every element of `dy`
 * is added to the pixel that it was copied from. Patches are the convolution of each channel with a filter for
 * each pixel of the window, so this is that convolution's gradient; it has gradients of every order.
 */
function joinPatches(ops: Ops, dy: Tensor, image: readonly Tensor[], patches: Patches): Tensor {
  const { size, stride, rate, padding } = patches;
  const [b, h, w, c] = image as readonly [Tensor, Tensor, Tensor, Tensor];
  const taps = size[0] * size[1];
  const [rows, columns] = [ops.getItem(ops.shape(dy), 1), ops.getItem(ops.shape(dy), 2)];
  const planes = ops.mul(b, c);
  const split = ops.reshape(dy, [b, rows, columns, taps, c]);
  const byChannel = ops.reshape(ops.transpose(split, { perm: toTensorValue([0, 4, 1, 2, 3], 'int32') }), [
    planes,
    rows,
    columns,
    taps,
  ]);
  const identity = Array.from({ length: taps * taps }, (_, i) => (i % (taps + 1) === 0 ? 1 : 0));
  const filter = ops.constant(identity, { dtype: 'float32', shape: [size[0], size[1], 1, taps] });
  const joined = ops.conv2dBackpropInput(
    ops.stack([planes, h, w, 1]),
    ops.cast(filter, dy.dtype),
    byChannel,
    { strides: [...stride], dilations: [...rate], padding: padding as 'SAME' | 'VALID' },
  );
  return ops.transpose(ops.reshape(joined, [b, c, h, w]), { perm: toTensorValue([0, 2, 3, 1], 'int32') });
}

const pair = (list: readonly number[], first: number): [number, number] => [
  list[first] ?? 1,
  list[first + 1] ?? 1,
];

function imagePatchesGrad({ attrs, ops, input, dy }: GradContext): (Tensor | null)[] {
  if (!isFloating(input(0).dtype)) return [null];
  const image = ops.unstack(ops.shape(input(0)), { num: 4 });
  const patches = {
    size: pair(attrs.ints('ksizes'), 1),
    stride: pair(attrs.ints('strides'), 1),
    rate: pair(attrs.ints('rates'), 1),
    padding: attrs.string('padding') as PaddingRule,
  };
  return [joinPatches(ops, dy, image, patches)];
}

/** Volumes are cut along depth and then within planes, and joined in the opposite order. */
function volumePatchesGrad({ attrs, ops, input, dy }: GradContext): (Tensor | null)[] {
  if (!isFloating(input(0).dtype)) return [null];
  const volume = ops.unstack(ops.shape(input(0)), { num: 5 });
  const [b, depth, h, w, c] = volume as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const [sizes, strides] = [attrs.ints('ksizes'), attrs.ints('strides')];
  const padding = attrs.string('padding') as PaddingRule;
  const [layers = 1, rows = 1, columns = 1] = sizes.slice(1, 4);
  const [, od, oh, ow] = ops.unstack(ops.shape(dy), { num: 5 }) as [Tensor, Tensor, Tensor, Tensor];
  const plane = ops.mul(ops.mul(oh, ow), ops.mul(c, rows * columns));
  const apart = ops.reshape(dy, [b, od, oh, ow, layers, ops.mul(c, rows * columns)]);
  const layersFirst = ops.transpose(apart, { perm: toTensorValue([0, 1, 4, 2, 3, 5], 'int32') });
  const one = ops.constant(1, { dtype: 'int32' });
  const byDepth = joinPatches(
    ops,
    ops.reshape(layersFirst, [b, od, 1, ops.mul(plane, layers)]),
    [b, depth, one, plane],
    { size: [layers, 1], stride: [strides[1] ?? 1, 1], rate: [1, 1], padding },
  );
  const slices = ops.mul(b, depth);
  const joined = joinPatches(
    ops,
    ops.reshape(byDepth, [slices, oh, ow, ops.mul(c, rows * columns)]),
    [slices, h, w, c],
    { size: [rows, columns], stride: pair(strides, 2), rate: [1, 1], padding },
  );
  return [ops.reshape(joined, volume)];
}

export const IMAGE_PATCHES = {
  ExtractImagePatches: op({
    summary: 'Windows of images, each laid out along the channels.',
    inputs: ['images: T'],
    outputs: ['patches: T'],
    attrs: ['ksizes: list(int) >= 4', 'strides: list(int) >= 4', 'rates: list(int) >= 4', REAL, PADDING],
    infer: (c) => inferPatches(c, 4, 'images'),
    grad: imagePatchesGrad,
  }),

  ExtractVolumePatches: op({
    summary: 'Windows of volumes, each laid out along the channels.',
    inputs: ['input: T'],
    outputs: ['patches: T'],
    attrs: ['ksizes: list(int) >= 5', 'strides: list(int) >= 5', REAL, PADDING],
    infer: (c) => inferPatches(c, 5, 'input'),
    grad: volumePatchesGrad,
  }),
} satisfies Record<string, OpDef>;

/**
 * Cuts `images` `[batch, height, width, channels]` into patches (`tf.image.extract_image_patches`): for every
 * window a vector of its pixels, row by row, `[batch, rows, columns, kh * kw * channels]`. `ksizes`, `strides`
 * (between patches) and `rates` (between the pixels of a patch) are lists `[1, n, n, 1]`. SAME pads with zeros.
 */
export function extractImagePatches(
  images: TensorLike,
  ksizes: readonly number[],
  strides: readonly number[],
  rates: readonly number[],
  padding: 'SAME' | 'VALID',
  { name }: NameOptions = {},
): Tensor {
  return apply('ExtractImagePatches', [images], { name, attrs: { ksizes, strides, rates, padding } });
}

/**
 * Cuts `input` `[batch, depth, height, width, channels]` into patches (`tf.extract_volume_patches`); see
 * `extractImagePatches`. `ksizes` and `strides` are lists `[1, n, n, n, 1]`.
 */
export function extractVolumePatches(
  input: TensorLike,
  ksizes: readonly number[],
  strides: readonly number[],
  padding: 'SAME' | 'VALID',
  { name }: NameOptions = {},
): Tensor {
  return apply('ExtractVolumePatches', [input], { name, attrs: { ksizes, strides, padding } });
}
