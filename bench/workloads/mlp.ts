/** 784-128-10: the least network of the tutorials. */
import * as fr from 'forerun';

/** Logits [batch, 10] of images [batch, 784]. */
export function mlp(images: fr.Tensor): fr.Tensor {
  const hidden = fr.layers.dense(images, 128, { activation: fr.nn.relu });
  return fr.layers.dense(hidden, 10);
}
