/** Networks on images in tfjs. */
import tf from '@tensorflow/tfjs';
import { bias, conv, dense, layerNorm, weight } from '../tfjs/layers.js';
import { SIZES } from './specs.js';
import {
  collecting,
  crossEntropy,
  need,
  norm,
  sigmoidCrossEntropy,
  type Loss,
  type Network,
  type Part,
} from './tfjsInputs.js';

const { dcgan, unet, mobileNet, vit } = SIZES;

type Layer = (x: tf.Tensor) => tf.Tensor;

function transposed(channels: number, filters: number): Layer {
  const filter = weight([4, 4, filters, channels], 16 * filters, 16 * channels) as tf.Tensor4D;
  return (x) => {
    const [batch = 0, height = 0, width = 0] = x.shape;
    return tf.conv2dTranspose(x as tf.Tensor4D, filter, [batch, 2 * height, 2 * width, filters], 2, 'same');
  };
}

function generator(): Layer {
  const [first, second, third] = dcgan.widths;
  const [project, norm1, norm2, norm3] = [
    dense(dcgan.noise, 16 * first, false),
    norm(first),
    norm(second),
    norm(third),
  ];
  const [up1, up2, up3, offset] = [
    transposed(first, second),
    transposed(second, third),
    transposed(third, 3),
    bias(3),
  ];
  return (noise) => {
    const x = tf.relu(norm1(tf.reshape(project(noise), [-1, 4, 4, first])));
    return tf.tanh(tf.add(up3(tf.relu(norm3(up2(tf.relu(norm2(up1(x))))))), offset));
  };
}

function discriminator(): Layer {
  const [last, middle, first] = dcgan.widths;
  const [conv1, conv2, conv3] = [conv(4, 3, first, 2), conv(4, first, middle, 2), conv(4, middle, last, 2)];
  const [offset, norm2, norm3, classify] = [bias(first), norm(middle), norm(last), dense(16 * last, 1)];
  return (images) => {
    const x = tf.leakyRelu<tf.Tensor4D>(tf.add(conv1(images as tf.Tensor4D), offset), 0.2);
    const y = tf.leakyRelu(norm3(conv3(tf.leakyRelu(norm2(conv2(x)), 0.2) as tf.Tensor4D)), 0.2);
    return classify(tf.reshape(y, [-1, 16 * last]));
  };
}

function adversaries(): Part[] {
  const [generate, ofGenerator] = collecting(generator);
  const [discriminate, ofDiscriminator] = collecting(discriminator);
  const costs = (logits: tf.Tensor, label: number): tf.Scalar =>
    tf.mean<tf.Scalar>(sigmoidCrossEntropy(tf.fill(logits.shape, label), logits));
  const fakes = (batch = 0): tf.Tensor => generate(tf.randomNormal([batch, dcgan.noise]));
  return [
    {
      variables: ofDiscriminator,
      loss: (inputs) => {
        const real = need(inputs, 'x');
        return tf.add(costs(discriminate(real), 1), costs(discriminate(fakes(real.shape[0])), 0));
      },
    },
    {
      variables: ofGenerator,
      loss: (inputs) => costs(discriminate(fakes(need(inputs, 'x').shape[0])), 1),
    },
  ];
}

function twice(channels: number, width: number): Layer {
  const [first, second] = [conv(3, channels, width), conv(3, width, width)];
  const [norm1, norm2] = [norm(width), norm(width)];
  return (x) => tf.relu(norm2(second(tf.relu(norm1(first(x as tf.Tensor4D))) as tf.Tensor4D)));
}

function segmentation(): Loss {
  const [w1, w2, w3] = unet.widths;
  const [down1, down2, down3] = [twice(3, w1), twice(w1, w2), twice(w2, w3)];
  const [up2, up1, head, offset] = [twice(w2 + w3, w2), twice(w1 + w2, w1), conv(1, w1, 2), bias(2)];
  const pool = (x: tf.Tensor): tf.Tensor => tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid');
  const grow = (x: tf.Tensor, size: number): tf.Tensor =>
    tf.image.resizeBilinear(x as tf.Tensor4D, [size, size]);
  return (inputs) => {
    const a = down1(need(inputs, 'x'));
    const b = down2(pool(a));
    const c = up2(tf.concat([b, grow(down3(pool(b)), unet.image / 2)], 3));
    const d = up1(tf.concat([a, grow(c, unet.image)], 3));
    return crossEntropy(inputs, tf.add(head(d as tf.Tensor4D), offset), 2);
  };
}

