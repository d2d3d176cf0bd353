/**
 * Softmax regression on MNIST, TensorFlow's first tutorial ("MNIST For ML Beginners"): one matrix,
 * one bias, gradient descent. Reaches about 92%.
 *
 *   node examples/dist/softmaxRegression.js [steps]
 */
import * as fr from 'forerun';

const steps = Number(process.argv[2] ?? 1000);

fr.setRandomSeed(1);
const x = fr.placeholder('float32', [null, 784], { name: 'x' });
const labels = fr.placeholder('int32', [null], { name: 'labels' });
const w = new fr.Variable(fr.zeros([784, 10]), { name: 'w' });
const b = new fr.Variable(fr.zeros([10]), { name: 'b' });
const logits = fr.add(fr.matMul(x, w), b);
const crossEntropy = fr.reduceMean(fr.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
const train = new fr.train.GradientDescentOptimizer(0.5).minimize(crossEntropy);
const correct = fr.equal(fr.argMax(logits, { axis: 1, outputType: 'int32' }), labels);
const accuracy = fr.reduceMean(fr.cast(correct, 'float32'));
const init = fr.globalVariablesInitializer();

const mnist = await fr.data.loadMnist();
const sess = await fr.Session.create();
await sess.run(init);
const batches = fr.data.Dataset.fromTensorSlices({ images: mnist.train.images, labels: mnist.train.labels })
  .shuffle(60_000, { seed: 1 })
  .repeat()
  .batch(100)
  .take(steps);
for await (const batch of batches) {
  const images = batch.images.data;
  await sess.run(train, { x: images, labels: batch.labels });
}
const images = mnist.test.images.data;
const result = await sess.run(accuracy, { x: images, labels: mnist.test.labels });
console.log(`Test accuracy ${(100 * result.item()).toFixed(1)}% after ${steps} steps`);
sess.close();
