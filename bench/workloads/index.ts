/** The workloads as Forerun graphs. */
import * as fr from 'forerun';
import { lstm } from './lstm.js';
import { mlp } from './mlp.js';
import { mnistCnn } from './mnistCnn.js';
import { resnet18 } from './resnet18.js';
import { LEARNING_RATE, SPECS, type WorkloadName } from './specs.js';
import { transformer } from './transformer.js';

/** Logits of a batch of inputs. */
export const MODELS: Readonly<Record<WorkloadName, (input: fr.Tensor) => fr.Tensor>> = {
  mlp,
  mnistCnn,
  resnet18,
  lstm,
  transformer,
};

/** A training step in the default graph. */
export interface TrainingStep {
  readonly input: fr.Tensor;
  readonly labels: fr.Tensor;
  readonly logits: fr.Tensor;
  readonly loss: fr.Tensor;
  readonly train: fr.Operation;
}

/** Adds a workload's model, loss and Adam update to the default graph; the batch stays open. */
export function buildStep(name: WorkloadName): TrainingStep {
  fr.setRandomSeed(1);
  const spec = SPECS[name];
  const input = fr.placeholder('float32', [null, ...spec.input], { name: 'input' });
  const labels = fr.placeholder('int32', [null, ...spec.labels], { name: 'labels' });
  const logits = MODELS[name](input);
  const loss = fr.losses.sparseSoftmaxCrossEntropy(labels, logits);
  const train = new fr.train.AdamOptimizer(LEARNING_RATE).minimize(loss);
  return { input, labels, logits, loss, train };
}
