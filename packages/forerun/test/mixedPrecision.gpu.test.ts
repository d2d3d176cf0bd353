/** Training in mixed precision: float32 variables, products and activations in float16, a scaled loss. */
import * as fr from 'forerun';
import { Random } from '@forerun/testing';

const CLASSES = 4;
const SCALE = 1024;

/** Images of noise with a bright quarter, which is the class. */
function batch(random: Random, size: number): { images: Float32Array; labels: Int32Array } {
  const labels = Int32Array.from({ length: size }, (_, i) => i % CLASSES);
  const noise = random.array(size * 64);
  const images = Float32Array.from(noise, (x, k) => {
    const [row, column] = [(k >> 3) & 7, k & 7];
    return 0.5 * x + (2 * (row >> 2) + (column >> 2) === labels[k >> 6] ? 1 : 0);
  });
  return { images, labels };
}

/** A small convolutional network whose layers compute in `dtype`. Losses and variables are float32. */
function build(dtype: 'float16' | 'float32') {
  const images = fr.placeholder('float32', [null, 8, 8, 1], { name: 'images' });
  const labels = fr.placeholder('int32', [null], { name: 'labels' });
  const weight = (name: string, shape: number[], deviation: number): fr.Tensor =>
    fr.cast(
      fr.getVariable(name, {
        shape,
        initializer: fr.initializers.truncatedNormal({ stddev: deviation, seed: 7 }),
      }),
      dtype,
    );
  const conv = fr.nn.conv2d(fr.cast(images, dtype), weight('conv', [3, 3, 1, 8], 0.3), {
    strides: 1,
    padding: 'SAME',
  });
  const pooled = fr.nn.maxPool2d(fr.nn.relu(conv), { ksize: 2, strides: 2, padding: 'SAME' });
  const flat = fr.reshape(pooled, [-1, 128]);
  const logits = fr.nn.biasAdd(
    fr.matMul(flat, weight('dense', [128, CLASSES], 0.1)),
    weight('bias', [CLASSES], 0.1),
  );
  const loss = fr.losses.sparseSoftmaxCrossEntropy(labels, fr.cast(logits, 'float32'));
  const optimizer = new fr.train.MomentumOptimizer(0.05, 0.9);
  const scaled = optimizer.computeGradients(fr.mul(loss, SCALE));
  const train = optimizer.applyGradients(
    scaled.map(([gradient, variable]) => [
      gradient === null ? null : fr.div(gradient as fr.Tensor, SCALE),
      variable,
    ]),
  );
  return { images, labels, loss, train, init: fr.globalVariablesInitializer() };
}

/** The losses of forty steps. */
async function losses(dtype: 'float16' | 'float32'): Promise<number[]> {
  const graph = new fr.Graph();
  const { images, labels, loss, train, init } = graph.asDefault(() => build(dtype));
  const sess = await fr.Session.create({ graph });
  try {
    await sess.run(init);
    const random = new Random(3);
    const history: number[] = [];
    for (let step = 0; step < 40; step++) {
      const data = batch(random, 32);
      const got = await sess.run({ loss, train }, [
        [images, data.images],
        [labels, data.labels],
      ]);
      history.push(got.loss.item());
    }
    return history;
  } finally {
    sess.close();
  }
}

test('a network learns in float16 as it does in float32', async () => {
  const [half, single] = [await losses('float16'), await losses('float32')];
  expect(half[0]).toBeCloseTo(Math.log(CLASSES), 0);
  expect(half.at(-1)).toBeLessThan(0.1);
  // The first steps, before roundings have been multiplied.
  for (let step = 0; step < 5; step++) expect(half[step]).toBeCloseTo(single[step] ?? NaN, 2);
});

test('layers on float16 inputs have float16 variables, and Adam trains them', async () => {
  const graph = new fr.Graph();
  const { loss, train, init, kernel, statistics } = graph.asDefault(() => {
    const x = fr.cast(fr.randomUniform([32, 4, 4, 2], { seed: 1 }), 'float16');
    const hidden = fr.layers.conv2d(x, 4, 3, {
      kernelInitializer: fr.initializers.glorotUniform({ seed: 2 }),
    });
    const normal = fr.layers.batchNormalization(hidden, { training: true });
    const y = fr.layers.dense(fr.layers.flatten(normal), 1, { kernelInitializer: fr.initializers.zeros() });
    const objective = fr.reduceMean(fr.squaredDifference(fr.cast(y, 'float32'), 2));
    return {
      loss: objective,
      // The default of 1e-8 is 0 in float16.
      train: new fr.train.AdamOptimizer(0.05, { epsilon: 1e-3 }).minimize(objective),
      init: fr.globalVariablesInitializer(),
      kernel: fr.trainableVariables()[0],
      statistics: fr.globalVariables().find((variable) => variable.name.includes('moving_mean')),
    };
  });
  expect(kernel?.dtype).toBe('float16');
  expect(statistics?.dtype).toBe('float32');
  const sess = await fr.Session.create({ graph });
  try {
    await sess.run(init);
    const before = (await sess.run(loss)).item();
    for (let step = 0; step < 30; step++) await sess.run(train);
    expect((await sess.run(loss)).item()).toBeLessThan(before / 10);
  } finally {
    sess.close();
  }
});

test('uniform numbers in float16 stay below 1', async () => {
  const graph = new fr.Graph();
  const x = graph.asDefault(() => fr.randomUniform([8, 1024], { dtype: 'float16', seed: 3 }));
  const sess = await fr.Session.create({ graph });
  try {
    const numbers = ((await sess.run(x)).toArray() as number[][]).flat();
    expect(Math.max(...numbers)).toBe(1 - 2 ** -10);
    expect(Math.min(...numbers)).toBe(0);
    expect(numbers.reduce((sum, value) => sum + value) / numbers.length).toBeCloseTo(0.5, 1);
  } finally {
    sess.close();
  }
});
