/**
 * What the compiler makes of the workloads, without running them: `node bench/dist/dispatches.js [--labels]
 * [WORKLOAD ...]` prints dispatches, pipelines and bytes of a training step; with `--labels` every dispatch.
 */
import * as fr from 'forerun';
import { buildStep } from './workloads/index.js';
import { batchOf, WORKLOAD_NAMES, type WorkloadName } from './workloads/specs.js';

interface Compiled {
  readonly report: fr.PlanReport;
  /** Labels of the dispatches of one step, in order. */
  readonly labels: readonly string[];
}

async function compileStep(name: WorkloadName, withLabels: boolean): Promise<Compiled> {
  const graph = new fr.Graph();
  const step = graph.asDefault(() => buildStep(name));
  const sess = await fr.Session.create({ graph });
  const [input, labels] = batchOf(name);
  const report = await sess.compile(
    [step.train, step.loss],
    new Map([
      [step.input, input.shape],
      [step.labels, labels.shape],
    ]),
  );
  const traced = withLabels ? await trace(sess, graph, step, name) : [];
  sess.close();
  return { report, labels: traced };
}

/** Runs one step and lists its dispatches. */
async function trace(
  sess: fr.Session,
  graph: fr.Graph,
  step: ReturnType<typeof buildStep>,
  name: WorkloadName,
): Promise<string[]> {
  const [input, labels] = batchOf(name);
  await sess.run(graph.asDefault(() => fr.globalVariablesInitializer()));
  const runMetadata = new fr.RunMetadata();
  const feeds = new Map<fr.Tensor, fr.TensorValue>();
  feeds.set(step.input, new fr.TensorValue('float32', input.shape, input.data));
  feeds.set(step.labels, new fr.TensorValue('int32', labels.shape, labels.data));
  await sess.run([step.train, step.loss], feeds, { traceLevel: 'FULL_TRACE', runMetadata });
  return runMetadata.stepStats.devStats.flatMap(({ nodeStats }) =>
    nodeStats.map(
      ({ allEndRelMicros, kernel, sources }) =>
        `${allEndRelMicros.toFixed(0).padStart(8)} us  ${kernel}  (${sources.join(', ')})`,
    ),
  );
}

const asked = process.argv.slice(2).filter((argument) => argument !== '--labels');
const unknown = asked.find((name) => !WORKLOAD_NAMES.includes(name as WorkloadName));
if (unknown !== undefined) {
  throw new Error(`unknown workload "${unknown}": there are ${WORKLOAD_NAMES.join(', ')}`);
}
console.log('workload      nodes  units  dispatches  pipelines   peak MB  bound MB  compile ms');
for (const name of WORKLOAD_NAMES.filter((each) => asked.length === 0 || asked.includes(each))) {
  const { report, labels } = await compileStep(name, process.argv.includes('--labels'));
  const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1).padStart(9);
  console.log(
    [
      name.padEnd(12),
      String(report.graphNodes).padStart(6),
      String(report.units).padStart(6),
      String(report.dispatches).padStart(11),
      String(report.pipelines).padStart(10),
      megabytes(report.memory.peakBytes),
      megabytes(report.memory.lowerBoundBytes),
      report.compileMilliseconds.toFixed(0).padStart(11),
    ].join(' '),
  );
  for (const label of labels) console.log(label);
}
