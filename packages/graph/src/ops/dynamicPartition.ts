/** Taking the rows of a tensor apart by numbers that they carry, and putting rows together by numbers. */
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { op, type EvaluateContext, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import { sizeOf, TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { knownElements, withShapeOf } from './arrayHost.js';
import { complete, wholeValue } from './dynamicHost.js';

function inferPartition(c: InferContext): TensorShape[] {
  const [data, partitions, num] = [c.shape(0), c.shape(1), c.attrs.int('num_partitions')];
  const unknown = new Array<TensorShape>(num);
  const ids = knownElements(c.constant(1));
  const wrong = ids?.find((id) => id < 0 || id >= num);
  if (wrong !== undefined) c.fail(`partitions must be in [0, ${num}), got ${wrong}`);
  if (data.rank === null || partitions.rank === null) return unknown.fill(TensorShape.UNKNOWN);
  if (data.rank < partitions.rank || !data.slice(0, partitions.rank).isCompatibleWith(partitions)) {
    c.fail(`data ${data.toString()} does not begin with the shape of partitions ${partitions.toString()}`);
  }
  const row = data.slice(partitions.rank);
  return Array.from({ length: num }, (_, k) => {
    const count = ids === null ? null : ids.filter((id) => id === k).length;
    return new TensorShape([count]).concat(row);
  });
}

function evaluatePartition(c: EvaluateContext): HostValue[] | null {
  const [data, partitions] = [wholeValue(c, 0), wholeValue(c, 1)];
  if (data === null || partitions === null) return null;
  const row = data.shape.slice(partitions.shape.length);
  const inner = sizeOf(row);
  return c.outputs.map((dtype, k) => {
    const rows = [...partitions.data.keys()].filter((i) => partitions.data[i] === k);
    const elements = new Float64Array(rows.length * inner);
    rows.forEach((i, at) => elements.set(data.data.subarray(i * inner, (i + 1) * inner), at * inner));
    return { dtype, shape: [rows.length, ...row], data: elements };
  });
}

/** The gradients of the parts, put back where the rows came from. */
function partitionGrad({ ops, attrs, input, outputs, dys }: GradContext): (Tensor | null)[] {
  const [data, partitions] = [input(0), input(1)];
  const places = ops.reshape(ops.range(0, ops.size(partitions)), ops.shape(partitions));
  const parts = ops.dynamicPartition(places, partitions, attrs.int('num_partitions'));
  const filled = outputs.map((y, k) => dys[k] ?? ops.zerosLike(y));
  const rows = ops.parallelDynamicStitch(parts, filled);
  return [withShapeOf(ops.reshape(rows, ops.shape(data)), data), null];
}

/** Indices and data of each part of a stitch: the first half of the inputs, and the second. */
function partsOf<T>(all: readonly T[]): { indices: T; data: T }[] {
  const count = all.length / 2;
  return all.slice(0, count).flatMap((indices, i) => {
    const data = all[count + i];
    return data === undefined ? [] : [{ indices, data }];
  });
}

function inferStitch(c: InferContext): TensorShape[] {
  let row = TensorShape.UNKNOWN;
  partsOf(c.shapes).forEach(({ indices, data }, i) => {
    if (indices.rank === null || data.rank === null) return;
    if (data.rank < indices.rank || !data.slice(0, indices.rank).isCompatibleWith(indices)) {
      c.fail(
        `data ${i} of shape ${data.toString()} does not begin with the shape of its indices ${indices.toString()}`,
      );
    }
    const rest = data.slice(indices.rank);
    row =
      row.mergeWith(rest) ??
      c.fail(`rows differ: those of data ${i} have shape ${rest.toString()}, the others ${row.toString()}`);
  });
  return [new TensorShape([stitchedLength(c)]).concat(row)];
}

/** One more than the largest index. */
function stitchedLength(c: InferContext): Dim {
  let length = 0;
  for (let i = 0; i < c.shapes.length / 2; i++) {
    const value = complete(c.constant(i));
    if (value === null) return c.shape(i).size === 0 ? length : null;
    const negative = value.data.find((index) => index < 0);
    if (negative !== undefined) c.fail(`indices must not be negative, got ${negative}`);
    length = value.data.reduce((most, index) => Math.max(most, index + 1), length);
  }
  return length;
}

function evaluateStitch(c: EvaluateContext): HostValue[] | null {
  const values = c.shapes.map((_, i) => wholeValue(c, i));
  const parts = partsOf(values.filter((value) => value !== null));
  const [first] = parts;
  if (first === undefined || parts.length * 2 < c.shapes.length) return null;
  const row = first.data.shape.slice(first.indices.shape.length);
  const inner = sizeOf(row);
  const rows = parts.reduce(
    (most, { indices }) => indices.data.reduce((m, i) => Math.max(m, i + 1), most),
    0,
  );
  const data = new Float64Array(rows * inner);
  for (const part of parts) {
    part.indices.data.forEach((index, k) => {
      data.set(part.data.data.subarray(k * inner, (k + 1) * inner), index * inner);
    });
  }
  return [{ dtype: first.data.dtype, shape: [rows, ...row], data }];
}

function stitch(summary: string): OpDef {
  return op({
    summary,
    inputs: ['indices: N * int32', 'data: N * T'],
    outputs: ['merged: T'],
    attrs: ['N: int >= 1', 'T: type'],
    infer: inferStitch,
    // d data = the rows of dy at their indices; as in TensorFlow also where a later row has replaced them
    grad: ({ ops, inputs, dy }) => {
      const parts = partsOf(inputs);
      return [
        ...parts.map(() => null),
        ...parts.map(({ indices, data }) => withShapeOf(ops.gather(dy, indices), data)),
      ];
    },
    evaluate: evaluateStitch,
  });
}

export const DYNAMIC_PARTITION = {
  DynamicPartition: op({
    summary: 'The rows of a tensor, distributed over several by the numbers that they carry.',
    inputs: ['data: T', 'partitions: int32'],
    outputs: ['outputs: num_partitions * T'],
    attrs: ['num_partitions: int >= 1', 'T: type'],
    infer: inferPartition,
    grad: partitionGrad,
    evaluate: evaluatePartition,
  }),
  DynamicStitch: stitch('Rows of several tensors at given places of one; later ones replace earlier ones.'),
  ParallelDynamicStitch: stitch('Rows of several tensors at given places of one, in any order.'),
};

/**
 * The rows of `data`, distributed over `numPartitions` tensors by `partitions`, an int32 tensor of the leading
 * dimensions of `data` (`tf.dynamic_partition`). Rows keep their order. The gradient puts the rows back.
 */
export function dynamicPartition(
  data: TensorLike,
  partitions: TensorLike,
  numPartitions: number,
  { name }: NameOptions = {},
): Tensor[] {
  const attrs = { num_partitions: numPartitions };
  return applyOp('DynamicPartition', [convertToTensor(data), partitions], { name, attrs }).outputs;
}

/**
 * A tensor whose row `indices[m][i]` is row `i` of `data[m]` (`tf.dynamic_stitch`), with as many rows as the
 * largest index tells. A row that occurs several times is the last of them; one that does not occur is zero.
 */
export function dynamicStitch(
  indices: readonly TensorLike[],
  data: readonly TensorLike[],
  { name }: NameOptions = {},
): Tensor {
  return apply('DynamicStitch', [indices, data.map((part) => convertToTensor(part))], { name });
}

/** As `dynamicStitch`, for indices that occur once (`gen_data_flow_ops.parallel_dynamic_stitch`). */
export function parallelDynamicStitch(
  indices: readonly TensorLike[],
  data: readonly TensorLike[],
  { name }: NameOptions = {},
): Tensor {
  return apply('ParallelDynamicStitch', [indices, data.map((part) => convertToTensor(part))], { name });
}
