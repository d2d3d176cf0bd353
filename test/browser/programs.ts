/**
 * Programs that run alike in Node and in a page: each gives plain values, which the test compares. They cover what differs
 * between the two: finding the device, waiting for it, reading files, clocks and stores.
 */
import * as fr from 'forerun';

/** Where the test's files are: a directory in Node, a path of the server in a page. */
export type Program = (files: string) => Promise<unknown>;

/** A graph of its own with a session, closed at the end. */
async function within<T>(
  build: (graph: fr.Graph) => T,
  run: (sess: fr.Session, built: T) => Promise<unknown>,
  config: fr.SessionConfig = {},
): Promise<unknown> {
  const graph = new fr.Graph();
  const built = graph.asDefault(() => build(graph));
  const sess = await fr.Session.create({ graph, config });
  try {
    return await run(sess, built);
  } finally {
    sess.close();
  }
}

function wave(shape: readonly number[]): fr.TensorValue {
  const length = shape.reduce((size, dim) => size * dim, 1);
  return new fr.TensorValue(
    'float32',
    shape,
    Float32Array.from({ length }, (_, i) => Math.sin(0.7 * i)),
  );
}

function network() {
  fr.setRandomSeed(7);
  const x = fr.placeholder('float32', [null, 8, 8, 1], { name: 'x' });
  const y = fr.placeholder('int32', [null], { name: 'y' });
  const conv = fr.layers.conv2d(x, 4, 3, { padding: 'same', activation: fr.nn.relu, name: 'conv' });
  const pool = fr.layers.maxPooling2d(conv, 2, 2);
  const hidden = fr.layers.dense(fr.layers.flatten(pool), 16, { activation: fr.tanh, name: 'hidden' });
  const logits = fr.layers.dense(fr.nn.dropout(hidden, { keepProb: 0.8 }), 3, { name: 'logits' });
  const loss = fr.losses.sparseSoftmaxCrossEntropy(y, logits);
  const train = new fr.train.AdamOptimizer(0.02).minimize(loss);
  return { loss, train, init: fr.globalVariablesInitializer() };
}

/** Losses of a network with dropout: every step draws the same numbers everywhere. */
const training: Program = () =>
  within(network, async (sess, { loss, train, init }) => {
    await sess.run(init);
    const losses: number[] = [];
    for (let step = 0; step < 6; step++) {
      const result = await sess.run({ loss, train }, { x: wave([6, 8, 8, 1]), y: [0, 1, 2, 0, 1, 2] });
      losses.push(result.loss.item());
    }
    return losses;
  });

/** Steps that overlap: none waits for the one before. */
const overlapping: Program = () =>
  within(network, async (sess, { loss, train, init }) => {
    await sess.run(init);
    const step = sess.makeCallable([loss, train], ['x:0', 'y:0']);
    const labels = new fr.TensorValue('int32', [6], Int32Array.of(0, 1, 2, 0, 1, 2));
    const runs = Array.from({ length: 5 }, () => step(wave([6, 8, 8, 1]), labels));
    return (await Promise.all(runs)).map(([value]) => value.item());
  });

const randomBits: Program = () =>
  within(
    () => {
      fr.setRandomSeed(3);
      return [fr.random.uniform([5]), fr.random.uniform([5], { maxval: 100, dtype: 'int32' })];
    },
    async (sess, draws) =>
      (await sess.run(draws)).map((value) => Array.from(value.data as ArrayLike<number>)),
  );

/** A loop whose end values decide: the run reads them back, iteration by iteration. */
const loop: Program = () =>
  within(
    () => {
      const limit = fr.placeholder('float32', [], { name: 'limit' });
      return fr.whileLoop(
        (_, total) => fr.less(total, limit),
        (n, total) => [fr.add(n, 1), fr.add(fr.mul(total, 1.5), 1)],
        [fr.constant(0, { dtype: 'int32' }), fr.constant(0)],
      );
    },
    async (sess, values) => (await sess.run(values, { limit: 50 })).map((value) => value.item()),
  );

/** A graph in bytes, imported under a scope; texts on the host. */
const graphFile: Program = () =>
  within(
    (graph) => {
      const x = fr.placeholder('float32', [null, 2], { name: 'x' });
      fr.reduceSum(fr.sigmoid(x), { axis: 1, name: 'sums' });
      fr.strings.toHashBucketFast(fr.constant(['forerun']), 1000, { name: 'bucket' });
      const bytes = fr.io.writeGraphDef(graph);
      fr.io.importGraphDef(fr.io.readGraphDef(bytes), { name: 'again' });
      return bytes.length;
    },
    async (sess, length) => {
      const [sums, bucket] = await sess.run(['again/sums:0', 'again/bucket:0'], { 'again/x': [[1, 2], [3, 4]] }); // prettier-ignore
      return [length, sums.toArray(), bucket.toArray()];
    },
  );

const graphModel: Program = async (files) => {
  const graph = new fr.Graph();
  const { inputs, outputs } = await fr.io.loadGraphModel(`${files}/models/liveness.json`, { graph });
  const sess = await fr.Session.create({ graph });
  const [input] = Object.values(inputs);
  const [output] = Object.values(outputs);
  if (input === undefined || output === undefined) throw new Error('the model has no input or no output');
  const value = await sess.run(
    output,
    new Map([[input, wave([1, ...(input.shape.dims ?? []).slice(1).map(Number)])]]),
  );
  sess.close();
  return Array.from(value.data as Float32Array);
};

