/** Ops on tensor lists that the run itself carries out: those on lists that loops have grown. */
import { InvalidArgumentError, TensorShape, TensorValue, type Operation } from '@forerun/graph';
import { scatterSize } from '../compiler/listShapes.js';
import { RuntimeListOp, zeros, type ListRuntime } from './runtimeListOp.js';
import { hostTensor, type RuntimeList, type RuntimeValue } from './runtimeValues.js';

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

/** Zeros in the place of all elements; those of lists of one shape count as never set, so that adding them up adds nothing. */
function zerosLike(c: RuntimeListOp, value: RuntimeValue | null): RuntimeValue | null {
  if (value?.kind === 'list') {
    const shape = c.elementShape(value);
    if (value.element.dtype !== 'variant' && shape.isFullyDefined)
      return {
        ...resized({ ...value, elements: [] }, value.elements.length),
        element: { ...value.element, shape },
      };
    return { ...value, elements: value.elements.map((element) => zerosLike(c, element)) };
  }
  return value?.kind === 'tensor'
    ? zeros({ dtype: value.dtype, shape: TensorShape.UNKNOWN }, value.shape)
    : value;
}

type ListRule = (c: RuntimeListOp) => Promise<readonly RuntimeValue[]> | readonly RuntimeValue[];

function pushed(c: RuntimeListOp, list: RuntimeValue | null, element: RuntimeValue | undefined): RuntimeList {
  if (list?.kind !== 'list' || element === undefined) return c.fail('there are not as many rows as lists');
  return { ...list, elements: [...list.elements, element] };
}

/** A list with the rows of a tensor at given positions; of `asked` elements, or as many as needed for -1. */
async function scattered(c: RuntimeListOp, asked: number): Promise<RuntimeList> {
  const [rows, indices] = [c.rows(c.tensor(0)), await c.ints(1)];
  const size = scatterSize(indices, asked, (rule) => c.fail(rule));
  const start = resized({ kind: 'list', elements: [], element: await c.declared(2) }, size);
  return indices.reduce((list, index, i) => withElement(list, index, rows[i] ?? null), start);
}

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
  TensorListScatter: async (c) => [await scattered(c, -1)],
  TensorListScatterV2: async (c) => [await scattered(c, (await c.ints(3))[0] ?? 0)],
  TensorListConcat: (c) => c.joined(c.list(0), c.op.attrs.shape('element_shape'), []),
  TensorListConcatV2: async (c) => c.joined(c.list(0), await c.shapeInput(1), await c.ints(2)),
  TensorListSplit: async (c) => {
    const elements = c.parts(c.tensor(0), await c.ints(2));
    return [{ kind: 'list', elements, element: await c.declared(1) }];
  },
  TensorListConcatLists: (c) => {
    const [a, b] = [c.list(0), c.list(1)];
    return [{ ...a, elements: [...a.elements, ...b.elements] }];
  },
  TensorListPushBackBatch: (c) => {
    const [lists, rows] = [c.list(0), c.rows(c.tensor(1))];
    return [{ ...lists, elements: lists.elements.map((list, i) => pushed(c, list, rows[i])) }];
  },
  Pack: (c) => [
    {
      kind: 'list',
      elements: c.inputs.map((_, i) => c.list(i)),
      element: { dtype: 'variant', shape: TensorShape.SCALAR },
    },
  ],
  Unpack: (c) => c.list(0).elements.map((list) => list ?? c.fail('a list of the batch is missing')),
  TensorListResize: async (c) => {
    const [size = 0] = await c.ints(1);
    return [resized(c.list(0), size)];
  },
  OptionalFromValue: (c) => [
    { kind: 'list', elements: c.inputs, element: { dtype: 'variant', shape: TensorShape.UNKNOWN } },
  ],
  OptionalHasValue: (c) => [
    hostTensor(new TensorValue('bool', [], Uint8Array.of(Number(c.list(0).elements.length > 0)))),
  ],
  OptionalGetValue: (c) => {
    const { elements } = c.list(0);
    if (elements.length !== c.op.outputs.length)
      c.fail(`${c.op.outputs.length} components are asked for, the optional has ${elements.length}`);
    return elements.map((element) => element ?? c.fail('a component of the optional is missing'));
  },
  ZerosLike: (c) => c.inputs.flatMap((value) => zerosLike(c, value) ?? []),
};

/** The elements of lists that `AddN` adds up, position by position; `null` where none was set. */
export function addends(lists: readonly RuntimeList[]): RuntimeValue[][] {
  const length = Math.max(0, ...lists.map((list) => list.elements.length));
  return Array.from({ length }, (_, i) => lists.flatMap((list) => list.elements[i] ?? []));
}
