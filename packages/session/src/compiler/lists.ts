/**
 * Ops on tensor lists inside a program. Lists are resolved while the program is built: a push or a pop only says
 * which value is meant, and costs nothing at run time. Lists from an earlier part of the run, and
 * positions that are only computed, make the op wait.
 */
import {
  InvalidArgumentError,
  TensorShape,
  TensorValue,
  type HandleData,
  type Operation,
} from '@forerun/graph';
import { ints, ListOp } from './listOp.js';
import { scatterSize } from './listShapes.js';
import type { IrValue } from './ir.js';
import type { ProgramBuilder } from './programBuilder.js';
import { isIrValue, ListValue, type Frame, type Value } from './values.js';

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

/** What a vector of lists holds. */
const BATCH: HandleData = { dtype: 'variant', shape: TensorShape.SCALAR };

/** Optionals are lists of their components here, which need not be alike; an empty one has no value. */
const COMPONENTS: HandleData = { dtype: 'variant', shape: TensorShape.UNKNOWN };

function pushed(c: ListOp, list: Value | null, element: IrValue | undefined): ListValue {
  if (!(list instanceof ListValue) || element === undefined)
    return c.fail('there are not as many rows as lists');
  return new ListValue([...list.elements, element], list.element);
}

/** A list with the rows of a tensor at given positions; of `asked` elements, or as many as needed for -1. */
function scattered(c: ListOp, asked: number): ListValue {
  const [rows, indices] = [c.rows(c.tensor(0)), c.ints(1)];
  const size = scatterSize(indices, asked, (rule) => c.fail(rule));
  const start = resized(new ListValue([], declared(c, 2)), size);
  return indices.reduce((list, index, i) => withElement(list, index, rows[i] ?? null), start);
}

/**
 * Zeros in the place of all elements. Where they are of one shape they count as never set, so that adding such a list, as the gradient
 * of a read does for all the other elements, adds nothing: a loop over a list would else add as many zeros as it has steps, in every step.
 */
function zerosLike(c: ListOp, list: ListValue): ListValue {
  const shape = c.elementShape(list);
  if (list.element.dtype !== 'variant' && shape.isFullyDefined) {
    return new ListValue(new Array<null>(list.elements.length).fill(null), { ...list.element, shape });
  }
  return c.combined([list], ([x]) => (x === undefined ? c.fail('no element') : c.zeros(x.dtype, x.shape)));
}

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
  TensorListScatter: (c) => [scattered(c, -1)],
  TensorListScatterV2: (c) => [scattered(c, c.int(3))],
  TensorListConcat: (c) => c.joined(c.list(0), c.op.attrs.shape('element_shape'), []),
  TensorListConcatV2: (c) => c.joined(c.list(0), c.shapeInput(1), c.ints(2)),
  TensorListSplit: (c) => [new ListValue(c.parts(c.tensor(0), c.ints(2)), declared(c, 1))],
  TensorListConcatLists: (c) => {
    const [a, b] = [c.list(0), c.list(1)];
    return [new ListValue([...a.elements, ...b.elements], a.element)];
  },
  TensorListPushBackBatch: (c) => {
    const rows = c.rows(c.tensor(1));
    return [
      new ListValue(
        c.list(0).elements.map((list, i) => pushed(c, list, rows[i])),
        BATCH,
      ),
    ];
  },
  Pack: (c) => [
    new ListValue(
      c.op.inputs.map((_, i) => c.list(i)),
      BATCH,
    ),
  ],
  Unpack: (c) => c.list(0).elements.map((list) => list ?? c.fail('a list of the batch is missing')),
  TensorListResize: (c) => [resized(c.list(0), c.int(1))],
  OptionalFromValue: (c) => [
    new ListValue(
      c.op.inputs.map((_, i) => c.any(i)),
      COMPONENTS,
    ),
  ],
  OptionalNone: () => [new ListValue([], COMPONENTS)],
  OptionalHasValue: (c) => [
    c.constant(new TensorValue('bool', [], Uint8Array.of(Number(c.list(0).elements.length > 0)))),
  ],
  OptionalGetValue: (c) => {
    const { elements } = c.list(0);
    if (elements.length !== c.op.outputs.length)
      c.fail(`${c.op.outputs.length} components are asked for, the optional has ${elements.length}`);
    return elements.map((element) => element ?? c.fail('a component of the optional is missing'));
  },
  ZerosLike: (c) => [zerosLike(c, c.list(0))],
  AddN: (c) => {
    const lists = c.op.inputs.map((_, i) => c.list(i));
    return [c.combined(lists, (parts) => c.sum(parts))];
  },
};
