/**
 * The main example: the convolutional network of TensorFlow's tutorial "Deep MNIST for Experts",
 * trained on the 60,000 real images. Shows the whole life of a graph: build, compile, train, save,
 * restore, evaluate.
 *
 *   npm run mnist                            about two minutes, 97% or more
 *   npm run mnist -- --full                  five passes over the images, 99% and above
 *   npm run mnist -- --restore out/mnist     goes on from the last checkpoint
 */
import { Command, InvalidArgumentError } from 'commander';
import * as fr from 'forerun';
import { duration, TrainingProgress } from './support/progress.js';
import { StepLog } from './support/stepLog.js';

const STEPS = 400;
const FULL_STEPS = 3000;

interface Options {
  readonly steps?: number;
  readonly batch: number;
  readonly restore?: string;
  readonly out: string;
  readonly log?: string;
  readonly seed: number;
  readonly full: boolean;
  readonly test: number;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('expected a whole number');
  return value;
}

function parseOptions(): Options {
  return new Command('mnist')
    .description('Trains a convolutional network on MNIST with WebGPU.')
    .option('--steps <n>', 'training steps (default: 400, with --full 3000)', count)
    .option('--batch <n>', 'images per step', count, 100)
    .option('--restore <dir>', 'go on from the last checkpoint in this directory')
    .option('--out <dir>', 'where the graph and the checkpoints go', 'out/mnist')
    .option('--log <file>', 'write step, loss and accuracy of every step to this file, a JSON object a line')
    .option('--seed <n>', 'seed of weights, dropout and the order of images', count, 1)
    .option('--test <n>', 'how many of the 10,000 test images to evaluate', count, 10_000)
    .option('--full', 'five passes over the training images with a decaying learning rate', false)
    .parse()
    .opts<Options>();
}

/** Conv 5x5x32, pool, conv 5x5x64, pool, dense 1024, dropout, dense 10. */
function buildModel(full: boolean) {
  const images = fr.placeholder('float32', [null, 28, 28, 1], { name: 'images' });
  const labels = fr.placeholder('int32', [null], { name: 'labels' });
  const keepProb = fr.placeholderWithDefault(1, [], { name: 'keep_prob' });
  const conv = { padding: 'same', activation: fr.nn.relu } as const;

  const conv1 = fr.layers.conv2d(images, 32, 5, { ...conv, name: 'conv1' });
  const pool1 = fr.layers.maxPooling2d(conv1, 2, 2, { name: 'pool1' });
  const conv2 = fr.layers.conv2d(pool1, 64, 5, { ...conv, name: 'conv2' });
  const pool2 = fr.layers.maxPooling2d(conv2, 2, 2, { name: 'pool2' });
  const flat = fr.layers.flatten(pool2);
  const hidden = fr.layers.dense(flat, 1024, { activation: fr.nn.relu, name: 'fc1' });
  const dropped = fr.nn.dropout(hidden, { keepProb });
  const logits = fr.layers.dense(dropped, 10, { name: 'logits' });

  const loss = fr.losses.sparseSoftmaxCrossEntropy(labels, logits);
  const correct = fr.equal(fr.argMax(logits, { axis: 1, outputType: 'int32' }), labels);
  const accuracy = fr.reduceMean(fr.cast(correct, 'float32'), { name: 'accuracy' });
  const globalStep = fr.train.getOrCreateGlobalStep();
  const learningRate = full ? fr.train.cosineDecay(1e-3, globalStep, FULL_STEPS) : 1e-3;
  const train = new fr.train.AdamOptimizer(learningRate).minimize(loss, { globalStep, name: 'train' });
  fr.nn.softmax(logits, { name: 'probabilities' });
  return { images, labels, keepProb, loss, correct, accuracy, globalStep, train };
}

type Model = ReturnType<typeof buildModel>;

/** Compiles ahead, so that the first step does not stand still, and says what comes out. */
async function compilePlan(sess: fr.Session, model: Model, batch: number): Promise<void> {
  const { images, labels, keepProb, train, loss, accuracy } = model;
  const shapes = new Map<fr.Tensor, readonly number[]>([
    [images, [batch, 28, 28, 1]],
    [labels, [batch]],
    [keepProb, []],
  ]);
  const report = await sess.compile([train, loss, accuracy], shapes);
  const megabytes = (report.memory.peakBytes / 2 ** 20).toFixed(1);
  console.log(
    `Compiled ${report.graphNodes} graph nodes into ${report.dispatches} dispatches, ${megabytes} MiB of temporaries ` +
      `(${(report.memory.naiveBytes / 2 ** 20).toFixed(1)} without sharing), in ${(report.compileMilliseconds / 1000).toFixed(1)} s. The driver compiles the kernels during the first step.`,
  );
}

