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
  Conv1D,
  Conv2DTranspose,
  Conv3D,
  Conv3DTranspose,
  conv1d,
  conv2dTranspose,
  conv3d,
  conv3dTranspose,
  type ConvLayerOptions,
  type ConvTransposeLayerOptions,
  type WindowSize,
} from './convLayers.js';
export {
  SeparableConv1D,
  SeparableConv2D,
  separableConv1d,
  separableConv2d,
  type SeparableConvOptions,
} from './separableConv.js';
export {
  BatchNormalization,
  batchNormalization,
  type BatchNormalizationOptions,
} from './batchNormalization.js';
