/**
 * What builders call: converts literals and variables to tensors by the op's signature, then
 * creates the node in the graph of its inputs (or the default graph).
 */
import { baseDType, type DType } from './dtype.js';
import { InternalError, InvalidArgumentError } from './errors.js';
import type { Graph } from './graph.js';
import { topGraph } from './graphStack.js';
import type { OpDef } from './opDef.js';
import type { Operation } from './operation.js';
import { lookupOp } from './opTable.js';
import type { AttrInputs } from './resolveOp.js';
import { getDefaultGraph } from './scopes.js';
import type { ArgSpec } from './signature.js';
import { isTensorConvertible, Tensor, type MixedArray, type TensorLike } from './tensor.js';
import type { TensorValue } from './value.js';
import { defaultDType, toTensorValue, type ValueLike } from './value.js';

/** What every builder takes last. */
export interface NameOptions {
  /** Name of the node below the current scope; default: the op type. */
  readonly name?: string | undefined;
}

/** Inputs by argument: one tensor, or a list for repeated arguments. */
export type ApplyInput = TensorLike | readonly TensorLike[];

/** Attributes of an `applyOp` call; `name` is the node's name. */
export type ApplyOptions = NameOptions & { readonly attrs?: AttrInputs };

/**
 * Creates a node of type `type`. `inputs` has one entry per declared argument; repeated arguments
 * take a list. Literals take the dtype that the signature or the other inputs demand.
 */
export function applyOp(type: string, inputs: readonly ApplyInput[], options: ApplyOptions = {}): Operation {
  const def = lookupOp(type);
  if (def === undefined) throw new InternalError(`op type ${type} is not registered`);
  const attrs = options.attrs ?? {};
  if (areTensors(def, inputs)) {
    const graph = topGraph() ?? inputs[0]?.graph ?? getDefaultGraph();
    return graph.createOp({ type, name: options.name, inputs, attrs });
  }
  const groups = def.inputs.map((arg, i) => inputGroup(arg, inputs[i], type));
  const graph = graphOf(groups.flat());
  const flat = convertInputs(graph, def, groups, attrs);
  return graph.createOp({ type, name: options.name, inputs: flat, attrs });
}

/** Whether nothing needs to be converted: the usual case, worth a short cut in large graphs. */
function areTensors(def: OpDef, inputs: readonly ApplyInput[]): inputs is readonly Tensor[] {
  if (inputs.length !== def.inputs.length) return false;
  return def.inputs.every((arg, i) => inputs[i] instanceof Tensor && !isRepeated(arg));
}

/** As `applyOp`, for ops with one output. */
export function apply(type: string, inputs: readonly ApplyInput[], options?: ApplyOptions): Tensor {
  return applyOp(type, inputs, options).output(0);
}

/**
 * Makes a `Const` node (`tf.constant`). Numbers become float32, booleans bool, text string unless
 * `dtype` says otherwise; `shape` reshapes or fills from one value.
 */
export function constant(
  value: ValueLike,
  { dtype, shape, name }: NameOptions & { dtype?: DType; shape?: readonly number[] } = {},
): Tensor {
  return makeConstant(getDefaultGraph(), toTensorValue(value, dtype, shape), name);
}

/** Converts a value, variable or tensor to a tensor (`tf.convert_to_tensor`). */
export function convertToTensor(
  value: TensorLike,
  { dtype, name }: NameOptions & { dtype?: DType | undefined } = {},
): Tensor {
  if (value instanceof Tensor) return checkDType(value, dtype);
  if (isTensorConvertible(value)) return checkDType(value.asTensor(), dtype);
  if (holdsTensors(value)) return checkDType(packed(value, name), dtype);
  return makeConstant(getDefaultGraph(), toTensorValue(value, dtype), name);
}

function makeConstant(graph: Graph, value: TensorValue, name = 'Const'): Tensor {
  return graph.createOp({ type: 'Const', name, attrs: { value, dtype: value.dtype } }).output(0);
}

