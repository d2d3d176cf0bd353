/**
 * Programs of TensorFlow 1 written again, as their authors would: with the initial values and batches of the originals they
 * compute what these computed. `fixtures/tensorflow/make.py` has the originals.
 */
import { readFileSync } from 'node:fs';
import * as fr from 'forerun';

interface Fixture {
  readonly initial: Readonly<Record<string, fr.NestedArray>>;
  readonly steps: readonly {
    readonly feeds: Readonly<Record<string, fr.NestedArray>>;
    readonly wanted: Readonly<Record<string, fr.NestedArray>>;
  }[];
  readonly values?: Readonly<Record<string, fr.NestedArray>>;
  readonly localVariables?: readonly string[];
}

/** Float32 arithmetic in another order, in proportion to the largest element. */
const TOLERANCE = 5e-6;

function fixture(name: string): Fixture {
  return JSON.parse(
    readFileSync(new URL(`fixtures/tensorflow/${name}.json`, import.meta.url), 'utf8'),
  ) as Fixture;
}

function numbers(value: fr.NestedArray): number[] {
  return [value].flat(Infinity as 1).map(Number);
}

function expectNear(got: fr.TensorValue, want: fr.NestedArray | undefined, what: string): void {
  const [found, wanted] = [numbers(got.toArray()), numbers(want ?? [])];
  expect(`${what}: ${found.length} elements`).toBe(`${what}: ${wanted.length} elements`);
  const scale = Math.max(1e-3, ...wanted.map(Math.abs));
  const apart = Math.max(...found.map((x, i) => Math.abs(x - (wanted[i] ?? NaN)))) / scale;
  if (!(apart <= TOLERANCE)) throw new Error(`${what} differs by ${apart}`);
}

let sess: fr.Session;

/** Initializes all variables, then sets those that the fixture has; there must be no others to train. */
async function open({ initial }: Fixture): Promise<void> {
  const init = [fr.globalVariablesInitializer(), fr.localVariablesInitializer()];
  expect(fr.trainableVariables().map((v) => v.op.name)).toEqual(Object.keys(initial));
  sess = await fr.Session.create();
  await sess.run(init);
  await fr.train.loadWeights(sess, initial, { varList: fr.trainableVariables() });
}

beforeEach(() => fr.resetDefaultGraph());
afterEach(() => sess.close());

test('a language model whose state goes from run to run', async () => {
  const [vocabulary, units, batch, steps] = [12, 4, 2, 2];
  const x = fr.placeholder('int32', [batch, steps], { name: 'x' });
  const y = fr.placeholder('int32', [batch, steps], { name: 'y' });
  const lengths = fr.placeholder('int32', [batch], { name: 'lengths' });
  const initializer = fr.randomUniformInitializer({ minval: -0.3, maxval: 0.3 });
  const { initial, state, loss, norm, rate, train } = fr.variableScope('Model', { initializer }, () => {
    const layer = (): fr.nn.rnnCell.LSTMCell =>
      new fr.nn.rnnCell.LSTMCell(units, { forgetBias: 0, usePeepholes: true });
    const cell = new fr.nn.rnnCell.MultiRNNCell([layer(), layer()]);
    const initial = cell.zeroState(batch, 'float32');
    const embedding = fr.getVariable('embedding', { shape: [vocabulary, units] });
    const inputs = fr.nn.embeddingLookup(embedding, x);
    const [outputs, state] = fr.nn.dynamicRnn(cell, inputs, {
      sequenceLength: lengths,
      initialState: initial,
    });
    const w = fr.getVariable('softmax_w', { shape: [units, vocabulary] });
    const b = fr.getVariable('softmax_b', { shape: [vocabulary] });
    const rows = fr.nn.xwPlusB(fr.reshape(outputs, [-1, units]), w, b);
    const logits = fr.reshape(rows, [batch, steps, vocabulary]);
    const costs = fr.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: y, logits });
    const mask = fr.sequenceMask(lengths, { maxlen: steps, dtype: 'float32' });
    const loss = fr.reduceSum(costs.mul(mask)).div(batch);
    const rate = new fr.Variable(0, { trainable: false, name: 'rate' });
    const variables = fr.trainableVariables();
    const [clipped, norm] = fr.clipByGlobalNorm(fr.gradients(loss, variables), 0.5);
    const pairs = variables.map((variable, i) => [clipped[i] ?? null, variable] as const);
    const train = new fr.train.GradientDescentOptimizer(rate).applyGradients(pairs);
    return { initial, state, loss, norm, rate, train };
  });
  const newRate = fr.placeholder('float32', []);
  const assign = fr.assign(rate, newRate);
  const program = fixture('languageModel');
  await open(program);
  let value = await sess.run(initial);
  for (const [i, { feeds, wanted }] of program.steps.entries()) {
    await sess.run(assign, [[newRate, 0.5 ** i]]);
    const got: { loss: fr.TensorValue; norm: fr.TensorValue; state: typeof value } = await sess.run(
      { loss, norm, state, train },
      new Map<fr.FeedKey, fr.NestedFeedValue>([...Object.entries(feeds), [initial, value]]),
    );
    value = got.state;
    const [[memory], [, output]] = value.map((pair) => [...pair]) as [
      [fr.TensorValue],
      [unknown, fr.TensorValue],
    ];
    expectNear(got.loss, wanted.loss, `loss ${i}`);
    expectNear(got.norm, wanted.norm, `norm ${i}`);
    expectNear(memory, wanted.memory, `memory ${i}`);
    expectNear(output, wanted.output, `output ${i}`);
  }
});

