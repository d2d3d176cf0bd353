/** Ragged tensors as dense ones: rows of different lengths, cut or filled up. */
import { gradientMissing, op, type EvaluateContext, type InferContext } from '../opDef.js';
import { sizeOf, TensorShape } from '../shape.js';
import type { HostValue } from '../value.js';
import { complete, wholeValue } from './dynamicHost.js';

/** How a dimension is divided into rows. */
type Division = 'FIRST_DIM_SIZE' | 'VALUE_ROWIDS' | 'ROW_SPLITS';
const DIVISIONS: ReadonlySet<string> = new Set<Division>(['FIRST_DIM_SIZE', 'VALUE_ROWIDS', 'ROW_SPLITS']);

interface Reader {
  readonly attrs: InferContext['attrs'];
  /** The value of an input. */
  readonly value: (i: number) => HostValue | null;
  readonly fail: (rule: string) => never;
}

/** The rows of every ragged dimension, outermost first: where in the next one each begins, and where the last ends. */
function splitsOf(c: Reader): number[][] | null {
  const types = c.attrs.strings('row_partition_types');
  const rows: number[][] = [];
  let count: number | null = null;
  for (const [i, type] of types.entries()) {
    const tensor = complete(c.value(3 + i));
    if (tensor === null) return null;
    const numbers = Array.from(tensor.data);
    if (type === 'FIRST_DIM_SIZE') {
      count = numbers[0] ?? 0;
      continue;
    }
    const splits: number[] = type === 'ROW_SPLITS' ? numbers : splitsOfRowIds(numbers, count ?? 0);
    checkSplits(c, splits, type, count);
    rows.push(splits);
    count = splits.at(-1) ?? 0;
  }
  return rows;
}

function splitsOfRowIds(ids: readonly number[], rows: number): number[] {
  const splits = new Array<number>(rows + 1).fill(0);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    while (ids[at] === row) at++;
    splits[row + 1] = at;
  }
  // What is out of order belongs to no row: the check of the splits sees it.
  return at === ids.length ? splits : [...splits.slice(0, -1), NaN];
}

function checkSplits(c: Reader, splits: readonly number[], type: string, rows: number | null): void {
  const rises = splits.every((split, i) => split >= (splits[i - 1] ?? 0));
  if (splits.length > 0 && splits[0] === 0 && rises && (rows === null || splits.length === rows + 1)) return;
  const text = `${splits.slice(0, 8).join(', ')}${splits.length > 8 ? ', …' : ''}`;
  c.fail(
    type === 'ROW_SPLITS'
      ? `row splits must rise from 0${rows === null ? '' : `, ${rows + 1} of them`}; they are [${text}]`
      : `row ids must rise from 0 to at most ${(rows ?? 0) - 1}`,
  );
}

/** Sizes of the dense tensor; -1 where what is asked for is open. */
function sizesOf(
  splits: readonly (readonly number[])[],
  asked: readonly number[],
  inner: readonly number[],
): number[] {
  const rows = (splits[0]?.length ?? 1) - 1;
  const widest = splits.map((row) =>
    row.slice(1).reduce((most, end, i) => Math.max(most, end - (row[i] ?? 0)), 0),
  );
  return [rows, ...widest, ...inner].map((size, i) => ((asked[i] ?? -1) < 0 ? size : (asked[i] ?? size)));
}

function askedSizes(c: Reader): number[] | null {
  const shape = complete(c.value(0));
  if (shape === null) return null;
  return shape.shape.length === 0 ? [] : Array.from(shape.data);
}

function inferDense(c: InferContext): TensorShape[] {
  const types = c.attrs.strings('row_partition_types');
  const strange = types.find((type) => !DIVISIONS.has(type));
  if (strange !== undefined)
    c.fail(`attribute "row_partition_types" must have ${[...DIVISIONS].join(', ')}, got ${strange}`);
  if (types.length !== c.shapes.length - 3)
    c.fail(`there are ${c.shapes.length - 3} row partitions and ${types.length} types of them`);
  const ragged = types.filter((type) => type !== 'FIRST_DIM_SIZE').length;
  const values = c.shape(1);
  const rank = values.rank === null ? null : values.rank + ragged;
  const reader: Reader = { attrs: c.attrs, value: (i) => c.constant(i), fail: (rule) => c.fail(rule) };
  const [asked, splits] = [askedSizes(reader), splitsOf(reader)];
  if (rank !== null && asked !== null && asked.length > 0 && asked.length !== rank)
    c.fail(`shape must have ${rank} sizes, got [${asked.join(', ')}]`);
  if (rank === null) return [TensorShape.UNKNOWN];
  const inner = values.dims?.slice(1) ?? [];
  const sizes =
    splits === null
      ? null
      : sizesOf(
          splits,
          asked ?? [],
          inner.map((dim) => dim ?? -1),
        );
  return [
    new TensorShape(
      Array.from({ length: rank }, (_, i) => {
        const wanted = asked?.[i] ?? -1;
        if (wanted >= 0) return wanted;
        if (asked === null) return null;
        if (i > ragged) return inner[i - ragged - 1] ?? null;
        const size = sizes?.[i] ?? -1;
        return size < 0 ? null : size;
      }),
    ),
  ];
}

function evaluateDense(c: EvaluateContext): HostValue[] | null {
  const fail = (): never => {
    throw new RangeError('checked when shapes are inferred');
  };
  const reader: Reader = { attrs: c.attrs, value: (i) => c.value(i), fail };
  const [values, filling, asked] = [wholeValue(c, 1), wholeValue(c, 2), askedSizes(reader)];
  if (values === null || filling === null || asked === null) return null;
  const splits = splitsOf(reader);
  if (splits === null) return null;
  const inner = values.shape.slice(1);
  const shape = sizesOf(splits, asked, inner);
  return [{ dtype: values.dtype, shape, data: filled(values, filling.data, splits, shape) }];
}

/** The default everywhere, and over it the values as far as they fit. */
function filled(
  { data, shape: from }: HostValue,
  filling: Float64Array,
  splits: readonly (readonly number[])[],
  shape: readonly number[],
): Float64Array {
  const width = sizeOf(from.slice(1));
  const size = sizeOf(shape.slice(splits.length + 1));
  const out = Float64Array.from({ length: sizeOf(shape) }, (_, i) => filling[i % filling.length] ?? 0);
  const copyRows = (depth: number, start: number, end: number, place: number): void => {
    const stride = sizeOf(shape.slice(depth + 1));
    const count = Math.min(end - start, shape[depth] ?? 0);
    for (let i = 0; i < count; i++) {
      const [row, at] = [start + i, place + i * stride];
      const inner = splits[depth];
      if (inner === undefined) out.set(data.subarray(row * width, row * width + Math.min(width, size)), at);
      else copyRows(depth + 1, inner[row] ?? 0, inner[row + 1] ?? 0, at);
    }
  };
  copyRows(0, 0, (splits[0]?.length ?? 1) - 1, 0);
  return out;
}

export const RAGGED_DENSE = {
  RaggedTensorToTensor: op({
    summary: 'A ragged tensor as a dense one: rows are cut, or filled up with a default.',
    inputs: [
      'shape: Tshape',
      'values: T',
      'default_value: T',
      'row_partition_tensors: num_row_partition_tensors * Tindex',
    ],
    outputs: ['result: T'],
    attrs: [
      'T: type',
      'Tindex: index',
      'Tshape: index',
      'num_row_partition_tensors: int >= 1',
      'row_partition_types: list(string)',
    ],
    infer: inferDense,
    grad: gradientMissing('the gradient of ragged tensors is not here'),
    evaluate: evaluateDense,
  }),
};
