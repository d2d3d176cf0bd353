/** Exported graphs run in ONNX Runtime with the values of ours, and can be imported again. */
import * as fr from '@forerun/graph';
import { Session } from '@forerun/session';
import { layers } from '@forerun/layers';
import { Random } from '@forerun/testing';
import { exportOnnx, importOnnx } from '@forerun/formats';
import { reference, type ReferenceResult } from './models.js';

const random = new Random(9);

function values(shape: readonly number[], low = -1, high = 1): fr.TensorValue {
  return new fr.TensorValue('float32', shape, Float32Array.from(random.array(shape.reduce((a, b) => a * b, 1), low, high))); // prettier-ignore
}

type Values = Readonly<Record<string, fr.TensorValue>>;

function compare(got: Values, { error, outputs }: ReferenceResult): void {
  expect(error).toBeUndefined();
  expect(Object.keys(outputs).sort()).toEqual(Object.keys(got).sort());
  for (const [name, { dims, data }] of Object.entries(outputs)) {
    const value = got[name];
    expect([name, value?.shape]).toEqual([name, dims]);
    const ours = value === undefined ? [] : (fr.toHostValue(value)?.data ?? []);
    data.forEach((x, i) =>
      expect(Math.abs((ours[i] ?? NaN) - x)).toBeLessThan(2e-5 * Math.max(1, Math.abs(x))),
    );
  }
}

/** Our values, ONNX Runtime's of the exported model, and ours of the model imported again. */
async function check(
  graph: fr.Graph,
  outputs: Readonly<Record<string, fr.Tensor>>,
  feeds: Values,
  init?: fr.Operation,
): Promise<void> {
  await using sess = await Session.create({ graph });
  if (init !== undefined) await sess.run(init);
  const list = graph
    .getCollection(fr.GraphKeys.GLOBAL_VARIABLES)
    .filter((item) => item instanceof fr.Variable);
  const variables = new Map<string, fr.TensorValue>();
  for (const variable of list) variables.set(variable.op.name, await sess.run(variable));
  const got = (await sess.run(outputs, feeds)) as Values;
  const model = exportOnnx({ outputs, variables });
  expect(exportOnnx({ outputs, variables })).toEqual(model);
  const [result = { outputs: {} }] = reference([{ model, feeds }]);
  compare(got, result);
  const again = new fr.Graph();
  const imported = importOnnx(model, { graph: again });
  await using second = await Session.create({ graph: again });
  compare(await second.run(imported.outputs, feeds), result);
}

test('a convolutional network with its variables', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault(() => {
    const x = fr.placeholder('float32', [null, 8, 8, 3], { name: 'x' });
    let y = layers.conv2d(x, 4, 3, { padding: 'same', strides: 2, activation: fr.relu, name: 'conv1' });
    y = layers.batchNormalization(y, { name: 'norm' });
    y = layers.maxPooling2d(y, 2, 2, { name: 'pool' });
    const depthwise = fr.depthwiseConv2d(y, fr.constant(values([3, 3, 4, 2])), {
      strides: 1,
      padding: 'SAME',
    });
    const logits = layers.dense(layers.flatten(depthwise), 5, { name: 'logits' });
    return { logits, probabilities: fr.softmax(logits) };
  });
  const init = graph.asDefault(() => fr.globalVariablesInitializer());
  await check(graph, outputs, { x: values([2, 8, 8, 3]) }, init);
}, 120_000);

test('ops one by one', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault((): Record<string, fr.Tensor> => {
    const x = fr.placeholder('float32', [2, 3, 4], { name: 'x' });
    const image = fr.placeholder('float32', [1, 4, 5, 6], { name: 'image' });
    const scale = fr.constant(values([5]));
    return {
      sum: fr.reduceSum(x, { axis: [1, 2] }),
      mean: fr.reduceMean(x, { axis: 1, keepDims: true }),
      transposed: fr.transpose(x, { perm: [2, 0, 1] }),
      reshaped: fr.reshape(x, [4, -1]),
      joined: fr.concat([x, fr.neg(x)], 2),
      padded: fr.pad(x, [[0, 1], [2, 0], [0, 0]]), // prettier-ignore
      largest: fr.argMax(x, { axis: 2 }),
      squeezed: fr.squeeze(fr.expandDims(x, 1), { axis: [1] }),
      picked: fr.gather(x, fr.constant([2, 0], { dtype: 'int32' }), { axis: 1 }),
      clipped: fr.relu6(fr.mul(x, 10)),
      inverse: fr.rsqrt(fr.add(fr.square(x), 1)),
      apart: fr.squaredDifference(x, 0.5),
      wide: fr.matMul(x, fr.constant(values([2, 4, 5]))),
      turned: fr.matMul(fr.reshape(x, [6, 4]), fr.constant(values([5, 4])), { transposeB: true }),
      first: fr.conv2d(image, fr.constant(values([3, 3, 4, 2])), { strides: 1, padding: [[0, 0], [0, 0], [1, 0], [1, 1]], dataFormat: 'NCHW' }), // prettier-ignore
      average: fr.avgPool2d(fr.transpose(image, { perm: [0, 2, 3, 1] }), {
        ksize: 3,
        strides: 2,
        padding: 'SAME',
      }),
      frozen: fr.fusedBatchNorm(fr.transpose(image, { perm: [0, 3, 1, 2] }), scale, scale, {
        isTraining: false,
        mean: scale,
        variance: fr.constant(values([5], 1, 2)),
      })[0],
      smooth: fr.leakyRelu(fr.tanh(x), { alpha: 0.1 }),
    };
  });
  await check(graph, outputs, { x: values([2, 3, 4]), image: values([1, 4, 5, 6]) });
}, 120_000);

test('what cannot be exported is said, all at once', () => {
  const graph = new fr.Graph();
  graph.asDefault(() => {
    const x = fr.placeholder('float32', [4], { name: 'x' });
    const odd = fr.cumsum(x, { name: 'sums' });
    const w = new fr.Variable(fr.zeros([4]), { name: 'w' });
    expect(() => exportOnnx({ outputs: { y: fr.sort(odd) } })).toThrow(fr.UnimplementedError);
    expect(() => exportOnnx({ outputs: { y: odd } })).toThrow(
      'ops that have no form in ONNX here:\n  Cumsum: sums',
    );
    expect(() => exportOnnx({ outputs: { y: fr.add(x, w) } })).toThrow(
      'the variable "w" has no value: give the option variables, or freeze the graph',
    );
  });
});
