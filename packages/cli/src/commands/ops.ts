/** `forerun ops`: op types with their numbers, or the nodes of one type. */
import { nearestNames, type Operation } from '@forerun/graph';
import { FileError } from '../errors.js';
import { formatCount, formatShape, plural, table, type Cell } from '../format.js';
import { countOps, type OpCount } from '../graphReport.js';
import { viewGraph } from '../graphView.js';
import { inFile } from '../inFile.js';
import { loadGraph, type LoadedGraph } from '../load.js';
import type { CommonOptions } from '../program.js';
import { parseTags } from '../tags.js';
import type { Terminal } from '../terminal.js';

export interface OpsOptions extends CommonOptions {
  readonly type?: string;
  readonly unsupported?: boolean;
}

/** Prints the op types of a graph. Throws `FileError` for a bad file and for a type that no node has. */
export async function ops(file: string, options: OpsOptions, terminal: Terminal): Promise<void> {
  const tags = parseTags(options.tags);
  if (options.type !== undefined) {
    const loaded = await loadGraph(file, 'ops', { tags });
    terminal.print(inFile(loaded.path, () => nodesOfType(loaded, options.type ?? '', options, terminal)));
    return;
  }
  const loaded = await loadGraph(file, 'ops', { tags, attributes: false });
  const counts = await countNodes(loaded, file, tags);
  const listed = counts.filter(({ supported }) => options.unsupported !== true || !supported);
  terminal.print(
    options.json === true
      ? JSON.stringify({ file: loaded.path, ops: listed }, null, 2)
      : renderCounts(listed, terminal, options),
  );
}

/** Nodes are counted as they stand in the file; only with functions, which nodes may call, is the graph built. */
async function countNodes(
  { graphDef: { library, node } }: LoadedGraph,
  file: string,
  tags: readonly string[] | undefined,
): Promise<OpCount[]> {
  if ((library?.function ?? []).length === 0) return countOps(node.map(({ op: type }) => ({ type })));
  const whole = await loadGraph(file, 'ops', { tags });
  return countOps(viewGraph(whole, { deferShapes: true }).graph.operations);
}

function nodesOfType(loaded: LoadedGraph, type: string, { json }: OpsOptions, terminal: Terminal): string {
  const { operations } = viewGraph(loaded, { deferShapes: true }).graph;
  const nodes = operations.filter((op) => op.type === type);
  const count = countOps(nodes)[0];
  if (count === undefined) throw new FileError(`${loaded.path}: ${noSuchType(type, countOps(operations))}`);
  if (json !== true) return renderNodes(nodes, count, terminal);
  return JSON.stringify({ ...count, file: loaded.path, nodes: nodes.map(nodeJson) }, null, 2);
}

function noSuchType(type: string, counts: readonly OpCount[]): string {
  const names = counts.map((count) => count.type);
  const sameLetters = names.filter((name) => name.toLowerCase() === type.toLowerCase());
  const near = [...new Set([...sameLetters, ...nearestNames(type, names)])].map((name) => `"${name}"`);
  return `no node has the type "${type}"${near.length === 0 ? '' : `. Did you mean ${near.join(', ')}?`}`;
}

function renderCounts(counts: readonly OpCount[], terminal: Terminal, { unsupported }: OpsOptions): string {
  if (counts.length === 0) return unsupported === true ? 'All ops can run.' : 'The graph is empty.';
  const { colors } = terminal;
  const rows = counts.map(({ type, nodes, supported, reason = '' }): Cell[] => [
    { text: type, paint: supported ? colors.cyan : colors.yellow },
    formatCount(nodes),
    { text: supported ? 'yes' : `no: ${reason}`, paint: supported ? colors.green : colors.yellow },
  ]);
  const columns = [{ title: 'type', flexible: true }, { title: 'nodes', right: true }, { title: 'can run' }];
  return table(columns, rows, terminal).join('\n');
}

function nodeJson(op: Operation): object {
  return {
    name: op.name,
    inputs: op.inputs.map((input) => ({ name: input.name, dtype: input.dtype, shape: input.shape.dims })),
    outputs: op.outputs.map((output) => ({
      name: output.name,
      dtype: output.dtype,
      shape: output.shape.dims,
    })),
  };
}

function renderNodes(
  nodes: readonly Operation[],
  { type, supported, reason = '' }: OpCount,
  terminal: Terminal,
): string {
  const { colors } = terminal;
  const rows = nodes.map((op): Cell[] => [
    { text: op.name, paint: colors.cyan },
    op.inputs.map((input) => formatShape(input.shape)).join(' '),
    op.outputs.map((output) => formatShape(output.shape)).join(' '),
    { text: [...new Set(op.outputs.map((output) => output.dtype))].join(' '), paint: colors.dim },
  ]);
  const columns = [
    { title: 'name', flexible: true },
    { title: 'inputs' },
    { title: 'outputs' },
    { title: 'dtype' },
  ];
  const verdict = supported ? colors.green('can run') : colors.yellow(`cannot run: ${reason}`);
  return [
    `${colors.bold(type)}: ${plural(nodes.length, 'node')}, ${verdict}`,
    ...table(columns, rows, terminal),
  ].join('\n');
}
