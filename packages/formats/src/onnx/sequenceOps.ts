/**
 * Sequences of ONNX as tensor lists, whose ops cost nothing where a plan knows their positions. Where the model says what the
 * elements are they are used as they are.
 */
import * as fr from '@forerun/graph';
import { TensorShape, type DType, type Tensor } from '@forerun/graph';
import { axisMoved, rowTypes, scalar } from './controlOps.js';
import { common, type SequenceInfo } from './importKnowledge.js';
import type { ImportNode, NodeImporter } from './importNode.js';
import { onnxDType } from './tensors.js';

/** Of longer sequences the elements are not made one by one when a model is imported. */
const MAX_ELEMENTS = 256;

interface Sequence {
  readonly list: Tensor;
  readonly info: SequenceInfo;
}

const int = (value: number): Tensor => fr.constant(value, { dtype: 'int32' });
const next = (i: Tensor): Tensor => fr.add(i, int(1));
const emptyList = (dtype: DType): Tensor => fr.emptyTensorList({ dtype, shape: -1 });

function sequenceOf(node: ImportNode, index: number): Sequence {
  const list = node.input(index);
  const info = node.knowledge.sequence(list) ?? node.fail(`input ${index} must be a sequence`);
  return { list, info };
}

/** A sequence of tensors that are known one by one. */
function sequence(node: ImportNode, dtype: DType, elements: readonly Tensor[]): Tensor {
  const list = elements.reduce((all, element) => fr.tensorListPushBack(all, element), emptyList(dtype));
  const shapes = elements.map(({ shape }) => shape);
  const shape = shapes.length === 0 ? null : shapes.reduce(common);
  return node.knowledge.isSequence(list, { dtype, shape, elements });
}

function item({ list, info }: Sequence, index: Tensor): Tensor {
  const shape = fr.elementDims(info.shape ?? TensorShape.UNKNOWN);
  return fr.tensorListGetItem(list, index, { dtype: info.dtype, shape });
}

/** The position that an input gives, below `count`, which the model knows; negative ones count from the end. */
function knownPosition(node: ImportNode, index: number, count: number): number | undefined {
  const given = node.knownElements(index)?.[0];
  if (given === undefined) return undefined;
  const at = given < 0 ? given + count : given;
  return at >= 0 && at < count ? at : node.fail(`position ${given} of ${count}`);
}

function position(node: ImportNode, index: number, list: Tensor): Tensor {
  const given = fr.cast(scalar(node.input(index)), 'int32');
  return fr.whereV2(fr.less(given, 0), fr.add(given, fr.tensorListLength(list)), given);
}

/** `into` with the elements from `first` to `end` of a sequence, each `by` places from its own. */
function copied(from: Sequence, into: Tensor, first: Tensor, end: Tensor, by: 1 | -1): Tensor {
  const [, result] = fr.whileLoop(
    (i) => fr.less(i, end),
    (i, list) => [next(i), fr.tensorListSetItem(list, fr.add(i, int(by)), item(from, i))],
    [first, into],
  );
  return result;
}

const construct: NodeImporter = (node) => {
  const elements = node.inputs.map((_, i) => node.input(i));
  return sequence(node, node.input(0).dtype, elements);
};

const insert: NodeImporter = (node) => {
  const from = sequenceOf(node, 0);
  const { list, info } = from;
  const [x, { elements }] = [node.input(1), info];
  const longer = fr.tensorListPushBack(list, x);
  const shape = info.shape === null ? x.shape : common(info.shape, x.shape);
  if (!node.has(2))
    return node.knowledge.isSequence(longer, { ...info, shape, elements: elements && [...elements, x] });
  // One place more than there are elements: the end.
  const at = elements === undefined ? undefined : insertionPlace(node, elements.length);
  if (elements !== undefined && at !== undefined)
    return sequence(node, info.dtype, [...elements.slice(0, at), x, ...elements.slice(at)]);
  const place = position(node, 2, list);
  const moved = copied(from, longer, place, fr.tensorListLength(list), 1);
  return node.knowledge.isSequence(fr.tensorListSetItem(moved, place, x), { dtype: info.dtype, shape });
};

function insertionPlace(node: ImportNode, count: number): number | undefined {
  return node.knownElements(2)?.[0] === count ? count : knownPosition(node, 2, count);
}

