/**
 * Writes the layers models of fixtures/layers with TensorFlow.js, their inputs and what it computes:
 * `node packages/session/test/support/layersFixture.mjs [name …]`. Weights are random; run again only for other layers.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs');
const directory = fileURLToPath(new URL('../fixtures/layers/', import.meta.url));
await tf.setBackend('cpu');

const { layers } = tf;

/** A Sequential model of the layers of an image classifier. */
function sequential() {
  return tf.sequential({
    layers: [
      layers.conv2d({
        inputShape: [9, 8, 3],
        filters: 4,
        kernelSize: 3,
        strides: 2,
        padding: 'same',
        activation: 'relu',
      }),
      layers.batchNormalization(),
      layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same', useBias: false }),
      layers.leakyReLU({ alpha: 0.1 }),
      layers.separableConv2d({ filters: 6, kernelSize: [2, 3], activation: 'elu' }),
      layers.maxPooling2d({ poolSize: 2, padding: 'same' }),
      layers.upSampling2d({ size: [2, 2] }),
      layers.averagePooling2d({ poolSize: [2, 1], strides: [1, 1] }),
      layers.dropout({ rate: 0.5 }),
      layers.flatten(),
      layers.dense({ units: 5, activation: 'softmax' }),
    ],
  });
}

/** A functional model with branches, a layer that is used twice and a model in a model. */
function functional() {
  const image = tf.input({ shape: [6, 6, 2], name: 'image' });
  const words = tf.input({ shape: [4], dtype: 'int32', name: 'words' });
  const shared = layers.conv2d({ filters: 3, kernelSize: 1, activation: 'tanh' });
  const padded = layers
    .zeroPadding2d({
      padding: [
        [1, 0],
        [0, 2],
      ],
    })
    .apply(image);
  const cropped = layers
    .cropping2D({
      cropping: [
        [0, 1],
        [1, 1],
      ],
    })
    .apply(padded);
  const both = layers.add().apply([shared.apply(image), shared.apply(cropped)]);
  const inner = tf.sequential({
    layers: [layers.dense({ inputShape: [6, 6, 3], units: 2 }), layers.reLU({ maxValue: 1 })],
  });
  const pooled = layers.globalAveragePooling2d({}).apply(inner.apply(both));
  const embedded = layers.embedding({ inputDim: 7, outputDim: 3 }).apply(words);
  const normal = layers.layerNormalization().apply(embedded);
  const permuted = layers.permute({ dims: [2, 1] }).apply(normal);
  const flat = layers.reshape({ targetShape: [12] }).apply(permuted);
  const joined = layers.concatenate().apply([pooled, flat]);
  const score = layers
    .dense({ units: 2, useBias: false, activation: 'sigmoid', name: 'score' })
    .apply(joined);
  const scaled = layers
    .multiply({ name: 'scaled' })
    .apply([score, layers.activation({ activation: 'softplus' }).apply(score)]);
  return tf.model({ inputs: [image, words], outputs: [score, scaled] });
}

/**
 * Recurrent layers without masks, with states that come out. They are apart from those with masks because TensorFlow.js hands the mask of
 * one layer on to the layers that it computes afterwards, whatever their inputs.
 */
function recurrent() {
  const steps = tf.input({ shape: [5, 3], name: 'steps' });
  const [lstm, h, c] = layers.lstm({ units: 4, returnState: true }).apply(steps);
  const each = layers.timeDistributed({ layer: layers.dense({ units: 2, activation: 'tanh' }) }).apply(steps);
  const both = layers
    .bidirectional({
      layer: layers.lstm({ units: 2, returnSequences: true }),
      mergeMode: 'concat',
      name: 'both',
    })
    .apply(each);
  const simple = layers.simpleRNN({ units: 4, useBias: false, goBackwards: true }).apply(both);
  const mean = layers.bidirectional({ layer: layers.simpleRNN({ units: 3 }), mergeMode: 'ave' }).apply(steps);
  const all = layers.concatenate({ name: 'all' }).apply([lstm, h, c, simple, mean]);
  return tf.model({ inputs: steps, outputs: [all, both] });
}

/** A mask goes on through recurrent layers to the first that gives no sequence. */
function masked() {
  return tf.sequential({
    layers: [
      layers.masking({ maskValue: 0.5, inputShape: [5, 3] }),
      layers.simpleRNN({ units: 4, activation: 'relu', returnSequences: true }),
      layers.gru({ units: 4, recurrentActivation: 'sigmoid', goBackwards: true, returnSequences: true }),
      layers.lstm({ units: 3, recurrentActivation: 'hardSigmoid' }),
    ],
  });
}

