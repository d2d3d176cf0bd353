/** Scatters, what is found in tensors, rows in another order, and blocks of batches in ONNX. */
import type { Operation } from '@forerun/graph';
import {
  fail,
  input,
  integers,
  known,
  rankOf,
  scalar,
  toInt64,
  type AttributeValue,
  type OnnxWriter,
  type OpWriter,
} from './exportWriter.js';
import { onnxNumber, valueOf } from './tensors.js';

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** The tensor with rows changed at index vectors. */
const scatter =
  (reduction: string, negative = false): OpWriter =>
  (op, writer, [output]) => {
    const rows = writer.name(input(op, 2));
    const updates = negative ? writer.add('Neg', [rows]) : rows;
    const names = [writer.name(input(op, 0)), toInt64(op, writer, 1), updates];
    writer.add('ScatterND', names, { reduction }, output);
  };

/** Zeros with updates added at index vectors. */
const scatterNd: OpWriter = (op, writer, [output]) => {
  const zeros = writer.add('Expand', [
    writer.constant(valueOf(op.output(0).dtype, 0)),
    toInt64(op, writer, 2),
  ]);
  const names = [zeros, toInt64(op, writer, 0), writer.name(input(op, 1))];
  writer.add('ScatterND', names, { reduction: 'add' }, output);
};

/** Elements at index vectors of a tensor that holds a default elsewhere. */
const sparseToDense: OpWriter = (op, writer, [output]) => {
  const rank = rankOf(op);
  const all = writer.add('Expand', [writer.name(input(op, 3)), toInt64(op, writer, 1)]);
  // One place may be given as a scalar, places of a vector as a list.
  const depth =
    rank < 2 ? 1 : (input(op, 0).shape.dim(1) ?? fail(op, 'the length of the index vectors is not known'));
  const places = writer.add('Reshape', [toInt64(op, writer, 0), writer.constant(integers([-1, depth]))]);
  const count = writer.add('Shape', [places], { start: 0, end: 1 });
  writer.add(
    'ScatterND',
    [all, places, writer.add('Expand', [writer.name(input(op, 2)), count])],
    {},
    output,
  );
};

/** The elements of each segment together, into `count` rows that begin with `start`. */
function segments(
  op: Operation,
  writer: OnnxWriter,
  output: string | undefined,
  { reduction, start, count }: { reduction: string; start: number; count: string },
): void {
  const ids = toInt64(op, writer, 1);
  const zero = writer.constant(valueOf('int64', 0));
  // Negative numbers of segments mean none: they get a row of their own, which is cut off.
  const one = writer.constant(integers([1]));
  const places = writer.add('Where', [writer.add('Less', [ids, zero]), count, ids]);
  const behind = writer.add('Shape', [writer.name(input(op, 0))], { start: rankOf(op, 1) });
  const shape = writer.add('Concat', [writer.add('Add', [count, one]), behind], { axis: 0 });
  const rows = writer.add('Expand', [writer.constant(valueOf(input(op, 0).dtype, start)), shape]);
  const vectors = writer.add('Unsqueeze', [places, writer.constant(integers([-1]))]);
  const names = [rows, vectors, writer.name(input(op, 0))];
  const all = writer.add('ScatterND', names, { reduction });
  const first = writer.constant(integers([0]));
  writer.add('Slice', [all, first, count, first], {}, output);
}

/** Of any order of the segments, whose number is given. */
const unsorted =
  (reduction: string, start: number): OpWriter =>
  (op, writer, [output]) => {
    const count = writer.add('Reshape', [toInt64(op, writer, 2), writer.constant(integers([1]))]);
    segments(op, writer, output, { reduction, start, count });
  };

/** Of segments in order: as many as the last one says. */
const segmentSum: OpWriter = (op, writer, [output]) => {
  const last = writer.add('Slice', [toInt64(op, writer, 1), ...[-1, 2 ** 31 - 1].map((end) => writer.constant(integers([end])))]);
  const count = writer.add('Add', [last, writer.constant(integers([1]))]);
  segments(op, writer, output, { reduction: 'add', start: 0, count });
}; // prettier-ignore

/** The greatest finite float32. */
const GREATEST = 3.4028234663852886e38;

const gatherRows: OpWriter = (op, writer, [output]) => {
  writer.add('Gather', [writer.name(input(op, 0)), writer.name(input(op, 1))], { axis: 0 }, output);
};

const concat: OpWriter = (op, writer, [output]) => {
  const parts = op.inputs.slice(1).map((tensor) => writer.name(tensor));
  writer.add('Concat', parts, { axis: known(op, 0)[0] ?? 0 }, output);
};

