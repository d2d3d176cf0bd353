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
export {
  AveragePooling1D,
  AveragePooling3D,
  MaxPooling1D,
  MaxPooling3D,
  averagePooling1d,
  averagePooling3d,
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalAveragePooling3d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  globalMaxPooling3d,
  maxPooling1d,
  maxPooling3d,
  type GlobalPoolingOptions,
  type Size1d,
  type Size3d,
} from './poolingLayers.js';
export {
  GroupNormalization,
  InstanceNormalization,
  LayerNormalization,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  type GroupNormalizationOptions,
  type InstanceNormalizationOptions,
  type LayerNormalizationOptions,
  type NormalizationOptions,
} from './normalizations.js';
export { PReLU, prelu, type PReLUOptions } from './preluLayer.js';
