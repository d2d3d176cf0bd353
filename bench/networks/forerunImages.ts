/** Networks on images in Forerun. */
import * as fr from 'forerun';
import { need, type Inputs, type Network } from './forerunInputs.js';
import { SIZES } from './specs.js';

const { dcgan, unet, mobileNet, vit } = SIZES;

const norm = (x: fr.Tensor): fr.Tensor => fr.layers.batchNormalization(x, { training: true });
const SAME = { padding: 'same' } as const;

function generate(noise: fr.Tensor): fr.Tensor {
  return fr.variableScope('generator', () => {
    const [first, ...others] = dcgan.widths;
    let x = fr.reshape(fr.layers.dense(noise, 4 * 4 * first, { useBias: false }), [-1, 4, 4, first]);
    x = fr.nn.relu(norm(x));
    for (const width of others) {
      x = fr.nn.relu(norm(fr.layers.conv2dTranspose(x, width, 4, { ...SAME, strides: 2, useBias: false })));
    }
    return fr.tanh(fr.layers.conv2dTranspose(x, 3, 4, { ...SAME, strides: 2 }));
  });
}

function discriminate(images: fr.Tensor): fr.Tensor {
  return fr.variableScope('discriminator', { reuse: fr.AUTO_REUSE }, () => {
    const widths = dcgan.widths.toReversed();
    const features = widths.reduce((x, width, i) => {
      const y = fr.layers.conv2d(x, width, 4, {
        ...SAME,
        strides: 2,
        useBias: i === 0,
        name: `conv${String(i)}`,
      });
      const normal =
        i === 0 ? y : fr.layers.batchNormalization(y, { training: true, name: `norm${String(i)}` });
      return fr.nn.leakyRelu(normal);
    }, images);
    return fr.layers.dense(fr.layers.flatten(features), 1, { name: 'classify' });
  });
}

function adversaries(inputs: Inputs): Record<string, fr.Tensor> {
  const real = need(inputs, 'x');
  const batch = fr.gather(fr.shape(real), 0);
  const fake = generate(fr.randomNormal(fr.stack([batch, dcgan.noise]), { seed: 1 }));
  const [ofReal, ofFake] = [discriminate(real), discriminate(fake)];
  const costs = (logits: fr.Tensor, label: 0 | 1): fr.Tensor => {
    const labels = label === 1 ? fr.onesLike(logits) : fr.zerosLike(logits);
    return fr.reduceMean(fr.nn.sigmoidCrossEntropyWithLogits({ labels, logits }));
  };
  return { discriminator: fr.add(costs(ofReal, 1), costs(ofFake, 0)), generator: costs(ofFake, 1) };
}

function twice(x: fr.Tensor, width: number): fr.Tensor {
  const once = (y: fr.Tensor): fr.Tensor =>
    fr.nn.relu(norm(fr.layers.conv2d(y, width, 3, { ...SAME, useBias: false })));
  return once(once(x));
}

function segmentation(inputs: Inputs): fr.Tensor {
  const kept: fr.Tensor[] = [];
  let x = need(inputs, 'x');
  for (const width of unet.widths) {
    x = twice(kept.length === 0 ? x : fr.layers.maxPooling2d(x, 2, 2), width);
    kept.push(x);
  }
  for (let level = unet.widths.length - 2; level >= 0; level--) {
    const [size, skip] = [unet.image / 2 ** level, kept[level]];
    if (skip === undefined) throw new Error('a level is missing');
    x = twice(fr.concat([skip, fr.image.resizeBilinear(x, [size, size])], 3), unet.widths[level] ?? 0);
  }
  return fr.losses.sparseSoftmaxCrossEntropy(need(inputs, 'labels'), fr.layers.conv2d(x, 2, 1));
}

function inverted(x: fr.Tensor, [expansion, filters, strides]: readonly [number, number, number]): fr.Tensor {
  const channels = x.shape.dim(-1) ?? 0;
  const point = (y: fr.Tensor, width: number): fr.Tensor =>
    norm(fr.layers.conv2d(y, width, 1, { useBias: false }));
  const wide = expansion === 1 ? x : fr.nn.relu6(point(x, expansion * channels));
  const filter = fr.getVariable(`depthwise_${x.op.name.replaceAll('/', '_')}`, {
    shape: [3, 3, expansion * channels, 1],
  });
  const strided = [1, strides, strides, 1] as const;
  const deep = fr.nn.relu6(norm(fr.nn.depthwiseConv2d(wide, filter, { strides: strided, padding: 'SAME' })));
  const narrow = point(deep, filters);
  return strides === 1 && channels === filters ? fr.add(x, narrow) : narrow;
}

function mobile(inputs: Inputs): fr.Tensor {
  const stem = fr.nn.relu6(norm(fr.layers.conv2d(need(inputs, 'x'), 16, 3, { ...SAME, useBias: false })));
  const features = mobileNet.blocks.reduce(inverted, stem);
  const logits = fr.layers.dense(fr.reduceMean(features, { axis: [1, 2] }), 10);
  return fr.losses.sparseSoftmaxCrossEntropy(need(inputs, 'labels'), logits);
}

function attend(x: fr.Tensor, time: number): fr.Tensor {
  const { width, heads } = vit;
  const split = (): fr.Tensor =>
    fr.transpose(fr.reshape(fr.layers.dense(x, width), [-1, time, heads, width / heads]), {
      perm: [0, 2, 1, 3],
    });
  const [queries, keys, values] = [split(), split(), split()];
  const scores = fr.mul(fr.matMul(queries, keys, { transposeB: true }), 1 / Math.sqrt(width / heads));
  const joined = fr.transpose(fr.matMul(fr.nn.softmax(scores), values), { perm: [0, 2, 1, 3] });
  return fr.layers.dense(fr.reshape(joined, [-1, time, width]), width);
}

function visionTransformer(inputs: Inputs): fr.Tensor {
  const { patch, width, layers } = vit;
  const time = (32 / patch) ** 2;
  const patches = fr.layers.conv2d(need(inputs, 'x'), width, patch, { strides: patch });
  let x = fr.add(
    fr.reshape(patches, [-1, time, width]),
    fr.getVariable('positions', { shape: [1, time, width] }),
  );
  for (let layer = 0; layer < layers; layer++) {
    x = fr.add(x, attend(fr.layers.layerNormalization(x), time));
    const wide = fr.layers.dense(fr.layers.layerNormalization(x), 4 * width, { activation: fr.nn.gelu });
    x = fr.add(x, fr.layers.dense(wide, width));
  }
  const logits = fr.layers.dense(fr.reduceMean(fr.layers.layerNormalization(x), { axis: 1 }), 10);
  return fr.losses.sparseSoftmaxCrossEntropy(need(inputs, 'labels'), logits);
}

export const imageLosses = {
  dcgan: adversaries,
  unet: segmentation,
  mobileNet: mobile,
  mobileNetOne: mobile,
  vit: visionTransformer,
  vitOne: visionTransformer,
} satisfies Record<string, Network>;
