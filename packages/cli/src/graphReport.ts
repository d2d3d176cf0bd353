/** What `inspect` tells of a graph, as plain data: the form that `--json` prints. */
import {
  baseDType,
  dtypeBytes,
  dtypeFromNumber,
  graphPasses,
  shapeFromProto,
  withAssumedShapes,
  type Dim,
  type Graph,
  type Operation,
  type proto,
  type Tensor,
} from '@forerun/graph';
import { runCosts, type RunCost } from './cost.js';
import {
  inputsOf,
  isBookkeeping,
  weightConstants,
  outputsOf,
  targetsOf,
  variableSize,
  viewGraph,
  type GraphView,
  type VariableRole,
} from './graphView.js';
import { withInputShapes, type InputShape, type InputShapes } from './inputShapes.js';
import { FileError } from './errors.js';
import { inFile } from './inFile.js';
import type { LoadedGraph, Origin } from './load.js';
import { whyUnsupported, type OpKind } from './support.js';
import { summarizeValue } from './values.js';

export type JsonShape = readonly Dim[] | null;

export interface TensorReport {
  readonly name: string;
  readonly op: string;
  readonly dtype: string;
  readonly shape: JsonShape;
}

export interface InputReport extends TensorReport {
  /** The value of an input that need not be fed. */
  readonly default?: string;
}

export interface VariableReport {
  readonly name: string;
  readonly dtype: string;
  readonly shape: JsonShape;
  readonly role: VariableRole;
  readonly parameters: number;
  readonly bytes: number;
}

export interface OpCount {
  readonly type: string;
  readonly nodes: number;
  readonly supported: boolean;
  /** Why it is not supported. */
  readonly reason?: string;
}

/** A number of parameters and of the bytes that they take. */
export interface Amount {
  readonly count: number;
  readonly parameters: number;
  readonly bytes: number;
}

export interface SignatureReport {
  readonly name: string;
  readonly method: string;
  readonly inputs: readonly SignatureTensor[];
  readonly outputs: readonly SignatureTensor[];
}

export interface SignatureTensor {
  readonly key: string;
  readonly tensor: string;
  readonly dtype: string;
  readonly shape: JsonShape;
}

export interface GraphReport {
  readonly kind: 'graph';
  readonly file: string;
  readonly format: LoadedGraph['format'];
  readonly encoding: LoadedGraph['encoding'];
  readonly fileBytes: number;
  readonly producer: number;
  readonly minConsumer: number;
  readonly tensorflowVersion?: string;
  readonly tags?: readonly string[];
  /** Of models of other frameworks: what their files say, and their own types of op or layer. */
  readonly origin?: Origin;
  readonly nodes: number;
  readonly functions: readonly string[];
  readonly signatures: readonly SignatureReport[];
  readonly collections: readonly { readonly key: string; readonly kind: string; readonly size: number }[];
  readonly inputs: readonly InputReport[];
  readonly outputs: readonly TensorReport[];
  readonly targets: readonly { readonly name: string; readonly op: string }[];
  readonly variables: readonly VariableReport[];
  readonly parameters: {
    /** Trained variables; where none is known to be trained, all but an optimizer's own; in a frozen graph its constants. */
    readonly total: Amount;
    readonly trained: Amount;
    readonly slots: Amount;
    readonly other: Amount;
    readonly constants: Amount;
  };
  readonly ops: readonly OpCount[];
  readonly unsupported: readonly OpCount[];
  readonly cost: {
    readonly inputs: readonly {
      readonly name: string;
      readonly shape: JsonShape;
      readonly source: InputShape['source'];
    }[];
    /** Why the graph could not be computed with the assumed shapes, so that they stay unknown. */
    readonly problem?: string;
    readonly runs: readonly RunCost[];
  };
}

/** Everything that can be said of a graph file. Throws `FileError` when the graph breaks the rules. */
export function reportGraph(loaded: LoadedGraph, shapes: InputShapes = new Map()): GraphReport {
  return inFile(loaded.path, () => buildReport(loaded, shapes));
}

