/** The networks in Forerun, and their measurement. */
import * as fr from 'forerun';
import { measure, type Measurement } from '../src/measure.js';
import { imageLosses } from './forerunImages.js';
import { need, type Inputs, type Network } from './forerunInputs.js';
import { textLosses } from './forerunTexts.js';
import { NETWORKS, SIZES, type NetworkName } from './specs.js';

const { vae, sparse } = SIZES;

const crossEntropy = (inputs: Inputs, logits: fr.Tensor): fr.Tensor =>
  fr.losses.sparseSoftmaxCrossEntropy(need(inputs, 'labels'), logits);

function autoencoder(inputs: Inputs): fr.Tensor {
  const x = need(inputs, 'x');
  const hidden = fr.layers.dense(x, vae.hidden, { activation: fr.nn.relu });
  const [mean, logVariance] = [fr.layers.dense(hidden, vae.latent), fr.layers.dense(hidden, vae.latent)];
  const noise = fr.randomNormal(fr.shape(mean), { seed: 1 });
  const code = fr.add(mean, fr.mul(noise, fr.exp(fr.mul(logVariance, 0.5))));
  const decoded = fr.layers.dense(fr.layers.dense(code, vae.hidden, { activation: fr.nn.relu }), 784);
  const rebuilt = fr.reduceSum(fr.nn.sigmoidCrossEntropyWithLogits({ labels: x, logits: decoded }), {
    axis: 1,
  });
  const terms = fr.sub(fr.sub(fr.add(1, logVariance), fr.square(mean)), fr.exp(logVariance));
  return fr.reduceMean(fr.sub(rebuilt, fr.mul(0.5, fr.reduceSum(terms, { axis: 1 }))));
}

function mlp(inputs: Inputs): fr.Tensor {
  const hidden = fr.layers.dense(need(inputs, 'x'), 128, { activation: fr.nn.relu });
  return crossEntropy(inputs, fr.layers.dense(hidden, 10));
}

function mlpNorm(inputs: Inputs): fr.Tensor {
  let x = need(inputs, 'x');
  for (let layer = 0; layer < 2; layer++) {
    x = fr.layers.batchNormalization(fr.layers.dense(x, 256, { useBias: false }), { training: true });
    x = fr.nn.dropout(fr.nn.relu(x), { rate: 0.5, seed: layer });
  }
  return crossEntropy(inputs, fr.layers.dense(x, 10));
}

function sparseLogistic(inputs: Inputs): fr.Tensor {
  const table = fr.getVariable('weights', { shape: [sparse.features], initializer: fr.zerosInitializer() });
  const bias = fr.getVariable('bias', { shape: [], initializer: fr.zerosInitializer() });
  const present = fr.nn.embeddingLookup(table, need(inputs, 'features'));
  const logits = fr.add(fr.reduceSum(present, { axis: 1 }), bias);
  const labels = fr.round(need(inputs, 'labels'));
  return fr.reduceMean(fr.nn.sigmoidCrossEntropyWithLogits({ labels, logits }));
}

const LOSSES: Readonly<Record<NetworkName, Network>> = {
  vae: autoencoder,
  mlpNorm,
  mlpOne: mlp,
  sparseLogistic,
  ...imageLosses,
  ...textLosses,
};

/** A training step in the default graph: its inputs, the loss that is read, and the updates. */
export function buildNetwork(name: NetworkName): {
  inputs: fr.Tensor[];
  loss: fr.Tensor;
  train: fr.Operation;
} {
  fr.setRandomSeed(1);
  const { feeds, optimizer } = NETWORKS[name];
  const inputs = Object.entries(feeds).map(([key, { dtype, shape }]): [string, fr.Tensor] => [
    key,
    fr.placeholder(dtype, [null, ...shape.slice(1)], { name: key }),
  ]);
  const losses = LOSSES[name](Object.fromEntries(inputs));
  const minimize = (loss: fr.Tensor, scope?: string): fr.Operation => {
    const step =
      optimizer === 'adam' ? new fr.train.AdamOptimizer(1e-3) : new fr.train.GradientDescentOptimizer(0.1);
    return step.minimize(loss, scope === undefined ? {} : { varList: fr.trainableVariables(scope) });
  };
  const placeholders = inputs.map(([, input]) => input);
  if (losses instanceof fr.Tensor) return { inputs: placeholders, loss: losses, train: minimize(losses) };
  const steps = Object.entries(losses).map(([scope, loss]) => minimize(loss, scope));
  return { inputs: placeholders, loss: fr.addN(Object.values(losses)), train: fr.group(steps) };
}

/** Measures one network; the loss is read after every step. */
export async function measureForerun(name: NetworkName, steps: number): Promise<Measurement> {
  const started = performance.now();
  const { inputs, loss, train } = buildNetwork(name);
  const sess = await fr.Session.create();
  await sess.run(fr.globalVariablesInitializer());
  const step = sess.makeCallable([train, loss], inputs);
  const arrays = Object.values(NETWORKS[name].feeds).map(({ data }) => data);
  const result = await measure(sess.adapterName, steps, started, async () => {
    const [, value] = await step(...arrays);
    return value.item();
  });
  const runMetadata = new fr.RunMetadata();
  const values = Object.values(NETWORKS[name].feeds).map(
    (feed) => new fr.TensorValue(feed.dtype, feed.shape, feed.data),
  );
  const feeds = new Map(inputs.map((input, i) => [input, values[i] ?? 0]));
  await sess.run([train, loss], feeds, { runMetadata });
  const { peakBytes = 0, lowerBoundBytes = 0 } = runMetadata.plan?.memory ?? {};
  sess.close();
  return {
    ...result,
    plan: { dispatches: runMetadata.dispatches, peakBytes, lowerBoundBytes, encodeMicrosPerDispatch: NaN },
  };
}
