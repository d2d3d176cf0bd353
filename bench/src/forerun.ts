/** The workloads in Forerun. */
import * as fr from 'forerun';
import { measure, syntheticBatch, WORKLOADS, type Measurement, type WorkloadName } from './workloads.js';

const MODELS: Record<WorkloadName, (images: fr.Tensor) => fr.Tensor> = {
  mlp: (images) => {
    const hidden = fr.layers.dense(fr.reshape(images, [-1, 784]), 128, { activation: fr.nn.relu });
    return fr.layers.dense(hidden, 10);
  },
  mnistCnn: (images) => {
    const conv = { padding: 'same', activation: fr.nn.relu } as const;
    const pool1 = fr.layers.maxPooling2d(fr.layers.conv2d(images, 32, 5, conv), 2, 2);
    const pool2 = fr.layers.maxPooling2d(fr.layers.conv2d(pool1, 64, 5, conv), 2, 2);
    const hidden = fr.layers.dense(fr.layers.flatten(pool2), 1024, { activation: fr.nn.relu });
    return fr.layers.dense(hidden, 10);
  },
};

/** Measures one workload. */
export async function measureForerun(name: WorkloadName): Promise<Measurement> {
  const started = performance.now();
  const { batch, steps } = WORKLOADS[name];
  fr.setRandomSeed(1);
  const images = fr.placeholder('float32', [null, 28, 28, 1]);
  const labels = fr.placeholder('int32', [null]);
  const loss = fr.losses.sparseSoftmaxCrossEntropy(labels, MODELS[name](images));
  const train = new fr.train.AdamOptimizer(1e-3).minimize(loss);
  const sess = await fr.Session.create();
  await sess.run(fr.globalVariablesInitializer());
  const data = syntheticBatch(batch);
  const step = sess.makeCallable([train, loss], [images, labels]);
  const result = await measure(sess.adapterName, steps, started, async () => {
    const [, value] = await step(data.images, data.labels);
    return value.item();
  });
  sess.close();
  return result;
}
