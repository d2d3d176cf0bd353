/**
 * Writes the layers models of fixtures/layers with TensorFlow.js, their inputs and what it computes:
 * `node packages/session/test/support/layersFixture.mjs`. Weights are random; run again only for other layers.
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

for (const [name, make] of Object.entries({ sequential, functional })) {
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