function checkDType(tensor: Tensor, dtype: DType | undefined): Tensor {
  if (dtype !== undefined && baseDType(tensor.dtype) !== dtype) {
    throw new InvalidArgumentError(`${tensor.name} is ${tensor.dtype}, expected ${dtype}`, {
      node: tensor.op.name,
    });
  }
  return tensor;
}

/** Whether an argument takes a list of tensors. */
function isRepeated(arg: ArgSpec): boolean {
  return arg.numberAttr !== undefined || arg.typeListAttr !== undefined;
}

function inputGroup(arg: ArgSpec, input: ApplyInput | undefined, type: string): readonly TensorLike[] {
  if (input === undefined) throw new InvalidArgumentError(`${type}: input "${arg.name}" is missing`);
  if (!isRepeated(arg)) return [resolveVariable(input as TensorLike)];
  if (!Array.isArray(input))
    throw new InvalidArgumentError(`${type}: input "${arg.name}" takes a list of tensors`);
  return (input as readonly TensorLike[]).map(resolveVariable);
}

function resolveVariable(input: TensorLike): TensorLike {
  if (isTensorConvertible(input)) return input.asTensor();
  return holdsTensors(input) ? packed(input) : input;
}

/** A list with tensors among its elements, such as the shape `[n, -1]`. */
export function holdsTensors(input: unknown): input is MixedArray {
  if (!Array.isArray(input)) return false;
  return input.some((item) => item instanceof Tensor || isTensorConvertible(item) || holdsTensors(item));
}

/** Stacks a list of tensors and literals, as TensorFlow does wherever it wants a tensor. */
function packed(list: MixedArray, name = 'packed'): Tensor {
  return apply('Pack', [list], { name });
}

function graphOf(inputs: readonly TensorLike[]): Graph {
  const tensor = inputs.find((input) => input instanceof Tensor);
  return topGraph() ?? (tensor instanceof Tensor ? tensor.graph : getDefaultGraph());
}

function convertInputs(
  graph: Graph,
  def: OpDef,
  groups: readonly (readonly TensorLike[])[],
  attrs: AttrInputs,
): Tensor[] {
  const types = boundTypes(def, groups, attrs);
  const tensors: Tensor[] = [];
  // Loops rather than callbacks: call sites keep few frames.
  for (const [i, group] of groups.entries()) {
    const arg = def.inputs[i];
    const dtype = arg?.dtype ?? types.get(arg?.typeAttr ?? '');
    for (const input of group) {
      tensors.push(
        input instanceof Tensor
          ? input
          : makeConstant(
              graph,
              toTensorValue(input as ValueLike, dtype ?? literalDType(def, arg, input as ValueLike)),
            ),
      );
    }
  }
  return tensors;
}

/** Dtypes that type attributes get from tensors among the inputs, or from the caller. */
function boundTypes(
  def: OpDef,
  groups: readonly (readonly TensorLike[])[],
  attrs: AttrInputs,
): Map<string, DType> {
  const types = new Map<string, DType>();
  for (const { name, kind } of def.attrs) {
    const given = attrs[name];
    if (kind === 'type' && typeof given === 'string') types.set(name, given as DType);
  }
  groups.forEach((group, i) => {
    const attr = def.inputs[i]?.typeAttr;
    const tensor = group.find((input) => input instanceof Tensor);
    if (attr !== undefined && tensor instanceof Tensor && !types.has(attr)) {
      types.set(attr, baseDType(tensor.dtype));
    }
  });
  return types;
}

/** The dtype of a literal that no other input decides: its own if allowed, else the declared default. */
function literalDType(def: OpDef, arg: ArgSpec | undefined, value: ValueLike): DType {
  const spec = def.attrs.find((attr) => attr.name === arg?.typeAttr);
  const own = defaultDType(value);
  if (spec?.allowed === undefined || spec.allowed.includes(own)) {
    return spec?.default?.kind === 'type' && own === 'float32' ? spec.default.value : own;
  }
  if (spec.default?.kind === 'type') return spec.default.value;
  return (spec.allowed[0] ?? own) as DType;
}
