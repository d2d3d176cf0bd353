/** Host steps of hash tables: filling, looking up, changing. */
import {
  InternalError,
  InvalidArgumentError,
  NotFoundError,
  TensorValue,
  type DType,
  type NumericData,
} from '@forerun/graph';
import { readFileIfPresent } from '../checkpoint/files.js';
import { namedStep } from './namedStep.js';
import { strings } from './texts.js';
import type { HashTable } from '../tables.js';
import type { HostStepFn, HostStepNode } from './hostOps.js';

type TableStep = (
  table: HashTable,
  inputs: readonly TensorValue[],
  node: HostStepNode,
) => readonly TensorValue[] | Promise<readonly TensorValue[]>;

/** A step on the table of a node; what it refuses names the node. */
function step(run: TableStep): HostStepFn {
  return namedStep((node, inputs, { tables }) => {
    const [ref] = node.resources;
    if (ref?.table === undefined) throw new InternalError(`${node.type} "${node.name}" has no table`);
    return run(tables.table(ref), inputs, node);
  });
}

function input(inputs: readonly TensorValue[], i: number): TensorValue {
  const value = inputs[i];
  if (value === undefined) throw new InternalError(`a table's op has no input ${i}`);
  return value;
}

const initialize = step((table, inputs) => {
  table.initialize(input(inputs, 0), input(inputs, 1));
  return [];
});

const find = step((table, inputs) => [table.find(input(inputs, 0), input(inputs, 1))]);

const insert = step((table, inputs) => {
  table.insert(input(inputs, 0), input(inputs, 1));
  return [];
});

const importPairs = step((table, inputs) => {
  table.import(input(inputs, 0), input(inputs, 1));
  return [];
});

const remove = step((table, inputs) => {
  table.remove(input(inputs, 0));
  return [];
});

const size = step((table) => [new TensorValue('int64', [], BigInt64Array.of(BigInt(table.size)))]);

const exportPairs = step((table) => table.export());

const WHOLE_LINE = -2;
const LINE_NUMBER = -1;

/** The lines of a file as TensorFlow reads them: carriage returns do not count, nor does what follows the last newline if it is empty. */
function linesOf(bytes: Uint8Array): string[] {
  const lines = new TextDecoder().decode(bytes).replaceAll('\r', '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

const initializeFromFile = step(async (table, [filename], node) => {
  const path = strings(filename, node.name)[0] ?? '';
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) throw new NotFoundError(`there is no file "${path}"`);
  const { attrs, resources } = node;
  const [offset, wanted] = [attrs.int('offset'), attrs.int('vocab_size')];
  const all = linesOf(bytes.subarray(offset));
  if (wanted > all.length) {
    throw new InvalidArgumentError(`"${path}" has ${all.length} lines, vocab_size is ${wanted}`);
  }
  const lines = wanted < 0 ? all : all.slice(0, wanted);
  const delimiter = attrs.string('delimiter');
  const column = (index: number, dtype: DType): TensorValue =>
    columnOf(lines, index, dtype, { path, delimiter });
  const [ref] = resources;
  const keyDtype = ref?.table?.keyDtype ?? 'string';
  table.initialize(
    column(attrs.int('key_index'), keyDtype),
    column(attrs.int('value_index'), ref?.dtype ?? 'string'),
  );
  return [];
});

/** Elements of the dtypes that columns are read as, from a text and where it stands. */
const PARSERS: Partial<
  Record<DType, (texts: readonly string[], where: (i: number) => string) => NumericData>
> = {
  int64: (texts, where) => BigInt64Array.from(texts, (text, i) => wholeOf(text, where(i))),
  int32: (texts, where) => Int32Array.from(texts, (text, i) => int32Of(numberOf(text, where(i)), where(i))),
  float32: (texts, where) => Float32Array.from(texts, (text, i) => numberOf(text, where(i))),
  float64: (texts, where) => Float64Array.from(texts, (text, i) => numberOf(text, where(i))),
};

function columnOf(
  lines: readonly string[],
  index: number,
  dtype: DType,
  { path, delimiter }: { readonly path: string; readonly delimiter: string },
): TensorValue {
  const where = (i: number): string => `"${path}", line ${i + 1}`;
  const texts = lines.map((line, i) => {
    if (index === WHOLE_LINE) return line;
    if (index === LINE_NUMBER) return String(i);
    const part = line.split(delimiter)[index];
    if (part !== undefined) return part;
    throw new InvalidArgumentError(`${where(i)}: there is no column ${index}`);
  });
  if (dtype === 'string') return new TensorValue('string', [texts.length], texts);
  const parse = PARSERS[dtype];
  if (parse === undefined) throw new InvalidArgumentError(`columns of text files are not read as ${dtype}`);
  return new TensorValue(dtype, [texts.length], parse(texts, where));
}

function numberOf(text: string, where: string): number {
  const number = text.trim() === '' ? NaN : Number(text);
  if (!Number.isNaN(number) || text.trim().toLowerCase() === 'nan') return number;
  throw new InvalidArgumentError(`${where}: ${JSON.stringify(text)} is no number`);
}

function int32Of(number: number, where: string): number {
  if (Number.isInteger(number) && Math.abs(number) <= 2 ** 31 && number !== 2 ** 31) return number;
  throw new InvalidArgumentError(`${where}: ${number} is no int32`);
}

function wholeOf(text: string, where: string): bigint {
  if (/^\s*[-+]?\d+\s*$/.test(text)) return BigInt(text.trim().replace(/^\+/, ''));
  throw new InvalidArgumentError(`${where}: ${JSON.stringify(text)} is no whole number`);
}

const STEPS = {
  InitializeTable: initialize,
  InitializeTableFromTextFile: initializeFromFile,
  LookupTableFind: find,
  LookupTableInsert: insert,
  LookupTableImport: importPairs,
  LookupTableSize: size,
  LookupTableExport: exportPairs,
};

/** Under the names over references too: a run that is cut meets these. */
export const TABLE_STEPS: Readonly<Record<string, HostStepFn>> = {
  ...STEPS,
  ...Object.fromEntries(Object.entries(STEPS).map(([type, run]) => [`${type}V2`, run])),
  LookupTableRemoveV2: remove,
};