/** Coordinates of what is not zero, row by row. */
const where: OpWriter = (op, writer, [output]) => {
  writer.add('Transpose', [writer.add('NonZero', [writer.name(input(op, 0))])], { perm: [1, 0] }, output);
};

/** Distinct elements in the order in which they come. */
const unique: OpWriter = (op, writer, [y = '', places = '', counts]) => {
  const axis = op.inputs.length > 1 ? known(op, 1)[0] : undefined;
  const attributes: Readonly<Record<string, AttributeValue>> =
    axis === undefined ? { sorted: 0 } : { sorted: 0, axis };
  const named = [y, '', `${places}_int64`, ...(counts === undefined ? [] : [`${counts}_int64`])];
  writer.addMany('Unique', [writer.name(input(op, 0))], attributes, named);
  const to = { to: onnxNumber(op.output(1).dtype, op.name) };
  for (const name of [places, counts ?? []].flat()) writer.add('Cast', [`${name}_int64`], to, name);
};

/** The `k` first places of a sort. */
const topK: OpWriter = (op, writer, [values = '', indices = '']) => {
  const k = writer.constant(integers([op.attrs.int('k')]));
  writer.addMany('TopK', [writer.name(input(op, 0)), k], { axis: -1 }, [values, `${indices}_int64`]);
  writer.add('Cast', [`${indices}_int64`], { to: onnxNumber('int32', op.name) }, indices);
};

/** The places of 0, 1, … : the order that sorts the permutation. */
const invertPermutation: OpWriter = (op, writer, [output = '']) => {
  const x = toInt64(op, writer, 0);
  const order = [`${output}_sorted`, `${output}_int64`];
  writer.addMany('TopK', [x, writer.add('Shape', [x])], { axis: 0, largest: 0 }, order);
  writer.add('Cast', [`${output}_int64`], { to: onnxNumber(op.output(0).dtype, op.name) }, output);
};

/** Sequences in rows or columns turned around as far as they go. */
const reverseSequence: OpWriter = (op, writer, [output]) => {
  const [time, batch] = [op.attrs.int('seq_dim'), op.attrs.int('batch_dim')];
  const rank = rankOf(op);
  const rest = range(0, rank).filter((axis) => axis !== time && axis !== batch);
  const perm = [batch, time, ...rest];
  const attributes = { batch_axis: 0, time_axis: 1 };
  const turned = writer.add('Transpose', [writer.name(input(op, 0))], { perm });
  const y = writer.add('ReverseSequence', [turned, toInt64(op, writer, 1)], attributes);
  writer.add('Transpose', [y], { perm: range(0, rank).map((axis) => perm.indexOf(axis)) }, output);
};

/** Elements moved along axes, what leaves at one end coming in at the other. */
const roll: OpWriter = (op, writer, [output]) => {
  const [shifts, axes] = [known(op, 1), known(op, 2)];
  const rank = rankOf(op);
  const y = axes.reduce((x, given, i) => {
    const axis = given < 0 ? given + rank : given;
    const size = input(op, 0).shape.dim(axis) ?? fail(op, `the size of axis ${axis} is not known`);
    const start = size === 0 ? 0 : (((-(shifts[i] ?? 0) % size) + size) % size);
    const [zero, cut, end, on] = [[0], [start], [size], [axis]].map((list) => writer.constant(integers(list)));
    const [tail, head] = [[cut, end], [zero, cut]].map((ends) => writer.add('Slice', [x, ends[0] ?? '', ends[1] ?? '', on ?? '']));
    return writer.add('Concat', [tail ?? '', head ?? ''], { axis });
  }, writer.name(input(op, 0)));
  writer.add('Identity', [y], {}, output);
}; // prettier-ignore

/** The numbers of the best boxes [boxes, 4] with scores [boxes]. */
const nonMaxSuppression: OpWriter = (op, writer, [output]) => {
  const first = writer.constant(integers([0]));
  const boxes = writer.add('Unsqueeze', [writer.name(input(op, 0)), first]);
  const scores = writer.add('Unsqueeze', [writer.name(input(op, 1)), writer.constant(integers([0, 1]))]);
  const one = writer.constant(integers([1]));
  const most = writer.add('Reshape', [toInt64(op, writer, 2), one]);
  const limits = [3, 4].map((i) => {
    if (op.inputs[i] !== undefined) return writer.add('Reshape', [writer.name(op.inputs[i]), one]);
    const value = i === 3 && op.attrs.has('iou_threshold') ? op.attrs.float('iou_threshold') : undefined;
    return value === undefined ? '' : writer.add('Reshape', [writer.constant(scalar(value)), one]);
  });
  const names = [boxes, scores, most, ...(limits[1] === '' ? limits.slice(0, 1) : limits)];
  const rows = writer.add('NonMaxSuppression', names);
  const column = writer.add('Gather', [rows, writer.constant(valueOf('int64', 2))], { axis: 1 });
  writer.add('Cast', [column], { to: onnxNumber('int32', op.name) }, output);
};

