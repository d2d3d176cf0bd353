/** The workloads in Forerun. */
import * as fr from 'forerun';
import { buildStep, type TrainingStep } from '../workloads/index.js';
import { batchOf, SPECS, type BatchArray, type WorkloadName } from '../workloads/specs.js';
import { measure, type Measurement, type PlanFigures } from './measure.js';

/** The engine needs some dozens of runs until it has compiled what encodes; long steps get at least a few. */
const MOST_ENCODED_RUNS = 80;
const FEWEST_ENCODED_RUNS = 5;
const ENCODING_MILLISECONDS = 3000;

/** Measures one workload. The loss is read after every step. */
export async function measureForerun(name: WorkloadName, batch?: number): Promise<Measurement> {
  const started = performance.now();
  const built = buildStep(name);
  const { input, labels, loss, train } = built;
  const sess = await fr.Session.create();
  await sess.run(fr.globalVariablesInitializer());
  const [inputs, targets] = batchOf(name, batch);
  const step = sess.makeCallable([train, loss], [input, labels]);
  const result = await measure(sess.adapterName, SPECS[name].steps, started, async () => {
    const [, value] = await step(inputs.data, targets.data);
    return value.item();
  });
  const plan = await planFigures(sess, built, inputs, targets);
  sess.close();
  return { ...result, plan };
}

async function planFigures(
  sess: fr.Session,
  { input, labels, loss, train }: TrainingStep,
  inputs: BatchArray,
  targets: BatchArray,
): Promise<PlanFigures> {
  const runMetadata = new fr.RunMetadata();
  const feeds = new Map<fr.Tensor, fr.TensorValue>([
    [input, new fr.TensorValue(inputs.dtype, inputs.shape, inputs.data)],
    [labels, new fr.TensorValue(targets.dtype, targets.shape, targets.data)],
  ]);
  let least = Infinity;
  const started = performance.now();
  for (let i = 0; i < MOST_ENCODED_RUNS; i++) {
    if (i >= FEWEST_ENCODED_RUNS && performance.now() - started > ENCODING_MILLISECONDS) break;
    await sess.run([train, loss], feeds, { runMetadata });
    least = Math.min(least, (1000 * runMetadata.encodeMilliseconds) / runMetadata.dispatches);
  }
  const { dispatches, plan } = runMetadata;
  const { peakBytes = 0, lowerBoundBytes = 0 } = plan?.memory ?? {};
  return { dispatches, peakBytes, lowerBoundBytes, encodeMicrosPerDispatch: least };
}
