/** Every dispatch of one step of a network in Forerun, with its time. */
import * as fr from 'forerun';
import { buildNetwork } from './forerun.js';
import { NETWORKS, type NetworkName } from './specs.js';

const WARM = 3;

/** A line per dispatch: microseconds, kernel, nodes. */
export async function traceNetwork(name: NetworkName): Promise<string[]> {
  const graph = new fr.Graph();
  const { inputs, loss, train } = graph.asDefault(() => buildNetwork(name));
  await using sess = await fr.Session.create({ graph });
  await sess.run(graph.asDefault(() => fr.globalVariablesInitializer()));
  const values = Object.values(NETWORKS[name].feeds).map(
    (feed) => new fr.TensorValue(feed.dtype, feed.shape, feed.data),
  );
  const feeds = new Map(inputs.map((input, i) => [input, values[i] ?? 0]));
  for (let i = 0; i < WARM; i++) await sess.run([train, loss], feeds);
  const runMetadata = new fr.RunMetadata();
  await sess.run([train, loss], feeds, { traceLevel: 'FULL_TRACE', runMetadata });
  return runMetadata.stepStats.devStats.flatMap(({ nodeStats }) =>
    nodeStats.map(
      ({ allEndRelMicros, kernel, sources }) =>
        `${allEndRelMicros.toFixed(0).padStart(8)} us  ${kernel}  (${sources.join(', ')})`,
    ),
  );
}
