/** The umbrella: TensorFlow's names are where a TensorFlow program looks for them. */
import * as fr from 'forerun';

/** Names that programs of TensorFlow 1.15 use, in camelCase, by namespace. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  '': [
    ...[
      'AUTO_REUSE',
      'Graph',
      'GraphKeys',
      'IndexedSlices',
      'Operation',
      'Session',
      'Tensor',
      'TensorShape',
      'Variable',
      'VariableScope',
    ],
    ...[
      'RunMetadata',
      'addToCollection',
      'argmax',
      'assign',
      'assignAdd',
      'assignSub',
      'cast',
      'clipByGlobalNorm',
    ],
    ...[
      'clipByNorm',
      'clipByValue',
      'concat',
      'constant',
      'constantInitializer',
      'controlDependencies',
      'convertToTensor',
    ],
    ...[
      'device',
      'divide',
      'expandDims',
      'fill',
      'gather',
      'getCollection',
      'getDefaultGraph',
      'getVariable',
    ],
    ...[
      'getVariableScope',
      'globalNorm',
      'globalVariables',
      'globalVariablesInitializer',
      'glorotUniformInitializer',
    ],
    ...[
      'gradients',
      'group',
      'identity',
      'importGraphDef',
      'localVariables',
      'localVariablesInitializer',
      'matMul',
    ],
    ...[
      'matmul',
      'multiply',
      'nameScope',
      'noOp',
      'oneHot',
      'ones',
      'onesLike',
      'orthogonalInitializer',
      'pad',
    ],
    ...[
      'placeholder',
      'placeholderWithDefault',
      'randomNormal',
      'randomUniform',
      'range',
      'reduceMean',
      'reduceSum',
    ],
    ...[
      'resetDefaultGraph',
      'reshape',
      'reverse',
      'setRandomSeed',
      'shape',
      'sigmoid',
      'size',
      'slice',
      'split',
      'sqrt',
    ],
    ...[
      'square',
      'squeeze',
      'stack',
      'stopGradient',
      'stridedSlice',
      'subtract',
      'tanh',
      'tile',
      'trainableVariables',
    ],
    ...['transpose', 'truncatedNormal', 'truncatedNormalInitializer', 'tuple', 'unstack', 'variableScope'],
    ...[
      'batchToSpaceNd',
      'bitcast',
      'depthToSpace',
      'reverseSequence',
      'roll',
      'spaceToBatch',
      'spaceToDepth',
      'scatterAdd',
      'scatterNdUpdate',
      'tensorScatterUpdate',
      'tensorScatterAdd',
      'unsortedSegmentMean',
      'unsortedSegmentMax',
    ],
    ...['diag', 'diagPart', 'einsum', 'eye', 'matrixBandPart', 'matrixDiag', 'tensordot', 'trace'],
    ...['variablesInitializer', 'where', 'zeros', 'zerosInitializer', 'zerosLike'],
    ...['multinomial', 'randomGamma', 'randomPoisson', 'randomShuffle'],
  ],
  nn: [
    ...['atrousConv2d', 'atrousConv2dTranspose', 'conv1d', 'conv1dTranspose', 'conv2dTranspose', 'conv3d'],
    ...['conv3dTranspose', 'convolution', 'depthwiseConv2d', 'depthwiseConv2dNative', 'separableConv2d'],
    ...['crelu', 'gelu', 'reluLayer', 'swish', 'xwPlusB'],
    ...[
      'computeAccidentalHits',
      'embeddingLookup',
      'logUniformCandidateSampler',
      'nceLoss',
      'sampledSoftmaxLoss',
    ],
    ...[
      'avgPool',
      'batchNormalization',
      'biasAdd',
      'conv2d',
      'dropout',
      'elu',
      'l2Loss',
      'l2Normalize',
      'leakyRelu',
    ],
    ...[
      'logSoftmax',
      'maxPool',
      'moments',
      'relu',
      'relu6',
      'selu',
      'sigmoid',
      'sigmoidCrossEntropyWithLogits',
    ],
    ...[
      'softmax',
      'softmaxCrossEntropyWithLogits',
      'softplus',
      'sparseSoftmaxCrossEntropyWithLogits',
      'bidirectionalDynamicRnn',
      'dynamicRnn',
      'rawRnn',
      'staticBidirectionalRnn',
      'staticRnn',
      'tanh',
      'zeroFraction',
    ],
    ...['fusedBatchNorm', 'localResponseNormalization', 'logPoissonLoss', 'lrn', 'normalizeMoments'],
    ...[
      'avgPool1d',
      'avgPool2d',
      'avgPool3d',
      'maxPool1d',
      'maxPool2d',
      'maxPool3d',
      'maxPoolWithArgmax',
      'pool',
    ],
    ...['batchNormWithGlobalNormalization', 'sufficientStatistics', 'weightedMoments'],
  ],
  bitwise: ['bitwiseAnd', 'bitwiseOr', 'bitwiseXor', 'invert', 'leftShift', 'populationCount', 'rightShift'],
  'nn.rnnCell': [
    ...['BasicLSTMCell', 'BasicRNNCell', 'DeviceWrapper', 'DropoutWrapper', 'GRUCell', 'LSTMCell'],
    ...['LSTMStateTuple', 'MultiRNNCell', 'RNNCell', 'ResidualWrapper'],
  ],
  math: [
    'logSigmoid',
    'polyval',
    'betainc',
    'digamma',
    'erfinv',
    'igamma',
    'igammac',
    'lgamma',
    'ndtri',
    'nextafter',
    'polygamma',
    'zeta',
    'abs',
    'add',
    'argmax',
    'cumsum',
    'erf',
    'exp',
    'log1p',
    'reduceStd',
    'reduceVariance',
    'sin',
    'squaredDifference',
    ...['countNonzero', 'cumulativeLogsumexp', 'l2Normalize', 'reduceAll', 'reduceAny', 'zeroFraction'],
  ],
  linalg: [
    ...['eigh', 'eigvalsh'],
    ...[
      'cholesky',
      'choleskySolve',
      'det',
      'inv',
      'logdet',
      'lstsq',
      'norm',
      'qr',
      'slogdet',
      'solve',
      'triangularSolve',
    ],
    ...['adjoint', 'bandPart', 'cross', 'diag', 'diagPart', 'einsum', 'eye', 'matmul', 'matrixTranspose'],
    ...['matvec', 'setDiag', 'tensorDiag', 'tensorDiagPart', 'tensordot', 'trace', 'transpose'],
  ],
  layers: [
    'averagePooling2d',
    'batchNormalization',
    'conv2d',
    'dense',
    'dropout',
    'flatten',
    'maxPooling2d',
    'Dense',
    'Conv2D',
    ...['maxPooling1d', 'maxPooling3d', 'averagePooling1d', 'averagePooling3d', 'globalAveragePooling2d'],
    ...['globalMaxPooling2d', 'layerNormalization', 'instanceNormalization', 'groupNormalization'],
  ],
  losses: [
    ...['Reduction', 'absoluteDifference', 'addLoss', 'computeWeightedLoss', 'cosineDistance', 'getLosses'],
    ...[
      'getRegularizationLoss',
      'getRegularizationLosses',
      'getTotalLoss',
      'hingeLoss',
      'huberLoss',
      'logLoss',
    ],
    ...['meanSquaredError', 'sigmoidCrossEntropy', 'softmaxCrossEntropy', 'sparseSoftmaxCrossEntropy'],
  ],
  metrics: ['accuracy', 'mean', 'meanSquaredError'],
  train: [
    ...['AdadeltaOptimizer', 'AdagradDAOptimizer', 'AdagradOptimizer', 'AdaMaxOptimizer', 'AdamWOptimizer'],
    ...['FtrlOptimizer', 'LAMBOptimizer', 'MomentumWOptimizer', 'NadamOptimizer', 'ProximalAdagradOptimizer'],
    ...['ProximalGradientDescentOptimizer', 'RMSPropOptimizer', 'SGDWOptimizer'],
    ...[
      'AdamOptimizer',
      'GradientDescentOptimizer',
      'MomentumOptimizer',
      'Optimizer',
      'Saver',
      'cosineDecay',
    ],
    ...['createGlobalStep', 'exponentialDecay', 'exportMetaGraph', 'getGlobalStep', 'getOrCreateGlobalStep'],
    ...[
      'importMetaGraph',
      'inverseTimeDecay',
      'latestCheckpoint',
      'naturalExpDecay',
      'piecewiseConstant',
      'polynomialDecay',
    ],
  ],
  initializers: [
    'glorotNormal',
    'glorotUniform',
    'heNormal',
    'heUniform',
    'identity',
    'lecunNormal',
    'orthogonal',
    'zeros',
  ],
  image: [
    ...['ResizeMethod', 'adjustBrightness', 'adjustContrast', 'adjustGamma', 'adjustHue', 'adjustSaturation'],
    ...['centralCrop', 'convertImageDtype', 'cropAndResize', 'cropToBoundingBox', 'extractImagePatches'],
    ...['extractPatches', 'flipLeftRight', 'flipUpDown', 'grayscaleToRgb', 'hsvToRgb', 'padToBoundingBox'],
    ...['perImageStandardization', 'resize', 'resizeArea', 'resizeBicubic', 'resizeBilinear'],
    ...['resizeImageWithCropOrPad', 'resizeImageWithPad', 'resizeImages', 'resizeNearestNeighbor'],
    ...['resizeWithCropOrPad', 'rgbToGrayscale', 'rgbToHsv', 'rgbToYiq', 'rgbToYuv', 'rot90'],
    ...['transposeImage', 'yiqToRgb', 'yuvToRgb', 'combinedNonMaxSuppression', 'drawBoundingBoxes'],
    ...['imageGradients', 'nonMaxSuppression', 'nonMaxSuppressionPadded', 'nonMaxSuppressionWithScores'],
    ...['psnr', 'randomBrightness', 'randomContrast', 'randomFlipLeftRight', 'randomFlipUpDown', 'randomHue'],
    ...['randomSaturation', 'sampleDistortedBoundingBox', 'sobelEdges', 'ssim', 'ssimMultiscale'],
    ...['totalVariation', 'nonMaxSuppressionOverlaps', 'randomCrop', 'transpose'],
  ],
  random: [
    ...['categorical', 'gamma', 'getSeed', 'multinomial', 'normal', 'poisson', 'setRandomSeed', 'setSeed'],
    ...['shuffle', 'statelessCategorical', 'statelessNormal', 'statelessTruncatedNormal', 'statelessUniform'],
    ...['truncatedNormal', 'uniform', 'allCandidateSampler', 'fixedUnigramCandidateSampler'],
    ...['learnedUnigramCandidateSampler', 'logUniformCandidateSampler', 'uniformCandidateSampler'],
  ],
  io: ['readGraph', 'writeGraph'],
  data: ['Dataset', 'loadMnist'],
  errors: ['FailedPreconditionError', 'InvalidArgumentError', 'NotFoundError', 'UnimplementedError'],
};

describe('forerun', () => {
  it.each(Object.entries(NAMES))('has the names of fr.%s', (namespace, names) => {
    const path = namespace === '' ? [] : namespace.split('.');
    const module = path.reduce<unknown>((outer, name) => Reflect.get(Object(outer) as object, name), fr);
    if (typeof module !== 'object' || module === null) throw new Error(`there is no namespace ${namespace}`);
    const defined = new Map(Object.entries(module));
    expect(names.filter((name) => defined.get(name) === undefined)).toEqual([]);
  });

  it('exports no internal tables and nothing undefined', () => {
    const entries: [string, unknown][] = Object.entries(fr);
    expect(entries.filter(([, value]) => value === undefined)).toEqual([]);
    const constants = entries.map(([name]) => name).filter((name) => /^[A-Z_]+$/.test(name));
    expect(constants).toEqual(['AUTO_REUSE']);
  });

  it('builds a program of TensorFlow 1 line by line', () => {
    new fr.Graph().asDefault(() => {
      const x = fr.placeholder('float32', [null, 784], { name: 'x' });
      const labels = fr.placeholder('int32', [null]);
      const hidden = fr.layers.dense(x, 16, { activation: fr.nn.relu });
      const logits = fr.layers.dense(fr.nn.dropout(hidden, 0.5), 10);
      const loss = fr.losses.sparseSoftmaxCrossEntropy(labels, logits);
      const globalStep = fr.train.getOrCreateGlobalStep();
      const rate = fr.train.exponentialDecay(0.1, globalStep, 100, 0.9);
      const optimizer: fr.train.Optimizer = new fr.train.AdamOptimizer(rate);
      expect(optimizer.minimize(loss, { globalStep }).name).toBe('Adam');
      expect(fr.trainableVariables().map((v) => v.op.name)).toEqual([
        'dense/kernel',
        'dense/bias',
        'dense_1/kernel',
        'dense_1/bias',
      ]);
    });
  });
});
