/** Parsed nodes of a file, checked by name, and an order in which they can be created. */
import { InvalidArgumentError } from '../errors.js';
import { nearestNames } from '../names.js';
import type { NodeDef } from '../proto/messages.js';

/** What importing needs of a node besides its attributes. */
export type FileNode = Readonly<Pick<NodeDef, 'name' | 'op' | 'device'>> & {
  readonly input: readonly string[];
};

/** A reference to output `index` of a node of the file. */
export interface InputRef {
  readonly text: string;
  readonly node: string;
  /** -1 for a control input. */
  readonly index: number;
  /** The node itself; `undefined` where the caller supplies the input. */
  source: ParsedNode | undefined;
}

export interface ParsedNode<N extends FileNode = FileNode> {
  readonly def: N;
  readonly inputs: readonly InputRef[];
  /** Nodes that must run before. */
  readonly controls: readonly InputRef[];
  /** In the file. */
  readonly position: number;
}

/** Splits `node`, `node:2` or `^node`; the index of a control input is -1. */
export function parseInput(text: string): InputRef {
  const source = undefined;
  if (text.startsWith('^')) return { text, node: text.slice(1), index: -1, source };
  if (!text.includes(':')) return { text, node: text, index: 0, source };
  const [, node, index] = /^(.*):(\d+)$/.exec(text) ?? [];
  if (node === undefined || index === undefined) return { text, node: text, index: 0, source };
  return { text, node, index: Number(index), source };
}

/** How an error names a node of a file. */
export function describeNode(def: Pick<FileNode, 'op' | 'name'>): string {
  return `${def.op} "${def.name}"`;
}

/**
 * Parses all nodes. Throws `InvalidArgumentError` for two nodes with one name, missing names, inputs in
 * the wrong order, and inputs that name no node (`isMapped` excepts those that the caller supplies).
 */
export function parseNodes<N extends FileNode>(
  defs: readonly N[],
  isMapped: (text: string) => boolean,
): ReadonlyMap<string, ParsedNode<N>> {
  const nodes = new Map<string, ParsedNode<N>>();
  defs.forEach((def, i) => {
    if (def.name === '') throw new InvalidArgumentError(`node ${i} of type "${def.op}" has no name`);
    if (def.op === '')
      throw new InvalidArgumentError(`node "${def.name}" has no op type`, { node: def.name });
    const other = nodes.get(def.name);
    if (other !== undefined) {
      throw new InvalidArgumentError(
        `two nodes with the name "${def.name}": ${describeNode(other.def)} and ${describeNode(def)}`,
        { node: def.name },
      );
    }
    nodes.set(def.name, parseNode(def, i));
  });
  for (const { def, inputs, controls } of nodes.values()) {
    const missing = connect(inputs, nodes, isMapped) ?? connect(controls, nodes, isMapped);
    if (missing !== undefined) throw missingInput(def, missing, nodes.keys());
  }
  return nodes;
}

/** Finds the nodes that references name. Returns the first one that names none. */
function connect(
  refs: readonly InputRef[],
  nodes: ReadonlyMap<string, ParsedNode>,
  isMapped: (text: string) => boolean,
): InputRef | undefined {
  for (const ref of refs) {
    if (isMapped(ref.text)) continue;
    ref.source = nodes.get(ref.node);
    if (ref.source === undefined) return ref;
  }
  return undefined;
}

const NO_INPUTS: readonly never[] = [];

function parseNode<N extends FileNode>(def: N, position: number): ParsedNode<N> {
  if (def.input.length === 0) return { def, inputs: NO_INPUTS, controls: NO_INPUTS, position };
  const refs = def.input.map(parseInput);
  const firstControl = refs.findIndex((ref) => ref.index < 0);
  if (firstControl < 0) return { def, inputs: refs, controls: NO_INPUTS, position };
  const data = refs.slice(0, firstControl);
  const controls = refs.slice(firstControl);
  const late = controls.find((ref) => ref.index >= 0);
  if (late !== undefined) {
    throw new InvalidArgumentError(`${describeNode(def)}: input "${late.text}" comes after a control input`, {
      node: def.name,
    });
  }
  return { def, inputs: data, controls, position };
}

