/** The network of the page: small, so that a software adapter keeps up, and right in 98 of 100 after one pass. */
import * as fr from 'forerun';

/** What the page runs of the graph; it feeds `images`, [n, 28, 28, 1] float32 from 0 to 1, and `labels`, [n] int32. */
export interface Model {
  readonly graph: fr.Graph;
  readonly loss: fr.Tensor;
  readonly accuracy: fr.Tensor;
  /** Probabilities [n, 10] float32. */
  readonly probabilities: fr.Tensor;
  readonly train: fr.Operation;
  readonly init: fr.Operation;
}

/** Conv 5x5x8, pool, conv 5x5x16, pool, dense 10, trained by Adam. */
export function buildModel(): Model {
  const graph = new fr.Graph();
  return graph.asDefault(() => {
    fr.setRandomSeed(1);
    const images = fr.placeholder('float32', [null, 28, 28, 1], { name: 'images' });
    const labels = fr.placeholder('int32', [null], { name: 'labels' });
    const conv = { padding: 'same', activation: fr.nn.relu } as const;
    const conv1 = fr.layers.conv2d(images, 8, 5, { ...conv, name: 'conv1' });
    const pool1 = fr.layers.maxPooling2d(conv1, 2, 2, { name: 'pool1' });
    const conv2 = fr.layers.conv2d(pool1, 16, 5, { ...conv, name: 'conv2' });
    const pool2 = fr.layers.maxPooling2d(conv2, 2, 2, { name: 'pool2' });
    const logits = fr.layers.dense(fr.layers.flatten(pool2), 10, { name: 'logits' });
    const loss = fr.losses.sparseSoftmaxCrossEntropy(labels, logits);
    const correct = fr.equal(fr.argMax(logits, { axis: 1, outputType: 'int32' }), labels);
    const accuracy = fr.reduceMean(fr.cast(correct, 'float32'), { name: 'accuracy' });
    const probabilities = fr.nn.softmax(logits, { name: 'probabilities' });
    const train = new fr.train.AdamOptimizer(2e-3).minimize(loss, { name: 'train' });
    return { graph, loss, accuracy, probabilities, train, init: fr.globalVariablesInitializer() };
  });
}