/** Words of which the number 0 does not count, in a stack of cells and in both directions. */
function words() {
  const given = tf.input({ shape: [5], dtype: 'int32', name: 'words' });
  const embedded = layers.embedding({ inputDim: 7, outputDim: 3, maskZero: true }).apply(given);
  const summed = layers.bidirectional({ layer: layers.gru({ units: 4 }), mergeMode: 'sum' }).apply(embedded);
  const cells = [layers.lstmCell({ units: 3 }), layers.gruCell({ units: 4, useBias: false })];
  const stack = layers.rnn({ cell: cells, returnSequences: true }).apply(embedded);
  return tf.model({ inputs: given, outputs: [summed, stack] });
}

/** Convolutions and pools of one and three dimensions, transposed ones, and layers that merge. */
function windows() {
  const sound = tf.input({ shape: [12, 3], name: 'sound' });
  const volume = tf.input({ shape: [4, 5, 4, 2], name: 'volume' });
  const image = tf.input({ shape: [4, 5, 2], name: 'image' });
  let y = layers
    .conv1d({ filters: 4, kernelSize: 3, padding: 'valid', dilationRate: 2, activation: 'relu' })
    .apply(sound);
  y = layers.conv1d({ filters: 4, kernelSize: 2, strides: 2, padding: 'same' }).apply(y);
  y = layers.maxPooling1d({ poolSize: 2, strides: 1, padding: 'same' }).apply(y);
  y = layers.averagePooling1d({ poolSize: 2, strides: 2 }).apply(y);
  const vector = layers.globalAveragePooling1d().apply(y);
  let v = layers.conv3d({ filters: 3, kernelSize: 2, padding: 'same', strides: [1, 2, 1] }).apply(volume);
  v = layers.maxPooling3d({ poolSize: [2, 1, 2], strides: [1, 1, 1], padding: 'same' }).apply(v);
  v = layers.averagePooling3d({ poolSize: [2, 2, 2] }).apply(v);
  v = layers.conv3dTranspose({ filters: 2, kernelSize: 2, strides: 2, padding: 'valid' }).apply(v);
  const grown = layers
    .conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' })
    .apply(image);
  const valid = layers
    .conv2dTranspose({ filters: 2, kernelSize: [2, 3], strides: [2, 1], padding: 'valid', useBias: false })
    .apply(image);
  const peak = layers.globalMaxPooling2d({ dataFormat: 'channelsLast' }).apply(grown);
  const apart = layers.thresholdedReLU({ theta: 0.1 }).apply(peak);
  const least = layers.minimum().apply([layers.dense({ units: 3 }).apply(vector), apart]);
  const most = layers.maximum().apply([least, apart]);
  const mean = layers.average().apply([least, most, apart]);
  const product = layers.dot({ axes: 1, normalize: true }).apply([mean, least]);
  const repeated = layers.repeatVector({ n: 2 }).apply(mean);
  const turned = layers
    .dot({ axes: [2, 1], name: 'turned' })
    .apply([repeated, layers.permute({ dims: [2, 1] }).apply(repeated)]);
  return tf.model({ inputs: [sound, volume, image], outputs: [product, turned, v, valid] });
}

/** Sequences of images, and layers that prepare images and numbers of classes. */
function prepared() {
  const film = tf.input({ shape: [3, 5, 6, 2], name: 'film' });
  const image = tf.input({ shape: [6, 7, 2], name: 'image' });
  const classes = tf.input({ shape: [4], dtype: 'int32', name: 'classes' });
  const volume = tf.input({ shape: [2, 3, 4, 3], name: 'volume' });
  const frames = layers.convLstm2d({ filters: 3, kernelSize: [2, 3], strides: [1, 2], padding: 'same', returnSequences: true }).apply(film);
  const last = layers.convLstm2d({ filters: 2, kernelSize: 2, useBias: false, recurrentActivation: 'sigmoid', goBackwards: true }).apply(frames);
  const first = layers.permute({ dims: [3, 1, 2] }).apply(image);
  const grown = layers.upSampling2d({ size: [2, 3], dataFormat: 'channelsFirst' }).apply(first);
  const deep = layers.conv3d({ filters: 2, kernelSize: 2, dataFormat: 'channelsFirst' }).apply(volume);
  const outputs = [
    last, grown, deep,
    layers.centerCrop({ height: 4, width: 3 }).apply(image),
    layers.categoryEncoding({ numTokens: 7 }).apply(classes),
    layers.categoryEncoding({ numTokens: 7, outputMode: 'count', name: 'counts' }).apply(classes),
  ];
  return tf.model({ inputs: [film, image, classes, volume], outputs });
} // prettier-ignore