const onnxModel: Program = async (files) => {
  const graph = new fr.Graph();
  const { inputs, outputs } = await fr.io.loadOnnx(`${files}/fixtures/model.onnx`, { graph });
  return [Object.keys(inputs), Object.keys(outputs), graph.operations.length];
};

/** Weights of PyTorch and of safetensors, the same in both. */
const weights: Program = async (files) => {
  const sums: unknown[] = [];
  for (const name of ['smallResnet.pth', 'smallResnet.safetensors']) {
    const opened = await fr.io.openWeights(`${files}/fixtures/${name}`);
    const value = await opened.reader.read('conv1.weight');
    sums.push([
      opened.format,
      opened.reader.entries.size,
      Array.from(value.data as Float32Array).slice(0, 4),
    ]);
    await opened.close();
  }
  return sums;
};

/** What `writeTrained` wrote: the network's checkpoint restored, and its SavedModel loaded; the loss of either. */
const trained: Program = async (files) => {
  const restored = await within(network, async (sess, { loss }) => {
    const saver = sess.graph.asDefault(() => new fr.train.Saver());
    const report = await saver.restore(sess, `${files}/trained/model.ckpt-3`);
    return [report.restored.length, await lossOf(sess, loss)];
  });
  const graph = new fr.Graph();
  const sess = await fr.Session.create({ graph });
  await fr.savedModel.load(sess, ['serve'], `${files}/trained/saved`);
  const loaded = await lossOf(sess, graph.getTensorByName('sparse_softmax_cross_entropy_loss/value:0'));
  sess.close();
  return [restored, loaded];
};

async function lossOf(sess: fr.Session, loss: fr.Tensor): Promise<number> {
  return (await sess.run(loss, { x: wave([3, 8, 8, 1]), y: [0, 1, 2] })).item();
}

/** Trains the network a little and keeps it, for `trained`. Node only. */
export async function writeTrained(files: string): Promise<void> {
  await within(network, async (sess, { loss, train, init }) => {
    await sess.run(init);
    for (let step = 0; step < 3; step++)
      await sess.run(train, { x: wave([6, 8, 8, 1]), y: [0, 1, 2, 0, 1, 2] });
    const saver = sess.graph.asDefault(() => new fr.train.Saver());
    await saver.save(sess, `${files}/trained/model.ckpt`, { globalStep: 3 });
    const inputs = { x: sess.graph.getTensorByName('x:0'), y: sess.graph.getTensorByName('y:0') };
    await fr.savedModel.simpleSave(sess, `${files}/trained/saved`, inputs, { loss });
  });
}

/** The kernels that a trace timed; which form of them is the adapter's affair. */
const trace: Program = () =>
  within(
    () =>
      fr.matmul(fr.constant(wave([8, 8])), fr.placeholder('float32', [8, 8], { name: 'x' }), {
        name: 'product',
      }),
    async (sess, product) => {
      const runMetadata = new fr.RunMetadata();
      await sess.run(product, { x: wave([8, 8]) }, { traceLevel: 'FULL_TRACE', runMetadata });
      const { traceEvents } = JSON.parse(
        new fr.Timeline(runMetadata.stepStats).generateChromeTraceFormat(),
      ) as {
        traceEvents: { name: string; ph: string }[];
      };
      return traceEvents.filter(({ ph }) => ph === 'X').map(({ name }) => name.split('.')[0]);
    },
  );

/** Kernels of a product that is large enough to be measured, by where their choice comes from. */
const tuning: Program = () =>
  within(
    () => fr.matmul(fr.placeholder('float32', [64, 96], { name: 'x' }), fr.zeros([96, 40])),
    async (sess, product) => {
      const report = await sess.compile([product], { x: [64, 96] });
      return report.kernels.map(({ source }) => source);
    },
    { tuning: 'on' },
  );

/** What goes wrong, by the errors' names and messages. */
const refusals: Program = async (files) => {
  const told = (task: Promise<unknown>): Promise<string> =>
    task.then(
      () => 'no error',
      (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
    );
  const saver = (): Promise<unknown> =>
    within(network, async (sess, { init }) => {
      await sess.run(init);
      await new fr.train.Saver({ varList: sess.graph.asDefault(() => fr.globalVariables()) }).save(
        sess,
        'model.ckpt',
      );
    });
  return [
    await told(fr.io.readGraph(`${files}/fixtures/absent.pb`, { graph: new fr.Graph() })),
    await told(fr.io.openWeights(`${files}/fixtures/absent.npz`)),
    await told(fr.io.openWeights('http://localhost:1/absent.npz')),
    await told(saver()),
  ];
};

/** The device given back and taken again. */
const released: Program = async (files) => {
  const before = await loop(files);
  await fr.releaseDevice();
  return [before, await loop(files)];
};

export const PROGRAMS = {
  training,
  overlapping,
  randomBits,
  loop,
  graphFile,
  graphModel,
  onnxModel,
  weights,
  trained,
  trace,
  tuning,
  refusals,
  released,
};

export type ProgramName = keyof typeof PROGRAMS;
