/**
 * What a graph's file holds besides its nodes and what the graph itself has no place for: functions,
 * versions, and debug information of nodes. Kept beside the graph from import to export.
 */
import { InvalidArgumentError } from '../errors.js';
import type { FuncGraph } from '../funcGraph.js';
import type { Graph } from '../graph.js';
import type { Operation } from '../operation.js';
import { encode } from '../proto/encode.js';
import { functionToProto } from './functionDefs.js';
import { UNKNOWN_FIELDS, type Init } from '../proto/message.js';
import type {
  FunctionDef,
  FunctionDefLibrary,
  GradientDef,
  NodeDef,
  OpDef,
  RegisteredGradient,
  VersionDef,
} from '../proto/messages.js';
import { compareBytes } from '../proto/utf8.js';

/** GraphDef version that this writer produces and reads: that of TensorFlow 1.15. */
export const GRAPH_DEF_VERSION = 134;

interface GraphMetadata {
  versions: VersionDef;
  readonly functions: Map<string, FunctionDef>;
  readonly gradients: Map<string, GradientDef>;
  readonly registeredGradients: RegisteredGradient[];
  /** Signatures of ops that are not registered here, from files that carry them. */
  readonly foreignOps: Map<string, OpDef>;
}

/** What a `NodeDef` holds beyond an operation's own properties. */
export type NodeExtras = Pick<NodeDef, 'experimentalDebugInfo' | typeof UNKNOWN_FIELDS>;

const metadata = new WeakMap<Graph, GraphMetadata>();
const nodeExtras = new WeakMap<Operation, NodeExtras>();

/** The file data that belongs to `graph`. */
export function graphMetadata(graph: Graph): GraphMetadata {
  const known = metadata.get(graph);
  if (known !== undefined) return known;
  const made: GraphMetadata = {
    versions: { producer: GRAPH_DEF_VERSION, minConsumer: 0, badConsumers: [] },
    functions: new Map(),
    gradients: new Map(),
    registeredGradients: [],
    foreignOps: new Map(),
  };
  metadata.set(graph, made);
  return made;
}

/** Adds the functions of a file. Throws when one of the same name but other content is there. */
export function addLibrary(graph: Graph, library: FunctionDefLibrary): void {
  const { functions, gradients, registeredGradients } = graphMetadata(graph);
  for (const fn of library.function) {
    const name = fn.signature?.name ?? '';
    const known = functions.get(name);
    if (known !== undefined && compareBytes(encode('FunctionDef', known), encode('FunctionDef', fn)) !== 0) {
      throw new InvalidArgumentError(`the graph has another function named "${name}"`);
    }
    functions.set(name, fn);
  }
  for (const gradient of library.gradient) {
    gradients.set(gradient.functionName, gradient);
    graph.root.functionGradients.set(gradient.functionName, gradient.gradientFunc);
  }
  registeredGradients.push(...library.registeredGradients);
}

/** The functions of `graph` as a message, or `undefined` when there are none. */
export function libraryOf(graph: Graph): Init<FunctionDefLibrary> | undefined {
  const { functions, gradients, registeredGradients } = graphMetadata(graph);
  const changed = [...graph.functions.values()].filter((fn) => isNew(fn, functions));
  const written = changed.map((fn) => [fn.functionName, functionToProto(fn)] as const);
  const all = new Map<string, Init<FunctionDef>>([...functions, ...written]);
  if (all.size === 0 && gradients.size === 0 && registeredGradients.length === 0) return undefined;
  return {
    function: [...all.values()],
    gradient: [...gradients.values()],
    registeredGradients,
  };
}

/** Functions from files are written as they were read, those made here from their graphs. */
function isNew({ functionName }: FuncGraph, read: ReadonlyMap<string, FunctionDef>): boolean {
  return !read.has(functionName);
}

/** Keeps what a node of a file holds beyond an operation's own properties. */
export function keepNodeExtras(op: Operation, node: NodeExtras): void {
  const { experimentalDebugInfo, [UNKNOWN_FIELDS]: unknown } = node;
  if (experimentalDebugInfo === undefined && unknown === undefined) return;
  nodeExtras.set(op, {
    ...(experimentalDebugInfo === undefined ? {} : { experimentalDebugInfo }),
    ...(unknown === undefined ? {} : { [UNKNOWN_FIELDS]: unknown }),
  });
}

/** What `keepNodeExtras` kept. */
export function extrasOf(op: Operation): NodeExtras {
  return nodeExtras.get(op) ?? {};
}
