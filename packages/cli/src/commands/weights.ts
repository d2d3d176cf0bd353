/** `forerun weights`: the values in a file, with statistics and histograms; or one of them. */
import type { WeightEntry, WeightReader } from '@forerun/formats';
import { dtypeBytes, sizeOf, type TensorValue } from '@forerun/graph';
import { tensorHistogram, tensorStatistics, type Histogram, type TensorStatistics } from '@forerun/session';
import { formatBytes, formatCount, formatShape, plural, type Cell } from '../format.js';
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

function renderAll(
  path: string,
  reports: readonly WeightReport[],
  options: WeightsOptions,
  terminal: Terminal,
): string {
  const { colors } = terminal;
  const rows = reports.map(({ name, dtype, shape, elements, statistics, histogram }): Cell[] => {
    const bad = (statistics?.nans ?? 0) + (statistics?.infinities ?? 0);
    return [
      { text: name, paint: colors.cyan },
      dtype,
      formatShape(shape),
      formatCount(elements),
      number(statistics?.min),
      number(statistics?.max),
      number(statistics?.mean),
      number(statistics?.std),
      { text: bad === 0 ? '' : `${formatCount(bad)} bad`, paint: colors.red },
      { text: histogram ? sparkline(histogram, terminal) : '', paint: colors.cyan },
    ];
  });
  const right = (title: string): { title: string; right: boolean } => ({ title, right: true });
  const columns = [{ title: 'name', flexible: true }, { title: 'dtype' }, { title: 'shape' }, ...['elements', 'min', 'max', 'mean', 'std', 'NaN, Inf'].map(right), { title: 'histogram' }]; // prettier-ignore
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