/**
 * Attention, which TensorFlow.js computes but neither saves nor runs in models: its layers are called one by one, and the model is described as
 * Keras describes it. Two sequences, of which the first has steps that do not count; images that are resized.
 */
async function attention() {
  // The packages' modules name each other without endings, and the bundle leaves these layers out.
  const resolve = `export const resolve = async (name, context, next) => {
    if (name === '@tensorflow/tfjs-core') return next('@tensorflow/tfjs-core/dist/index.js', context);
    for (const ending of ['', '.js', '/index.js']) try { return await next(name + ending, context); } catch {}
    throw new Error(name);
  };`;
  globalThis.require = require;
  register(`data:text/javascript,${encodeURIComponent(resolve)}`);
  const load = (path) => import(`@tensorflow/tfjs-layers/dist/layers/${path}.js`);
  const { MultiHeadAttention } = await load('nlp/multihead_attention');
  const { PositionEmbedding } = await load('nlp/modeling/position_embedding');
  const { Resizing } = await load('preprocessing/image_resizing');
  const weights = [];
  let seed = 100;
  const drawn = (name, shape) => {
    const value = tf.randomUniform(shape, -0.7, 0.7, 'float32', seed++);
    weights.push({ name, value });
    return value;
  };
  const heads = (name, config, query, value) => {
    const layer = new MultiHeadAttention({ ...config, name, kernelInitializer: 'zeros' });
    layer.buildFromSignature(query.shape, value.shape);
    const parts = { query: layer._queryDense, key: layer._keyDense, value: layer._valueDense, attention_output: layer._outputDense };
    for (const [part, dense] of Object.entries(parts)) {
      // A part has its weights when it was called.
      const x = part === 'query' ? query : part === 'attention_output' ? tf.zeros([...query.shape.slice(0, -1), config.numHeads, config.valueDim ?? config.keyDim]) : value;
      dense.apply(x);
      dense.setWeights(dense.getWeights().map((w, i) => drawn(`${name}/${part}/${i === 0 ? 'kernel' : 'bias'}`, w.shape)));
    }
    return layer;
  };
  const words = tf.tensor([3, 1, 0, 5, 2, 6, 4, 0, 0, 1], [2, 5], 'int32');
  const memory = tf.randomUniform([2, 3, 4], -1, 1, 'float32', 7);
  const volume = tf.randomUniform([2, 3, 2, 4], -1, 1, 'float32', 8);
  const image = tf.randomUniform([1, 4, 5, 2], -1, 1, 'float32', 9);
  const embedded = tf.gather(drawn('embedding/embeddings', [7, 4]), words);
  const places = new PositionEmbedding({ sequenceLength: 8, name: 'places', initializer: 'zeros' });
  const placed = places.apply(embedded);
  places.setWeights([drawn('places/embeddings', [8, 4])]);
  const x = tf.add(embedded, places.apply(placed));
  x.kerasMask = tf.notEqual(words, 0);
  const own = heads('own', { numHeads: 2, keyDim: 3 }, x, x).call(x, { value: x, useCausalMask: true });
  const across = heads('across', { numHeads: 3, keyDim: 2, valueDim: 5, useBias: false, outputShape: 6 }, x, memory).call(x, { value: memory });
  const planes = heads('planes', { numHeads: 2, keyDim: 2, attentionAxes: [1, 2] }, volume, volume).call(volume, { value: volume });
  const config = (name, rest) => ({ name, trainable: true, dtype: 'float32', ...rest });
  const from = (name, kwargs = {}) => [name, 0, 0, kwargs];
  const input = (name, { shape, dtype }) => ({ class_name: 'InputLayer', name, config: { name, dtype, batch_input_shape: [null, ...shape.slice(1)] }, inbound_nodes: [] });
  const layer = (class_name, name, rest, inbound) => ({ class_name, name, config: config(name, rest), inbound_nodes: [inbound] });
  const list = [
    input('words', words), input('memory', memory), input('volume', volume), input('image', image),
    layer('Embedding', 'embedding', { input_dim: 7, output_dim: 4, mask_zero: true }, [from('words')]),
    layer('PositionEmbedding', 'places', { sequence_length: 8 }, [from('embedding')]),
    layer('Add', 'sum', {}, [from('embedding'), from('places')]),
    layer('MultiHeadAttention', 'own', { num_heads: 2, key_dim: 3, value_dim: 3, use_bias: true, output_shape: null, attention_axes: null }, [from('sum', { value: ['sum', 0, 0], use_causal_mask: true })]),
    layer('MultiHeadAttention', 'across', { num_heads: 3, key_dim: 2, value_dim: 5, use_bias: false, output_shape: 6, attention_axes: [1] }, [from('sum', { value: ['memory', 0, 0] })]),
    layer('MultiHeadAttention', 'planes', { num_heads: 2, key_dim: 2, value_dim: 2, use_bias: true, attention_axes: [1, 2] }, [from('volume'), from('volume')]),
    layer('Resizing', 'wide', { height: 3, width: 8, interpolation: 'bilinear', crop_to_aspect_ratio: false }, [from('image')]),
    layer('Resizing', 'near', { height: 7, width: 3, interpolation: 'nearest', crop_to_aspect_ratio: true }, [from('image')]),
    layer('RandomHeight', 'same', { factor: 0.5 }, [from('near')]),
  ];
  const sized = (rest) => new Resizing(rest).call(image, {});
  const near = sized({ height: 7, width: 3, interpolation: 'nearest', cropToAspectRatio: true });
  const outputs = { own, across, planes, wide: sized({ height: 3, width: 8 }), same: near };
  const modelTopology = {
    class_name: 'Functional',
    config: {
      name: 'attention',
      layers: list,
      input_layers: ['words', 'memory', 'volume', 'image'].map((name) => [name, 0, 0]),
      output_layers: Object.keys(outputs).map((name) => [name, 0, 0]),
    },
  };
  writeModel('attention', modelTopology, weights);
  writeFileSync(`${directory}attention/values.json`, JSON.stringify({ inputs: listed([words, memory, volume, image]), outputs: listed(Object.values(outputs)) }));
} // prettier-ignore

