/** Builds single nodes for tests: from sample inputs, and from shapes written in the mini-language. */
import {
  Graph,
  InternalError,
  TensorShape,
  TensorValue,
  builders,
  composeContext,
  fromHostValue,
  lookupOp,
  toHostValue,
  toTensorValue,
  type ArgSpec,
  type AttrInputs,
  type DType,
  type HostValue,
  type NestedArray,
  type OpDef,
  type Operation,
  type Tensor,
} from '@forerun/graph';
import type { Sample, SampleInput } from './sample.js';

/** The definition of a registered op. Throws for other names. */
export function definitionOf(type: string): OpDef {
  const def = lookupOp(type);
  if (def === undefined) throw new InternalError(`op type ${type} is not registered`);
  return def;
}

function isSampleInput(input: NestedArray | SampleInput): input is SampleInput {
  return typeof input === 'object' && !Array.isArray(input) && 'value' in input;
}

/** The values of a sample's inputs, rounded to their dtypes. */
export function sampleInputs(sample: Sample): HostValue[] {
  return sample.inputs.map((input) => {
    const { value, dtype, shape } = isSampleInput(input) ? input : { value: input };
    return hostValue(toTensorValue(value, dtype, shape));
  });
}

/** The working form of a value. Throws for dtypes without numbers. */
export function hostValue(value: TensorValue | HostValue): HostValue {
  if (!(value instanceof TensorValue)) return value;
  const host = toHostValue(value);
  if (host === null) throw new InternalError(`${value.dtype} values have no working form`);
  return host;
}

/** How an input enters the scratch graph. */
export type InputForm = 'const' | 'placeholder';

/**
 * A graph with one node of `type`. Input `i` is a `Const` or a `Placeholder` of the value's shape as
 * `form(i)` says; resource inputs become variables of the value's dtype and shape.
 */
export function makeNode(
  type: string,
  inputs: readonly HostValue[],
  attrs: AttrInputs,
  form: (i: number) => InputForm = () => 'const',
): Operation {
  const graph = new Graph();
  const dtypes = argDTypes(definitionOf(type), inputs.length);
  const tensors = inputs.map((value, i) => {
    if (dtypes[i] === 'resource') return variableNode(graph, value.dtype, new TensorShape(value.shape));
    if (form(i) === 'placeholder') return placeholderNode(graph, value.dtype, new TensorShape(value.shape));
    return constantNode(graph, fromHostValue(value));
  });
  return graph.createOp({ type, name: 'node', inputs: tensors, attrs });
}

/** The ops that a node is made of, in a graph of their own whose placeholders take the values of its inputs. */
export function partsOf(
  op: Operation,
  inputs: readonly HostValue[],
): { outputs: readonly Tensor[]; feeds: ReadonlyMap<Tensor, HostValue> } {
  const { compose } = definitionOf(op.type);
  if (compose === undefined) throw new InternalError(`${op.type} is not made of other ops`);
  const graph = new Graph();
  const tensors = inputs.map(({ dtype, shape }) => placeholderNode(graph, dtype, new TensorShape(shape)));
  const parts = { attrs: op.attrs, inputs: tensors, ops: builders };
  const outputs = graph.asDefault(() => compose(composeContext(parts, (i) => inputs[i] ?? null)));
  return { outputs, feeds: new Map(inputs.flatMap((value, i) => (tensors[i] ? [[tensors[i], value]] : []))) };
}

/** A `Const` node in `graph`. */
export function constantNode(graph: Graph, value: TensorValue): Tensor {
  return graph.createOp({ type: 'Const', attrs: { value, dtype: value.dtype } }).output(0);
}

/** A `Placeholder` node in `graph`. */
export function placeholderNode(graph: Graph, dtype: DType, shape: TensorShape): Tensor {
  return graph.createOp({ type: 'Placeholder', attrs: { dtype, shape } }).output(0);
}

/** A `VarHandleOp` node in `graph`. */
export function variableNode(graph: Graph, dtype: DType, shape: TensorShape): Tensor {
  return graph.createOp({ type: 'VarHandleOp', attrs: { dtype, shape } }).output(0);
}

/** A `VariableV2` node in `graph`: a variable by reference. */
export function referenceNode(graph: Graph, dtype: DType, shape: TensorShape): Tensor {
  return graph.createOp({ type: 'VariableV2', attrs: { dtype, shape } }).output(0);
}

/** A tensor list in `graph` of elements of this dtype and shape. */
export function listNode(graph: Graph, dtype: DType, element: TensorShape): Tensor {
  const dims = element.dims?.map((dim) => dim ?? -1);
  const [shape, size] = [dims ?? -1, -1].map((value) =>
    constantNode(graph, toTensorValue(value, 'int32', Array.isArray(value) ? [value.length] : [])),
  ) as [Tensor, Tensor];
  const attrs = { element_dtype: dtype, shape_type: 'int32' };
  return graph.createOp({ type: 'EmptyTensorList', inputs: [shape, size], attrs }).output(0);
}

/** The argument of the signature that each of `count` inputs belongs to. */
export function argSpecs(def: OpDef, count: number): ArgSpec[] {
  const variadic = def.inputs.filter((arg) => arg.numberAttr !== undefined || arg.typeListAttr !== undefined);
  const each = variadic.length === 0 ? 1 : (count - (def.inputs.length - variadic.length)) / variadic.length;
  return def.inputs.flatMap((arg) =>
    new Array<ArgSpec>(variadic.includes(arg) ? Math.max(0, Math.floor(each)) : 1).fill(arg),
  );
}

/** The dtype that the signature gives each of `count` inputs: fixed, by default, or float32 where allowed. */
export function argDTypes(def: OpDef, count: number): DType[] {
  return argSpecs(def, count).map((arg) => {
    const spec = def.attrs.find((attr) => attr.name === arg.typeAttr);
    const fallback = spec?.default?.kind === 'type' ? spec.default.value : undefined;
    const allowed = spec?.allowed ?? ['float32'];
    return arg.dtype ?? fallback ?? ((allowed.includes('float32') ? 'float32' : allowed[0]) as DType);
  });
}
