/**
 * Ops on tensor lists inside a program. Lists are resolved while the program is built: a push or a pop only says
 * which value is meant, and costs nothing at run time. Lists from an earlier part of the run, and
 * positions that are only computed, make the op wait.
 */
import {
  Attrs,
  baseDType,
  InvalidArgumentError,
  OPS,
  TensorShape,
  TensorValue,
  allocateData,
  sizeOf,
  type AttrValue,
  type DType,
  type HandleData,
  type HostValue,
  type OpName,
  type Operation,
} from '@forerun/graph';
import { describeIn, type Described } from './describe.js';
import { outputOf, type IrValue } from './ir.js';
import type { ProgramBuilder } from './programBuilder.js';
import { Deferral, FedList, isIrValue, ListValue, type Frame, type Value } from './values.js';

/** Whether an op takes or gives a tensor list. */
export function touchesLists({ inputs, outputs }: Operation): boolean {
  return [...inputs, ...outputs].some(({ dtype }) => dtype === 'variant');
}

/** Adds what an op on lists computes. Throws `Deferral` when a list or a position is not known. */
export function buildList(builder: ProgramBuilder, op: Operation, frame: Frame): void {
  const list = new ListOp(builder, op, frame);
  const rule = Object.hasOwn(RULES, op.type) ? RULES[op.type] : undefined;
  if (rule === undefined)
    throw new InvalidArgumentError(`${op.describe()} cannot take tensor lists${op.creationSite()}`);
  const values = rule(list);
  builder.setOutputs(op, values, frame);
  frame.nodes.set(op, [...new Set(values.filter(isIrValue).map(({ node }) => node))]);
}

/** An op on lists with what it needs of the program. */
class ListOp {
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

  elementShape(list: ListValue, asked = TensorShape.UNKNOWN): TensorShape {
    const [set] = list.elements.filter((element) => element !== null).filter(isIrValue);
    const known = set === undefined ? list.element.shape : new TensorShape(set.shape);
    return known.mergeWith(asked) ?? known;
  }

  zeros(dtype: DType, shape: readonly number[]): IrValue {
    return this.constant(new TensorValue(dtype, shape, allocateData(dtype, sizeOf(shape))));
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
    return new ListValue(elements, first.element);
  }
}

const int = (value: number): AttrValue => ({ kind: 'int', value });
const type = (value: DType): AttrValue => ({ kind: 'type', value: baseDType(value) });

function withElement(list: ListValue, index: number, element: Value | null): ListValue {
  return new ListValue(
    list.elements.map((old, i) => (i === index ? element : old)),
    list.element,
  );
}

function resized(list: ListValue, size: number): ListValue {
  const kept = list.elements.slice(0, size);
  return new ListValue([...kept, ...new Array<null>(size - kept.length).fill(null)], list.element);
}

function declared(c: ListOp, shapeInput: number): HandleData {
  return { dtype: c.dtype, shape: c.shapeInput(shapeInput) };
}

function everyIndex(list: ListValue): number[] {
  return list.elements.map((_, i) => i);
}

const ints = (values: readonly number[], shape: readonly number[]): TensorValue =>
  new TensorValue('int32', shape, Int32Array.from(values));

const RULES: Readonly<Record<string, (c: ListOp) => readonly Value[]>> = {
  Identity: (c) => [c.any(0)],
  IdentityN: (c) => c.op.inputs.map((_, i) => c.any(i)),
  StopGradient: (c) => [c.any(0)],
  EmptyTensorList: (c) => [new ListValue([], declared(c, 0))],
  TensorListReserve: (c) => [resized(new ListValue([], declared(c, 0)), c.int(1))],
  TensorListPushBack: (c) => [new ListValue([...c.list(0).elements, c.any(1)], c.list(0).element)],
  TensorListPopBack: (c) => {
    const list = c.list(0);
    if (list.elements.length === 0) c.fail('the list is empty');
    const last = c.element(list, list.elements.length - 1, c.shapeInput(1));
    return [new ListValue(list.elements.slice(0, -1), list.element), last];
  },
  TensorListLength: (c) => [c.constant(ints([c.list(0).elements.length], []))],
  TensorListElementShape: (c) => {
    const { dims } = c.elementShape(c.list(0));
    return [
      c.constant(
        dims === null
          ? ints([-1], [])
          : ints(
              dims.map((dim) => dim ?? -1),
              [dims.length],
            ),
      ),
    ];
  },
  TensorListGetItem: (c) => {
    const list = c.list(0);
    return [c.element(list, c.position(list, 1), c.shapeInput(2))];
  },
  TensorListSetItem: (c) => {
    const list = c.list(0);
    const index = c.int(1);
    const resize =
      c.op.attrs.has('resize_if_index_out_of_bounds') && c.op.attrs.bool('resize_if_index_out_of_bounds');
    const long = resize && index >= list.elements.length ? resized(list, index + 1) : list;
    return [withElement(long, c.position(long, 1), c.any(2))];
  },
  TensorListStack: (c) => [c.stacked(c.list(0), everyIndex(c.list(0)), c.shapeInput(1))],
  TensorListFromTensor: (c) => {
    const tensor = c.tensor(0);
    return [new ListValue(c.rows(tensor), { dtype: c.dtype, shape: new TensorShape(tensor.shape.slice(1)) })];
  },
  TensorListGather: (c) => {
    const list = c.list(0);
    const bad = c.ints(1).find((index) => index < 0 || index >= list.elements.length);
    if (bad !== undefined) c.fail(`index ${bad} is out of range [0, ${list.elements.length})`);
    return [c.stacked(list, c.ints(1), c.shapeInput(2))];
  },
  TensorListScatterIntoExistingList: (c) => {
    const rows = c.rows(c.tensor(1));
    const indices = c.ints(2);
    const size = Math.max(c.list(0).elements.length, ...indices.map((index) => index + 1));
    const start = resized(c.list(0), size);
    return [indices.reduce((list, index, i) => withElement(list, index, rows[i] ?? null), start)];
  },
  TensorListResize: (c) => [resized(c.list(0), c.int(1))],
  ZerosLike: (c) => [
    c.combined([c.list(0)], ([x]) => (x === undefined ? c.fail('no element') : c.zeros(x.dtype, x.shape))),
  ],
  AddN: (c) => {
    const lists = c.op.inputs.map((_, i) => c.list(i));
    return [
      c.combined(lists, (parts) => {
        const [first] = parts;
        if (first === undefined) return c.fail('no element');
        if (parts.length === 1) return first;
        const attrs = { N: int(parts.length), T: type(first.dtype) };
        return c.make('AddN', attrs, parts, [first.shape], first.dtype)[0] ?? first;
      }),
    ];
  },
};
