/** Tensor lists for the interpreter: plain arrays of values, beside the numbers of a value. */
import { InvalidArgumentError, type HostValue, type Operation } from '@forerun/graph';

/** A list as a value: the elements are in `items`; `null` for those never set. */
export interface ListHostValue extends HostValue {
  readonly items: readonly (HostValue | null)[];
}

export function isList(value: HostValue | undefined): value is ListHostValue {
  return value !== undefined && 'items' in value;
}

function listOf(items: readonly (HostValue | null)[]): ListHostValue {
  return { dtype: 'variant', shape: [], data: new Float64Array(1), items };
}

type Inputs = readonly (HostValue | undefined)[];

/** Outputs of an op on lists; `null` for ops that are not on lists. */
export function listOp(op: Operation, inputs: Inputs): readonly HostValue[] | null {
  if (![...op.inputs, ...op.outputs].some(({ dtype }) => dtype === 'variant')) return null;
  const rule = Object.hasOwn(RULES, op.type) ? RULES[op.type] : undefined;
  if (rule === undefined)
    throw new InvalidArgumentError(`${op.describe()} is not known to the interpreter of lists`);
  return rule({ op, inputs });
}

interface Call {
  readonly op: Operation;
  readonly inputs: Inputs;
}

function value({ op, inputs }: Call, i: number): HostValue {
  const input = inputs[i];
  if (input === undefined) throw new InvalidArgumentError(`${op.describe()} has no value for input ${i}`);
  return input;
}

function items(c: Call, i = 0): readonly (HostValue | null)[] {
  const list = value(c, i);
  if (!isList(list)) throw new InvalidArgumentError(`${c.op.describe()}: input ${i} is no list`);
  return list.items;
}

function int(c: Call, i: number): number {
  return value(c, i).data[0] ?? 0;
}

function zeros(shape: readonly number[], dtype: HostValue['dtype']): HostValue {
  return { dtype, shape, data: new Float64Array(shape.reduce((size, dim) => size * dim, 1)) };
}

/** Element `index`; zeros of the shape that is asked for, or of the others, where it was never set. */
function item(c: Call, index: number, asked: number): HostValue {
  const list = items(c);
  if (index < 0 || index >= list.length) {
    throw new InvalidArgumentError(`${c.op.describe()}: index ${index} is out of range [0, ${list.length})`);
  }
  const found = list[index] ?? null;
  if (found !== null) return found;
  const dtype = c.op.attrs.type('element_dtype');
  if (dtype === 'variant') return listOf([]);
  const shape = value(c, asked);
  const known = shape.shape.length === 1 && shape.data.every((dim) => dim >= 0);
  return zeros(known ? Array.from(shape.data) : (list.find((other) => other !== null)?.shape ?? []), dtype);
}

function rows({ dtype, shape, data }: HostValue): HostValue[] {
  const [count = 0, ...rest] = shape;
  const size = rest.reduce((product, dim) => product * dim, 1);
  return Array.from({ length: count }, (_, i) => ({
    dtype,
    shape: rest,
    data: data.slice(i * size, (i + 1) * size),
  }));
}

function stacked(elements: readonly HostValue[], c: Call, asked: number): HostValue {
  const shape = elements[0]?.shape ?? Array.from(value(c, asked).data);
  const dtype = c.op.attrs.type('element_dtype');
  const data = Float64Array.from(elements.flatMap((element) => Array.from(element.data)));
  return { dtype, shape: [elements.length, ...shape], data };
}

function replaced(list: readonly (HostValue | null)[], index: number, element: HostValue): ListHostValue {
  const length = Math.max(list.length, index + 1);
  return listOf(Array.from({ length }, (_, i) => (i === index ? element : (list[i] ?? null))));
}

function likeZeros(element: HostValue | null): HostValue | null {
  if (element === null) return null;
  return isList(element) ? listOf(element.items.map(likeZeros)) : zeros(element.shape, element.dtype);
}

function sum(parts: readonly (HostValue | null)[]): HostValue | null {
  const given = parts.filter((part) => part !== null);
  const [first] = given;
  if (first === undefined) return null;
  if (given.every(isList)) return sumOfLists(given);
  return {
    ...first,
    data: first.data.map((_, k) => given.reduce((total, part) => total + (part.data[k] ?? 0), 0)),
  };
}

function sumOfLists(lists: readonly ListHostValue[]): ListHostValue {
  const length = Math.max(...lists.map((list) => list.items.length));
  return listOf(Array.from({ length }, (_, i) => sum(lists.map((list) => list.items[i] ?? null))));
}

function resized(list: readonly (HostValue | null)[], size: number): ListHostValue {
  return listOf(Array.from({ length: size }, (_, i) => list[i] ?? null));
}

function scattered(c: Call, size: number): ListHostValue {
  const [added, indices] = [rows(value(c, 0)), Array.from(value(c, 1).data)];
  const start = resized([], Math.max(0, size, ...indices.map((index) => index + 1)));
  return indices.reduce(
    (list, index, i) => replaced(list.items, index, added[i] ?? zeros([], 'float32')),
    start,
  );
}

