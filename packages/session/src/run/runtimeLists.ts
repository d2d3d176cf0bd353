/** Ops on tensor lists that the run itself carries out: those on lists that loops have grown. */
import {
  allocateData,
  baseDType,
  InvalidArgumentError,
  sizeOf,
  TensorShape,
  TensorValue,
  type HandleData,
  type Operation,
} from '@forerun/graph';
import type { DeviceHandle } from '../device/handle.js';
import { toWords } from '../device/words.js';
import {
  hostTensor,
  type RuntimeList,
  type RuntimePool,
  type RuntimeTensor,
  type RuntimeValue,
} from './runtimeValues.js';

/** What carrying out list ops needs. */
export interface ListRuntime {
  readonly handle: DeviceHandle;
  readonly pool: RuntimePool;
  /** The elements of a tensor, read from the device where necessary. */
  readonly read: (value: RuntimeTensor) => Promise<TensorValue>;
}

/** Carries out one op on lists. Throws `InvalidArgumentError` naming the node when the list does not allow it. */
export async function runListOp(
  runtime: ListRuntime,
  op: Operation,
  inputs: readonly RuntimeValue[],
): Promise<readonly RuntimeValue[]> {
  const rule = Object.hasOwn(RULES, op.type) ? RULES[op.type] : undefined;
  if (rule === undefined)
    throw new InvalidArgumentError(`${op.describe()} cannot take tensor lists${op.creationSite()}`);
  return rule(new RuntimeListOp(runtime, op, inputs));
}

function numbers(data: TensorValue['data']): number[] {
  const result: number[] = [];
  for (const x of data) result.push(Number(x));
  return result;
}

class RuntimeListOp {
  constructor(
    private readonly runtime: ListRuntime,
    readonly op: Operation,
    readonly inputs: readonly RuntimeValue[],
  ) {}

  fail(rule: string): never {
    const { op } = this;
    throw new InvalidArgumentError(`${op.describe()}: ${rule}${op.creationSite()}`, { node: op.name });
  }

  value(i: number): RuntimeValue {
    return this.inputs[i] ?? this.fail(`there is no input ${i}`);
  }

  list(i: number): RuntimeList {
    const value = this.value(i);
    return value.kind === 'list' ? value : this.fail(`input ${i} is no list`);
  }

  tensor(i: number): RuntimeTensor {
    const value = this.value(i);
    return value.kind === 'tensor' ? value : this.fail(`input ${i} is a list, expected a tensor`);
  }

  async ints(i: number): Promise<number[]> {
    return numbers((await this.runtime.read(this.tensor(i))).data);
  }

  async shapeInput(i: number): Promise<TensorShape> {
    const { shape, data } = await this.runtime.read(this.tensor(i));
    if (shape.length === 0) return TensorShape.UNKNOWN;
    return new TensorShape(numbers(data).map((dim) => (dim < 0 ? null : dim)));
  }

  async declared(shapeInput: number): Promise<HandleData> {
    return {
      dtype: baseDType(this.op.attrs.type('element_dtype')),
      shape: await this.shapeInput(shapeInput),
    };
  }

  async position(list: RuntimeList, i: number): Promise<number> {
    const [index = 0] = await this.ints(i);
    if (index >= 0 && index < list.elements.length) return index;
    return this.fail(`index ${index} is out of range [0, ${list.elements.length})`);
  }

  elementShape(list: RuntimeList, asked = TensorShape.UNKNOWN): TensorShape {
    const set = list.elements.find((element) => element?.kind === 'tensor');
    const known = set?.kind === 'tensor' ? new TensorShape(set.shape) : list.element.shape;
    return known.mergeWith(asked) ?? known;
  }

  element(list: RuntimeList, index: number, asked: TensorShape): RuntimeValue {
    const element = list.elements[index] ?? null;
    if (element !== null) return element;
    if (list.element.dtype === 'variant')
      return { kind: 'list', elements: [], element: { dtype: 'float32', shape: TensorShape.UNKNOWN } };
    const shape = this.elementShape(list, asked);
    if (!shape.isFullyDefined) this.fail(`element ${index} was never set, and its shape is not known`);
    return zeros(list.element, shape.toStatic());
  }

