/** The networks in tfjs on its WebGPU backend, and their measurement. */
import tf from '@tensorflow/tfjs';
import { measure, type Measurement } from '../src/measure.js';
import { napUntil } from '../src/nap.js';
import { bias, dense } from '../tfjs/layers.js';
import { openBackend } from '../tfjs/measure.js';
import { NETWORKS, SIZES, type NetworkName } from './specs.js';
import { imageLosses } from './tfjsImages.js';
import { crossEntropy, need, norm, sigmoidCrossEntropy, type Loss, type Network } from './tfjsInputs.js';
import { textLosses } from './tfjsTexts.js';

const { vae, sparse } = SIZES;

function autoencoder(): Loss {
  const { hidden, latent } = vae;
  const [encode, means, variances] = [dense(784, hidden), dense(hidden, latent), dense(hidden, latent)];
  const [widen, decode] = [dense(latent, hidden), dense(hidden, 784)];
  return (inputs) => {
    const x = need(inputs, 'x');
    const features = tf.relu(encode(x));
    const [mean, logVariance] = [means(features), variances(features)];
    const noise = tf.randomNormal(mean.shape);
    const code = tf.add(mean, tf.mul(noise, tf.exp(tf.mul(logVariance, 0.5))));
    const rebuilt = tf.sum(sigmoidCrossEntropy(x, decode(tf.relu(widen(code)))), 1);
    const terms = tf.sub(tf.sub(tf.add(1, logVariance), tf.square(mean)), tf.exp(logVariance));
    return tf.mean<tf.Scalar>(tf.sub(rebuilt, tf.mul(0.5, tf.sum(terms, 1))));
  };
}

function mlp(): Loss {
  const [first, second] = [dense(784, 128), dense(128, 10)];
  return (inputs) => crossEntropy(inputs, second(tf.relu(first(need(inputs, 'x')))), 10);
}

function mlpNorm(): Loss {
  const layers = [784, 256].map((width) => [dense(width, 256, false), norm(256)] as const);
  const classify = dense(256, 10);
  return (inputs) => {
    const features = layers.reduce<tf.Tensor>(
      (x, [product, normal]) => tf.dropout(tf.relu(normal(product(x))), 0.5),
      need(inputs, 'x'),
    );
    return crossEntropy(inputs, classify(features), 10);
  };
}

function sparseLogistic(): Loss {
  const [weights, offset] = [tf.variable(tf.zeros([sparse.features])), bias(1)];
  return (inputs) => {
    const present = tf.gather(weights, need<tf.Tensor2D>(inputs, 'features'));
    const logits = tf.add(tf.sum(present, 1), offset);
    return tf.mean<tf.Scalar>(sigmoidCrossEntropy(tf.round(need(inputs, 'labels')), logits));
  };
}

const LOSSES: Readonly<Record<NetworkName, Network>> = {
  vae: autoencoder,
  mlpNorm,
  mlpOne: mlp,
  sparseLogistic,
  ...imageLosses,
  ...textLosses,
};

/** Measures one network, with naps between polls or as shipped; the loss is read after every step. */
export async function measureTfjs(name: NetworkName, steps: number, napping: boolean): Promise<Measurement> {
  const started = performance.now();
  const adapter = await openBackend();
  const { optimizer, feeds } = NETWORKS[name];
  const made = LOSSES[name]();
  const parts = typeof made === 'function' ? [{ loss: made, variables: undefined }] : made;
  const minimizers = parts.map(() => (optimizer === 'adam' ? tf.train.adam(1e-3) : tf.train.sgd(0.1)));
  return measure(adapter, steps, started, async () => {
    const inputs = Object.fromEntries(
      Object.entries(feeds).map(([key, { data, shape, dtype }]) => [key, tf.tensor(data, [...shape], dtype)]),
    );
    const costs = parts.map(({ loss, variables }, i) =>
      minimizers[i]?.minimize(() => loss(inputs), true, variables),
    );
    const total = tf.tidy(() =>
      tf.addN(costs.flatMap((cost) => (cost === null || cost === undefined ? [] : [cost]))),
    );
    const [value = NaN] = await (napping ? napUntil(total.data()) : total.data());
    tf.dispose([...Object.values(inputs), ...costs.flatMap((cost) => (cost ? [cost] : [])), total]);
    return value;
  });
}
