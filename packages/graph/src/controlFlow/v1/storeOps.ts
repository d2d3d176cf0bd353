/** The ops on tensor arrays and stacks of version 1 graphs as ops on tensor lists. */
import { nameForCopy } from '../../names.js';
import { constant } from '../../apply.js';
import { UnimplementedError } from '../../errors.js';
import { gather } from '../../ops/arrayIndex.js';
import { addN } from '../../ops/binary.js';
import { rowsSummed } from '../../ops/listHelpers.js';
import { unsortedSegmentMax, unsortedSegmentSum } from '../../ops/segmentUnsorted.js';
import { shape as shapeOf, size } from '../../ops/shape.js';
import { equal } from '../../ops/comparison.js';
import { range } from '../../ops/fill.js';
import { stopGradient } from '../../ops/source.js';
import {
  elementDims,
  emptyTensorList,
  tensorListConcat,
  tensorListElementShape,
  tensorListGather,
  tensorListGetItem,
  tensorListLength,
  tensorListPopBack,
  tensorListPushBack,
  tensorListReserve,
  tensorListScatterIntoExistingList,
  tensorListSetItem,
  tensorListSplit,
} from '../../ops/list.js';
import type { Operation } from '../../operation.js';
import { TensorShape } from '../../shape.js';
import type { Tensor, TensorLike } from '../../tensor.js';
import type { Translator } from './functionalize.js';
import type { Scope } from './scope.js';
import { isStoreOp, plainType, type Store } from './stores.js';

/** What stands for the outputs of an op on tensor arrays and stacks, `null` for other ops. */
export function translateStoreOp(
  translator: Translator,
  op: Operation,
  scope: Scope,
): readonly Tensor[] | null {
  if (!isStoreOp(op)) return null;
  const store = translator.stores.ofOp(op);
  if (store.dtype === 'resource') {
    throw new UnimplementedError(
      `${op.describe()}: "${store.op.name}" is a stack of handles, as of tensor arrays that are made inside a loop; these have no functional form`,
      { node: op.name },
    );
  }
  const inputs = op.inputs.map((input) => translator.value(input, scope));
  const rule = RULES[plainType(op)];
  if (rule === undefined) return null;
  const current = new StoreUse(translator, op, scope, store, inputs);
  return scope.within(() => rule(current));
}

/** The list that stands for a store in `scope`: of the scope itself or one around it, made where there is none yet. */
export function listOf(translator: Translator, store: Store, scope: Scope): Tensor {
  for (let found: Scope | null = scope; found !== null; found = found.parent) {
    const list = found.lists.get(store);
    if (list !== undefined) return list;
  }
  const home = translator.home(store.region, scope, store.op);
  if (store.forward === null) translator.build(store.op, home);
  else home.lists.set(store, emptyLike(translator, store, store.forward, home));
  const made = home.lists.get(store);
  if (made !== undefined) return made;
  throw new UnimplementedError(`${store.op.describe()} is used before it is made`, { node: store.op.name });
}

/** The gradient of a tensor array begins with as many elements, of which none is set. */
function emptyLike(translator: Translator, store: Store, forward: Store, home: Scope): Tensor {
  const list = listOf(translator, forward, home);
  const element = { dtype: store.dtype, shape: elementDims(store.shape) };
  return home.within(() =>
    tensorListReserve(element, tensorListLength(list), { name: nameForCopy(store.op.name) }),
  );
}

/** One op on a store. */
class StoreUse {
  constructor(
    private readonly translator: Translator,
    readonly op: Operation,
    private readonly scope: Scope,
    readonly store: Store,
    private readonly inputs: readonly Tensor[],
  ) {}

  input(i: number): Tensor {
    const input = this.inputs[i];
    if (input !== undefined) return input;
    throw new UnimplementedError(`${this.op.describe()} has no input ${i}`, { node: this.op.name });
  }

  /** Makes the store where it is not there yet. */
  ensure(): void {
    listOf(this.translator, this.store, this.scope);
  }

  get list(): Tensor {
    return listOf(this.translator, this.store, this.scope);
  }

  set list(list: Tensor) {
    this.scope.lists.set(this.store, list);
  }

  /** Of a gradient: what it is the gradient of. */
  get forward(): Tensor | null {
    let { store } = this;
    while (store.forward !== null) store = store.forward;
    return store === this.store ? null : listOf(this.translator, store, this.scope);
  }

