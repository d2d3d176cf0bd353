/**
 * A network whose weights were trained with PyTorch: built here, set from a file by a map of names and with layouts moved, then kept as a checkpoint.
 * The files are those that the tests use, a small residual network; `python3 packages/formats/scripts/makeFixtures.py` makes them.
 *
 *   node examples/dist/foreignWeights.js [weights.pth | weights.safetensors | weights.npz]
 */
import { fileURLToPath } from 'node:url';
import * as fr from 'forerun';

const FIXTURES = fileURLToPath(new URL('../../packages/formats/test/fixtures/', import.meta.url));
const files =
  process.argv[2] === undefined ? ['smallResnet.pth', 'smallResnet.safetensors'] : [process.argv[2]];

/** A convolution and its normalization. PyTorch pads on both sides, so the padding is explicit. */
function convNorm(
  x: fr.Tensor,
  filters: number,
  size: number,
  stride: number,
  names: readonly [string, string],
): fr.Tensor {
  const pad = (size - 1) / 2;
  const padded =
    pad === 0
      ? x
      : fr.pad(x, [
          [0, 0],
          [pad, pad],
          [pad, pad],
          [0, 0],
        ]);
  const options = { strides: stride, padding: 'valid', useBias: false, name: names[0] } as const;
  return fr.layers.batchNormalization(fr.layers.conv2d(padded, filters, size, options), {
    epsilon: 1e-5,
    name: names[1],
  });
}

// torchvision's names for a ResNet: conv1, bn1, layer1.0.conv1, …, fc.
const x = fr.placeholder('float32', [null, 8, 8, 3], { name: 'x' });
let y = fr.nn.relu(convNorm(x, 4, 3, 1, ['conv1', 'bn1']));
for (const [layer, width] of [
  [1, 4],
  [2, 8],
] as const) {
  const root = `layer${layer}.0`;
  const first = fr.nn.relu(convNorm(y, width, 3, layer, [`${root}.conv1`, `${root}.bn1`]));
  const second = convNorm(first, width, 3, 1, [`${root}.conv2`, `${root}.bn2`]);
  const shortcut =
    layer === 1 ? y : convNorm(y, width, 1, layer, [`${root}.downsample.0`, `${root}.downsample.1`]);
  y = fr.nn.relu(fr.add(second, shortcut));
}
const logits = fr.layers.dense(fr.reduceMean(y, { axis: [1, 2] }), 5, { name: 'fc' });

/** PyTorch's name of a variable: `layer1.0.bn1/gamma` is `layer1.0.bn1.weight` there. */
const WORDS: Readonly<Record<string, string>> = {
  kernel: 'weight',
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};
const torchName = (key: string): string => {
  const [scope = '', word = ''] = key.split('/');
  return `${scope}.${WORDS[word] ?? word}`;
};

const sess = await fr.Session.create();
const image = new fr.TensorValue(
  'float32',
  [1, 8, 8, 3],
  Float32Array.from({ length: 192 }, (_, i) => Math.sin(i)),
);
for (const file of files) {
  const report = await fr.train.loadWeights(sess, process.argv[2] ?? FIXTURES + file, {
    map: torchName,
    transpose: 'pytorch',
  });
  console.log(
    `${file}: ${report.restored.length} variables set, ${report.transposed.length} of them transposed, ${report.unused.length} tensors not used`,
  );
  const scores = await sess.run(logits, { x: image });
  console.log(`  scores ${[...scores.data].map((score) => Number(score).toFixed(4)).join('  ')}`);
}
const saver = new fr.train.Saver();
console.log(`kept as ${await saver.save(sess, 'out/foreignWeights/model.ckpt')}`);
sess.close();
