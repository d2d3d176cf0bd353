/**
 * Writes the layers models of fixtures/layers with TensorFlow.js, their inputs and what it computes:
 * `node packages/session/test/support/layersFixture.mjs [name …]`. Weights are random; run again only for other layers.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
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

/** The layers models by name; those named as arguments, or all. */
const MODELS = { sequential, functional, recurrent, masked, words, windows, prepared };
const asked = process.argv.slice(2);

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
  const listed = (tensors) =>
    tensors.map((t) => ({ dtype: t.dtype, shape: t.shape, data: Array.from(t.dataSync()) }));
  writeFileSync(
    `${directory}${name}/values.json`,
    JSON.stringify({ inputs: listed(inputs), outputs: listed(outputs) }),
  );
}
