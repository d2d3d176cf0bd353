/** `forerun tree`: nodes and parameters by scope. */
import { nearestNames, dtypeBytes } from '@forerun/graph';
import { reportCheckpoint } from '../checkpointReport.js';
import { FileError } from '../errors.js';
import { formatBytes, formatCount, formatShape, table, type Cell } from '../format.js';
import { variableSize, viewGraph, weightConstants, type GraphView } from '../graphView.js';
import { inFile } from '../inFile.js';
import { load, type Loaded } from '../load.js';
import type { CommonOptions } from '../program.js';
import { findScope, scopeNames, scopeTree, type Leaf, type ScopeNode } from '../scopeTree.js';
import { parseTags } from '../tags.js';
import type { Terminal } from '../terminal.js';

export interface TreeOptions extends CommonOptions {
  /** Levels to show. */
  readonly depth: number;
  readonly scope?: string;
  /** Shows single nodes too; tensors of a checkpoint always are. */
  readonly nodes?: boolean;
}

/** Prints the scopes. Throws `FileError` for a bad file, and with the nearest names for an unknown scope. */
export async function tree(file: string, options: TreeOptions, terminal: Terminal): Promise<void> {
  const loaded = await load(file, { tags: parseTags(options.tags) });
  const root = scopeTree(loaded.kind === 'graph' ? graphLeaves(loaded) : checkpointLeaves(loaded));
  const { scope = '', depth } = options;
  const top = findScope(root, scope);
  if (top === undefined) throw new FileError(`${loaded.path}: ${noScope(scope, root)}`);
  const isShown = (node: ScopeNode): boolean =>
    options.nodes === true || loaded.kind === 'checkpoint' || node.children.size > 0 || node.parameters > 0;
  if (options.json === true) {
    terminal.print(JSON.stringify({ file: loaded.path, ...treeJson(top, depth, isShown) }, null, 2));
    return;
  }
  const [noun, size] = loaded.kind === 'graph' ? ['nodes', 'parameters'] : ['tensors', 'elements'];
  const title = top === root ? loaded.path : top.path;
  const columns = [
    { title: 'scope', flexible: true },
    { title: noun, right: true },
    { title: size, right: true },
    { title: 'bytes', right: true },
    { title: '' },
  ];
  const rows = [row(top, title, terminal), ...branches(top, { depth, isShown, prefix: '' }, terminal)];
  terminal.print(table(columns, rows, terminal).join('\n'));
}

/** Variables count as parameters, but not an optimizer's own; in a graph without variables, weights do. */
function graphLeaves(loaded: Extract<Loaded, { kind: 'graph' }>): Leaf[] {
  const view = viewGraph(loaded, { deferShapes: true });
  return inFile(loaded.path, () => leavesOf(view));
}

function leavesOf(view: GraphView): Leaf[] {
  const { graph, variables } = view;
  const counted = new Set(variables.filter(({ role }) => role !== 'slot').map(({ op }) => op));
  if (counted.size === 0) weightConstants(view).forEach((op) => counted.add(op));
  return graph.operations.map((op) => {
    const [output] = op.outputs;
    const parameters = counted.has(op)
      ? op.type === 'Const'
        ? (output?.shape.size ?? 0)
        : variableSize(op)
      : 0;
    const dtype = output?.handle?.dtype ?? output?.dtype ?? 'invalid';
    return { name: op.name, label: op.type, parameters, bytes: parameters * dtypeBytes(dtype) };
  });
}

function checkpointLeaves(loaded: Extract<Loaded, { kind: 'checkpoint' }>): Leaf[] {
  return reportCheckpoint(loaded).tensors.map(({ name, dtype, shape, elements, bytes }) => ({
    name,
    label: `${dtype} ${formatShape(shape)}`,
    parameters: dtype === 'string' ? 0 : elements,
    bytes,
  }));
}

function noScope(scope: string, root: ScopeNode): string {
  const near = nearestNames(scope, scopeNames(root)).map((name) => `"${name}"`);
  return `there is no scope "${scope}"${near.length === 0 ? '' : `. Did you mean ${near.join(', ')}?`}`;
}

type Filter = (node: ScopeNode) => boolean;

function treeJson(node: ScopeNode, depth: number, isShown: Filter): object {
  const { path, label, nodes, parameters, bytes, children } = node;
  const shown = depth > 0 ? [...children.values()].filter(isShown) : [];
  return {
    name: path,
    ...(label === undefined ? {} : { label }),
    nodes,
    parameters,
    bytes,
    ...(shown.length === 0 ? {} : { children: shown.map((child) => treeJson(child, depth - 1, isShown)) }),
  };
}

interface BranchOptions {
  /** Levels still to show. */
  readonly depth: number;
  readonly isShown: Filter;
  /** What leads up to the branches of a line. */
  readonly prefix: string;
}

const LINES = { ascii: ['|- ', '`- ', '|  ', '   '], unicode: ['├─ ', '└─ ', '│  ', '   '] } as const;

function branches(node: ScopeNode, options: BranchOptions, terminal: Terminal): Cell[][] {
  const { depth, isShown, prefix } = options;
  if (depth === 0) return [];
  const [branch, lastBranch, through, blank] = terminal.unicode ? LINES.unicode : LINES.ascii;
  const children = [...node.children.values()].filter(isShown);
  return children.flatMap((child, i) => {
    const isLast = i === children.length - 1;
    const below = { depth: depth - 1, isShown, prefix: prefix + (isLast ? blank : through) };
    return [
      row(child, `${prefix}${isLast ? lastBranch : branch}${child.name}`, terminal),
      ...branches(child, below, terminal),
    ];
  });
}

function row(
  { label, nodes, parameters, bytes, children }: ScopeNode,
  text: string,
  { colors }: Terminal,
): Cell[] {
  const paint = children.size > 0 ? colors.cyan : (plain: string): string => plain;
  return [
    { text, paint },
    { text: children.size > 0 || nodes > 1 ? formatCount(nodes) : '', paint: colors.dim },
    { text: parameters === 0 ? '' : formatCount(parameters), paint: colors.green },
    { text: bytes === 0 ? '' : formatBytes(bytes), paint: colors.green },
    { text: label ?? '', paint: colors.dim },
  ];
}