function missingInput(def: FileNode, ref: InputRef, names: Iterable<string>): InvalidArgumentError {
  const near = nearestNames(ref.node, names).map((name) => `"${name}"`);
  const hint = near.length === 0 ? '' : `. Did you mean ${near.join(', ')}?`;
  return new InvalidArgumentError(
    `${describeNode(def)}: input "${ref.text}" names a node that is not in the graph${hint}`,
    { node: def.name },
  );
}

const MERGES: ReadonlySet<string> = new Set(['Merge', 'RefMerge']);
const NEXT_ITERATIONS: ReadonlySet<string> = new Set(['NextIteration', 'RefNextIteration']);

/** True for the edge that closes a loop of version 1 control flow. */
export function isBackEdge(source: FileNode, target: FileNode): boolean {
  return NEXT_ITERATIONS.has(source.op) && MERGES.has(target.op);
}

/** Whether a node's type closes a loop of version 1 control flow. */
export function closesLoop({ op }: FileNode): boolean {
  return NEXT_ITERATIONS.has(op);
}

interface Visit<N extends FileNode> {
  readonly node: ParsedNode<N>;
  readonly sources: readonly ParsedNode[];
  next: number;
}

/**
 * The nodes with every node after its inputs, otherwise in the order of the file.
 * Throws `InvalidArgumentError` naming the nodes on a cycle. Back edges of loops are allowed.
 */
export function creationOrder<N extends FileNode>(nodes: readonly ParsedNode<N>[]): readonly ParsedNode<N>[] {
  if (nodes.every(comesAfterSources)) return nodes;
  const order: ParsedNode<N>[] = [];
  const state = new Map<ParsedNode, 'open' | 'done'>();
  for (const root of nodes) {
    const stack: Visit<N>[] = [];
    const enter = (node: ParsedNode<N>): void => {
      state.set(node, 'open');
      stack.push({ node, sources: sourcesOf(node), next: 0 });
    };
    if (!state.has(root)) enter(root);
    for (let visit = stack.at(-1); visit !== undefined; visit = stack.at(-1)) {
      const source = nodes[visit.sources[visit.next++]?.position ?? -1];
      if (source === undefined) {
        state.set(visit.node, 'done');
        order.push(visit.node);
        stack.pop();
        continue;
      }
      const seen = state.get(source);
      if (seen === 'open') throw cycleError(stack, source.def.name);
      if (seen === undefined) enter(source);
    }
  }
  return order;
}

/** Whether a node comes after its inputs already, as in most files all do. */
function comesAfterSources({ inputs, controls, position }: ParsedNode): boolean {
  const isEarlier = ({ source }: InputRef): boolean => source === undefined || source.position < position;
  return inputs.every(isEarlier) && controls.every(isEarlier);
}

/** The nodes that must exist before `node`. */
function sourcesOf({ def, inputs, controls }: ParsedNode): ParsedNode[] {
  return [...inputs, ...controls].flatMap(({ source, index }) =>
    source === undefined || (index >= 0 && isBackEdge(source.def, def)) ? [] : [source],
  );
}

const SHOWN = 12;

function cycleError(stack: readonly Visit<FileNode>[], name: string): InvalidArgumentError {
  const names = stack.map((visit) => visit.node.def.name);
  const cycle = names.slice(names.indexOf(name)).reverse();
  const shown = cycle.length > SHOWN ? [...cycle.slice(0, SHOWN), `… ${cycle.length - SHOWN} more …`] : cycle;
  return new InvalidArgumentError(`the graph has a cycle: ${[name, ...shown].map(quoteName).join(' -> ')}`, {
    node: name,
  });
}

function quoteName(name: string): string {
  return name.startsWith('…') ? name : `"${name}"`;
}
