/** Giving every row of a sparse tensor an element: how many there are then depends on the indices. */
import { apply, applyOp } from '../apply.js';
import { withRank } from '../inferHelpers.js';
import { op, type EvaluateContext, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { HostValue } from '../value.js';
import { knownElements, withShapeOf } from './arrayHost.js';
import { complete, vectorOf, wholeValue } from './dynamicHost.js';
import { checkSparse } from './sparseInfer.js';

/** The row of each element. */
function rowsOf({ shape: [count = 0, rank = 0], data }: HostValue): number[] {
  return Array.from({ length: count }, (_, k) => data[k * rank] ?? NaN);
}

/** Elements by rows: their number in the input, or `null` where one is filled in. */
function filledOrder(rows: readonly number[], count: number): { row: number; from: number | null }[] {
  const byRow: (number | null)[][] = Array.from({ length: count }, () => []);
  rows.forEach((row, k) => byRow[row]?.push(k));
  return byRow.flatMap((elements, row) =>
    (elements.length === 0 ? [null] : elements).map((from) => ({ row, from })),
  );
}

function inferFill(c: InferContext): TensorShape[] {
  const names = { indices: 'indices', values: 'values', shape: 'dense_shape' };
  const { indices, values, rank } = checkSparse(c, names);
  if (rank === 0) c.fail('dense_shape must have an element at least, there are no rows to fill');
  const { rank: scalar } = c.shape(3);
  if (scalar !== null && scalar !== 0) {
    c.fail(`default_value must be a scalar, got shape ${c.shape(3).toString()}`);
  }
  const given = c.constant(2)?.data[0] ?? NaN;
  const rows = Number.isNaN(given) ? null : given;
  const known = complete(c.constant(0));
  const elements = known === null ? null : rowsOf(known);
  const wrong = elements?.findIndex((row) => row < 0 || row >= (rows ?? Infinity)) ?? -1;
  if (wrong >= 0) c.fail(`indices[${wrong}] is in row ${elements?.[wrong] ?? '?'}, there are ${rows ?? '?'}`);
  const count = elements === null || rows === null ? null : filledOrder(elements, rows).length;
  return [
    new TensorShape([count, rank]),
    new TensorShape([count]),
    new TensorShape([rows]),
    indices.slice(0, 1).mergeWith(values) ?? values,
  ];
}

function evaluateFill(c: EvaluateContext): HostValue[] | null {
  const [indices, values, shape, fallback] = [0, 1, 2, 3].map((i) => wholeValue(c, i));
  if (!indices || !values || !shape || !fallback) return null;
  const [rows = 0] = shape.data;
  const rank = shape.data.length;
  const order = filledOrder(rowsOf(indices), rows);
  const places = order.flatMap(({ row, from }) =>
    from === null
      ? [row, ...new Array<number>(rank - 1).fill(0)]
      : [...indices.data.subarray(from * rank, (from + 1) * rank)],
  );
  const elements = order.map(({ from }) => (from === null ? fallback : values).data[from ?? 0] ?? NaN);
  const empty = new Float64Array(rows);
  const reverse = new Float64Array(values.data.length);
  order.forEach(({ row, from }, p) => {
    if (from === null) empty[row] = 1;
    else reverse[from] = p;
  });
  return [
    { dtype: 'int64', shape: [order.length, rank], data: Float64Array.from(places) },
    vectorOf(values.dtype, elements),
    { dtype: 'bool', shape: [rows], data: empty },
    vectorOf('int64', [...reverse]),
  ];
}

function fillGrad({ input, output, dys }: GradContext): (Tensor | null)[] {
  const [, dy = null] = dys;
  if (dy === null) return [null, null, null, null];
  const node = applyOp('SparseFillEmptyRowsGrad', [output(3), dy]);
  return [null, withShapeOf(node.output(0), input(1)), null, node.output(1)];
}

function inferFillGrad(c: InferContext): TensorShape[] {
  const map = withRank(c, 0, 1, 'reverse_index_map');
  const grad = withRank(c, 1, 1, 'grad_values');
  const length = grad.dim(0);
  const wrong = knownElements(c.constant(0))?.find((p) => p < 0 || p >= (length ?? Infinity));
  if (wrong !== undefined) c.fail(`reverse_index_map must be in [0, ${length ?? '?'}), got ${wrong}`);
  return [map, TensorShape.SCALAR];
}

/** d grad_values = dd_values where the map leads, dd_default elsewhere */
function fillGradGrad({ ops, input, dys }: GradContext): (Tensor | null)[] {
  const [map, grad] = [input(0), input(1)];
  const [values = null, fallback = null] = dys;
  const rest = fallback ?? ops.zeros([], { dtype: grad.dtype });
  const places = ops.expandDims(map, 1);
  const own = values ?? ops.zerosLike(apply('GatherV2', [grad, map, 0]));
  return [null, withShapeOf(ops.tensorScatterUpdate(ops.fill(ops.shape(grad), rest), places, own), grad)];
}

export const SPARSE_ROWS = {
  SparseFillEmptyRows: op({
    summary: 'A sparse tensor with an element in every row that had none.',
    inputs: ['indices: int64', 'values: T', 'dense_shape: int64', 'default_value: T'],
    outputs: [
      'output_indices: int64',
      'output_values: T',
      'empty_row_indicator: bool',
      'reverse_index_map: int64',
    ],
    attrs: ['T: type'],
    infer: inferFill,
    grad: fillGrad,
    evaluate: evaluateFill,
  }),

  SparseFillEmptyRowsGrad: op({
    summary: 'Gradient of SparseFillEmptyRows, by the values and by the default.',
    inputs: ['reverse_index_map: int64', 'grad_values: T'],
    outputs: ['d_values: T', 'd_default_value: T'],
    attrs: ['T: type'],
    infer: inferFillGrad,
    grad: fillGradGrad,
  }),
} satisfies Record<string, OpDef>;