function buildReport(loaded: LoadedGraph, shapes: InputShapes): GraphReport {
  const view = viewGraph(loaded);
  const { graphDef, metaGraph } = loaded;
  const info = metaGraph?.metaInfoDef;
  const ops = countOps(view.graph.operations);
  const variables = view.variables.map(({ op, role }) => variableReport(op, role));
  return {
    kind: 'graph',
    file: loaded.path,
    format: loaded.format,
    encoding: loaded.encoding,
    fileBytes: loaded.bytes,
    producer: graphDef.versions?.producer ?? graphDef.version,
    minConsumer: graphDef.versions?.minConsumer ?? 0,
    ...(info === undefined || info.tensorflowVersion === ''
      ? {}
      : { tensorflowVersion: info.tensorflowVersion }),
    ...(loaded.format === 'SavedModel' ? { tags: info?.tags ?? [] } : {}),
    ...(loaded.origin === undefined ? {} : { origin: loaded.origin }),
    nodes: graphDef.node.length,
    functions: (graphDef.library?.function ?? []).map((fn) => fn.signature?.name ?? ''),
    signatures: [...(metaGraph?.signatureDef ?? [])].map(([name, def]) =>
      signatureReport(name, def, view.graph),
    ),
    collections: [...(metaGraph?.collectionDef ?? [])].map(([key, def]) => ({ key, ...collectionSize(def) })),
    inputs: inputsOf(view).flatMap(inputReport),
    outputs: outputsOf(view).flatMap(outputReports),
    targets: targetsOf(view).map((op) => ({ name: op.name, op: op.type })),
    variables,
    parameters: parametersOf(variables, view),
    ops,
    unsupported: [...ops.filter((op) => !op.supported), ...unsupportedInFunctions(graphDef, metaGraph)],
    cost: costReport(loaded, shapes, view),
  };
}

/** What the functions that nodes call would need and is not here. Those of savers are not run: what they restore is read off them. */
function unsupportedInFunctions(
  { node, library }: proto.GraphDef,
  metaGraph: proto.MetaGraphDef | undefined,
): OpCount[] {
  if (library === undefined) return [];
  const { saveTensorName = '', restoreOpName = '' } = metaGraph?.saverDef ?? {};
  const saver = new Set([saveTensorName.replace(/:\d+$/, ''), restoreOpName]);
  const callers = node.filter(({ name }) => !saver.has(name));
  const functions = graphPasses.neededFunctions(library, callers)?.function ?? [];
  const names = new Set(functions.map(({ signature }) => signature?.name));
  const nodes = functions.flatMap(({ nodeDef = [] }) => nodeDef.map(({ op: type = '' }) => ({ type })));
  const found = countOps(nodes.filter(({ type }) => !names.has(type))).filter(({ supported }) => !supported);
  return found.map((op) => ({ ...op, reason: `${op.reason ?? ''}, in a function` }));
}

/** Op types with their numbers, the most frequent first. */
export function countOps(operations: readonly OpKind[]): OpCount[] {
  const counts = new Map<string, { op: OpKind; nodes: number }>();
  for (const op of operations) {
    const count = counts.get(op.type);
    if (count === undefined) counts.set(op.type, { op, nodes: 1 });
    else {
      count.nodes++;
      count.op = op;
    }
  }
  const sorted = [...counts].sort(([a, n], [b, m]) => m.nodes - n.nodes || (a < b ? -1 : 1));
  return sorted.map(([type, { op, nodes }]) => {
    const reason = whyUnsupported(op);
    return { type, nodes, supported: reason === undefined, ...(reason === undefined ? {} : { reason }) };
  });
}

function tensorReport(tensor: Tensor): TensorReport {
  const name = tensor.index === 0 ? tensor.op.name : tensor.name;
  return { name, op: tensor.op.type, dtype: baseDType(tensor.dtype), shape: tensor.shape.dims };
}

/** What an op of unknown type gives is not known when nothing tells. */
function outputReports(op: Operation): TensorReport[] {
  if (op.outputs.length > 0) return op.outputs.map(tensorReport);
  return [{ name: op.name, op: op.type, dtype: 'unknown', shape: null }];
}

function inputReport(op: Operation): InputReport[] {
  const value = op.inputs[0]?.op;
  return op.outputs.map((tensor) => ({
    ...tensorReport(tensor),
    ...(value?.type === 'Const' ? { default: summarizeValue(value.attrs.tensor('value')) } : {}),
  }));
}

function variableReport(op: Operation, role: VariableRole): VariableReport {
  const [output] = op.outputs;
  const dtype = baseDType(output?.handle?.dtype ?? output?.dtype ?? 'invalid');
  const parameters = variableSize(op);
  const shape = (output?.handle?.shape ?? output?.shape)?.dims ?? null;
  return { name: op.name, dtype, shape, role, parameters, bytes: parameters * dtypeBytes(dtype) };
}

