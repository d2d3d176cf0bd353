/** The workloads in Forerun. */
import * as fr from 'forerun';
import { buildStep } from '../workloads/index.js';
import { batchOf, SPECS, type WorkloadName } from '../workloads/specs.js';
import { measure, type Measurement } from './measure.js';

/** Measures one workload. The loss is read after every step. */
export async function measureForerun(name: WorkloadName): Promise<Measurement> {
  const started = performance.now();
  const { input, labels, loss, train } = buildStep(name);
  const sess = await fr.Session.create();
  await sess.run(fr.globalVariablesInitializer());
  const [inputs, targets] = batchOf(name);
  const step = sess.makeCallable([train, loss], [input, labels]);
  const result = await measure(sess.adapterName, SPECS[name].steps, started, async () => {
    const [, value] = await step(inputs.data, targets.data);
    return value.item();
  });
  sess.close();
  return result;
}
