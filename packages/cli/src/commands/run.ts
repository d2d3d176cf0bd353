/** `forerun run`: computes a graph's outputs for values from files, and tells how long it takes. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeNpy } from '@forerun/formats';
import type { TensorValue } from '@forerun/graph';
import { RunMetadata, type Session } from '@forerun/session';
import { FileError, UsageError } from '../errors.js';
import { feedValue, parseFeed } from '../feedValues.js';
import { formatShape, table, type Cell } from '../format.js';
import { parseShape, type InputShapes } from '../inputShapes.js';
import { loadGraph } from '../load.js';
import type { CommonOptions } from '../program.js';
import {
  fetchesOf,
  neededInputs,
  restoreState,
  shapedGraph,
  withSession,
  type ShapedGraph,
} from '../runSetup.js';
import { parseTags } from '../tags.js';
import { withWeightsBeside } from '../weightsBeside.js';
import { progressOf, type Terminal } from '../terminal.js';
import { formatNumber, summarizeValue, valueJson } from '../values.js';

export interface RunCommandOptions extends CommonOptions {
  readonly feed?: readonly string[];
  readonly fetch?: readonly string[];
  readonly shape?: readonly string[];
  /** A checkpoint or file of weights for the variables. */
  readonly weights?: string;
  /** Directory for fetched values as `.npy`. */
  readonly out?: string;
  /** Runs to time after the first. */
  readonly repeat?: number;
  readonly profile?: boolean;
}

interface Times {
  readonly firstMilliseconds: number;
  readonly runs: number;
  readonly medianMilliseconds?: number;
  readonly minMilliseconds?: number;
}

interface KernelTime {
  readonly name: string;
  readonly label: string;
  readonly microseconds: number;
}

/** Runs the graph and prints or writes what was fetched. Throws `FileError` for bad files and feeds, `UsageError` for wrong options. */
export async function run(file: string, options: RunCommandOptions, terminal: Terminal): Promise<void> {
  let shapes: InputShapes = new Map();
  for (const text of options.shape ?? []) shapes = parseShape(text, shapes);
  const loaded = await withWeightsBeside(
    await loadGraph(file, 'ops to run', { tags: parseTags(options.tags), shapes }),
  );
  // Feeds say themselves what the unknown dimensions are.
  const shaped = shapedGraph(loaded, shapes);
  const fetches = fetchesOf(shaped, options.fetch);
  const feeds = await feedsOf(shaped, fetches, options.feed ?? [], shapes);
  const { graph } = shapedGraph(loaded, feedShapes(shaped, feeds, shapes));
  await withSession(loaded.path, graph, terminal, async (sess) => {
    await restoreState(sess, { ...shaped.view, graph }, options.weights);
    const { values, times, kernels } = await timed(sess, fetches, feeds, options, terminal);
    const results = fetches.map((name, i) => ({ name, value: values[i] }));
    const written = options.out === undefined ? [] : await writeAll(options.out, results);
    const report = { file: loaded.path, adapter: sess.adapterName, times, kernels };
    terminal.print(
      options.json === true
        ? JSON.stringify({ ...report, written, outputs: results.map(outputJson) }, null, 2)
        : render(report, results, written, terminal),
    );
  });
}

type Feeds = Map<string, TensorValue>;

async function feedsOf(
  shaped: ShapedGraph,
  fetches: readonly string[],
  given: readonly string[],
  shapes: InputShapes,
): Promise<Feeds> {
  const { graph } = shaped;
  const sources = new Map(given.map(parseFeed).map(({ name, source }) => [name, source]));
  const feeds: Feeds = new Map();
  for (const [name, source] of sources) {
    const tensor = graph.findOperation(name)?.outputs[0];
    if (tensor === undefined) throw new FileError(`--feed: the graph has no node "${name}"`);
    feeds.set(name, await feedValue(source, { name, dtype: tensor.dtype, shape: tensor.shape.dims }));
  }
  const missing = neededInputs(shaped, fetches).filter(
    ({ name }) => !feeds.has(name) && graph.findOperation(name)?.type !== 'PlaceholderWithDefault',
  );
  if (missing.length === 0) return feeds;
  const words = missing.map(({ name, shape }) => `${name} ${formatShape(shapes.get(name) ?? shape)}`);
  throw new UsageError(
    `these inputs need a --feed: ${words.join(', ')}; ${missing[0]?.name ?? ''}=random feeds random numbers`,
  );
}

function feedShapes({ inputs }: ShapedGraph, feeds: Feeds, shapes: InputShapes): InputShapes {
  const fed = inputs.flatMap(({ name }): [string, readonly number[]][] => {
    const value = feeds.get(name);
    return value === undefined ? [] : [[name, value.shape]];
  });
  return new Map([...shapes, ...fed]);
}

