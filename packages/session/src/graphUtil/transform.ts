/** `transform`: passes over a saved graph, each verified and reported (TensorFlow's graph transform tool). */
import {
  FailedPreconditionError,
  graphPasses,
  InvalidArgumentError,
  type proto,
  type TensorValue,
} from '@forerun/graph';
import { Session } from '../session.js';
import { difference, graphOf, measure, tensorName, type Measured, type VerifyOptions } from './verify.js';

type GraphDef = proto.Init<proto.GraphDef>;
const { EditableGraph } = graphPasses;
type Editable = graphPasses.EditableGraph;

export const TRANSFORMS = [
  'stripUnusedNodes',
  'removeDebuggingNodes',
  'foldConstants',
  'foldBatchNorms',
  'fuseConvolutions',
  'mergeDuplicateNodes',
  'sortByExecutionOrder',
  'removeDevice',
  'quantizeWeights',
] as const;
export type TransformName = (typeof TRANSFORMS)[number];

/** Names that TensorFlow's tool gives the passes. */
const ALIASES: Readonly<Record<string, TransformName>> = {
  strip_unused_nodes: 'stripUnusedNodes',
  remove_nodes: 'removeDebuggingNodes',
  fold_constants: 'foldConstants',
  fold_batch_norms: 'foldBatchNorms',
  fold_old_batch_norms: 'foldBatchNorms',
  fuse_convolutions: 'fuseConvolutions',
  merge_duplicate_nodes: 'mergeDuplicateNodes',
  sort_by_execution_order: 'sortByExecutionOrder',
  remove_device: 'removeDevice',
  quantize_weights: 'quantizeWeights',
};

/** What makes a graph smaller and faster and leaves its results as they are, up to rounding. */
export const DEFAULT_TRANSFORMS: readonly TransformName[] = [
  'stripUnusedNodes',
  'removeDebuggingNodes',
  'foldConstants',
  'foldBatchNorms',
  'fuseConvolutions',
  'mergeDuplicateNodes',
  'stripUnusedNodes',
  'sortByExecutionOrder',
];

/** A pass, with its options where it has some. */
export type Transform =
  string | ({ readonly pass: 'quantizeWeights'; readonly tolerance?: number } & graphPasses.QuantizeOptions);

export interface TransformOptions extends VerifyOptions {
  /**
   * The largest difference of an output after a pass, as a fraction of the output's largest value. Default 1e-4: folding
   * changes roundings. Of `quantizeWeights` 0.02 for float16 and 0.2 for uint8.
   */
  readonly tolerance?: number | undefined;
}

/** What one pass did. */
export interface TransformReport {
  readonly pass: TransformName;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  /** In words; empty when there was nothing to do. */
  readonly changes: readonly string[];
  /** The largest difference to the outputs before all passes, as a fraction of the largest value; `null` when not compared. */
  readonly difference: number | null;
}

export interface Transformed {
  readonly graphDef: GraphDef;
  readonly report: readonly TransformReport[];
}

/**
 * Applies passes to a frozen graph. `inputs` and `outputs` are names of nodes or tensors, which keep their names; the graph is
 * run before and after each pass that changed something, and the outputs are compared.
 *
 * Throws `InvalidArgumentError` for unknown passes and names and for a graph that has to be frozen first, `FailedPreconditionError` naming the
 * pass after which the outputs differ by more than the tolerance.
 */
export async function transform(
  graphDef: GraphDef,
  inputs: readonly string[],
  outputs: readonly string[],
  transforms: readonly Transform[] = DEFAULT_TRANSFORMS,
  options: TransformOptions = {},
): Promise<Transformed> {
  if (outputs.length === 0) throw new InvalidArgumentError('transform: there are no outputs');
  const passes = transforms.map(resolve);
  let current: GraphDef = new EditableGraph(graphDef).toGraphDef();
  refuseMissing(current, [...inputs, ...outputs]);
  const measured = options.verify === false ? null : await measureFrozen(current, outputs, options);
  const report: TransformReport[] = [];
  for (const pass of passes) {
    const graph = new EditableGraph(current);
    const nodesBefore = graph.nodes.size;
    const changes = await apply(pass, graph, { inputs, outputs });
    const next = graph.toGraphDef();
    const off = changes.length === 0 || measured === null ? null : await check(pass, next, measured, options);
    if (measured === null) graphOf(next);
    report.push({ pass: pass.name, nodesBefore, nodesAfter: graph.nodes.size, changes, difference: off });
    current = next;
  }
  return { graphDef: current, report };
}

/** Whether there is a pass of this name, or one that TensorFlow's tool calls so. */
export function isTransform(pass: string): boolean {
  return transformNamed(pass) !== undefined;
}

function transformNamed(pass: string): TransformName | undefined {
  return (
    TRANSFORMS.find((known) => known === pass) ?? (Object.hasOwn(ALIASES, pass) ? ALIASES[pass] : undefined)
  );
}

interface ResolvedPass {
  readonly name: TransformName;
  readonly quantize: graphPasses.QuantizeOptions;
  readonly tolerance: number | undefined;
}

