/**
 * A training run that TensorBoard shows: loss and accuracy, the distribution of the weights, what each digit's weights look
 * like, the graph, and the times of its kernels.
 *
 *   node examples/dist/summaries.js [steps]
 *   tensorboard --logdir out/summaries
 */
import * as fr from 'forerun';

const steps = Number(process.argv[2] ?? 200);
const logdir = 'out/summaries';

fr.setRandomSeed(1);
const images = fr.placeholder('float32', [null, 28, 28, 1], { name: 'images' });
const labels = fr.placeholder('int32', [null], { name: 'labels' });
const weights = fr.getVariable('weights', { shape: [784, 10], initializer: fr.initializers.zeros() });
const biases = fr.getVariable('biases', { shape: [10], initializer: fr.initializers.zeros() });
const logits = fr.add(fr.matMul(fr.reshape(images, [-1, 784]), weights), biases);
const loss = fr.losses.sparseSoftmaxCrossEntropy(labels, logits);
const correct = fr.equal(fr.argMax(logits, { axis: 1, outputType: 'int32' }), labels);
const accuracy = fr.reduceMean(fr.cast(correct, 'float32'));
const train = new fr.train.GradientDescentOptimizer(0.5).minimize(loss);

fr.summary.scalar('loss', loss);
fr.summary.scalar('accuracy', accuracy);
fr.summary.histogram('weights', weights);
// [784, 10] as ten grey images of 28 x 28.
fr.summary.image('digit', fr.reshape(fr.transpose(weights), [10, 28, 28, 1]), { maxOutputs: 10 });
const summaries = fr.summary.mergeAll();
if (summaries === null) throw new Error('there are summaries above');

const { train: digits } = await fr.data.loadMnist();
const sess = await fr.Session.create();
await sess.run(fr.globalVariablesInitializer());
await using writer = new fr.summary.FileWriter(logdir, { graph: sess.graph });
let step = 0;
for await (const batch of fr.data.Dataset.fromTensorSlices(digits)
  .shuffle(60_000, { seed: 1 })
  .repeat()
  .batch(100)
  .take(steps)) {
  const isShown = ++step % 10 === 0 || step === 1;
  if (!isShown) await sess.run(train, batch);
  else {
    // What the host puts together costs a step its single submission: every tenth is enough.
    const result = await sess.run({ summaries, train }, batch);
    writer.addSummary(result.summaries, step);
  }
}
const runMetadata = new fr.RunMetadata();
await sess.run(train, firstOf(100), { traceLevel: 'FULL_TRACE', runMetadata });
writer.addRunMetadata(runMetadata, `step ${step}`, step);
await writer.flush();
sess.close();
console.log(`wrote ${writer.path}`);
console.log(`look at it with: tensorboard --logdir ${logdir}`);

/** The first images with their labels. */
function firstOf(count: number): Record<string, fr.TensorValue> {
  return {
    images: new fr.TensorValue('float32', [count, 28, 28, 1], digits.images.data.subarray(0, count * 784)),
    labels: new fr.TensorValue('int32', [count], digits.labels.data.subarray(0, count)),
  };
}