const erase: NodeImporter = (node) => {
  const from = sequenceOf(node, 0);
  const { list, info } = from;
  const { dtype, shape, elements } = info;
  if (elements?.length === 0) node.fail('the sequence is empty');
  const last = elements === undefined ? undefined : elements.length - 1;
  const at = !node.has(1) ? last : last === undefined ? undefined : knownPosition(node, 1, last + 1);
  if (elements !== undefined && at !== undefined)
    return sequence(node, dtype, [...elements.slice(0, at), ...elements.slice(at + 1)]);
  const count = fr.tensorListLength(list);
  const moved = node.has(1) ? copied(from, list, next(position(node, 1, list)), count, -1) : list;
  return node.knowledge.isSequence(fr.tensorListResize(moved, fr.sub(count, int(1))), { dtype, shape });
};

const elementAt: NodeImporter = (node) => {
  const from = sequenceOf(node, 0);
  const { elements } = from.info;
  const at = elements === undefined ? undefined : knownPosition(node, 1, elements.length);
  return (at === undefined ? undefined : elements?.[at]) ?? item(from, position(node, 1, from.list));
};

const length: NodeImporter = (node) => {
  const { list, info } = sequenceOf(node, 0);
  const count = info.elements?.length;
  if (count !== undefined) return fr.constant(count, { dtype: 'int64' });
  return fr.cast(fr.tensorListLength(list), 'int64');
};

/** How long the parts are: `chunk` each, the last what is left over. */
function chunks(size: number, chunk: number): number[] {
  return Array.from({ length: Math.ceil(size / chunk) }, (_, i) => Math.min(chunk, size - i * chunk));
}

/** Parts of a tensor along an axis: single slices, parts of one size, or of sizes that are given. */
const split: NodeImporter = (node) => {
  const x = node.input(0);
  const [axis = 0] = node.axes([node.int('axis', 0)], node.rank(0));
  const asked = node.has(1) ? node.knownElements(1) : [1];
  const keep = node.has(1) || node.int('keepdims', 1) === 1;
  const size = x.shape.dim(axis);
  const even = !node.has(1) || node.input(1).shape.rank === 0;
  if (asked === undefined || (even && size === null)) return splitLater(node, axis, even, keep);
  const [chunk = 1] = asked;
  if (even && chunk < 1) node.fail(`parts of size ${chunk}`);
  const count = even ? Math.ceil((size ?? 0) / chunk) : asked.length;
  if (count > MAX_ELEMENTS) return splitLater(node, axis, even, keep);
  const sizes = even ? chunks(size ?? 0, chunk) : asked;
  const parts = sizes.length === 1 ? [x] : fr.split(x, sizes, { axis, num: sizes.length });
  return sequence(node, x.dtype, keep ? parts : parts.map((part) => fr.squeeze(part, { axis: [axis] })));
};

/** The same where only a run knows how many parts there are. */
function splitLater(node: ImportNode, axis: number, even: boolean, keep: boolean): Tensor {
  const x = node.input(0);
  const first = axisMoved(x, axis, 0);
  const others = (x.shape.dims ?? []).filter((_, i) => i !== axis);
  if (!keep) {
    const list = fr.tensorListFromTensor(first, -1);
    return node.knowledge.isSequence(list, { dtype: x.dtype, shape: new TensorShape(others) });
  }
  const list = fr.tensorListSplit(first, fr.cast(partSizes(node, axis, even), 'int64'));
  const from = { list, info: { dtype: x.dtype, shape: new TensorShape([null, ...others]) } };
  const shape = new TensorShape([...others.slice(0, axis), null, ...others.slice(axis)]);
  const back = axis === 0 ? list : mapped(from, (part) => axisMoved(part, 0, axis));
  return node.knowledge.isSequence(back, { dtype: x.dtype, shape });
}

function partSizes(node: ImportNode, axis: number, even: boolean): Tensor {
  if (!even) return fr.cast(node.input(1), 'int32');
  const chunk = node.has(1) ? fr.cast(scalar(node.input(1)), 'int32') : int(1);
  const size = fr.gather(fr.shape(node.input(0)), axis);
  const count = fr.floorDiv(fr.sub(fr.add(size, chunk), int(1)), chunk);
  return fr.minimum(chunk, fr.sub(size, fr.mul(fr.range(count), chunk)));
}

