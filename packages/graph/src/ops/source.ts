/** Where values enter a graph or pass through it: constants, placeholders, identities, grouping. */
import { checkOptions } from '../checkOptions.js';
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import type { DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { operationOf, type OperationLike } from '../graph.js';
import { noOutputs, sameShape } from '../inferHelpers.js';
import { notDifferentiable, op, type EvaluateContext, type InferContext } from '../opDef.js';
import type { Operation } from '../operation.js';
import { getDefaultGraph } from '../scopes.js';
import { TensorShape, type ShapeLike } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { toHostValue, type HostValue } from '../value.js';

const shapeAttr = (c: InferContext): TensorShape[] => [c.attrs.shape('shape')];

function constantShape(c: InferContext): TensorShape[] {
  const value = c.attrs.tensor('value');
  if (value.dtype !== c.attrs.type('dtype')) {
    c.fail(`the value is ${value.dtype}, attribute "dtype" says ${c.attrs.type('dtype')}`);
  }
  return [new TensorShape(value.shape)];
}

function constantValue({ attrs }: EvaluateContext): HostValue[] | null {
  const value = toHostValue(attrs.tensor('value'));
  return value === null ? null : [value];
}

export const SOURCE = {
  Const: op({
    summary: 'A constant value.',
    outputs: ['output: dtype'],
    attrs: ['value: tensor', 'dtype: type'],
    infer: constantShape,
    grad: () => [],
    evaluate: constantValue,
  }),

  HostConst: op({
    summary: 'A constant that TensorFlow keeps in the memory of the host.',
    outputs: ['output: dtype'],
    attrs: ['value: tensor', 'dtype: type'],
    infer: constantShape,
    grad: () => [],
    evaluate: constantValue,
    compose: ({ ops, attrs }) => [ops.constant(attrs.tensor('value'))],
  }),

  Placeholder: op({
    summary: 'A value that the caller feeds on every run.',
    outputs: ['output: dtype'],
    attrs: ['dtype: type', 'shape: shape = <unknown>'],
    infer: shapeAttr,
    grad: () => [],
  }),

  PlaceholderWithDefault: op({
    summary: 'A value that the caller may feed; otherwise the input.',
    inputs: ['input: dtype'],
    outputs: ['output: dtype'],
    attrs: ['dtype: type', 'shape: shape'],
    infer: (c) => {
      const shape = c.attrs.shape('shape');
      if (!shape.isCompatibleWith(c.shape(0))) {
        c.fail(`the default has shape ${c.shape(0).toString()}, attribute "shape" says ${shape.toString()}`);
      }
      return [c.compiling === true ? c.shape(0) : shape];
    },
    grad: ({ dy }) => [dy], // y = x
  }),

  Identity: op({
    summary: 'The input, unchanged.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: ['T: type'],
    infer: sameShape,
    grad: ({ dy }) => [dy],
    evaluate: (c) => {
      const value = c.value(0);
      return value === null ? null : [value];
    },
  }),

  IdentityN: op({
    summary: 'All inputs, unchanged.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: ['T: list(type) >= 1'],
    infer: (c) => c.shapes,
    grad: ({ dys }) => dys,
  }),

  StopGradient: op({
    summary: 'The input, through which no gradient flows.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: ['T: type'],
    infer: sameShape,
    grad: notDifferentiable('it stops gradients on purpose'),
  }),

  NoOp: op({
    summary: 'Does nothing; its control inputs do.',
    infer: noOutputs,
    grad: notDifferentiable('it has no outputs'),
    stateful: true,
  }),
};

/**
 * A tensor that must be fed on every run (`tf.placeholder`). `null` dimensions may differ from run
 * to run; `shape` `null` (the default) leaves the rank open too.
 */
export function placeholder(dtype: DType, shape: ShapeLike = null, options: NameOptions = {}): Tensor {
  const { name } = checkOptions('placeholder', options, "{ name: 'x' }");
  return apply('Placeholder', [], { name, attrs: { dtype, shape: TensorShape.of(shape) } });
}

/** A tensor that is fed or else takes `input` (`tf.placeholder_with_default`). */
export function placeholderWithDefault(
  input: TensorLike,
  shape: ShapeLike,
  { name }: NameOptions = {},
): Tensor {
  const value = convertToTensor(input);
  return apply('PlaceholderWithDefault', [value], {
    name,
    attrs: { dtype: value.dtype, shape: TensorShape.of(shape) },
  });
}

/** The same value under a new name (`tf.identity`). */
export function identity(input: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Identity', [input], { name });
}

/** The same values, as outputs of one node (`tf.identity_n`). */
export function identityN(inputs: readonly TensorLike[], { name }: NameOptions = {}): Tensor[] {
  return applyOp('IdentityN', [inputs], { name }).outputs;
}

/** The value, treated as a constant by `gradients` (`tf.stop_gradient`). */
export function stopGradient(input: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('StopGradient', [input], { name });
}

/** An operation that does nothing (`tf.no_op`). */
export function noOp({ name }: NameOptions = {}): Operation {
  return applyOp('NoOp', [], { name });
}

/** An operation that completes when all `inputs` have (`tf.group`). */
export function group(
  inputs: readonly OperationLike[],
  { name = 'group_deps' }: NameOptions = {},
): Operation {
  const graph = inputs[0] === undefined ? getDefaultGraph() : operationOf(inputs[0]).graph;
  return graph.createOp({ type: 'NoOp', name, controlInputs: inputs.map(operationOf) });
}

/** Copies of `tensors` that are available only when all of them and `controlInputs` are (`tf.tuple`). */
export function tuple(
  tensors: readonly Tensor[],
  { controlInputs = [], name = 'tuple' }: NameOptions & { controlInputs?: readonly OperationLike[] } = {},
): Tensor[] {
  const [first] = tensors;
  if (first === undefined) throw new InvalidArgumentError('tuple: at least one tensor is needed');
  return first.graph.nameScope(name, () => {
    const gate = group([...tensors, ...controlInputs]);
    return first.graph.controlDependencies([gate], () => tensors.map((tensor) => identity(tensor)));
  });
}
