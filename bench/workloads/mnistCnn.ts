/** The convolutional network of TensorFlow's MNIST tutorial, without dropout. */
import * as fr from 'forerun';

/** Logits [batch, 10] of images [batch, 28, 28, 1]. */
export function mnistCnn(images: fr.Tensor): fr.Tensor {
  const conv = { padding: 'same', activation: fr.nn.relu } as const;
  const pool1 = fr.layers.maxPooling2d(fr.layers.conv2d(images, 32, 5, conv), 2, 2);
  const pool2 = fr.layers.maxPooling2d(fr.layers.conv2d(pool1, 64, 5, conv), 2, 2);
  const hidden = fr.layers.dense(fr.layers.flatten(pool2), 1024, { activation: fr.nn.relu });
  return fr.layers.dense(hidden, 10);
}