function parametersOf(variables: readonly VariableReport[], view: GraphView): GraphReport['parameters'] {
  const of = (role: VariableRole): Amount => amount(variables.filter((variable) => variable.role === role));
  const constants = amount(
    weightConstants(view).flatMap((op) =>
      op.outputs.map(({ dtype, shape }) => ({
        parameters: shape.size ?? 0,
        bytes: (shape.size ?? 0) * dtypeBytes(dtype),
      })),
    ),
  );
  const [trained, slots, other] = [of('trained'), of('slot'), of('other')];
  const total = trained.count > 0 ? trained : other.count > 0 ? other : constants;
  return { total, trained, slots, other, constants };
}

function amount(items: readonly { readonly parameters: number; readonly bytes: number }[]): Amount {
  return {
    count: items.length,
    parameters: items.reduce((sum, item) => sum + item.parameters, 0),
    bytes: items.reduce((sum, item) => sum + item.bytes, 0),
  };
}

function signatureReport(name: string, def: proto.SignatureDef, graph: Graph): SignatureReport {
  return {
    name,
    method: def.methodName,
    inputs: [...def.inputs].map(([key, info]) => signatureTensor(key, info, graph)),
    outputs: [...def.outputs].map(([key, info]) => signatureTensor(key, info, graph)),
  };
}

/** What a signature says of a tensor; where it says nothing but the name, what the graph does. */
function signatureTensor(key: string, info: proto.TensorInfo, graph: Graph): SignatureTensor {
  const name = info.name ?? '';
  const said = info.tensorShape === undefined ? null : shapeFromProto(info.tensorShape).dims;
  const found = info.dtype === 0 ? tensorAt(graph, name) : undefined;
  const [dtype, shape] = [found?.dtype ?? dtypeFromNumber(info.dtype), said ?? found?.shape.dims ?? null];
  return { key, tensor: name, dtype: baseDType(dtype), shape };
}

function tensorAt(graph: Graph, name: string): Tensor | undefined {
  const [, op = '', index = ''] = /^(.*):(\d+)$/.exec(name) ?? [];
  return graph.operations.find((each) => each.name === op)?.outputs[Number(index)];
}

function collectionSize(def: proto.CollectionDef): { kind: string; size: number } {
  if (def.nodeList !== undefined) return { kind: 'nodes', size: def.nodeList.value.length };
  if (def.bytesList !== undefined) return { kind: 'messages', size: def.bytesList.value.length };
  if (def.int64List !== undefined) return { kind: 'integers', size: def.int64List.value.length };
  if (def.floatList !== undefined) return { kind: 'numbers', size: def.floatList.value.length };
  return { kind: 'messages', size: def.anyList?.value.length ?? 0 };
}

/** Costs with the given and assumed shapes; with those of the file where the assumption does not fit the graph. */
function costReport(loaded: LoadedGraph, shapes: InputShapes, view: GraphView): GraphReport['cost'] {
  const { graphDef, inputs } = withInputShapes(loaded, shapes);
  const listed = inputs
    .filter(({ name }) => !isBookkeeping(name))
    .map(({ name, shape, source }) => ({ name, shape: shape.dims, source }));
  try {
    return { inputs: listed, runs: assumedCosts(graphDef, inputs, view) };
  } catch (error) {
    if (!(error instanceof FileError) || shapes.size > 0) throw error;
    const declared = inputsOf(view).flatMap(inputReport);
    const unknown = declared.map(({ name, shape }) => ({ name, shape, source: 'unknown' as const }));
    return { inputs: unknown, problem: error.message, runs: runCosts(view) };
  }
}

/** The costs of the graph with placeholders that `graphDef` has changed to the shapes of these inputs. */
function assumedCosts(
  graphDef: proto.GraphDef,
  inputs: readonly InputShape[],
  view: GraphView,
): readonly RunCost[] {
  const { graph, loaded } = view;
  const shapes = new Map(inputs.map(({ name, shape }) => [name, shape]));
  const changed = graphDef.node
    .filter((node, i) => node !== loaded.graphDef.node[i])
    .flatMap(({ name }) => {
      const [op, shape] = [graph.findOperation(name), shapes.get(name)];
      return op === undefined || shape === undefined ? [] : [[op, shape] as const];
    });
  if (changed.length === 0) return runCosts(view);
  return inFile(
    loaded.path,
    () =>
      withAssumedShapes(graph, new Map(changed), () => runCosts(view)) ??
      runCosts(viewGraph({ ...loaded, graphDef })),
  );
}
