/**
 * ResNet-18 (He et al., 2015) as it is used on 32x32 images: a 3x3 stem without pooling, four stages of two basic
 * blocks, the mean over positions, one dense layer.
 */
import * as fr from 'forerun';
import { RESNET_STAGES } from './specs.js';

function convNorm(x: fr.Tensor, filters: number, kernel: number, strides: number): fr.Tensor {
  const y = fr.layers.conv2d(x, filters, kernel, { strides, padding: 'same', useBias: false });
  return fr.layers.batchNormalization(y, { training: true });
}

/** Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes. */
function block(x: fr.Tensor, filters: number, strides: number): fr.Tensor {
  const inner = fr.nn.relu(convNorm(x, filters, 3, strides));
  const outer = convNorm(inner, filters, 3, 1);
  const shortcut = strides === 1 ? x : convNorm(x, filters, 1, strides);
  return fr.nn.relu(fr.add(outer, shortcut));
}

/** Logits [batch, 10] of images [batch, 32, 32, 3]. Batch normalization takes the statistics of the batch. */
export function resnet18(images: fr.Tensor): fr.Tensor {
  let x = fr.nn.relu(convNorm(images, RESNET_STAGES[0], 3, 1));
  RESNET_STAGES.forEach((filters, stage) => {
    x = block(x, filters, stage === 0 ? 1 : 2);
    x = block(x, filters, 1);
  });
  return fr.layers.dense(fr.reduceMean(x, { axis: [1, 2] }), 10);
}