function resolve(transform: Transform): ResolvedPass {
  const given: { readonly pass: string; readonly tolerance?: number } & graphPasses.QuantizeOptions =
    typeof transform === 'string' ? { pass: transform } : transform;
  const { pass, tolerance, ...quantize } = given;
  const name = transformNamed(pass);
  if (name === undefined) {
    throw new InvalidArgumentError(
      `transform: there is no pass "${pass}"; there are ${TRANSFORMS.join(', ')}`,
    );
  }
  return { name, quantize, tolerance };
}

function refuseMissing(graphDef: GraphDef, names: readonly string[]): void {
  const graph = new EditableGraph(graphDef);
  for (const name of names) graph.node(name);
}

async function measureFrozen(
  graphDef: GraphDef,
  outputs: readonly string[],
  { feeds }: TransformOptions,
): Promise<Measured> {
  const needed = graphPasses.extractSubGraph(graphDef, outputs);
  const variables = graphPasses.variableNodes(needed);
  if (variables.length > 0) {
    throw new InvalidArgumentError(
      `transform: the graph has the variables ${variables
        .slice(0, 3)
        .map((name) => `"${name}"`)
        .join(', ')}, whose values are not in it: ` +
        'freeze it first with convertVariablesToConstants, or do without the comparison by verify: false',
    );
  }
  return measure(needed, outputs, feeds);
}

async function apply(
  { name, quantize }: ResolvedPass,
  graph: Editable,
  context: graphPasses.PassContext,
): Promise<graphPasses.PassResult> {
  switch (name) {
    case 'stripUnusedNodes':
      return graphPasses.stripUnusedNodes(graph, context);
    case 'removeDebuggingNodes':
      return graphPasses.removeDebuggingNodes(graph, context);
    case 'foldConstants':
      return foldConstants(graph, context);
    case 'foldBatchNorms':
      return graphPasses.foldBatchNorms(graph, context);
    case 'fuseConvolutions':
      return graphPasses.fuseConvolutions(graph, context);
    case 'mergeDuplicateNodes':
      return graphPasses.mergeDuplicateNodes(graph, context);
    case 'sortByExecutionOrder':
      return graphPasses.sortByExecutionOrder(graph);
    case 'removeDevice':
      return graphPasses.removeDevice(graph);
    case 'quantizeWeights':
      return graphPasses.quantizeWeights(graph, quantize);
  }
}

const TOLERANCE = 1e-4;
const QUANTIZED = { float16: 0.02, uint8: 0.2 } as const;

/** The difference after a pass. Throws when it is too large. */
async function check(
  { name, quantize, tolerance: own }: ResolvedPass,
  graphDef: GraphDef,
  measured: Measured,
  { tolerance }: TransformOptions,
): Promise<number> {
  const rule = name === 'quantizeWeights' ? QUANTIZED[quantize.to ?? 'float16'] : TOLERANCE;
  const allowed = own ?? tolerance ?? rule;
  const off = await difference(graphDef, measured);
  if (off <= allowed) return off;
  throw new FailedPreconditionError(
    `transform: after ${name} the outputs differ by ${off.toPrecision(3)} of the largest value, ${allowed} is allowed`,
  );
}

/** Larger results make the file larger than the nodes that compute them. */
const MAX_FOLDED_BYTES = 10 * 2 ** 20;

/** Computes what depends on constants alone, on the device, and puts the values in its place. */
async function foldConstants(
  graph: Editable,
  { inputs, outputs }: graphPasses.PassContext,
): Promise<graphPasses.PassResult> {
  const fed = new Set(inputs.map(graphPasses.nodeNameOf));
  const whole = graphOf(graph.toGraphDef());
  const frontier = graphPasses.constantFrontier(graph, outputs).filter(({ node, input }) => {
    const { shape, dtype } = whole.getTensorByName(tensorName(input));
    const size = shape.dims?.reduce<number>((product, dim) => product * (dim ?? 1), 1) ?? 0;
    return !fed.has(node) && dtype !== 'resource' && dtype !== 'variant' && size * 4 <= MAX_FOLDED_BYTES;
  });
  if (frontier.length === 0) return [];
  const sess = await Session.create({ graph: whole });
  let values: readonly (TensorValue | undefined)[];
  try {
    values = await sess.run(frontier.map(({ input }) => tensorName(input)));
  } finally {
    sess.close();
  }
  const before = graph.nodes.size;
  replaceTensors(graph, frontier, values, new Set(outputs.map(graphPasses.canonical)));
  graph.keepOnly([...outputs, ...inputs]);
  return [`computed ${frontier.length} constant tensors, which ${before - graph.nodes.size} nodes were for`];
}

function replaceTensors(
  graph: Editable,
  frontier: readonly graphPasses.ConstantTensor[],
  values: readonly (TensorValue | undefined)[],
  outputs: ReadonlySet<string>,
): void {
  const redirected = new Map<string, string>();
  frontier.forEach(({ input, node, output }, i) => {
    const value = values[i];
    const { device } = graph.node(node);
    if (value === undefined) return;
    if (output === 0 && outputs.has(node)) {
      graph.addConstant(node, value, device);
      return;
    }
    const name = graph.freeName(`${node}/folded${output === 0 ? '' : `_${output}`}`);
    graph.addConstant(name, value, device);
    redirected.set(input, name);
  });
  graph.redirect(redirected);
}
