/** `convertVariablesToConstants`: a graph with the values that its variables have in a session. */
import {
  FailedPreconditionError,
  graphPasses,
  NotFoundError,
  readVariable,
  type Graph,
  type proto,
  type Tensor,
} from '@forerun/graph';
import type { Session } from '../session.js';
import { completeFeeds, difference, fetchAll, type VerifyOptions } from './verify.js';

type GraphDef = proto.Init<proto.GraphDef>;

export interface FreezeOptions extends VerifyOptions {
  /** Names of the only variables to freeze. Default: all. */
  readonly variableNamesWhitelist?: readonly string[] | undefined;
  /** Names of variables that stay variables. */
  readonly variableNamesBlacklist?: readonly string[] | undefined;
}

/**
 * The part of `graphDef` (the session's graph when `null`) that `outputNodeNames` need, with constants in place of variables, also of those
 * that the functions of conditionals and loops read (`tf.graph_util.convert_variables_to_constants`). Both graphs are run and
 * must give the same bits before the result is returned; see `VerifyOptions`.
 *
 * Throws `NotFoundError` naming an output that is not there, `FailedPreconditionError` for variables that are not initialized and where the
 * results differ, `InvalidArgumentError` naming a node that would change a variable.
 */
export async function convertVariablesToConstants(
  sess: Session,
  graphDef: GraphDef | null,
  outputNodeNames: readonly string[],
  options: FreezeOptions = {},
): Promise<GraphDef> {
  const needed = graphPasses.extractSubGraph(graphDef ?? sess.graph.toGraphDef(), outputNodeNames);
  const names = chosen(graphPasses.variableNodes(needed), options);
  const values = await sess.run(names.map((name) => readOf(sess.graph, name)));
  const frozen = graphPasses.freezeVariables(
    needed,
    new Map(names.flatMap((name, i) => (values[i] === undefined ? [] : [[name, values[i]]]))),
  );
  const result = graphPasses.extractSubGraph(frozen, outputNodeNames);
  if (options.verify !== false && graphPasses.variableNodes(result).length === 0) {
    await verifyFrozen(sess, result, outputNodeNames, options);
  }
  return result;
}

function chosen(
  names: readonly string[],
  { variableNamesWhitelist: only, variableNamesBlacklist: except = [] }: FreezeOptions,
): string[] {
  return names.filter((name) => (only?.includes(name) ?? true) && !except.includes(name));
}

/** A tensor with the value of the variable that the node `name` makes. */
function readOf(graph: Graph, name: string): Tensor {
  const op = graph.findOperation(name);
  if (op === undefined) {
    throw new NotFoundError(`the session's graph has no variable "${name}": give the session of this graph`);
  }
  const handle = op.output(0);
  if (handle.dtype !== 'resource') return handle;
  const read = graph.operations.find(
    ({ type, inputs, controlInputs }) =>
      type === 'ReadVariableOp' && inputs[0] === handle && controlInputs.length === 0,
  );
  return read?.output(0) ?? graph.asDefault(() => readVariable(handle));
}

async function verifyFrozen(
  sess: Session,
  frozen: GraphDef,
  outputs: readonly string[],
  { feeds = {} }: FreezeOptions,
): Promise<void> {
  const given = completeFeeds(sess.graph, outputs, feeds);
  const step = sess.randomStep;
  const values = await fetchAll(sess, outputs, given);
  sess.randomStep = step;
  const off = await difference(frozen, { outputs, feeds: given, values });
  if (off === 0) return;
  throw new FailedPreconditionError(
    `the frozen graph differs from the session's by ${off.toPrecision(3)} of the largest value: ` +
      'are there random ops on the way to the outputs? Take outputs of the inference part, or do without the comparison by verify: false',
  );
}
