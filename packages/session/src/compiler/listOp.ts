/** One op on tensor lists while a program is built: its operands, and nodes of other ops that do a part of its work. */
import {
  Attrs,
  baseDType,
  InvalidArgumentError,
  OPS,
  sizeOf,
  TensorShape,
  TensorValue,
  zeroElements,
  type AttrValue,
  type DType,
  type HostValue,
  type OpName,
  type Operation,
} from '@forerun/graph';
import { describeIn, type Described } from './describe.js';
import { outputOf, type IrValue } from './ir.js';
import { checkLengths, checkPart, commonShape, joinedRest } from './listShapes.js';
import type { ProgramBuilder } from './programBuilder.js';
import { Deferral, FedList, isIrValue, ListValue, type Frame, type Value } from './values.js';

const int = (value: number): AttrValue => ({ kind: 'int', value });
const type = (value: DType): AttrValue => ({ kind: 'type', value: baseDType(value) });

/** An op on lists with what it needs of the program. */
export class ListOp {
  constructor(
    private readonly builder: ProgramBuilder,
    readonly op: Operation,
    private readonly frame: Frame,
  ) {}

  list(i: number): ListValue {
    const value = this.any(i);
    if (value instanceof ListValue) return value;
    throw new Deferral([]);
  }

  any(i: number): Value {
    const input = this.op.inputs[i];
    if (input === undefined) throw new InvalidArgumentError(`${this.op.describe()} has no input ${i}`);
    const value = this.builder.value(input, this.frame);
    if (value instanceof FedList) throw new Deferral([]);
    return value;
  }

  tensor(i: number): IrValue {
    const value = this.any(i);
    if (isIrValue(value)) return value;
    throw new InvalidArgumentError(`${this.op.describe()}: input ${i} is a list, expected a tensor`);
  }

  /** Elements of an integer input, which must be known. */
  ints(i: number): number[] {
    const value = this.builder.host.get(this.tensor(i));
    if (value === null) throw new Deferral([i]);
    return Array.from(value.data);
  }

  int(i: number): number {
    return this.ints(i)[0] ?? 0;
  }

  /** The element shape that an input gives: unknown where it is -1 or not known. */
  shapeInput(i: number): TensorShape {
    const value: HostValue | null = this.builder.host.get(this.tensor(i), 'feeds');
    if (value === null || value.shape.length === 0) return TensorShape.UNKNOWN;
    return new TensorShape(Array.from(value.data, (dim) => (dim < 0 ? null : dim)));
  }

  get dtype(): DType {
    return baseDType(this.op.attrs.type('element_dtype'));
  }

  fail(rule: string): never {
    const { op } = this;
    throw new InvalidArgumentError(`${op.describe()}: ${rule}${op.creationSite()}`, { node: op.name });
  }

  position(list: ListValue, i: number): number {
    const index = this.int(i);
    if (index >= 0 && index < list.elements.length) return index;
    return this.fail(`index ${index} is out of range [0, ${list.elements.length})`);
  }

  /** Element `index`; one that was never set is zeros, when its shape is known. */
  element(list: ListValue, index: number, asked: TensorShape): Value {
    const element = list.elements[index];
    if (element !== null && element !== undefined) return element;
    if (list.element.dtype === 'variant')
      return new ListValue([], { dtype: 'float32', shape: TensorShape.UNKNOWN });
    const shape = this.elementShape(list, asked);
    if (!shape.isFullyDefined) this.fail(`element ${index} was never set, and its shape is not known`);
    return this.zeros(list.element.dtype, shape.toStatic());
  }

  /** What is known of the elements: what those that are set have in common, what was declared, what is asked for. */
  elementShape(list: ListValue, asked = TensorShape.UNKNOWN): TensorShape {
    const set = list.elements.filter((element) => element !== null).filter(isIrValue);
    const common = commonShape(set.map(({ shape }) => shape)) ?? list.element.shape;
    return common.mergeWith(asked) ?? (asked.isFullyDefined ? asked : common);
  }

  zeros(dtype: DType, shape: readonly number[]): IrValue {
    return this.constant(new TensorValue(dtype, shape, zeroElements(dtype, sizeOf(shape))));
  }

  constant(literal: TensorValue): IrValue {
    const { dtype, shape } = literal;
    const node = this.builder.push(
      { ...this.described('Const', {}), type: 'Const', inputs: [], controls: [], literal, feed: null },
      [{ dtype, shape, variable: null }],
    );
    return outputOf(node);
  }

  private described(type: OpName, attrs: Readonly<Record<string, AttrValue>>): Described {
    const described = describeIn(this.frame, this.op, OPS[type]);
    return { ...described, attrs: new Attrs(new Map(Object.entries(attrs)), described.name) };
  }

  /** A node of another op that does a part of the work. */
  make(
    type: OpName,
    attrs: Readonly<Record<string, AttrValue>>,
    inputs: readonly IrValue[],
    outputs: readonly (readonly number[])[],
    dtype: DType,
  ): readonly IrValue[] {
    const controls = this.builder.waitsOf(this.op, this.frame);
    return this.builder.push(
      { ...this.described(type, attrs), type, inputs, controls, literal: null, feed: null },
      outputs.map((shape) => ({ dtype, shape, variable: null })),
    ).outputs;
  }

  /** The rows of a tensor. */
  rows(tensor: IrValue): readonly IrValue[] {
    const [count = 0, ...shape] = tensor.shape;
    if (count === 0) return [];
    const attrs = { num: int(count), axis: int(0), T: type(tensor.dtype) };
    return this.make(
      'Unpack',
      attrs,
      [tensor],
      new Array<readonly number[]>(count).fill(shape),
      tensor.dtype,
    );
  }

