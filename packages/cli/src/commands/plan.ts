/** `forerun plan`: what a session would compile of a graph: kernels, their WGSL, dispatches, memory. */
import type { PlannedTemporary, PlanReport } from '@forerun/session';
import { FileError, UsageError } from '../errors.js';
import { cut, formatBytes, formatCount, formatShape, plural, type Cell } from '../format.js';
import { parseShape, type InputShapes } from '../inputShapes.js';
import { loadGraph } from '../load.js';
import type { CommonOptions } from '../program.js';
import { limitedTable } from '../renderList.js';
import { fetchesOf, neededInputs, shapedGraph, withSession } from '../runSetup.js';
import { parseTags } from '../tags.js';
import { withWeightsBeside } from '../weightsBeside.js';
import type { Terminal } from '../terminal.js';

export interface PlanOptions extends CommonOptions {
  readonly shape?: readonly string[];
  readonly fetch?: readonly string[];
  /** Prints the WGSL of the kernel that computes this node. */
  readonly wgsl?: string;
  readonly all?: boolean;
}

/** Compiles and prints. Throws `FileError` for a bad file and what cannot run, `UsageError` for shapes that are missing. */
export async function plan(file: string, options: PlanOptions, terminal: Terminal): Promise<void> {
  let shapes: InputShapes = new Map();
  for (const text of options.shape ?? []) shapes = parseShape(text, shapes);
  const loaded = await withWeightsBeside(
    await loadGraph(file, 'ops to compile', { tags: parseTags(options.tags), shapes }),
  );
  const shaped = shapedGraph(loaded, shapes);
  const fetches = fetchesOf(shaped, options.fetch);
  const feeds = neededInputs(shaped, fetches).map(({ name, shape }): [string, number[]] => {
    if (shape.isFullyDefined) return [name, shape.toStatic()];
    throw new UsageError(`--shape: the shape of "${name}" is not known: ${formatShape(shape)}`);
  });
  await withSession(loaded.path, shaped.graph, terminal, async (sess) => {
    const report = await sess.compile(fetches, Object.fromEntries(feeds));
    if (options.wgsl !== undefined) terminal.print(wgslOf(report, options.wgsl, loaded.path));
    else if (options.json === true) {
      terminal.print(
        JSON.stringify({ file: loaded.path, adapter: sess.adapterName, fetches, plan: report }, null, 2),
      );
    } else terminal.print(render(loaded.path, report, feeds, options, terminal));
  });
}

function wgslOf({ dispatchList }: PlanReport, name: string, path: string): string {
  const found = dispatchList.filter(({ nodes }) => nodes.includes(name.replace(/:\d+$/, '')));
  if (found.length > 0) return found.map(({ label, wgsl }) => `// ${label}\n${wgsl}`).join('\n\n');
  throw new FileError(
    `${path}: no kernel computes "${name}"; it is folded, a view, or not needed. forerun plan lists all kernels`,
  );
}