test('a classifier with metrics over all batches', async () => {
  const x = fr.placeholder('float32', [null, 5], { name: 'x' });
  const y = fr.placeholder('int64', [null], { name: 'y' });
  const globalStep = fr.train.getOrCreateGlobalStep();
  const hidden = fr.layers.dense(x, 6, {
    activation: fr.nn.elu,
    name: 'hidden',
    kernelRegularizer: (w) => fr.mul(0.001, fr.nn.l2Loss(w)),
  });
  const logits = fr.layers.dense(hidden, 3, { name: 'logits' });
  const p = fr.nn.softmax(logits);
  const guess = fr.argmax(p, { axis: 1 });
  const crossEntropy = fr.losses.sparseSoftmaxCrossEntropy(y, logits);
  const check = fr.Assert(fr.reduceAll(fr.math.isFinite(logits)), [logits]);
  const total = fr.losses.getTotalLoss();
  const loss = fr.controlDependencies([check], () => fr.checkNumerics(fr.identity(total), 'loss'));
  const metrics = fr.nameScope('evaluation', () => {
    const [positive, guessed] = [fr.equal(y, 1), fr.equal(guess, 1)];
    const score = p.getItem(':', 1);
    return {
      accuracy: fr.metrics.accuracy(y, guess),
      perClass: fr.metrics.meanPerClassAccuracy(y, guess, 3),
      auc: fr.metrics.auc(positive, score, { numThresholds: 50 }),
      precision: fr.metrics.precision(positive, guessed),
      recall: fr.metrics.recall(positive, guessed),
      iou: fr.metrics.meanIou(y, guess, 3),
      loss: fr.metrics.mean(crossEntropy),
      top2: fr.metrics.recallAtK(y, p, 2),
      sensitivity: fr.metrics.sensitivityAtSpecificity(positive, score, 0.5, { numThresholds: 50 }),
      below: fr.metrics.percentageBelow(p.getItem(':', 0), 0.3),
    };
  });
  const optimizer = new fr.train.ProximalAdagradOptimizer(0.1, { l1RegularizationStrength: 0.001 });
  const train = optimizer.minimize(loss, { globalStep });
  const program = fixture('streamingMetrics');
  await open(program);
  expect(fr.localVariables('evaluation/').map((v) => v.op.name)).toEqual(program.localVariables);
  const pick = (part: 0 | 1): Record<string, fr.Tensor> =>
    Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [name, metric[part]]));
  for (const [i, { feeds, wanted }] of program.steps.entries()) {
    const got = await sess.run({ total: loss, ...pick(1) }, feeds);
    await sess.run(train, feeds);
    for (const [name, value] of Object.entries(got)) expectNear(value, wanted[name], `${name} ${i}`);
  }
  const values = await sess.run({ ...pick(0), globalStep });
  expect(values.globalStep.item()).toBe(3);
  for (const [name, want] of Object.entries(program.values ?? {})) {
    const value = (values as Readonly<Record<string, fr.TensorValue>>)[name];
    if (value === undefined) throw new Error(`there is no ${name}`);
    expectNear(value, want, name);
  }
});
