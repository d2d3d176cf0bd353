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
