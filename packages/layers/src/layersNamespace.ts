/** `fr.layers`: layers as functions and as classes. */
export { Layer, type Activation, type LayerOptions, type WeightOptions } from './layer.js';
export {
  Dense,
  Dropout,
  Flatten,
  dense,
  dropout,
  flatten,
  type DenseOptions,
  type DropoutLayerOptions,
} from './dense.js';
export {
  AveragePooling2D,
  Conv2D,
  MaxPooling2D,
  averagePooling2d,
  conv2d,
  maxPooling2d,
  type Conv2DOptions,
  type ImageOptions,
  type PoolingOptions,
  type Size2d,
} from './imageLayers.js';
export {
  BatchNormalization,
  batchNormalization,
  type BatchNormalizationOptions,
} from './batchNormalization.js';