function inverted(channels: number, expansion: number, filters: number, strides: number): Layer {
  const wide = expansion * channels;
  const widen = expansion === 1 ? null : ([conv(1, channels, wide), norm(wide)] as const);
  const filter = weight([3, 3, wide, 1], 9 * wide, 9) as tf.Tensor4D;
  const [normal, narrow, last] = [norm(wide), conv(1, wide, filters), norm(filters)];
  return (x) => {
    const expanded = widen === null ? x : tf.relu6(widen[1](widen[0](x as tf.Tensor4D)));
    const deep = tf.relu6(normal(tf.depthwiseConv2d(expanded as tf.Tensor4D, filter, strides, 'same')));
    const y = last(narrow(deep as tf.Tensor4D));
    return strides === 1 && channels === filters ? tf.add(x, y) : y;
  };
}

function mobile(): Loss {
  const [stem, normal] = [conv(3, 3, 16), norm(16)];
  let channels = 16;
  const blocks = mobileNet.blocks.map(([expansion, filters, strides]) => {
    const block = inverted(channels, expansion, filters, strides);
    channels = filters;
    return block;
  });
  const classify = dense(channels, 10);
  return (inputs) => {
    const x = tf.relu6(normal(stem(need(inputs, 'x'))));
    const features = blocks.reduce((y, block) => block(y), x);
    return crossEntropy(inputs, classify(tf.mean(features, [1, 2])), 10);
  };
}

function attention(time: number): Layer {
  const { width, heads } = vit;
  const parts = [dense(width, width), dense(width, width), dense(width, width)] as const;
  const join = dense(width, width);
  return (x) => {
    const split = (each: tf.Tensor): tf.Tensor =>
      tf.transpose(tf.reshape(each, [-1, time, heads, width / heads]), [0, 2, 1, 3]);
    const [queries, keys, values] = [split(parts[0](x)), split(parts[1](x)), split(parts[2](x))];
    const scores = tf.mul(tf.matMul(queries, keys, false, true), 1 / Math.sqrt(width / heads));
    const joined = tf.transpose(tf.matMul(tf.softmax(scores), values), [0, 2, 1, 3]);
    return join(tf.reshape(joined, [-1, time, width]));
  };
}

/** x (1 + erf(x / sqrt 2)) / 2. */
const gelu: Layer = (x) => tf.mul(x, tf.mul(0.5, tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2)))));

function visionTransformer(): Loss {
  const { patch, width, layers } = vit;
  const time = (32 / patch) ** 2;
  const filter = weight([patch, patch, 3, width], patch * patch * 3, patch * patch * width) as tf.Tensor4D;
  const [offset, positions] = [bias(width), weight([1, time, width], time, width)];
  const blocks = Array.from({ length: layers }, () => ({
    norms: [layerNorm(width), layerNorm(width)] as const,
    attend: attention(time),
    feed: [dense(width, 4 * width), dense(4 * width, width)] as const,
  }));
  const [last, classify] = [layerNorm(width), dense(width, 10)];
  return (inputs) => {
    const patches = tf.add(tf.conv2d(need<tf.Tensor4D>(inputs, 'x'), filter, patch, 'valid'), offset);
    const embedded = tf.add(tf.reshape(patches, [-1, time, width]), positions);
    const features = blocks.reduce<tf.Tensor>((x, { norms, attend, feed }) => {
      const attended = tf.add(x, attend(norms[0](x)));
      return tf.add(attended, feed[1](gelu(feed[0](norms[1](attended)))));
    }, embedded);
    return crossEntropy(inputs, classify(tf.mean(last(features), 1)), 10);
  };
}

export const imageLosses = {
  dcgan: adversaries,
  unet: segmentation,
  mobileNet: mobile,
  mobileNetOne: mobile,
  vit: visionTransformer,
  vitOne: visionTransformer,
} satisfies Record<string, Network>;