  /** The elements at `indices` as the rows of one tensor, copied on the device. */
  stacked(list: RuntimeList, indices: readonly number[], asked: TensorShape): RuntimeTensor {
    const bad = indices.find((index) => index < 0 || index >= list.elements.length);
    if (bad !== undefined) this.fail(`index ${bad} is out of range [0, ${list.elements.length})`);
    const elements = indices.map((index) => this.element(list, index, asked));
    const tensors = elements.filter((element) => element.kind === 'tensor');
    if (tensors.length < elements.length) this.fail('lists of lists cannot be stacked');
    const known = this.elementShape(list, asked);
    const [first] = tensors;
    const shape =
      first?.shape ??
      (known.isFullyDefined
        ? known.toStatic()
        : this.fail('the list is empty and the shape of its elements is not known'));
    const odd = tensors.find((tensor) => tensor.shape.join() !== shape.join());
    if (odd !== undefined)
      this.fail(`elements have different shapes: [${shape.join()}] and [${odd.shape.join()}]`);
    return this.concatenated(tensors, [tensors.length, ...shape], first?.dtype ?? list.element.dtype);
  }

  private concatenated(
    rows: readonly RuntimeTensor[],
    shape: readonly number[],
    dtype: RuntimeTensor['dtype'],
  ): RuntimeTensor {
    if (sizeOf(shape) === 0) return zeros({ dtype, shape: TensorShape.UNKNOWN }, shape);
    const { handle, pool } = this.runtime;
    const buffer = pool.acquire(shape);
    const encoder = handle.device.createCommandEncoder();
    const bytes = sizeOf(shape.slice(1)) * 4;
    rows.forEach((row, i) => {
      if (row.buffer !== null) encoder.copyBufferToBuffer(row.buffer, 0, buffer, i * bytes, bytes);
    });
    handle.queue.submit([encoder.finish()]);
    rows.forEach((row, i) => {
      if (row.buffer !== null || row.value === null) return;
      const words = toWords(row.value, this.op.name);
      handle.queue.writeBuffer(buffer, i * bytes, words.buffer, words.byteOffset, bytes);
    });
    return { kind: 'tensor', dtype, shape, buffer, value: null };
  }

  /** The rows of a tensor, each in a buffer of its own. */
  rows(tensor: RuntimeTensor): RuntimeTensor[] {
    const [count = 0, ...shape] = tensor.shape;
    if (tensor.buffer === null || sizeOf(tensor.shape) === 0) return hostRows(tensor, count, shape);
    const { handle, pool } = this.runtime;
    const encoder = handle.device.createCommandEncoder();
    const bytes = sizeOf(shape) * 4;
    const source = tensor.buffer;
    const rows = Array.from({ length: count }, (_, i): RuntimeTensor => {
      const buffer = pool.acquire(shape);
      encoder.copyBufferToBuffer(source, i * bytes, buffer, 0, bytes);
      return { kind: 'tensor', dtype: tensor.dtype, shape, buffer, value: null };
    });
    handle.queue.submit([encoder.finish()]);
    return rows;
  }
}

function hostRows({ value, dtype }: RuntimeTensor, count: number, shape: readonly number[]): RuntimeTensor[] {
  const size = sizeOf(shape);
  return Array.from({ length: count }, (_, i) => {
    const data = value === null ? allocateData(dtype, size) : value.data.slice(i * size, (i + 1) * size);
    return hostTensor(new TensorValue(dtype, shape, data));
  });
}

function zeros({ dtype }: HandleData, shape: readonly number[]): RuntimeTensor {
  return hostTensor(new TensorValue(dtype, shape, allocateData(dtype, sizeOf(shape))));
}

function resized(list: RuntimeList, size: number): RuntimeList {
  const kept = list.elements.slice(0, size);
  return { ...list, elements: [...kept, ...new Array<null>(size - kept.length).fill(null)] };
}

