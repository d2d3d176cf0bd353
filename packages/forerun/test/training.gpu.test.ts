/**
 * Training through the public API, end to end: reproducible to the bit, resumable from a checkpoint
 * in another process, and the same after the graph has been through a file.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMPILER_PASSES } from '@forerun/session';
import * as fr from 'forerun';

const NO_PASSES = Object.fromEntries(COMPILER_PASSES.map((pass) => [pass, false]));

const example = join(import.meta.dirname, '../../../examples/dist/mnist.js');
let directory: string;

beforeEach(() => {
  fr.resetDefaultGraph();
  directory = mkdtempSync(join(tmpdir(), 'forerun-training-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** Trains the MNIST network in a process of its own and returns the bytes of the checkpoint's data. */
function train(name: string, ...args: string[]): Buffer {
  const out = join(directory, name);
  const common = ['--batch', '8', '--test', '8', '--out', out];
  const { status, stdout, stderr } = spawnSync(process.execPath, [example, ...common, ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${stdout}\n${stderr}`);
  const prefix = /Checkpoint {2}(\S+)/.exec(stdout)?.[1] ?? '';
  return readFileSync(`${prefix}.data-00000-of-00001`);
}

test('train 2N = train N, save, exit, restore in a new process, train N: the same bits everywhere', () => {
  const whole = train('whole', '--steps', '6');
  train('half', '--steps', '3');
  const resumed = train('resumed', '--steps', '3', '--restore', join(directory, 'half'));
  expect(resumed.equals(whole)).toBe(true);
  // The same seed gives the same bits again, another seed does not.
  expect(train('again', '--steps', '3').equals(train('half2', '--steps', '3'))).toBe(true);
  expect(train('other', '--steps', '3', '--seed', '2').equals(train('again2', '--steps', '3'))).toBe(false);
}, 240_000);

/** A small classifier with everything in it: batch norm, dropout, regularizer, Momentum, decay. */
function buildClassifier(): { loss: fr.Tensor; train: fr.Operation } {
  const x = fr.placeholder('float32', [null, 8, 8, 2], { name: 'x' });
  const labels = fr.placeholder('int32', [null], { name: 'labels' });
  const conv = fr.layers.conv2d(x, 4, 3, {
    padding: 'same',
    kernelRegularizer: fr.l2Regularizer(1e-3),
    name: 'conv',
  });
  const normal = fr.nn.relu(fr.layers.batchNormalization(conv, { training: true, name: 'norm' }));
  const pooled = fr.layers.averagePooling2d(normal, 2, 2);
  const dropped = fr.layers.dropout(fr.layers.flatten(pooled), { rate: 0.3, training: true });
  const logits = fr.layers.dense(dropped, 3, { name: 'logits' });
  fr.losses.sparseSoftmaxCrossEntropy(labels, logits);
  const loss = fr.identity(fr.losses.getTotalLoss(), { name: 'loss' });
  const globalStep = fr.train.getOrCreateGlobalStep();
  const rate = fr.train.exponentialDecay(0.1, globalStep, 10, 0.9);
  const optimizer = new fr.train.MomentumOptimizer(rate, 0.9, { useNesterov: true });
  return { loss, train: optimizer.minimize(loss, { globalStep, name: 'train' }) };
}

const FEEDS = {
  x: Float32Array.from({ length: 4 * 8 * 8 * 2 }, (_, i) => Math.sin(i * i)),
  labels: Int32Array.of(0, 1, 2, 1),
};

test('graph -> file -> graph gives the same loss at the same step', async () => {
  fr.setRandomSeed(7);
  const { loss, train: step } = buildClassifier();
  const saver = new fr.train.Saver();
  const sess = await fr.Session.create();
  await sess.run(fr.globalVariablesInitializer());
  const before: number[] = [];
  for (let i = 0; i < 3; i++) before.push((await sess.run([loss, step], FEEDS))[0].item());
  const prefix = await saver.save(sess, join(directory, 'model.ckpt'));
  const want: number[] = [];
  for (let i = 0; i < 3; i++) want.push((await sess.run([loss, step], FEEDS))[0].item());
  sess.close();

  const graph = new fr.Graph();
  const imported = await fr.train.importMetaGraph(`${prefix}.meta`, { graph });
  const fresh = await fr.Session.create({ graph });
  await imported?.restore(fresh, prefix);
  const got: number[] = [];
  for (let i = 0; i < 3; i++) got.push((await fresh.run(['loss:0', 'train'], FEEDS))[0].item());
  expect(got).toEqual(want);
  // Dropout makes single steps go up and down: compare with the beginning.
  expect(want[2]).toBeLessThan(before[0] ?? NaN);
  fresh.close();
});

test('switching every compiler pass off gives the same training, up to rounding', async () => {
  const losses: number[][] = [];
  for (const passes of [{}, { fuse: false }, { cse: false }, NO_PASSES]) {
    const graph = new fr.Graph();
    const {
      loss,
      train: step,
      init,
    } = graph.asDefault(() => {
      fr.setRandomSeed(3);
      return { ...buildClassifier(), init: fr.globalVariablesInitializer() };
    });
    const sess = await fr.Session.create({ graph, config: { passes } });
    await sess.run(init);
    const run: number[] = [];
    for (let i = 0; i < 4; i++) run.push((await sess.run([loss, step], FEEDS))[0].item());
    losses.push(run);
    sess.close();
  }
  for (const run of losses) run.forEach((value, i) => expect(value).toBeCloseTo(losses[0]?.[i] ?? NaN, 4));
});

test('streaming metrics accumulate over runs', async () => {
  const labels = fr.placeholder('int32', [null], { name: 'labels' });
  const predictions = fr.placeholder('int32', [null], { name: 'predictions' });
  const [accuracy, update] = fr.metrics.accuracy(labels, predictions);
  const sess = await fr.Session.create();
  await sess.run(fr.localVariablesInitializer());
  await sess.run(update, { labels: [1, 2, 3, 4], predictions: [1, 2, 0, 0] });
  await sess.run(update, { labels: [1, 2, 3, 4], predictions: [1, 2, 3, 0] });
  expect((await sess.run(accuracy)).item()).toBeCloseTo(5 / 8, 6);
  sess.close();
});
