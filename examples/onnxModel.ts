/**
 * A network to ONNX and back: trained for a few steps, written with its weights in a file beside the model, read into another
 * graph. With a path, any ONNX model is read and run on random inputs instead.
 *
 *   node examples/dist/onnxModel.js [model.onnx]
 */
import * as fr from 'forerun';

/** Prints the shapes and the first elements of a model's outputs. */
function print(results: Readonly<Record<string, fr.TensorValue>>): void {
  for (const [name, { dtype, shape, data }] of Object.entries(results)) {
    const first = [...data].slice(0, 4).map((value) => Number(value).toPrecision(5));
    console.log(
      `  ${name}: ${dtype} [${shape.join(',')}]  ${first.join('  ')}${data.length > 4 ? '  …' : ''}`,
    );
  }
}

/** Seeded noise for a placeholder; a size that is not known is 1. */
async function noise(
  graph: fr.Graph,
  inputs: Readonly<Record<string, fr.Tensor>>,
): Promise<Map<fr.Tensor, fr.TensorValue>> {
  const given = Object.values(inputs);
  const fills = graph.asDefault(() =>
    given.map((input, i) =>
      fr.cast(
        fr.randomUniform(
          (input.shape.dims ?? []).map((dim) => dim ?? 1),
          { seed: i + 1 },
        ),
        input.dtype,
      ),
    ),
  );
  await using sess = await fr.Session.create({ graph });
  const values = await sess.run(fills);
  return new Map(given.flatMap((input, i) => (values[i] === undefined ? [] : [[input, values[i]] as const])));
}

async function runFile(path: string): Promise<void> {
  const graph = new fr.Graph();
  const model = await fr.io.loadOnnx(path, { graph });
  const feeds = await noise(graph, model.inputs);
  await using sess = await fr.Session.create({ graph });
  console.log(`${path}: ${graph.operations.length} nodes`);
  print(await sess.run(model.outputs, feeds));
}

async function roundTrip(): Promise<void> {
  fr.setRandomSeed(1);
  const image = fr.placeholder('float32', [4, 12, 12, 1], { name: 'image' });
  const labels = fr.placeholder('int32', [4], { name: 'labels' });
  let y = fr.layers.conv2d(image, 8, 3, { padding: 'same', activation: fr.nn.relu, name: 'conv' });
  y = fr.layers.maxPooling2d(y, 2, 2);
  const logits = fr.layers.dense(fr.layers.flatten(y), 3, { name: 'logits' });
  const probabilities = fr.softmax(logits, { name: 'probabilities' });
  const loss = fr.losses.sparseSoftmaxCrossEntropy(labels, logits);
  const train = new fr.train.AdamOptimizer(0.01).minimize(loss);
  await using sess = await fr.Session.create();
  await sess.run(fr.globalVariablesInitializer());
  const pixels = new fr.TensorValue(
    'float32',
    [4, 12, 12, 1],
    Float32Array.from({ length: 576 }, (_, i) => Math.sin(i * i)),
  );
  for (let step = 0; step < 20; step++) await sess.run(train, { image: pixels, labels: [0, 1, 2, 1] });

  const path = await fr.io.saveOnnx(sess, 'out/onnx/model.onnx', {
    outputs: { probabilities },
    externalData: true,
  });
  const ours = await sess.run({ probabilities }, { image: pixels });
  console.log(`wrote ${path} with its weights beside it`);
  print(ours);

  const graph = new fr.Graph();
  const model = await fr.io.loadOnnx(path, { graph });
  await using second = await fr.Session.create({ graph });
  const again = await second.run(model.outputs, { image: pixels });
  console.log('read again');
  print(again);
  const numbers = (value?: fr.TensorValue): number[] => [...(value?.data ?? [])].map(Number);
  const [before, after] = [numbers(ours.probabilities), numbers(again.probabilities)];
  const apart = Math.max(...before.map((p, i) => Math.abs(p - (after[i] ?? NaN))));
  console.log(`largest difference ${apart.toExponential(1)}`);
}

const [, , given] = process.argv;
await (given === undefined ? roundTrip() : runFile(given));
