/** `forerun weights`: the values in a file, with statistics and histograms; or one of them. */
import type { WeightEntry, WeightReader } from '@forerun/formats';
import { dtypeBytes, sizeOf, type TensorValue } from '@forerun/graph';
import { tensorHistogram, tensorStatistics, type Histogram, type TensorStatistics } from '@forerun/session';
import { formatBytes, formatCount, formatShape, plural, type Cell, type Column } from '../format.js';
import { histogramLines, sparkline } from '../histogram.js';
import { openValues, reading } from '../openValues.js';
import type { CommonOptions } from '../program.js';
import { limitedTable } from '../renderList.js';
import { parseTags } from '../tags.js';
import { progressOf, type Terminal } from '../terminal.js';
import { formatNumber, summarizeValue, valueJson, type JsonValue } from '../values.js';

export interface WeightsOptions extends CommonOptions {
  /** Leaves nothing out of long lists, and prints all elements of one value. */
  readonly all?: boolean;
  /** False: nothing is read but names and shapes. */
  readonly stats?: boolean;
}

const SMALL_BINS = 12;
const LARGE_BINS = 20;

interface WeightReport {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly bytes: number;
  readonly statistics?: TensorStatistics | null;
  readonly histogram?: Histogram | null;
}

/** Prints the values of a file. Throws `FileError` for a bad file and for a name that is not there. */
export async function weights(
  file: string,
  name: string | undefined,
  options: WeightsOptions,
  terminal: Terminal,
): Promise<void> {
  const { loaded, reader, close } = await openValues(file, { tags: parseTags(options.tags) });
  try {
    await reading(loaded.path, async () =>
      name === undefined
        ? printAll(loaded.path, reader, options, terminal)
        : printOne(loaded.path, name, await reader.read(name), options, terminal),
    );
  } finally {
    await close();
  }
}

async function printAll(
  path: string,
  reader: WeightReader,
  options: WeightsOptions,
  terminal: Terminal,
): Promise<void> {
  const reports: WeightReport[] = [];
  const progress = progressOf(terminal, 'reading', reader.entries.size);
  for (const entry of reader.entries.values()) {
    const value = options.stats === false ? undefined : await reader.read(entry.name);
    reports.push(reportOf(entry, value, SMALL_BINS));
    progress.step(entry.name);
  }
  progress.end();
  terminal.print(
    options.json === true
      ? JSON.stringify({ file: path, tensors: reports }, null, 2)
      : renderAll(path, reports, options, terminal),
  );
}

function reportOf(
  { name, dtype, shape }: WeightEntry,
  value: TensorValue | undefined,
  bins: number,
): WeightReport {
  const elements = sizeOf(shape);
  const head = { name, dtype, shape, elements, bytes: elements * dtypeBytes(dtype) };
  if (value === undefined) return head;
  return { ...head, statistics: tensorStatistics(value), histogram: tensorHistogram(value, bins) };
}

const number = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : formatNumber(value);

interface WeightColumn extends Column {
  readonly cell: (report: WeightReport, terminal: Terminal) => Cell;
  /** Needs values, not only names and shapes. */
  readonly ofValues?: boolean;
}

const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text);

function badCount(statistics: WeightReport['statistics']): number {
  return (statistics?.nans ?? 0) + (statistics?.infinities ?? 0);
}

function statistic(title: 'min' | 'max' | 'mean' | 'std'): WeightColumn {
  return { title, right: true, ofValues: true, cell: ({ statistics }) => number(statistics?.[title]) };
}

const COLUMNS: readonly WeightColumn[] = [
  { title: 'name', flexible: true, cell: ({ name }, { colors }) => ({ text: name, paint: colors.cyan }) },
  { title: 'dtype', cell: ({ dtype }) => dtype },
  { title: 'shape', cell: ({ shape }) => formatShape(shape) },
  { title: 'elements', right: true, cell: ({ elements }) => formatCount(elements) },
  statistic('min'),
  statistic('max'),
  statistic('mean'),
  statistic('std'),
  {
    title: 'NaN, Inf',
    right: true,
    cell: ({ statistics }, { colors }) => {
      const bad = badCount(statistics);
      return { text: bad === 0 ? '' : `${formatCount(bad)} bad`, paint: colors.red };
    },
  },
  {
    title: 'histogram',
    ofValues: true,
    cell: ({ histogram }, terminal) => ({
      text: histogram ? sparkline(histogram, terminal) : '',
      paint: terminal.colors.cyan,
    }),
  },
];

