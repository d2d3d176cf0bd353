/** Tensor lists in ONNX: tensors whose rows are the elements. */
import { TensorValue, type Operation, type Tensor } from '@forerun/graph';
import { fail, input, integers, type OnnxWriter, type OpWriter } from './exportWriter.js';
import { onnxNumber, valueOf } from './tensors.js';

/** The tensor behind nodes that hand it on. */
export function behind(tensor: Tensor): Tensor {
  const [given] = tensor.op.inputs;
  return tensor.op.type === 'Identity' && given !== undefined ? behind(given) : tensor;
}

function toInt64(op: Operation, writer: OnnxWriter, index: number, shape: readonly number[]): string {
  const whole = writer.add('Cast', [writer.name(input(op, index))], { to: onnxNumber('int64', op.name) });
  return writer.add('Reshape', [whole, writer.constant(integers(shape))]);
}

/** A row of one element. */
function rowOf(op: Operation, writer: OnnxWriter, index: number): string {
  return writer.add('Unsqueeze', [writer.name(input(op, index)), writer.constant(integers([0]))]);
}

/** The sizes of the elements of a list that has none yet; `null` where they are not all known. */
function elementSizes({ outputs }: Operation): readonly number[] | null {
  const dims = outputs[0]?.handle?.shape.dims;
  return dims?.every((dim) => dim !== null) === true ? dims : null;
}

/** Without known sizes the list has no rows; a loop that fills it needs none. */
function unset(op: Operation, writer: OnnxWriter): void {
  writer.withhold(op.output(0), `the sizes of the elements of "${op.name}" must be known`);
}

const reserve: OpWriter = (op, writer, [output]) => {
  const sizes = elementSizes(op);
  if (sizes === null) {
    unset(op, writer);
    return;
  }
  const shape = writer.add('Concat', [toInt64(op, writer, 1, [1]), writer.constant(integers(sizes))], { axis: 0 });
  writer.add('Expand', [writer.constant(valueOf(op.attrs.type('element_dtype'), 0)), shape], {}, output);
}; // prettier-ignore

const empty: OpWriter = (op, writer, [output]) => {
  const sizes = elementSizes(op);
  if (sizes === null) {
    unset(op, writer);
    return;
  }
  const { dtype, data } = valueOf(op.attrs.type('element_dtype'), 0);
  const none = new TensorValue(dtype, [0, ...sizes], data.slice(0, 0));
  writer.add('Identity', [writer.constant(none)], {}, output);
};

const pushBack: OpWriter = (op, writer, [output]) => {
  const row = rowOf(op, writer, 1);
  if (behind(input(op, 0)).op.type === 'EmptyTensorList') writer.add('Identity', [row], {}, output);
  else writer.add('Concat', [writer.name(input(op, 0)), row], { axis: 0 }, output);
};

const popBack: OpWriter = (op, writer, [list, tensor]) => {
  const rows = writer.name(input(op, 0));
  const [start, last] = [writer.constant(integers([0])), writer.constant(integers([-1]))];
  writer.add('Slice', [rows, start, last, start], {}, list);
  writer.add('Gather', [rows, writer.constant(valueOf('int64', -1))], { axis: 0 }, tensor);
};

const setItem: OpWriter = (op, writer, [output]) => {
  if (op.attrs.has('resize_if_index_out_of_bounds') && op.attrs.bool('resize_if_index_out_of_bounds'))
    fail(op, 'a list that grows where it is written has no form but in a loop that counts its elements');
  const rows = [writer.name(input(op, 0)), toInt64(op, writer, 1, [1, 1]), rowOf(op, writer, 2)];
  writer.add('ScatterND', rows, {}, output);
};

const gather: OpWriter = (op, writer, [output]) => {
  writer.add('Gather', [writer.name(input(op, 0)), writer.name(input(op, 1))], { axis: 0 }, output);
};

const length: OpWriter = (op, writer, [output]) => {
  const sizes = writer.add('Shape', [writer.name(input(op, 0))]);
  const count = writer.add('Gather', [sizes, writer.constant(valueOf('int64', 0))], { axis: 0 });
  writer.add('Cast', [count], { to: onnxNumber('int32', op.name) }, output);
};

const rows =
  (index: number): OpWriter =>
  (op, writer, [output]) => {
    writer.add('Identity', [writer.name(input(op, index))], {}, output);
  };

const scatterInto: OpWriter = (op, writer, [output]) => {
  const places = toInt64(op, writer, 2, [-1, 1]);
  writer.add('ScatterND', [writer.name(input(op, 0)), places, writer.name(input(op, 1))], {}, output);
};

/** Elements of one size in a row, and their sizes. */
const joined: OpWriter = (op, writer, [output, lengths = '']) => {
  const list = writer.name(input(op, 0));
  const behindFirst = writer.add('Shape', [list], { start: 2 });
  const shape = writer.add('Concat', [writer.constant(integers([-1])), behindFirst], { axis: 0 });
  writer.add('Reshape', [list, shape], {}, output);
  const [count, size] = [0, 1].map((start) => writer.add('Shape', [list], { start, end: start + 1 }));
  writer.add('Expand', [size ?? '', count ?? ''], {}, lengths);
};

const concatLists: OpWriter = (op, writer, [output]) => {
  const lists = [0, 1].map((i) => writer.name(input(op, i)));
  writer.add('Concat', lists, { axis: 0 }, output);
};

const resize: OpWriter = (op, writer, [output]) => {
  const rank = op.inputs[0]?.handle?.shape.rank;
  if (rank === null || rank === undefined) fail(op, 'the rank of the elements is not known');
  const list = writer.name(input(op, 0));
  const size = toInt64(op, writer, 1, [1]);
  const zero = writer.constant(integers([0]));
  const cut = writer.add('Slice', [list, zero, size, zero]);
  const missing = writer.add('Sub', [size, writer.add('Shape', [cut], { start: 0, end: 1 })]);
  const none = (count: number): string => writer.constant(integers(new Array<number>(count).fill(0)));
  const pads = writer.add('Concat', [none(rank + 1), missing, none(rank)], { axis: 0 });
  writer.add('Pad', [cut, pads], {}, output);
};

export const LIST_WRITERS: Readonly<Record<string, OpWriter>> = {
  EmptyTensorList: empty,
  TensorListConcat: joined,
  TensorListConcatLists: concatLists,
  TensorListConcatV2: joined,
  TensorListFromTensor: rows(0),
  TensorListGather: gather,
  TensorListGetItem: gather,
  TensorListLength: length,
  TensorListPopBack: popBack,
  TensorListPushBack: pushBack,
  TensorListReserve: reserve,
  TensorListResize: resize,
  TensorListScatterIntoExistingList: scatterInto,
  TensorListSetItem: setItem,
  TensorListStack: rows(0),
};