/** A list of what `apply` makes of each element. */
function mapped(from: Sequence, apply: (element: Tensor) => Tensor): Tensor {
  const count = fr.tensorListLength(from.list);
  const [, result] = fr.whileLoop(
    (i) => fr.less(i, count),
    (i, list) => [next(i), fr.tensorListPushBack(list, apply(item(from, i)))],
    [int(0), emptyList(from.info.dtype)],
  );
  return result;
}

const concatenate: NodeImporter = (node) => {
  const from = sequenceOf(node, 0);
  const { elements } = from.info;
  if (!node.hasAttribute('axis')) node.fail('the attribute axis is missing');
  const axis = node.int('axis', 0);
  const stacks = node.int('new_axis', 0) === 1;
  if (elements === undefined) return stacks ? stackLater(node, from, axis) : concatLater(node, from, axis);
  const [first = node.fail('the sequence is empty')] = elements;
  if (stacks) return fr.stack([...elements], { axis });
  return elements.length === 1 ? first : fr.concat([...elements], axis);
};

function rankOf(node: ImportNode, { info }: Sequence): number {
  return info.shape?.rank ?? node.fail('the rank of the elements is not known');
}

function stackLater(node: ImportNode, { list, info }: Sequence, axis: number): Tensor {
  const shape = info.shape ?? TensorShape.UNKNOWN;
  const stacked = fr.tensorListStack(list, fr.elementDims(shape), info.dtype);
  if (axis === 0) return stacked;
  const [to = 0] = node.axes([axis], rankOf(node, { list, info }) + 1);
  return axisMoved(stacked, 0, to);
}

function concatLater(node: ImportNode, from: Sequence, axis: number): Tensor {
  const rank = rankOf(node, from);
  const [at = 0] = node.axes([axis], rank);
  const list = at === 0 ? from.list : mapped(from, (element) => axisMoved(element, at, 0));
  const others = from.info.shape?.dims?.filter((_, i) => i !== at) ?? [];
  const shape = fr.elementDims(new TensorShape([null, ...others]));
  return axisMoved(fr.tensorListConcat(list, from.info.dtype, { shape }).tensor, 0, at);
}

/** A body for each element of the first sequence, with those at the same place of other sequences, and with whole tensors. */
const map: NodeImporter = (node) => {
  const body = node.subgraph('body');
  const { list, info } = sequenceOf(node, 0);
  const inputs = node.inputs.map((_, i) => node.knowledge.sequence(node.input(i)));
  const lists = inputs.flatMap((one) => (one === undefined ? [] : [one.elements?.length]));
  const count = info.elements?.length;
  if (count !== undefined && lists.some((other) => other !== undefined && other !== count))
    node.fail(`the sequences have ${lists.join(', ')} elements`);
  const dtypes = rowTypes(node, body, 0);
  if (count !== undefined && lists.every((other) => other === count)) {
    const results = Array.from({ length: count }, (_, k) =>
      body.build(inputs.map((one, i) => one?.elements?.[k] ?? node.input(i))),
    );
    return dtypes.map((dtype, j) =>
      sequence(
        node,
        dtype,
        results.flatMap((row) => row[j] ?? []),
      ),
    );
  }
  let shapes: readonly TensorShape[] = [];
  const length = fr.tensorListLength(list);
  const [, made] = fr.whileLoop(
    (i) => fr.less(i, length),
    (i, into) => {
      const row = body.build(inputs.map((one, k) => (one === undefined ? node.input(k) : item(sequenceOf(node, k), i))));
      shapes = row.map(({ shape }) => shape);
      return [next(i), into.map((rows, j) => fr.tensorListPushBack(rows, row[j] ?? node.fail('an output is missing')))];
    },
    [int(0), dtypes.map(emptyList)],
  ); // prettier-ignore
  return made.map((rows, j) =>
    node.knowledge.isSequence(rows, { dtype: dtypes[j] ?? 'float32', shape: shapes[j] ?? null }),
  );
};

export const SEQUENCE_OPS: Readonly<Record<string, NodeImporter>> = {
  ConcatFromSequence: concatenate,
  SequenceAt: elementAt,
  SequenceConstruct: construct,
  SequenceEmpty: (node) => sequence(node, onnxDType(node.int('dtype', 1), node.label), []),
  SequenceErase: erase,
  SequenceInsert: insert,
  SequenceLength: length,
  SequenceMap: map,
  SplitToSequence: split,
};