/** What goes first where the terminal is too narrow; names are cut before that. */
const DISPENSABLE = ['elements', 'histogram', 'std', 'mean', 'dtype'];
const NAME_WIDTH = 24;

/** The columns that fit into the terminal. */
function fitting(
  columns: readonly WeightColumn[],
  reports: readonly WeightReport[],
  terminal: Terminal,
): readonly WeightColumn[] {
  const widthOf = ({ title, flexible, cell }: WeightColumn): number => {
    const lengths = reports.map((report) => textOf(cell(report, terminal)).length);
    const widest = lengths.reduce((most, length) => Math.max(most, length), title.length);
    return 2 + (flexible === true ? Math.min(widest, NAME_WIDTH) : widest);
  };
  const widths = new Map(columns.map((column) => [column.title, widthOf(column)]));
  let kept = columns;
  for (const title of DISPENSABLE) {
    const total = kept.reduce((sum, column) => sum + (widths.get(column.title) ?? 0), 0);
    if (total <= terminal.width) break;
    kept = kept.filter((column) => column.title !== title);
  }
  return kept;
}

function renderAll(
  path: string,
  reports: readonly WeightReport[],
  options: WeightsOptions,
  terminal: Terminal,
): string {
  const { colors } = terminal;
  const anyBad = reports.some(({ statistics }) => badCount(statistics) > 0);
  const hasStatistics = reports.some(({ statistics }) => statistics !== undefined);
  const wanted = COLUMNS.filter(({ title, ofValues }) =>
    title === 'NaN, Inf' ? anyBad : ofValues !== true || hasStatistics,
  );
  const columns = fitting(wanted, reports, terminal);
  const rows = reports.map((report) => columns.map(({ cell }) => cell(report, terminal)));
  const total = reports.reduce((sum, { elements }) => sum + elements, 0);
  const bytes = reports.reduce((sum, report) => sum + report.bytes, 0);
  return [
    `${colors.bold(path)}: ${plural(reports.length, 'tensor')}, ${formatCount(total)} elements, ${formatBytes(bytes)}`,
    ...limitedTable(columns, rows, { what: 'tensors', all: options.all === true, limit: 60 }, terminal),
  ].join('\n');
}

function printOne(
  path: string,
  name: string,
  value: TensorValue,
  options: WeightsOptions,
  terminal: Terminal,
): void {
  const entry = { name, dtype: value.dtype, shape: value.shape };
  const report = reportOf(entry, value, LARGE_BINS);
  if (options.json === true) {
    const elements: JsonValue = options.all === true ? valueJson(value) : summarizeValue(value);
    terminal.print(JSON.stringify({ file: path, ...report, value: elements }, null, 2));
    return;
  }
  const { colors } = terminal;
  const { statistics, histogram } = report;
  const facts = statistics ? factLines(statistics) : [];
  terminal.print(
    [
      `${colors.bold(name)}: ${value.dtype} ${formatShape(value.shape)}, ${formatBytes(report.bytes)}`,
      `  ${options.all === true ? JSON.stringify(valueJson(value)) : summarizeValue(value)}`,
      ...(facts.length === 0 ? [] : ['', colors.bold('Statistics'), ...facts]),
      ...(histogram ? ['', colors.bold('Histogram'), ...histogramLines(histogram, terminal)] : []),
    ].join('\n'),
  );
}

function factLines(statistics: TensorStatistics): string[] {
  const facts: readonly (readonly [string, number | null])[] = Object.entries(statistics);
  return facts.map(([key, fact]) => `  ${key.padEnd(10)}  ${number(fact)}`);
}