  /** Elements as the rows of one tensor. */
  stacked(list: ListValue, indices: readonly number[], asked: TensorShape): IrValue {
    const shape = this.elementShape(list, asked);
    const elements = indices.map((index) => this.element(list, index, asked));
    const tensors = elements.filter(isIrValue);
    if (tensors.length < elements.length) this.fail('lists of lists cannot be stacked');
    const [first] = tensors;
    if (first === undefined) {
      if (!shape.isFullyDefined)
        this.fail(`the list is empty and the shape ${shape.toString()} of its elements is not known`);
      return this.zeros(list.element.dtype, [0, ...shape.toStatic()]);
    }
    const odd = tensors.find((tensor) => tensor.shape.join() !== first.shape.join());
    if (odd !== undefined)
      this.fail(`elements have different shapes: [${first.shape.join()}] and [${odd.shape.join()}]`);
    const attrs = { N: int(tensors.length), axis: int(0), T: type(first.dtype) };
    const [packed] = this.make('Pack', attrs, tensors, [[tensors.length, ...first.shape]], first.dtype);
    return packed ?? this.fail('nothing was stacked');
  }

  /** The elements joined along their first dimension, and their lengths. Those never set have the lengths `leading`. */
  joined(list: ListValue, asked: TensorShape, leading: readonly number[]): readonly IrValue[] {
    const rest = joinedRest(this.elementShape(list, asked), (rule) => this.fail(rule));
    const tensors = list.elements.map((element, i) => this.part(list, i, element, leading[i], rest));
    const lengths = tensors.map(({ shape }) => shape[0] ?? 0);
    const data = BigInt64Array.from(lengths, BigInt);
    return [
      this.inRow(tensors, rest, list.element.dtype),
      this.constant(new TensorValue('int64', [lengths.length], data)),
    ];
  }

  private part(
    list: ListValue,
    i: number,
    element: Value | null,
    leading: number | undefined,
    rest: TensorShape,
  ): IrValue {
    const declared = list.element.shape.dims?.[0] ?? leading;
    const value =
      element ??
      (declared === undefined || !rest.isFullyDefined
        ? this.fail(`element ${i} was never set, and its shape is not known`)
        : this.zeros(list.element.dtype, [declared, ...rest.toStatic()]));
    if (!isIrValue(value)) return this.fail('lists of lists cannot be joined');
    checkPart(value.shape, i, rest, (rule) => this.fail(rule));
    return value;
  }

  private inRow(tensors: readonly IrValue[], rest: TensorShape, dtype: DType): IrValue {
    const [first] = tensors;
    if (first === undefined) return this.zeros(dtype, [0, ...rest.toStatic()]);
    if (tensors.length === 1) return first;
    const rows = tensors.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    const axis = this.constant(ints([0], []));
    const attrs = { N: int(tensors.length), T: type(first.dtype), Tidx: type('int32') };
    const shape = [rows, ...first.shape.slice(1)];
    const [joined] = this.make('ConcatV2', attrs, [...tensors, axis], [shape], first.dtype);
    return joined ?? this.fail('nothing was joined');
  }

  /** The parts of a tensor along its first dimension. */
  parts(tensor: IrValue, lengths: readonly number[]): readonly IrValue[] {
    checkLengths(tensor.shape, lengths, (rule) => this.fail(rule));
    if (lengths.length < 2) return lengths.map(() => tensor);
    const sizes = this.constant(ints(lengths, [lengths.length]));
    const axis = this.constant(ints([0], []));
    const attrs = { num_split: int(lengths.length), T: type(tensor.dtype), Tlen: type('int32') };
    const shapes = lengths.map((length) => [length, ...tensor.shape.slice(1)]);
    return this.make('SplitV', attrs, [tensor, sizes, axis], shapes, tensor.dtype);
  }

  /** The sum of tensors of one shape. */
  sum(parts: readonly IrValue[]): IrValue {
    const [first] = parts;
    if (first === undefined) return this.fail('no element');
    if (parts.length === 1) return first;
    const attrs = { N: int(parts.length), T: type(first.dtype) };
    return this.make('AddN', attrs, parts, [first.shape], first.dtype)[0] ?? first;
  }

  /** Applies `combine` to elements of the same position of lists of one length. */
  combined(lists: readonly ListValue[], combine: (elements: readonly IrValue[]) => IrValue): ListValue {
    const [first] = lists;
    if (first === undefined) return this.fail('there are no lists');
    if (lists.some((list) => list.elements.length !== first.elements.length)) {
      this.fail(`lists have different lengths: ${lists.map((list) => list.elements.length).join(', ')}`);
    }
    const elements = first.elements.map((_, i) => {
      const parts = lists.flatMap((list) => list.elements[i] ?? []);
      if (parts.length === 0) return null;
      if (parts.every(isIrValue)) return combine(parts);
      return this.combined(
        parts.filter((part) => part instanceof ListValue),
        combine,
      );
    });
    // One of the lists may tell more of what was never set than the first.
    const telling = lists.find(({ element }) => element.shape.isFullyDefined) ?? first;
    return new ListValue(elements, telling.element);
  }
}

/** A constant of integers. */
export const ints = (values: readonly number[], shape: readonly number[]): TensorValue =>
  new TensorValue('int32', shape, Int32Array.from(values));
