/**
 * The README's program: a network of one hidden layer on MNIST, trained, tested and saved. A test holds both
 * to the same text.
 *
 *   node examples/dist/quickStart.js
 */
import * as fr from 'forerun';

// Define: nothing is computed yet.
const x = fr.placeholder('float32', [null, 28, 28, 1], { name: 'x' });
const labels = fr.placeholder('int32', [null], { name: 'labels' });
const hidden = fr.layers.dense(fr.layers.flatten(x), 128, { activation: fr.nn.relu, name: 'hidden' });
const logits = fr.layers.dense(hidden, 10, { name: 'logits' });
const loss = fr.losses.sparseSoftmaxCrossEntropy(labels, logits);
const correct = fr.equal(fr.argMax(logits, { axis: 1, outputType: 'int32' }), labels);
const accuracy = fr.reduceMean(fr.cast(correct, 'float32'), { name: 'accuracy' });
const train = new fr.train.AdamOptimizer(1e-3).minimize(loss, { name: 'train' });
const init = fr.globalVariablesInitializer();
const saver = new fr.train.Saver();

// Run: the first step compiles the plan, the others only feed it.
const mnist = await fr.data.loadMnist();
const sess = await fr.Session.create();
await sess.run(init);
const digits = fr.data.Dataset.fromTensorSlices(mnist.train).shuffle(60_000, { seed: 1 }).repeat();
let step = 0;
for await (const batch of digits.batch(100).take(600)) {
  const result = await sess.run({ loss, train }, { x: batch.images, labels: batch.labels });
  if (++step % 100 === 0) console.log(`step ${step}  loss ${result.loss.item().toFixed(3)}`);
}
const result = await sess.run(accuracy, { x: mnist.test.images, labels: mnist.test.labels });
console.log(`Test accuracy ${(100 * result.item()).toFixed(1)}%`);
await fr.io.writeGraph(sess.graph, 'out/quickStart', 'graph.pb', { asText: false });
await saver.save(sess, 'out/quickStart/model.ckpt', { globalStep: step });
sess.close();