function render(
  path: string,
  report: PlanReport,
  feeds: readonly (readonly [string, readonly number[]])[],
  options: PlanOptions,
  terminal: Terminal,
): string {
  const { colors } = terminal;
  const all = options.all === true;
  const { memory, graphNodes, units, dispatches, pipelines, passes, fusions, dispatchList } = report;
  const rows = dispatchList.map(({ label, nodes, workgroups }, i): Cell[] => [
    String(i + 1),
    { text: nodes.at(-1) ?? '', paint: colors.cyan },
    label,
    nodes.length > 1 ? plural(nodes.length, 'node') : '',
    workgroups.join('x'),
  ]);
  const columns = [
    { title: '', right: true },
    { title: 'computes' },
    { title: 'kernel', flexible: true },
    { title: 'fused' },
    { title: 'workgroups' },
  ];
  return [
    `${colors.bold(path)}${feeds.length === 0 ? '' : ` with ${feeds.map(([name, shape]) => `${name}=${formatShape(shape)}`).join(', ')}`}`,
    `  ${plural(graphNodes, 'node')} become ${plural(units, 'unit')}, ${plural(dispatches, 'dispatch', 'dispatches')} and ${plural(pipelines, 'new pipeline')}`,
    ...passes
      .filter((pass) => all || pass.nodesBefore !== pass.nodesAfter)
      .map((pass) => `  ${describePass(pass)}`),
    ...fusions.filter(({ joined }) => all || joined > 0).map((fusion) => `  ${describeFusion(fusion)}`),
    '',
    colors.bold('Kernels'),
    ...limitedTable(columns, rows, { what: 'dispatches', all, limit: 40 }, terminal),
    '',
    `${colors.bold('Memory')}  ${formatBytes(memory.peakBytes)} in ${plural(memory.buffers, 'buffer')}; at least ${formatBytes(memory.lowerBoundBytes)}, without sharing ${formatBytes(memory.naiveBytes)}${inPlace(memory)}`,
    `  constants ${formatBytes(memory.constantBytes)}, feeds ${formatBytes(memory.feedBytes)}`,
    ...memoryChart(report, all, terminal),
  ].join('\n');
}

function inPlace({ inPlace: count }: PlanReport['memory']): string {
  return count === 0 ? '' : `; ${plural(count, 'result')} in the place of operands`;
}

function describePass({ pass, nodesBefore, nodesAfter }: PlanReport['passes'][number]): string {
  return `pass ${pass}: ${formatCount(nodesBefore)} -> ${plural(nodesAfter, 'node')}`;
}

function describeFusion({ fusion, joined }: PlanReport['fusions'][number]): string {
  if (fusion === 'unread') return `fusion ${fusion}: ${plural(joined, 'dispatch', 'dispatches')} dropped`;
  return `fusion ${fusion}: ${plural(joined, 'unit')} joined`;
}

const CHART_ROWS = 24;
const CHART_COLUMNS = 60;

/** A line for each buffer: which values it holds in the course of the plan. */
function memoryChart({ temporaries, dispatchList }: PlanReport, all: boolean, terminal: Terminal): string[] {
  const end = Math.max(
    ...dispatchList.map(({ position }) => position + 1),
    ...temporaries.map(({ to }) => to),
    1,
  );
  const columns = Math.min(CHART_COLUMNS, end + 1, Math.max(16, terminal.width - 40));
  const place = (position: number): number =>
    Math.min(columns - 1, Math.floor((position / (end + 1)) * columns));
  const buffers = new Map<number, PlannedTemporary[]>();
  for (const value of temporaries) buffers.set(value.buffer, [...(buffers.get(value.buffer) ?? []), value]);
  const sized = [...buffers.values()]
    .map((values) => ({ values, bytes: Math.max(...values.map(({ bytes }) => bytes)) }))
    .sort((a, b) => b.bytes - a.bytes);
  const shown = all ? sized : sized.slice(0, CHART_ROWS);
  const marks = terminal.unicode ? ['█', '▓'] : ['#', '='];
  const lines = shown.map(({ values, bytes }) => {
    const cells = new Array<string>(columns).fill(terminal.unicode ? '·' : '.');
    [...values]
      .sort((a, b) => a.from - b.from)
      .forEach(({ from, to }, i) => cells.fill(marks[i % 2] ?? '#', place(from), place(to) + 1));
    const [largest] = [...values].sort((a, b) => b.bytes - a.bytes);
    const more = values.length > 1 ? ` +${formatCount(values.length - 1)}` : '';
    return cut(
      `  ${formatBytes(bytes).padStart(10)}  ${cells.join('')}  ${largest?.name ?? ''}${more}`,
      terminal.width,
      terminal,
    );
  });
  const rest = sized.length - shown.length;
  return lines.length === 0 ? [] : ['', ...lines, ...(rest > 0 ? [`  ... ${rest} more buffers: --all`] : [])];
}
