/** The part of a graph's report that tells what a run costs, as text. */
import type { RunCost } from './cost.js';
import { formatBytes, formatCount, formatFlops, formatShape, plural, table, type Cell } from './format.js';
import type { GraphReport } from './graphReport.js';
import type { Terminal } from './terminal.js';

/** FLOPs and activation memory of each run, and the largest tensors of the costliest. */
export function renderCost({ cost }: GraphReport, terminal: Terminal, all: boolean): string[] {
  const { colors } = terminal;
  if (cost.runs.length === 0) return [];
  const rows = cost.runs.map((run): Cell[] => [
    { text: run.name, paint: colors.cyan },
    formatCount(run.nodes),
    { text: atLeast(run, formatFlops(run.flops)), paint: colors.green },
    { text: atLeast(run, formatBytes(run.activationBytes)), paint: colors.green },
    { text: atLeast(run, formatBytes(run.peakBytes)), paint: colors.green },
  ]);
  const columns = [
    { title: 'run', flexible: true },
    { title: 'nodes', right: true },
    { title: 'FLOPs', right: true },
    { title: 'activations', right: true },
    { title: 'peak', right: true },
  ];
  return [
    `${colors.bold('Cost')}  ${assumptions(cost)}`,
    ...table(columns, rows, terminal),
    ...hints(cost).map((hint) => colors.yellow(`  ${hint}`)),
    ...largest(cost.runs, terminal, all),
  ];
}

/** What is missing from a sum is said with it. */
function atLeast({ uncounted }: RunCost, text: string): string {
  return uncounted.length === 0 ? text : `>= ${text}`;
}

function assumptions({ inputs }: GraphReport['cost']): string {
  const named = inputs.filter(({ source }) => source === 'given' || source === 'assumed');
  if (named.length === 0) return 'of one run';
  const shapes = named.map(({ name, shape }) => `${name}=${formatShape(shape)}`).join(', ');
  const batch = named.find(({ source }) => source === 'assumed')?.shape?.[0];
  return `with ${shapes}${batch === undefined ? '' : ` (a batch of ${batch ?? '?'} is assumed)`}`;
}

function hints({ inputs, runs, problem }: GraphReport['cost']): string[] {
  const open = inputs.filter(({ source }) => source !== 'file' && source !== 'given');
  const example = open.map(({ name, shape }) => `--shape ${name}=${exampleDims(shape)}`).join(' ');
  const uncounted = new Set(runs.flatMap((run) => run.uncounted));
  return [
    ...(problem === undefined ? [] : [`The batch does not fit this graph: ${problem}`]),
    ...(uncounted.size === 0
      ? []
      : [
          `Not counted, the op or a shape is not known: ${plural(uncounted.size, 'node')} such as ${[...uncounted].slice(0, 3).join(', ')}`,
        ]),
    ...(open.length === 0 ? [] : [`Give shapes with ${example}`]),
  ];
}

function exampleDims(shape: readonly (number | null)[] | null): string {
  if (shape === null) return 'DIM,DIM,...';
  return shape
    .map((dim, i) => dim ?? (i === 0 ? 32 : 'DIM'))
    .map((dim, i) => (i === 0 && dim === 1 ? 32 : dim))
    .join(',');
}

const SHOWN = 5;

/** The tensors that take the most memory in the run that takes the most. */
function largest(runs: readonly RunCost[], terminal: Terminal, all: boolean): string[] {
  const [run] = [...runs].sort((a, b) => b.activationBytes - a.activationBytes);
  if (run === undefined || run.largestActivations.length === 0) return [];
  const rows = run.largestActivations.map(({ name, type, dtype, shape, bytes }): Cell[] => [
    { text: name.replace(/:0$/, ''), paint: terminal.colors.cyan },
    formatBytes(bytes),
    dtype,
    formatShape(shape),
    { text: type, paint: terminal.colors.dim },
  ]);
  const columns = [
    { title: `largest of ${run.name}`, flexible: true },
    { title: 'bytes', right: true },
    { title: 'dtype' },
    { title: 'shape' },
    { title: 'op' },
  ];
  return ['', ...table(columns, all ? rows : rows.slice(0, SHOWN), terminal)];
}
