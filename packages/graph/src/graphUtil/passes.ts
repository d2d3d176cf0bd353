/** Passes over saved graphs that need no values: pruning, removing, merging, sorting (TensorFlow's graph transform tool). */
import { compareUtf8 } from '../proto/utf8.js';
import { encode } from '../proto/encode.js';
import {
  hasEffect,
  isControl,
  nodeNameOf,
  CONTROL_FLOW,
  type EditableGraph,
  type EditableNode,
} from './editableGraph.js';
import { removePassing } from './subgraph.js';

/** What a pass works with. */
export interface PassContext {
  /** Names of the nodes that are fed and fetched: they keep names and values. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** What a pass did, in words for a report; an empty list says that there was nothing to do. */
export type PassResult = readonly string[];

export function protectedNodes({ inputs, outputs }: PassContext): Set<string> {
  return new Set([...inputs, ...outputs].map(nodeNameOf));
}

/** Drops what the outputs do not need. Inputs that nothing needs stay: programs feed them. */
export function stripUnusedNodes(graph: EditableGraph, { inputs, outputs }: PassContext): PassResult {
  const before = graph.nodes.size;
  graph.keepOnly([...outputs, ...inputs]);
  const dropped = before - graph.nodes.size;
  const functions = graph.dropFunctions();
  return [
    ...(dropped === 0 ? [] : [`dropped ${dropped} nodes that no output needs`]),
    ...(functions === 0 ? [] : [`dropped ${functions} functions that no node calls`]),
  ];
}

const DEBUGGING: ReadonlySet<string> = new Set([
  'Identity',
  'CheckNumerics',
  'Print',
  'StopGradient',
  'PreventGradient',
  'Snapshot',
  'DebugIdentity',
]);
/** Ops without outputs that only look at values. */
const OBSERVERS: ReadonlySet<string> = new Set(['Assert', 'PrintV2', 'CheckNumerics', 'Print']);

/** Removes identities, and ops that check or print values. */
export function removeDebuggingNodes(graph: EditableGraph, context: PassContext): PassResult {
  const kept = protectedNodes(context);
  const waits = dropNeedlessControls(graph);
  const asserts = [...graph.nodes.values()].filter(
    ({ op, name }) => (op === 'Assert' || op === 'PrintV2') && !kept.has(name),
  );
  const waitedFor = new Set(
    [...graph.nodes.values()].flatMap(({ input }) => input.filter(isControl).map(nodeNameOf)),
  );
  const unused = asserts.filter(({ name }) => !waitedFor.has(name));
  for (const { name } of unused) graph.nodes.delete(name);
  const removed = removePassing(graph, kept, DEBUGGING);
  return [
    ...(waits === 0 ? [] : [`dropped ${waits} control inputs that wait for nothing but checks`]),
    ...(unused.length === 0 ? [] : [`removed ${unused.length} of Assert and PrintV2`]),
    ...(removed.length === 0 ? [] : [`removed ${removed.length} nodes that only pass a value on`]),
  ];
}

/** Drops control inputs behind which there is no effect but checks. Returns their number. */
function dropNeedlessControls(graph: EditableGraph): number {
  const effects = new Map<string, boolean>();
  for (const node of graph.executionOrder()) {
    const own = (hasEffect(node) && !OBSERVERS.has(node.op)) || CONTROL_FLOW.has(node.op);
    effects.set(node.name, own || node.input.some((input) => effects.get(nodeNameOf(input)) ?? true));
  }
  let dropped = 0;
  for (const node of graph.nodes.values()) {
    const input = node.input.filter((item) => !isControl(item) || effects.get(nodeNameOf(item)) !== false);
    if (input.length === node.input.length) continue;
    dropped += node.input.length - input.length;
    graph.set({ ...node, input });
  }
  return dropped;
}

/** Merges nodes of one op with equal attributes and inputs. Random and other stateful ops stay. */
export function mergeDuplicateNodes(graph: EditableGraph, context: PassContext): PassResult {
  const kept = protectedNodes(context);
  const first = new Map<string, string>();
  const merged = new Map<string, string>();
  const rename = (input: string): string => {
    const name = nodeNameOf(input);
    const other = merged.get(name);
    return other === undefined ? input : input.replace(name, other);
  };
  for (const node of graph.executionOrder()) {
    const input = node.input.map(rename);
    if (input.some((item, i) => item !== node.input[i])) graph.set({ ...node, input });
    if (hasEffect(node) || CONTROL_FLOW.has(node.op) || node.op.startsWith('Placeholder')) continue;
    const key = keyOf({ ...node, input });
    const other = first.get(key);
    if (other === undefined) first.set(key, node.name);
    else if (!kept.has(node.name)) merged.set(node.name, other);
  }
  for (const node of graph.nodes.values()) {
    const input = node.input.map(rename);
    if (input.some((item, i) => item !== node.input[i])) graph.set({ ...node, input });
  }
  for (const name of merged.keys()) graph.nodes.delete(name);
  return merged.size === 0 ? [] : [`merged ${merged.size} nodes into equal ones`];
}

function keyOf({ op, input, attr, device = '' }: EditableNode): string {
  const controls = input.filter(isControl).sort(compareUtf8);
  const data = input.filter((item) => !isControl(item));
  return `${[op, device, ...data, ...controls].join('\n')}\n${latin1(encode('NodeDef', { attr }))}`;
}

/** Bytes as text, for keys of maps. */
function latin1(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 4096)
    parts.push(String.fromCharCode(...bytes.subarray(i, i + 4096)));
  return parts.join('');
}

/** Puts every node after those that it needs. */
export function sortByExecutionOrder(graph: EditableGraph): PassResult {
  const before = [...graph.nodes.keys()];
  const order = graph.executionOrder();
  if (order.every(({ name }, i) => name === before[i])) return [];
  graph.nodes.clear();
  for (const node of order) graph.set(node);
  return ['sorted the nodes by execution order'];
}

/** Removes device labels. */
export function removeDevice(graph: EditableGraph): PassResult {
  const labelled = [...graph.nodes.values()].filter(({ device = '' }) => device !== '');
  for (const node of labelled) graph.set({ ...node, device: '' });
  return labelled.length === 0 ? [] : [`removed ${labelled.length} device labels`];
}
