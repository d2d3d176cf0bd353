/** One op on tensor lists that the run carries out: its operands, and copies on the device. */
import {
  baseDType,
  InvalidArgumentError,
  sizeOf,
  TensorShape,
  TensorValue,
  UnimplementedError,
  zeroElements,
  type DType,
  type HandleData,
  type Operation,
} from '@forerun/graph';
import { elementBytes } from '@forerun/kernels-webgpu';
import { checkLengths, checkPart, commonShape, joinedRest } from '../compiler/listShapes.js';
import type { DeviceHandle } from '../device/handle.js';
import { toWords, transferBytes } from '../device/words.js';
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

function numbers(data: TensorValue['data']): number[] {
  const result: number[] = [];
  for (const x of data) result.push(Number(x));
  return result;
}

export class RuntimeListOp {
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
    const set = list.elements.filter((element) => element?.kind === 'tensor');
    const common = commonShape(set.map(({ shape }) => shape)) ?? list.element.shape;
    return common.mergeWith(asked) ?? (asked.isFullyDefined ? asked : common);
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

  /** The elements joined along their first dimension, and their lengths. Those never set have the lengths `leading`. */
  joined(list: RuntimeList, asked: TensorShape, leading: readonly number[]): RuntimeTensor[] {
    const rest = joinedRest(this.elementShape(list, asked), (rule) => this.fail(rule));
    const tensors = list.elements.map((element, i) => this.part(list, i, element, leading[i], rest));
    const lengths = tensors.map(({ shape }) => shape[0] ?? 0);
    const other = tensors[0]?.shape.slice(1) ?? rest.toStatic();
    const shape = [lengths.reduce((sum, length) => sum + length, 0), ...other];
    const data = BigInt64Array.from(lengths, BigInt);
    return [
      this.concatenated(tensors, shape, tensors[0]?.dtype ?? list.element.dtype),
      hostTensor(new TensorValue('int64', [lengths.length], data)),
    ];
  }

  private part(
    list: RuntimeList,
    i: number,
    element: RuntimeValue | null,
    leading: number | undefined,
    rest: TensorShape,
  ): RuntimeTensor {
    const declared = list.element.shape.dims?.[0] ?? leading;
    const value =
      element ??
      (declared === undefined || !rest.isFullyDefined
        ? this.fail(`element ${i} was never set, and its shape is not known`)
        : zeros(list.element, [declared, ...rest.toStatic()]));
    if (value.kind !== 'tensor') return this.fail('lists of lists cannot be joined');
    checkPart(value.shape, i, rest, (rule) => this.fail(rule));
    return value;
  }

  /** Tensors one after the other in memory, copied on the device. */
  private concatenated(
    parts: readonly RuntimeTensor[],
    shape: readonly number[],
    dtype: RuntimeTensor['dtype'],
  ): RuntimeTensor {
    if (sizeOf(shape) === 0) return zeros({ dtype, shape: TensorShape.UNKNOWN }, shape);
    const { handle, pool } = this.runtime;
    const buffer = pool.acquire(shape, dtype);
    const encoder = handle.device.createCommandEncoder();
    const places = this.offsets(parts, dtype);
    parts.forEach((part, i) => {
      const bytes = transferBytes(part.shape, dtype);
      if (part.buffer !== null && bytes > 0)
        encoder.copyBufferToBuffer(part.buffer, 0, buffer, places[i] ?? 0, bytes);
    });
    handle.queue.submit([encoder.finish()]);
    parts.forEach((part, i) => {
      const bytes = transferBytes(part.shape, dtype);
      if (part.buffer !== null || part.value === null || bytes === 0) return;
      const words = toWords(part.value, this.op.name, handle.texts);
      handle.queue.writeBuffer(buffer, places[i] ?? 0, words.buffer, words.byteOffset, bytes);
    });
    return { kind: 'tensor', dtype, shape, buffer, value: null };
  }

  /** The rows of a tensor, each in a buffer of its own. */
  rows(tensor: RuntimeTensor): RuntimeTensor[] {
    const [count = 0, ...shape] = tensor.shape;
    return this.cut(tensor, new Array<readonly number[]>(count).fill(shape));
  }

  /** The parts of a tensor along its first dimension, each in a buffer of its own. */
  parts(tensor: RuntimeTensor, lengths: readonly number[]): RuntimeTensor[] {
    checkLengths(tensor.shape, lengths, (rule) => this.fail(rule));
    const [, ...rest] = tensor.shape;
    return this.cut(
      tensor,
      lengths.map((length) => [length, ...rest]),
    );
  }

  /** Stretches of a tensor, which follow each other, as tensors of the given shapes. */
  private cut(tensor: RuntimeTensor, shapes: readonly (readonly number[])[]): RuntimeTensor[] {
    if (tensor.buffer === null || sizeOf(tensor.shape) === 0) return hostParts(tensor, shapes);
    const parted = shapes.map((shape) => ({ shape }));
    const places = this.offsets(parted, tensor.dtype);
    const { handle, pool } = this.runtime;
    const encoder = handle.device.createCommandEncoder();
    const source = tensor.buffer;
    const { dtype } = tensor;
    const parts = shapes.map((shape, i): RuntimeTensor => {
      if (sizeOf(shape) === 0) return zeros({ dtype, shape: TensorShape.UNKNOWN }, shape);
      const buffer = pool.acquire(shape, dtype);
      encoder.copyBufferToBuffer(source, places[i] ?? 0, buffer, 0, transferBytes(shape, dtype));
      return { kind: 'tensor', dtype, shape, buffer, value: null };
    });
    handle.queue.submit([encoder.finish()]);
    return parts;
  }

  /** The byte at which each of several tensors begins that follow each other in memory. Copies begin at whole words. */
  private offsets(parts: readonly { readonly shape: readonly number[] }[], dtype: DType): number[] {
    let next = 0;
    return parts.map(({ shape }, i) => {
      const start = next;
      next += sizeOf(shape) * elementBytes(dtype);
      if (i < parts.length - 1 && next % 4 !== 0) {
        throw new UnimplementedError(
          `${this.op.describe()}: element ${i} has the shape [${shape.join(',')}]: float16 lists whose length is known at run time only are not joined or cut at odd numbers of elements`,
          { node: this.op.name },
        );
      }
      return start;
    });
  }
}

function hostParts({ value, dtype }: RuntimeTensor, shapes: readonly (readonly number[])[]): RuntimeTensor[] {
  let next = 0;
  return shapes.map((shape) => {
    const [start, size] = [next, sizeOf(shape)];
    next += size;
    const data = value === null ? zeroElements(dtype, size) : value.data.slice(start, start + size);
    return hostTensor(new TensorValue(dtype, shape, data));
  });
}

export function zeros({ dtype }: HandleData, shape: readonly number[]): RuntimeTensor {
  return hostTensor(new TensorValue(dtype, shape, zeroElements(dtype, sizeOf(shape))));
}