function withElement(list: RuntimeList, index: number, element: RuntimeValue | null): RuntimeList {
  return { ...list, elements: list.elements.map((old, i) => (i === index ? element : old)) };
}

function everyIndex(list: RuntimeList): number[] {
  return list.elements.map((_, i) => i);
}

function zerosLike(value: RuntimeValue | null): RuntimeValue | null {
  if (value?.kind === 'list') return { ...value, elements: value.elements.map(zerosLike) };
  return value?.kind === 'tensor'
    ? zeros({ dtype: value.dtype, shape: TensorShape.UNKNOWN }, value.shape)
    : value;
}

type ListRule = (c: RuntimeListOp) => Promise<readonly RuntimeValue[]> | readonly RuntimeValue[];

const RULES: Readonly<Record<string, ListRule>> = {
  Identity: (c) => [c.value(0)],
  IdentityN: (c) => c.inputs,
  StopGradient: (c) => [c.value(0)],
  EmptyTensorList: async (c) => [{ kind: 'list', elements: [], element: await c.declared(0) }],
  TensorListReserve: async (c) => {
    const [size = 0] = await c.ints(1);
    return [resized({ kind: 'list', elements: [], element: await c.declared(0) }, size)];
  },
  TensorListPushBack: (c) => {
    const list = c.list(0);
    return [{ ...list, elements: [...list.elements, c.value(1)] }];
  },
  TensorListPopBack: async (c) => {
    const list = c.list(0);
    if (list.elements.length === 0) c.fail('the list is empty');
    const last = c.element(list, list.elements.length - 1, await c.shapeInput(1));
    return [{ ...list, elements: list.elements.slice(0, -1) }, last];
  },
  TensorListLength: (c) => [
    hostTensor(new TensorValue('int32', [], Int32Array.of(c.list(0).elements.length))),
  ],
  TensorListElementShape: (c) => {
    const { dims } = c.elementShape(c.list(0));
    const data = Int32Array.from(dims ?? [-1], (dim) => dim ?? -1);
    return [hostTensor(new TensorValue('int32', dims === null ? [] : [dims.length], data))];
  },
  TensorListGetItem: async (c) => {
    const list = c.list(0);
    return [c.element(list, await c.position(list, 1), await c.shapeInput(2))];
  },
  TensorListSetItem: async (c) => {
    const [index = 0] = await c.ints(1);
    const { attrs } = c.op;
    const resize = attrs.has('resize_if_index_out_of_bounds') && attrs.bool('resize_if_index_out_of_bounds');
    const list = resize && index >= c.list(0).elements.length ? resized(c.list(0), index + 1) : c.list(0);
    return [withElement(list, await c.position(list, 1), c.value(2))];
  },
  TensorListStack: async (c) => [c.stacked(c.list(0), everyIndex(c.list(0)), await c.shapeInput(1))],
  TensorListFromTensor: (c) => {
    const tensor = c.tensor(0);
    const element = { dtype: tensor.dtype, shape: new TensorShape(tensor.shape.slice(1)) };
    return [{ kind: 'list', elements: c.rows(tensor), element }];
  },
  TensorListGather: async (c) => [c.stacked(c.list(0), await c.ints(1), await c.shapeInput(2))],
  TensorListScatterIntoExistingList: async (c) => {
    const rows = c.rows(c.tensor(1));
    const indices = await c.ints(2);
    const size = Math.max(c.list(0).elements.length, ...indices.map((index) => index + 1));
    return [
      indices.reduce((list, index, i) => withElement(list, index, rows[i] ?? null), resized(c.list(0), size)),
    ];
  },
  TensorListResize: async (c) => {
    const [size = 0] = await c.ints(1);
    return [resized(c.list(0), size)];
  },
  ZerosLike: (c) => c.inputs.flatMap((value) => zerosLike(value) ?? []),
};

/** The elements of lists that `AddN` adds up, position by position; `null` where none was set. */
export function addends(lists: readonly RuntimeList[]): RuntimeValue[][] {
  const length = Math.max(0, ...lists.map((list) => list.elements.length));
  return Array.from({ length }, (_, i) => lists.flatMap((list) => list.elements[i] ?? []));
}
