/** `forerun tune`: measures the kernels of a graph on this machine's adapter, and keeps what was found. */
import { TensorShape } from '@forerun/graph';
import { Session, type ChosenKernel } from '@forerun/session';
import { runCosts, type RunCost } from '../cost.js';
import { FileError, messageOf, UsageError } from '../errors.js';
import { formatShape, plural, table, type Cell } from '../format.js';
import { viewGraph } from '../graphView.js';
import { parseShape, withInputShapes, type InputShape, type InputShapes } from '../inputShapes.js';
import { loadGraph } from '../load.js';
import type { CommonOptions } from '../program.js';
import { parseTags } from '../tags.js';
import type { Terminal } from '../terminal.js';

export interface TuneOptions extends CommonOptions {
  readonly shape?: readonly string[];
  /** What to run, in place of the outputs and of each target that trains. */
  readonly fetch?: readonly string[];
  /** The most seconds for measuring, for each run of the graph. */
  readonly seconds: number;
}

/** The kernels of one run of the graph. */
interface TunedRun {
  readonly run: string;
  readonly kernels: readonly ChosenKernel[];
}

/**
 * Tunes the kernels of `file` and prints what was chosen. Throws `FileError` for a bad file, an unknown name and
 * what the session refuses, `UsageError` for a bad shape and where tuning is switched off.
 */
export async function tune(file: string, options: TuneOptions, terminal: Terminal): Promise<void> {
  const mode = terminal.env.FORERUN_TUNING;
  if (mode !== undefined && mode !== '' && mode !== 'on') {
    throw new UsageError(`FORERUN_TUNING=${mode} keeps kernels from being measured: unset it`);
  }
  let shapes: InputShapes = new Map();
  for (const text of options.shape ?? []) shapes = parseShape(text, shapes);
  const loaded = await loadGraph(file, 'kernels', { tags: parseTags(options.tags) });
  const { graphDef, inputs } = withInputShapes(loaded, shapes);
  const view = viewGraph({ ...loaded, graphDef });
  const runs = options.fetch === undefined ? runCosts(view) : [{ name: 'fetches', fetches: options.fetch }];
  if (runs.length === 0) throw new FileError(`${loaded.path}: the graph has neither outputs nor training`);
  const config = { tuning: 'on', tuningSeconds: options.seconds } as const;
  await using session = await Session.create({ graph: view.graph, config });
  const tuned: TunedRun[] = [];
  for (const run of runs) tuned.push(await tuneRun(session, loaded.path, run, inputs));
  const report = { file: loaded.path, adapter: session.adapterName, runs: tuned };
  terminal.print(options.json === true ? JSON.stringify(report, null, 2) : render(report, inputs, terminal));
}

async function tuneRun(
  session: Session,
  path: string,
  { name, fetches }: Pick<RunCost, 'name' | 'fetches'>,
  inputs: readonly InputShape[],
): Promise<TunedRun> {
  const feeds = inputs.flatMap((input): [string, readonly number[]][] =>
    needsFeed(session, input) ? [[input.name, input.shape.toStatic()]] : [],
  );
  try {
    const { kernels } = await session.compile([...fetches], Object.fromEntries(feeds));
    return { run: name, kernels };
  } catch (error) {
    // What the session refuses is about this graph; anything without a code is a bug and is shown as one.
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new FileError(`${path}: ${name}: ${messageOf(error)}`, { cause: error });
  }
}

/** Inputs with a default are fed only where a shape was given. */
function needsFeed({ graph }: Session, { name, shape, source }: InputShape): boolean {
  if (!shape.isFullyDefined) {
    throw new UsageError(`--shape: the shape of "${name}" is not known: ${formatShape(shape)}`);
  }
  return source === 'given' || graph.findOperation(name)?.type === 'Placeholder';
}

interface TuneReport {
  readonly file: string;
  readonly adapter: string;
  readonly runs: readonly TunedRun[];
}

function render(
  { file, adapter, runs }: TuneReport,
  inputs: readonly InputShape[],
  terminal: Terminal,
): string {
  const { colors } = terminal;
  const given = inputs.map(({ name, shape }) => `${name}=${formatShape(TensorShape.of(shape.toStatic()))}`);
  const head = [`${file} on ${adapter}`, given.length === 0 ? '' : `with ${given.join(', ')}`];
  const columns = [
    { title: 'kernel', flexible: true },
    { title: 'node' },
    { title: 'chosen' },
    { title: 'from' },
    { title: 'of default', right: true },
  ];
  const sections = runs.map(({ run, kernels }) => {
    const rows = kernels.map(({ signature, node, candidate, source, ratio }): Cell[] => [
      { text: signature, paint: colors.cyan },
      node,
      candidate,
      { text: source, paint: source === 'tuned' ? colors.green : colors.dim },
      ratio === null ? '-' : ratio.toFixed(2),
    ]);
    const title = `\n${run}: ${plural(kernels.length, 'kernel')} with a choice`;
    return [title, ...(rows.length === 0 ? [] : table(columns, rows, terminal))].join('\n');
  });
  return [...head.filter((line) => line !== ''), ...sections, '', summary(runs)].join('\n');
}

/** The mean time of the chosen kernels over that of the defaults. */
function summary(runs: readonly TunedRun[]): string {
  const ratios = runs.flatMap(({ kernels }) => kernels.flatMap(({ ratio }) => ratio ?? []));
  if (ratios.length === 0) return 'Nothing was measured.';
  const mean = Math.exp(ratios.reduce((total, ratio) => total + Math.log(ratio), 0) / ratios.length);
  return `Chosen kernels take ${mean.toFixed(2)} of the defaults' time (geometric mean of ${ratios.length}).`;
}