async function evaluate(
  sess: fr.Session,
  model: Model,
  test: fr.data.MnistSplit,
  limit: number,
): Promise<number> {
  let right = 0;
  const { images, labels, correct } = model;
  const batches = fr.data.Dataset.fromTensorSlices({ images: test.images, labels: test.labels })
    .take(limit)
    .batch(500);
  for await (const batch of batches) {
    const result = await sess.run(correct, [
      [images, batch.images],
      [labels, batch.labels],
    ]);
    right += (result.data as Uint8Array).reduce((sum, hit) => sum + hit, 0);
  }
  return right / limit;
}

/** Sets variables and random step as they were when the newest checkpoint of a directory was written. */
async function restore(sess: fr.Session, saver: fr.train.Saver, directory: string): Promise<void> {
  const checkpoint = await fr.train.latestCheckpoint(directory);
  if (checkpoint === null) throw new fr.errors.NotFoundError(`there is no checkpoint in "${directory}"`);
  await saver.restore(sess, checkpoint);
  console.log(`Restored ${checkpoint}`);
}

/** Trains `steps` steps, going on in the order of images where step `first` left it. */
async function trainSteps(
  sess: fr.Session,
  model: Model,
  train: fr.data.MnistSplit,
  { first, steps, batch, seed, log: logFile }: Options & { first: number; steps: number },
): Promise<void> {
  const dataset = fr.data.Dataset.fromTensorSlices({ images: train.images, labels: train.labels })
    .shuffle(60_000, { seed })
    .repeat()
    .batch(batch)
    .skip(first)
    .take(steps);
  const runStep = sess.makeCallable(
    [model.train, model.loss, model.accuracy],
    [model.images, model.labels, model.keepProb],
  );
  const progress = new TrainingProgress(first, first + steps, batch);
  const log = new StepLog(logFile);
  const started = performance.now();
  let step = first;
  for await (const { images, labels } of dataset) {
    const [, loss, accuracy] = await runStep(images, labels, 0.5);
    const measures = { loss: loss.item(), accuracy: accuracy.item() };
    progress.update(++step, measures);
    log.write({ step, ...measures });
  }
  progress.stop();
  log.close();
  console.log(`Trained ${steps} steps in ${duration((performance.now() - started) / 1000)}`);
}

async function main(): Promise<void> {
  const options = parseOptions();
  const steps = options.steps ?? (options.full ? FULL_STEPS : STEPS);
  fr.setRandomSeed(options.seed);
  const model = buildModel(options.full);
  const init = fr.globalVariablesInitializer();
  const saver = new fr.train.Saver();

  const mnist = await fr.data.loadMnist();
  const sess = await fr.Session.create();
  console.log(`Training on ${sess.adapterName}`);
  await sess.run(init);
  if (options.restore !== undefined) await restore(sess, saver, options.restore);
  const first = (await sess.run(model.globalStep)).item();
  await fr.io.writeGraph(sess.graph, options.out, 'graph.pb', { asText: false });
  await compilePlan(sess, model, options.batch);
  await trainSteps(sess, model, mnist.train, { ...options, first, steps });

  const saved = await saver.save(sess, `${options.out}/model.ckpt`, { globalStep: model.globalStep });
  const accuracy = await evaluate(sess, model, mnist.test, options.test);
  sess.close();
  console.log(`Test accuracy ${(100 * accuracy).toFixed(2)}% on ${options.test} images

Graph       ${options.out}/graph.pb
Checkpoint  ${saved}

Try next:
  npx forerun inspect ${options.out}/graph.pb
  npm run mnist -- --restore ${options.out} --steps 300

The full schedule, for 99% and above: npm run mnist -- --full`);
}

main().catch((error: unknown) => {
  // Errors raised on purpose carry a code and speak for themselves; anything else keeps its stack.
  const expected = error instanceof Error && 'code' in error;
  console.error(expected ? `mnist: ${error.message}` : error);
  process.exitCode = 1;
});
