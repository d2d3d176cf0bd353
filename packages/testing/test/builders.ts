/** Which public builder makes each op, where its name is not the op's in camelCase. */
import { OPS, type OpName } from '@forerun/graph';

/** Builders with names of their own, as TensorFlow's Python names differ from its op names. */
export const BUILDER_NAMES: Partial<Record<OpName, string>> = {
  Const: 'constant',
  Sum: 'reduceSum',
  Mean: 'reduceMean',
  Prod: 'reduceProd',
  Max: 'reduceMax',
  Min: 'reduceMin',
  Any: 'reduceAny',
  All: 'reduceAll',
  EuclideanNorm: 'reduceEuclideanNorm',
  LRN: 'lrn',
  ConcatV2: 'concat',
  Pack: 'stack',
  Unpack: 'unstack',
  GatherV2: 'gather',
  SplitV: 'split',
  SpaceToBatchND: 'spaceToBatchNd',
  BatchToSpaceND: 'batchToSpaceNd',
  PadV2: 'pad',
  ReverseV2: 'reverse',
  Select: 'where',
  SelectV2: 'where',
  RealDiv: 'realDiv',
  BatchMatMulV2: 'batchMatMul',
  Conv2D: 'conv2d',
  Conv2DBackpropInput: 'conv2dBackpropInput',
  Conv2DBackpropFilter: 'conv2dBackpropFilter',
  RGBToHSV: 'rgbToHsv',
  HSVToRGB: 'hsvToRgb',
  AdjustContrastv2: 'adjustContrast',
  Conv3D: 'conv3d',
  Conv3DBackpropInputV2: 'conv3dBackpropInput',
  Conv3DBackpropFilterV2: 'conv3dBackpropFilter',
  RandomStandardNormal: 'randomNormal',
  RandomUniformInt: 'randomUniform',
  NextAfter: 'nextafter',
  StatelessRandomUniformInt: 'statelessRandomUniform',
  StatelessMultinomial: 'statelessCategorical',
  BroadcastArgs: 'broadcastDynamicShape',
  VarHandleOp: 'varHandle',
  ReadVariableOp: 'readVariable',
  AssignVariableOp: 'assign',
  AssignAddVariableOp: 'assignAdd',
  AssignSubVariableOp: 'assignSub',
  VarIsInitializedOp: 'isVariableInitialized',
  DestroyResourceOp: 'destroyVariable',
  ResourceScatterUpdate: 'scatterUpdate',
  ResourceScatterAdd: 'scatterAdd',
  ResourceScatterSub: 'scatterSub',
  ResourceScatterMul: 'scatterMul',
  ResourceScatterDiv: 'scatterDiv',
  ResourceScatterMin: 'scatterMin',
  ResourceScatterMax: 'scatterMax',
  ResourceScatterNdUpdate: 'scatterNdUpdate',
  ResourceScatterNdAdd: 'scatterNdAdd',
  ResourceScatterNdSub: 'scatterNdSub',
};

/** Ops that only gradients, optimizers or importers make, and which of these. */
export const MADE_BY: Partial<Record<OpName, string>> = {
  MaxPoolGrad: 'the gradient of MaxPool',
  MaxPoolGradGrad: 'the gradient of MaxPoolGrad',
  AvgPoolGrad: 'the gradient of AvgPool',
  ResizeBilinearGrad: 'the gradient of ResizeBilinear',
  ResizeBicubicGrad: 'the gradient of ResizeBicubic',
  ResizeNearestNeighborGrad: 'the gradient of ResizeNearestNeighbor',
  CropAndResizeGradImage: 'the gradient of CropAndResize',
  CropAndResizeGradBoxes: 'the gradient of CropAndResize',
  BiasAddGrad: 'the gradient of BiasAdd',
  LRNGrad: 'the gradient of LRN',
  FusedBatchNormGrad: 'the gradient of FusedBatchNorm',
  FusedBatchNormGradV2: 'the gradient of FusedBatchNormV2',
  FusedBatchNormGradV3: 'the gradient of FusedBatchNormV3',
  Inv: 'importers; reciprocal makes Reciprocal',
  InvGrad: 'importers',
  ReciprocalGrad: 'the gradient of Reciprocal',
  SqrtGrad: 'the gradient of Sqrt',
  RsqrtGrad: 'the gradient of Rsqrt',
  TanhGrad: 'the gradient of Tanh',
  SigmoidGrad: 'the gradient of Sigmoid',
  IgammaGradA: 'the gradient of Igamma',
  ReluGrad: 'the gradient of Relu',
  Relu6Grad: 'the gradient of Relu6',
  LeakyReluGrad: 'the gradient of LeakyRelu',
  EluGrad: 'the gradient of Elu',
  SeluGrad: 'the gradient of Selu',
  SoftplusGrad: 'the gradient of Softplus',
  SoftsignGrad: 'the gradient of Softsign',
  Variable: 'importers',
  VariableV2: 'importers',
  ...updates(),
  DeepCopy: 'importers',
  Snapshot: 'importers',
  ApplyGradientDescent: 'importers',
  ApplyMomentum: 'importers',
  ApplyAdam: 'importers',
  RandomGammaGrad: 'the gradient of RandomGamma',
  SaveV2: 'buildSaverNodes',
  RestoreV2: 'buildSaverNodes',
  ShardedFilename: 'importers',
  MergeV2Checkpoints: 'importers',
};

/** Optimizer updates have one builder for all, `applyUpdate`, but for the oldest. */
function updates(): Partial<Record<OpName, string>> {
  const types = Object.keys(OPS).filter((type) => /^(Resource)?(Sparse)?Apply[A-Z]/.test(type));
  const named = ['GradientDescent', 'Momentum', 'Adam'].map((rule) => `ResourceApply${rule}`);
  const others = types.filter((type) => !named.includes(type));
  return Object.fromEntries(others.map((type) => [type, 'optimizers and importers; applyUpdate']));
}

/** Names under which the builder of `type` may be found, the likeliest first. */
export function builderNames(type: OpName): string[] {
  const camel = type.charAt(0).toLowerCase() + type.slice(1);
  return [BUILDER_NAMES[type], camel, camel.replace(/V\d$/, '')].filter((name) => name !== undefined);
}
