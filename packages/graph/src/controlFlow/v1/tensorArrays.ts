/** The tensor arrays of version 1 graphs as tensor lists: what was only an order, the flow, becomes the list itself. */
import { constant } from '../../apply.js';
import {
  elementDims,
  tensorListGather,
  tensorListGetItem,
  tensorListLength,
  tensorListReserve,
  tensorListScatterIntoExistingList,
  tensorListSetItem,
} from '../../ops/list.js';
import type { Operation } from '../../operation.js';
import { TensorShape } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import type { Translator } from './functionalize.js';
import type { Scope } from './scope.js';

/** What stands for the outputs of an op on tensor arrays, `null` for other ops. */
export function translateTensorArray(
  translator: Translator,
  op: Operation,
  scope: Scope,
): readonly Tensor[] | null {
  const make = Object.hasOwn(MAKERS, op.type) ? MAKERS[op.type] : undefined;
  if (make === undefined) return null;
  // The first input of most is the handle, for which nothing is needed but the array it stands for.
  const values = op.inputs.map((input) => translator.value(input, scope));
  return scope.within(() => make(op, values));
}

type Maker = (op: Operation, inputs: readonly Tensor[]) => readonly Tensor[];

/** The number of inputs is checked when the node is made. */
function take<const N extends readonly number[]>(
  inputs: readonly Tensor[],
  ...positions: N
): { [K in keyof N]: Tensor } {
  return positions.map((i) => inputs[i]) as { [K in keyof N]: Tensor };
}

const MAKERS: Readonly<Record<string, Maker>> = {
  TensorArrayV3: (op, inputs) => {
    const [size] = take(inputs, 0);
    const element = { dtype: op.attrs.type('dtype'), shape: elementDims(declaredShape(op)) };
    const list = tensorListReserve(element, size, { name: op.name });
    return [constant(0, { dtype: 'int32' }), list];
  },
  TensorArrayWriteV3: (op, inputs) => {
    const [index, value, flow] = take(inputs, 1, 2, 3);
    return [tensorListSetItem(flow, index, value, { name: op.name, resize: growsByWriting(op.inputs[0]) })];
  },
  TensorArrayReadV3: (op, inputs) => {
    const [index, flow] = take(inputs, 1, 2);
    const element = {
      dtype: op.attrs.type('dtype'),
      shape: elementDims(flow.handle?.shape ?? TensorShape.UNKNOWN),
    };
    return [tensorListGetItem(flow, index, element, { name: op.name })];
  },
  TensorArrayGatherV3: (op, inputs) => {
    const [indices, flow] = take(inputs, 1, 2);
    const asked = declaredShape(op);
    const shape = flow.handle?.shape.mergeWith(asked) ?? asked;
    return [tensorListGather(flow, indices, elementDims(shape), op.attrs.type('dtype'), { name: op.name })];
  },
  TensorArrayScatterV3: (op, inputs) => {
    const [indices, value, flow] = take(inputs, 1, 2, 3);
    return [tensorListScatterIntoExistingList(flow, value, indices, { name: op.name })];
  },
  TensorArraySizeV3: (op, inputs) => [tensorListLength(take(inputs, 1)[0], { name: op.name })],
  TensorArrayCloseV3: () => [],
};

/** Whether the array behind a handle may be written past its end. */
function growsByWriting(handle: Tensor | undefined): boolean {
  if (handle === undefined) return false;
  if (handle.op.type === 'TensorArrayV3')
    return handle.op.attrs.has('dynamic_size') && handle.op.attrs.bool('dynamic_size');
  return growsByWriting(handle.op.inputs[0]);
}

/** Files may leave out what is the default: an unknown shape. */
function declaredShape({ attrs }: Operation): TensorShape {
  return attrs.has('element_shape') ? attrs.shape('element_shape') : TensorShape.UNKNOWN;
}