  /** The shape that elements have which were not set: known for gradients, from what they are the gradient of. */
  get elementShape(): TensorLike {
    const { forward, store } = this;
    return forward === null ? elementDims(store.shape) : tensorListElementShape(forward);
  }

  /** Sets elements. In a gradient they are added to what is there, where something is. */
  change(write: (list: Tensor) => Tensor): void {
    if (this.store.forward === null) {
      this.list = write(this.list);
      return;
    }
    const empty = tensorListReserve(
      { dtype: this.store.dtype, shape: elementDims(this.store.shape) },
      tensorListLength(this.list),
    );
    this.list = addN([this.list, write(empty)]);
  }
}

const SUMS = { equal, gather, range, size, stopGradient, unsortedSegmentMax, unsortedSegmentSum };

/** Stands for a handle, for which nothing is needed but the store it is of. */
const handle = (): Tensor => constant(0, { dtype: 'int32' });

const RULES: Readonly<Record<string, (c: StoreUse) => readonly Tensor[]>> = {
  TensorArray: (c) => {
    const { dtype, shape } = c.store;
    c.list = tensorListReserve({ dtype, shape: elementDims(shape) }, c.input(0), {
      name: nameForCopy(c.op.name),
    });
    return [handle(), constant(0)];
  },
  TensorArrayGrad: (c) => {
    c.ensure();
    return [handle(), c.input(1)];
  },
  TensorArrayWrite: (c) => {
    const { name } = c.op;
    const resize = c.store.grows;
    c.change((list) => tensorListSetItem(list, c.input(1), c.input(2), { name, resize }));
    return [c.input(3)];
  },
  TensorArrayRead: (c) => {
    const { dtype, shape } = c.store;
    const element = { dtype, shape: elementDims(shape) };
    const { forward, list, op } = c;
    const like = forward === null ? element.shape : shapeOf(tensorListGetItem(forward, c.input(1), element));
    return [tensorListGetItem(list, c.input(1), { dtype, shape: like }, { name: nameForCopy(op.name) })];
  },
  TensorArrayGather: (c) => {
    const { dtype } = c.store;
    return [tensorListGather(c.list, c.input(1), c.elementShape, dtype, { name: nameForCopy(c.op.name) })];
  },
  TensorArrayScatter: (c) => {
    const { name } = c.op;
    const [indices, value] = [c.input(1), c.input(2)];
    c.change((list) => {
      // in a gradient rows of one index are added up too
      const rows =
        c.store.forward === null ? value : rowsSummed(SUMS, value, indices, tensorListLength(list));
      return tensorListScatterIntoExistingList(list, rows, indices, { name });
    });
    return [c.input(3)];
  },
  TensorArrayConcat: (c) => {
    const { dtype } = c.store;
    const { forward } = c;
    const leadingDims = forward === null ? [] : tensorListConcat(forward, dtype).lengths;
    const shape = forward === null ? elementDims(exceptFirst(c.op)) : -1;
    const { tensor, lengths } = tensorListConcat(c.list, dtype, {
      shape,
      leadingDims,
      name: nameForCopy(c.op.name),
    });
    return [tensor, lengths];
  },
  TensorArraySplit: (c) => {
    const { name } = c.op;
    const parts = tensorListSplit(c.input(1), c.input(2), { name });
    c.list = c.store.forward === null ? parts : addN([c.list, parts]);
    return [c.input(3)];
  },
  TensorArraySize: (c) => [tensorListLength(c.list, { name: nameForCopy(c.op.name) })],
  TensorArrayClose: () => [],
  Stack: (c) => {
    c.list = emptyTensorList({ dtype: c.store.dtype, shape: -1 }, { name: nameForCopy(c.op.name) });
    return [handle()];
  },
  StackPush: (c) => {
    c.list = tensorListPushBack(c.list, c.input(1), { name: nameForCopy(c.op.name) });
    return [c.input(1)];
  },
  StackPop: (c) => {
    const shape = elementDims(c.op.output(0).shape);
    const pop = tensorListPopBack(c.list, { dtype: c.store.dtype, shape }, { name: nameForCopy(c.op.name) });
    c.list = pop.list;
    return [pop.tensor];
  },
  StackClose: () => [],
};

/** The shape of the elements that are joined: what the op says of all dimensions but the first. */
function exceptFirst({ attrs }: Operation): TensorShape {
  const shape = attrs.has('element_shape_except0')
    ? attrs.shape('element_shape_except0')
    : TensorShape.UNKNOWN;
  return new TensorShape(shape.dims === null ? null : [null, ...shape.dims]);
}
