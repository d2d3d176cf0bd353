/** `forerun freeze`: a graph and the values of its variables as one graph, compared with the original before it is written. */
import { graphPasses, proto } from '@forerun/graph';
import { graphUtil } from '@forerun/session';
import { FileError } from '../errors.js';
import { formOf, GRAPH_FORMS, type GraphForm } from '../forms.js';
import { formatCount, plural } from '../format.js';
import { graphFiles, modelDirectory } from '../graphFiles.js';
import { findNode, variableSize, viewGraph, type GraphView } from '../graphView.js';
import { loadGraph, type LoadedGraph } from '../load.js';
import type { CommonOptions } from '../program.js';
import { restoreState, withSession } from '../runSetup.js';
import { signatureDefs, signatureOf } from '../signature.js';
import { parseTags } from '../tags.js';
import { withWeightsBeside } from '../weightsBeside.js';
import type { Terminal } from '../terminal.js';
import { weightsPath } from '../variableValues.js';
import { verifyFeeds, type FeedOptions } from '../verifyFeeds.js';
import { writeFiles, type Written } from '../writeFiles.js';
import { describeWritten } from './convert.js';

export interface FreezeCommandOptions extends CommonOptions, FeedOptions {
  readonly to?: GraphForm;
  /** A checkpoint or file of weights; a SavedModel has its own. */
  readonly weights?: string;
  /** Outputs to keep. */
  readonly fetch?: readonly string[];
  /** False: what is written is not compared with the original. */
  readonly verify?: boolean;
}

interface FreezeReport {
  readonly file: string;
  readonly weights: string;
  readonly outputs: readonly string[];
  readonly variables: number;
  readonly parameters: number;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  /** Whether both graphs were run and gave the same bits. */
  readonly verified: boolean;
  readonly to: GraphForm;
  readonly written: readonly Written[];
}

/**
 * Writes `target`: the part of a graph that its outputs need, with constants in place of variables. Throws `FileError` for bad files, for variables
 * without values, and where both graphs do not give the same.
 */
export async function freeze(
  file: string,
  target: string,
  options: FreezeCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const form = options.to ?? formOf(target, GRAPH_FORMS);
  const view = viewGraph(
    await withWeightsBeside(await loadGraph(file, 'graph to freeze', { tags: parseTags(options.tags) })),
  );
  const outputs = tensorNames(view, options.fetch);
  const weights = weightsOf(view, options.weights);
  const { graphDef, variables } = await frozen(view, outputs, options, terminal);
  const result = madeView(view, graphDef, options.fetch);
  const files = await graphFiles(result, form, target);
  const report: FreezeReport = {
    file: view.loaded.path,
    weights,
    outputs,
    variables: variables.length,
    parameters: variables.reduce((sum, name) => sum + variableSize(findNode(view, name)), 0),
    nodesBefore: view.graph.operations.length,
    nodesAfter: result.graph.operations.length,
    verified: options.verify !== false,
    to: form,
    written: await writeFiles(files, modelDirectory(form, target)),
  };
  terminal.print(options.json === true ? JSON.stringify(report, null, 2) : render(report, terminal));
}

/** Names of the outputs, those of a signature without the number of a first output. */
export function tensorNames(view: GraphView, fetch: readonly string[] | undefined): string[] {
  const names = Object.values(signatureOf(view, fetch).outputs).map(({ name }) => name.replace(/:0$/, ''));
  return [...new Set(names)];
}

function weightsOf(view: GraphView, weights: string | undefined): string {
  const { path } = view.loaded;
  if (view.variables.length === 0)
    throw new FileError(`${path}: the graph has no variables: it is frozen already`);
  const found = weightsPath(view, weights);
  if (found !== undefined) return found;
  const named = view.variables.slice(0, 3).map(({ op }) => `"${op.name}"`);
  throw new FileError(
    `${path}: the values of ${plural(view.variables.length, 'variable')} such as ${named.join(', ')} are not in the graph: give the checkpoint with --weights`,
  );
}

interface Frozen {
  readonly graphDef: proto.GraphDef;
  /** Names of the variables that the outputs need. */
  readonly variables: readonly string[];
}

async function frozen(
  view: GraphView,
  outputs: readonly string[],
  options: FreezeCommandOptions,
  terminal: Terminal,
): Promise<Frozen> {
  const feeds = await verifyFeeds(view, outputs, options);
  const { path, graphDef } = view.loaded;
  return withSession(path, view.graph, terminal, async (sess) => {
    await restoreState(sess, view, options.weights);
    const variables = graphPasses.variableNodes(graphPasses.extractSubGraph(graphDef, outputs));
    const made = await graphUtil.convertVariablesToConstants(sess, graphDef, outputs, {
      feeds,
      verify: options.verify !== false,
    });
    return { graphDef: proto.complete('GraphDef', made), variables };
  });
}

/** A graph that was made of another one: what signatures still name is kept, collections and savers are not. */
export function madeView(
  view: GraphView,
  graphDef: proto.GraphDef,
  fetch: readonly string[] | undefined,
): GraphView {
  const names = new Set(graphDef.node.map(({ name }) => name));
  const isThere = ({ name = '' }: proto.TensorInfo): boolean => names.has(name.replace(/:\d+$/, ''));
  const signatureDef = new Map(
    [...signatureDefs(view, fetch)].filter(([, { inputs, outputs }]) =>
      [...inputs.values(), ...outputs.values()].every(isThere),
    ),
  );
  const metaGraph = { ...proto.create('MetaGraphDef'), graphDef, signatureDef };
  const { path, encoding, bytes } = view.loaded;
  const loaded: LoadedGraph = {
    kind: 'graph',
    path,
    format: 'MetaGraphDef',
    encoding,
    bytes,
    graphDef,
    metaGraph,
    tagSets: [],
  };
  return viewGraph(loaded);
}

function render(report: FreezeReport, { colors }: Terminal): string {
  const { file, weights, variables, parameters, nodesBefore, nodesAfter, outputs, verified } = report;
  return [
    `${colors.bold(file)} with the values of ${weights}`,
    `  outputs ${outputs.join(', ')}`,
    `  ${plural(variables, 'variable')} with ${formatCount(parameters)} parameters became constants; ${formatCount(nodesBefore)} -> ${plural(nodesAfter, 'node')}`,
    verified
      ? colors.green('  both graphs were run and gave the same bits')
      : colors.yellow('  not compared with the original'),
    describeWritten(report.to, report.written),
  ].join('\n');
}