/** Sizes of the axes that are cut into blocks, which must be known. */
function blocked(op: Operation): { sizes: number[]; block: number[]; ends: number[]; rest: number[] } {
  const [block, ends] = [known(op, 1), known(op, 2)];
  const dims = input(op, 0).shape.dims ?? fail(op, 'the rank of input 0 is not known');
  const [sizes, rest] = [dims.slice(1, block.length + 1), dims.slice(block.length + 1)].map((list) =>
    list.map((size) => size ?? fail(op, 'the sizes behind the batch must be known')),
  );
  return { sizes: sizes ?? [], block, ends, rest: rest ?? [] };
}

const reshaped = (writer: OnnxWriter, x: string, shape: readonly number[]): string =>
  writer.add('Reshape', [x, writer.constant(integers(shape))]);

/** [batch, size…, rest] padded, its blocks apart: [block… * batch, size / block…, rest]. */
const spaceToBatch: OpWriter = (op, writer, [output]) => {
  const { sizes, block, ends, rest } = blocked(op);
  const count = block.length;
  const [before, after] = [0, 1].map((side) => ends.filter((_, i) => i % 2 === side));
  const zeros = rest.map(() => 0);
  const pads = [0, ...(before ?? []), ...zeros, 0, ...(after ?? []), ...zeros];
  const x = writer.add('Pad', [writer.name(input(op, 0)), writer.constant(integers(pads))]);
  const whole = sizes.map((size, i) => size + (before?.[i] ?? 0) + (after?.[i] ?? 0));
  const parts = whole.map((size, i) => size / (block[i] ?? 1));
  const apart = reshaped(writer, x, [-1, ...parts.flatMap((part, i) => [part, block[i] ?? 1]), ...rest]);
  const [outer, inner] = [range(0, count).map((i) => 2 * i + 1), range(0, count).map((i) => 2 * i + 2)];
  const perm = [...inner, 0, ...outer, ...rest.map((_, i) => 2 * count + 1 + i)];
  const moved = writer.add('Transpose', [apart], { perm });
  writer.add('Reshape', [moved, writer.constant(integers([-1, ...parts, ...rest]))], {}, output);
};

/** The way back, and what is cropped. */
const batchToSpace: OpWriter = (op, writer, [output]) => {
  const { sizes, block, ends, rest } = blocked(op);
  const count = block.length;
  const apart = reshaped(writer, writer.name(input(op, 0)), [...block, -1, ...sizes, ...rest]);
  const perm = [count, ...range(0, count).flatMap((i) => [count + 1 + i, i]), ...rest.map((_, i) => 2 * count + 1 + i)];
  const whole = sizes.map((size, i) => size * (block[i] ?? 1));
  const together = reshaped(writer, writer.add('Transpose', [apart], { perm }), [-1, ...whole, ...rest]);
  const [start, end] = [block.map((_, i) => ends[2 * i] ?? 0), block.map((_, i) => (whole[i] ?? 0) - (ends[2 * i + 1] ?? 0))];
  const lists = [start, end, range(1, count + 1)].map((list) => writer.constant(integers(list)));
  writer.add('Slice', [together, ...lists], {}, output);
}; // prettier-ignore

export const INDEX_WRITERS: Readonly<Record<string, OpWriter>> = {
  BatchToSpaceND: batchToSpace,
  Concat: concat,
  Gather: gatherRows,
  InvertPermutation: invertPermutation,
  NonMaxSuppression: nonMaxSuppression,
  NonMaxSuppressionV2: nonMaxSuppression,
  NonMaxSuppressionV3: nonMaxSuppression,
  ReverseSequence: reverseSequence,
  Roll: roll,
  ScatterNd: scatterNd,
  SegmentSum: segmentSum,
  SpaceToBatchND: spaceToBatch,
  SparseToDense: sparseToDense,
  TensorScatterAdd: scatter('add'),
  TensorScatterMax: scatter('max'),
  TensorScatterMin: scatter('min'),
  TensorScatterSub: scatter('add', true),
  TensorScatterUpdate: scatter('none'),
  TopK: topK,
  Unique: unique,
  UniqueV2: unique,
  UniqueWithCounts: unique,
  UnsortedSegmentMax: unsorted('max', -GREATEST),
  UnsortedSegmentMin: unsorted('min', GREATEST),
  UnsortedSegmentProd: unsorted('mul', 1),
  UnsortedSegmentSum: unsorted('add', 0),
  Where: where,
};