/** Elements one after the other, and their lengths; one never set has the length that is given for it. */
function joined(c: Call): HostValue[] {
  const leading = c.op.inputs.length > 2 ? value(c, 2).data : new Float64Array(0);
  const [set] = items(c).filter((element) => element !== null);
  const asked = c.op.inputs.length > 1 ? Array.from(value(c, 1).data.slice(1)) : [];
  const rest = set?.shape.slice(1) ?? asked;
  const dtype = c.op.attrs.type('element_dtype');
  const elements = items(c).map((element, i) => element ?? zeros([leading[i] ?? 0, ...rest], dtype));
  const lengths = elements.map(({ shape }) => shape[0] ?? 0);
  const data = Float64Array.from(elements.flatMap((element) => Array.from(element.data)));
  return [
    { dtype, shape: [lengths.reduce((sum, length) => sum + length, 0), ...rest], data },
    { dtype: 'int64', shape: [lengths.length], data: Float64Array.from(lengths) },
  ];
}

function parts({ dtype, shape, data }: HostValue, lengths: readonly number[]): HostValue[] {
  const rest = shape.slice(1);
  const size = rest.reduce((product, dim) => product * dim, 1);
  let start = 0;
  return lengths.map((length) => {
    const part = data.slice(start * size, (start + length) * size);
    start += length;
    return { dtype, shape: [length, ...rest], data: part };
  });
}

const RULES: Readonly<Record<string, (c: Call) => readonly HostValue[]>> = {
  Identity: (c) => [value(c, 0)],
  EmptyTensorList: () => [listOf([])],
  TensorListReserve: (c) => [resized([], int(c, 1))],
  TensorListPushBack: (c) => [listOf([...items(c), value(c, 1)])],
  TensorListPopBack: (c) => {
    const list = items(c);
    return [listOf(list.slice(0, -1)), item(c, list.length - 1, 1)];
  },
  TensorListLength: (c) => [{ dtype: 'int32', shape: [], data: Float64Array.of(items(c).length) }],
  TensorListGetItem: (c) => [item(c, int(c, 1), 2)],
  TensorListSetItem: (c) => [replaced(items(c), int(c, 1), value(c, 2))],
  TensorListStack: (c) => [
    stacked(
      items(c).map((_, i) => item(c, i, 1)),
      c,
      1,
    ),
  ],
  TensorListFromTensor: (c) => [listOf(rows(value(c, 0)))],
  TensorListGather: (c) => [
    stacked(
      Array.from(value(c, 1).data, (index) => item(c, index, 2)),
      c,
      2,
    ),
  ],
  TensorListScatterIntoExistingList: (c) => {
    const parts = rows(value(c, 1));
    const start = listOf(items(c));
    return [
      Array.from(value(c, 2).data).reduce(
        (list, index, i) => replaced(list.items, index, parts[i] ?? zeros([], 'float32')),
        start,
      ),
    ];
  },
  OptionalFromValue: (c) => [listOf(c.op.inputs.map((_, i) => value(c, i)))],
  OptionalNone: () => [listOf([])],
  OptionalHasValue: (c) => [{ dtype: 'bool', shape: [], data: Float64Array.of(Number(items(c).length > 0)) }],
  OptionalGetValue: (c) => items(c).map((component) => component ?? zeros([], 'float32')),
  TensorListScatter: (c) => [scattered(c, 0)],
  TensorListScatterV2: (c) => [scattered(c, int(c, 3))],
  TensorListConcat: (c) => joined(c),
  TensorListConcatV2: (c) => joined(c),
  TensorListSplit: (c) => [listOf(parts(value(c, 0), Array.from(value(c, 2).data)))],
  TensorListConcatLists: (c) => [listOf([...items(c), ...items(c, 1)])],
  TensorListPushBackBatch: (c) => {
    const added = rows(value(c, 1));
    return [
      listOf(
        items(c).map((list, i) =>
          listOf([...(isList(list ?? undefined) ? (list as ListHostValue).items : []), added[i] ?? null]),
        ),
      ),
    ];
  },
  TensorListElementShape: (c) => {
    const shapes = items(c).flatMap((element) => (element === null ? [] : [element.shape]));
    const declared = c.op.inputs[0]?.handle?.shape.dims?.map((dim) => dim ?? -1) ?? [];
    if (shapes.length === 0) {
      return [{ dtype: 'int32', shape: [declared.length], data: Float64Array.from(declared) }];
    }
    const [first = []] = shapes;
    const data = first.map((dim, axis) => (shapes.every((shape) => shape[axis] === dim) ? dim : -1));
    return [{ dtype: 'int32', shape: [data.length], data: Float64Array.from(data) }];
  },
  Pack: (c) => [listOf(c.op.inputs.map((_, i) => value(c, i)))],
  Unpack: (c) => items(c).map((list) => list ?? listOf([])),
  TensorListResize: (c) => [resized(items(c), int(c, 1))],
  ZerosLike: (c) => [likeZeros(value(c, 0)) ?? listOf([])],
  AddN: (c) => [sumOfLists(c.inputs.filter(isList))],
};