/** Writes a model from its description and its named weights. */
function writeModel(name, modelTopology, weights) {
  mkdirSync(`${directory}${name}`, { recursive: true });
  const specs = weights.map(({ name: weight, value }) => ({
    name: weight,
    shape: value.shape,
    dtype: 'float32',
  }));
  const weightsManifest = [{ paths: ['weights.bin'], weights: specs }];
  const json = { format: 'layers-model', generatedBy: 'TensorFlow.js', modelTopology, weightsManifest };
  writeFileSync(`${directory}${name}/model.json`, JSON.stringify(json));
  const parts = weights.map(({ value }) => Buffer.from(new Float32Array(value.dataSync()).buffer));
  writeFileSync(`${directory}${name}/weights.bin`, Buffer.concat(parts));
}

const listed = (tensors) => tensors.map((t) => ({ dtype: t.dtype, shape: t.shape, data: Array.from(t.dataSync()) })); // prettier-ignore

/** The layers models by name; those named as arguments, or all. */
const MODELS = { sequential, functional, recurrent, masked, words, windows, prepared };
const asked = process.argv.slice(2);

if (asked.length === 0 || asked.includes('attention')) await attention();

for (const [name, make] of Object.entries(MODELS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const model = make();
  // Weights away from zeros and ones, variances positive.
  model.setWeights(
    model
      .getWeights()
      .map((w, i) => tf.randomUniform(w.shape, 0.1, 0.9, 'float32', i + 1).sub(i % 3 === 0 ? 0.4 : 0)),
  );
  const inputs = model.inputs.map(({ shape, dtype }, i) => {
    const sizes = shape.map((dim) => dim ?? 2);
    return dtype === 'int32'
      ? tf.randomUniform(sizes, 0, 7, 'int32', i)
      : tf.randomUniform(sizes, -1, 1, 'float32', i);
  });
  // Steps that the mask leaves out.
  if (name === 'masked') {
    const kept = tf.tensor([1, 1, 1, 1, 1, 1, 0, 1, 0, 0], [2, 5, 1]);
    inputs[0] = inputs[0].mul(kept).add(kept.mul(-0.5).add(0.5));
  }
  const outputs = [model.predict(inputs)].flat();
  mkdirSync(`${directory}${name}`, { recursive: true });
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      const json = { format: 'layers-model', generatedBy: 'TensorFlow.js', modelTopology, weightsManifest };
      writeFileSync(`${directory}${name}/model.json`, JSON.stringify(json));
      writeFileSync(`${directory}${name}/weights.bin`, Buffer.from(weightData));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  writeFileSync(
    `${directory}${name}/values.json`,
    JSON.stringify({ inputs: listed(inputs), outputs: listed(outputs) }),
  );
}