async function timed(
  sess: Session,
  fetches: readonly string[],
  feeds: Feeds,
  { repeat = 0, profile }: RunCommandOptions,
  terminal: Terminal,
): Promise<{ values: (TensorValue | undefined)[]; times: Times; kernels: KernelTime[] }> {
  const fed = Object.fromEntries(feeds);
  const once = async (): Promise<(TensorValue | undefined)[]> => [...(await sess.run([...fetches], fed))];
  const clock = async (): Promise<number> => {
    const start = performance.now();
    await once();
    return performance.now() - start;
  };
  const start = performance.now();
  const values = await once();
  const firstMilliseconds = performance.now() - start;
  const progress = progressOf(terminal, 'running', repeat);
  const steady: number[] = [];
  for (let i = 0; i < repeat; i++) {
    steady.push(await clock());
    progress.step('');
  }
  progress.end();
  steady.sort((a, b) => a - b);
  const times: Times = {
    firstMilliseconds,
    runs: repeat,
    ...(repeat === 0
      ? {}
      : { medianMilliseconds: steady[repeat >> 1] ?? 0, minMilliseconds: steady[0] ?? 0 }),
  };
  return { values, times, kernels: profile === true ? await kernelTimes(sess, fetches, fed) : [] };
}

async function kernelTimes(
  sess: Session,
  fetches: readonly string[],
  feeds: Readonly<Record<string, TensorValue>>,
): Promise<KernelTime[]> {
  const runMetadata = new RunMetadata();
  await sess.run([...fetches], feeds, { traceLevel: 'FULL_TRACE', runMetadata });
  const stats = runMetadata.stepStats.devStats.flatMap(({ nodeStats }) => nodeStats);
  return stats
    .map(({ nodeName, kernel, opEndRelMicros, opStartRelMicros }) => ({
      name: nodeName,
      label: kernel,
      microseconds: opEndRelMicros - opStartRelMicros,
    }))
    .sort((a, b) => b.microseconds - a.microseconds);
}

interface Result {
  readonly name: string;
  readonly value: TensorValue | undefined;
}

async function writeAll(directory: string, results: readonly Result[]): Promise<string[]> {
  const written: string[] = [];
  for (const { name, value } of results) {
    if (value === undefined) continue;
    const path = `${directory}/${name.replace(/:0$/, '').replaceAll(/[^\w.-]+/g, '_')}.npy`;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, writeNpy(value));
    written.push(path);
  }
  return written;
}

function outputJson({ name, value }: Result): object {
  if (value === undefined) return { name };
  return { name, dtype: value.dtype, shape: value.shape, value: valueJson(value) };
}

interface RunReport {
  readonly adapter: string;
  readonly times: Times;
  readonly kernels: readonly KernelTime[];
}

const SHOWN_KERNELS = 20;

function render(
  { adapter, times, kernels }: RunReport,
  results: readonly Result[],
  written: readonly string[],
  terminal: Terminal,
): string {
  return [
    ...resultTable(results, terminal),
    ...written.map((path) => `wrote ${path}`),
    '',
    `First run ${formatNumber(times.firstMilliseconds)} ms with compilation${steadyText(times)}; on ${adapter}`,
    ...(kernels.length === 0 ? [] : kernelTable(kernels.slice(0, SHOWN_KERNELS), terminal)),
  ].join('\n');
}

function resultTable(results: readonly Result[], terminal: Terminal): string[] {
  const rows = results.map(({ name, value }): Cell[] => [
    { text: name, paint: terminal.colors.cyan },
    value?.dtype ?? 'ran',
    value === undefined ? '' : formatShape(value.shape),
    value === undefined ? '' : summarizeValue(value),
  ]);
  const columns = [
    { title: 'output' },
    { title: 'dtype' },
    { title: 'shape' },
    { title: 'value', flexible: true },
  ];
  return table(columns, rows, terminal);
}

function steadyText({ runs, medianMilliseconds, minMilliseconds = 0 }: Times): string {
  if (medianMilliseconds === undefined) return '';
  return `, then ${runs} runs with a median of ${formatNumber(medianMilliseconds)} ms, the fastest ${formatNumber(minMilliseconds)} ms`;
}

function kernelTable(kernels: readonly KernelTime[], terminal: Terminal): string[] {
  const { colors, unicode } = terminal;
  const rows = kernels.map(({ name, label, microseconds }): Cell[] => [
    { text: name, paint: colors.cyan },
    label,
    `${formatNumber(microseconds)} ${unicode ? 'µs' : 'us'}`,
  ]);
  const columns = [{ title: 'node', flexible: true }, { title: 'kernel' }, { title: 'time', right: true }];
  return ['', colors.bold('Kernels'), ...table(columns, rows, terminal)];
}
