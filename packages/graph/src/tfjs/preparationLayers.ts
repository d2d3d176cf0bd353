/** Layers of layers models that prepare images and numbers of classes, and products by an equation. */
import * as ops from '../ops/index.js';
import type { Tensor } from '../tensor.js';
import { activated, isChannelsFirst, numberOf, perAxis, type Layer, type LayerCall } from './layerCall.js';

interface ImageSize {
  readonly height: number;
  readonly width: number;
}

function sizeOf({ x, fail }: LayerCall): ImageSize {
  const [height, width] = [x.shape.dim(-3), x.shape.dim(-2)];
  return height === null || width === null ? fail('the size of the image must be known') : { height, width };
}

/** The middle of an image, sampled at the nearest pixels as TensorFlow.js does. */
const centerCrop: Layer = (call) => {
  const [height, width] = [numberOf(call, 'height'), numberOf(call, 'width')];
  const image = sizeOf(call);
  const size = ops.constant([height, width], { dtype: 'int32' });
  const top = Math.floor((image.height - height) / 2);
  const left = image.width === width ? 0 : Math.floor((image.width - width) / 2) || 1;
  if (top < 0 || left < 0) return call.fail('the image is smaller than what is to be cut out');
  const box = [top, left, top + height, left + width];
  const sizes = [image.height, image.width, image.height, image.width];
  const batch = ops.gather(ops.shape(call.x), 0);
  const one = ops.constant([box.map((edge, i) => edge / (sizes[i] ?? 1))]);
  const boxes = ops.tile(one, ops.stack([batch, ops.constant(1, { dtype: 'int32' })]));
  return ops.cropAndResize(call.x, boxes, ops.range(batch), size, { method: 'nearest' });
};

/** Numbers of classes as vectors: which there are (`oneHot`, `multiHot`), or how often (`count`). */
const categoryEncoding: Layer = (call) => {
  const { x, config, fail } = call;
  const { rank } = x.shape;
  const mode = typeof config.output_mode === 'string' ? config.output_mode : 'multiHot';
  const alone = (mode === 'oneHot' || mode === 'one_hot') && x.shape.dim(-1) !== 1;
  if (rank === null || rank + (alone ? 1 : 0) > 2) return fail(`takes numbers of rank 1 or 2 for ${mode}`);
  const ids = ops.cast(alone ? ops.expandDims(x, -1) : x, 'int32');
  const hot = ops.oneHot(ids, numberOf(call, 'num_tokens'));
  const axis = [(ids.shape.rank ?? 1) - 1];
  if (mode === 'count') return ops.reduceSum(hot, { axis });
  if (['oneHot', 'one_hot', 'multiHot', 'multi_hot'].includes(mode)) return ops.reduceMax(hot, { axis });
  return fail(`the output mode ${JSON.stringify(mode)} is not known`);
};

const einsumDense: Layer = (call) => {
  const { equation, bias_axes: axes } = call.config;
  if (typeof equation !== 'string') return call.fail('equation must be a text');
  const y = ops.einsum(equation.replaceAll(' ', ''), call.x, call.weight('kernel'));
  return activated(call, axes === null || axes === undefined ? y : ops.add(y, call.weight('bias')));
};

/** Images of channels first take the way over channels last. */
function channelsLast(call: LayerCall, apply: (x: Tensor) => Tensor): Tensor {
  if (!isChannelsFirst(call)) return apply(call.x);
  return ops.transpose(apply(ops.transpose(call.x, { perm: [0, 2, 3, 1] })), { perm: [0, 3, 1, 2] });
}

const upSampling2d: Layer = (call) => {
  const [fy = 1, fx = 1] = perAxis(call, 'size', 2, 2);
  return channelsLast(call, (x) => {
    const size = ops.mul(ops.slice(ops.shape(x), [1], [2]), ops.constant([fy, fx], { dtype: 'int32' }));
    if (call.config.interpolation !== 'bilinear') return ops.resizeNearestNeighbor(x, size);
    return ops.resizeBilinear(x, size, { halfPixelCenters: false });
  });
};

/** As TensorFlow.js samples: with the corners aligned, unless the sides are to keep their ratio. */
const resizing: Layer = (call) => {
  const size = ops.constant([numberOf(call, 'height'), numberOf(call, 'width')], { dtype: 'int32' });
  const options = { alignCorners: call.config.crop_to_aspect_ratio !== true };
  const mode = call.config.interpolation ?? 'bilinear';
  if (mode === 'bilinear') return ops.resizeBilinear(call.x, size, options);
  if (mode === 'nearest') return ops.resizeNearestNeighbor(call.x, size, options);
  return call.fail(`the interpolation ${JSON.stringify(mode)} is not known`);
};

export const PREPARATION_LAYERS: Readonly<Record<string, Layer>> = {
  CategoryEncoding: categoryEncoding,
  CenterCrop: centerCrop,
  EinsumDense: einsumDense,
  Resizing: resizing,
  UpSampling2D: upSampling2d,
};
