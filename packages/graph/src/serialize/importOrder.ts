/** Parsed nodes of a `GraphDef`, checked by name, and an order in which they can be created. */
import { InvalidArgumentError } from '../errors.js';
import { nearestNames } from '../names.js';
import type { NodeDef } from '../proto/messages.js';

/** A reference to output `index` of a node of the file. */
export interface InputRef {
  readonly text: string;
  readonly node: string;
  readonly index: number;
}

export interface ParsedNode {
  readonly def: NodeDef;
  readonly inputs: readonly InputRef[];
  /** Names of nodes that must run before. */
  readonly controls: readonly string[];
}

/** Splits `node`, `node:2` or `^node`; the index of a control input is -1. */
export function parseInput(text: string): InputRef {
  if (text.startsWith('^')) return { text, node: text.slice(1), index: -1 };
  const [, node, index] = /^(.*):(\d+)$/.exec(text) ?? [];
  if (node === undefined || index === undefined) return { text, node: text, index: 0 };
  return { text, node, index: Number(index) };
}

/** How an error names a node of a file. */
export function describeNode(def: NodeDef): string {
  return `${def.op} "${def.name}"`;
}

/**
 * Parses all nodes. Throws `InvalidArgumentError` for two nodes with one name, missing names, inputs in
 * the wrong order, and inputs that name no node (`isMapped` excepts those that the caller supplies).
 */
export function parseNodes(
  defs: readonly NodeDef[],
  isMapped: (text: string) => boolean,
): ReadonlyMap<string, ParsedNode> {
  const nodes = new Map<string, ParsedNode>();
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
    nodes.set(def.name, parseNode(def));
  });
  for (const { def, inputs, controls } of nodes.values()) {
    const missing = [
      ...inputs.filter(({ text, node }) => !nodes.has(node) && !isMapped(text)),
      ...controls
        .filter((node) => !nodes.has(node) && !isMapped(`^${node}`))
        .map((node) => parseInput(`^${node}`)),
    ];
    const [first] = missing;
    if (first !== undefined) throw missingInput(def, first, nodes.keys());
  }
  return nodes;
}

function parseNode(def: NodeDef): ParsedNode {
  const refs = def.input.map(parseInput);
  const firstControl = refs.findIndex((ref) => ref.index < 0);
  const data = firstControl < 0 ? refs : refs.slice(0, firstControl);
  const controls = firstControl < 0 ? [] : refs.slice(firstControl);
  const late = controls.find((ref) => ref.index >= 0);
  if (late !== undefined) {
    throw new InvalidArgumentError(`${describeNode(def)}: input "${late.text}" comes after a control input`, {
      node: def.name,
    });
  }
  return { def, inputs: data, controls: controls.map((ref) => ref.node) };
}

function missingInput(def: NodeDef, ref: InputRef, names: Iterable<string>): InvalidArgumentError {
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
export function isBackEdge(source: NodeDef, target: NodeDef): boolean {
  return NEXT_ITERATIONS.has(source.op) && MERGES.has(target.op);
}

interface Visit {
  readonly node: ParsedNode;
  readonly sources: readonly string[];
  next: number;
}

/**
 * The nodes with every node after its inputs, otherwise in the order of the file.
 * Throws `InvalidArgumentError` naming the nodes on a cycle. Back edges of loops are allowed.
 */
export function creationOrder(
  nodes: ReadonlyMap<string, ParsedNode>,
  isMapped: (text: string) => boolean,
): ParsedNode[] {
  const order: ParsedNode[] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const root of nodes.values()) {
    const stack: Visit[] = [];
    const enter = (node: ParsedNode): void => {
      state.set(node.def.name, 'open');
      stack.push({ node, sources: sourcesOf(node, nodes, isMapped), next: 0 });
    };
    if (!state.has(root.def.name)) enter(root);
    for (let visit = stack.at(-1); visit !== undefined; visit = stack.at(-1)) {
      const source = nodes.get(visit.sources[visit.next++] ?? '');
      if (source === undefined) {
        state.set(visit.node.def.name, 'done');
        order.push(visit.node);
        stack.pop();
        continue;
      }
      const seen = state.get(source.def.name);
      if (seen === 'open') throw cycleError(stack, source.def.name);
      if (seen === undefined) enter(source);
    }
  }
  return order;
}

/** Names of the nodes that must exist before `node`. */
function sourcesOf(
  node: ParsedNode,
  nodes: ReadonlyMap<string, ParsedNode>,
  isMapped: (text: string) => boolean,
): string[] {
  const data = node.inputs.filter((ref) => {
    const source = nodes.get(ref.node);
    return source !== undefined && !isMapped(ref.text) && !isBackEdge(source.def, node.def);
  });
  return [
    ...data.map((ref) => ref.node),
    ...node.controls.filter((name) => nodes.has(name) && !isMapped(`^${name}`)),
  ];
}

const SHOWN = 12;

function cycleError(stack: readonly Visit[], name: string): InvalidArgumentError {
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
