/**
 * Gradients under a name, as TensorFlow 1 programs register them: `registerGradient` keeps a function, and nodes made
 * in `graph.gradientOverrideMap` ask for it by their attribute `_gradient_op_type`, which graph files keep.
 */
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from './errors.js';
import { nearestNames } from './names.js';
import type { GradFn } from './opDef.js';
import type { Operation } from './operation.js';
import { lookupOp } from './opTable.js';
import { Tensor } from './tensor.js';

/** The attribute by which a node asks for a gradient other than that of its op type. */
export const GRADIENT_OP_TYPE = '_gradient_op_type';

/**
 * From a node and the gradient of each of its outputs (zeros where none flows) to the gradient of each input, `null`
 * for an input without one. A single input's need not be in a list.
 */
export type RegisteredGradient = (
  op: Operation,
  ...dys: Tensor[]
) => Tensor | null | readonly (Tensor | null)[];

const registered = new Map<string, RegisteredGradient>();

/**
 * Keeps a gradient function under a name for `graph.gradientOverrideMap`, or for an op type that has no gradient
 * (`tf.RegisterGradient`). Names hold for the whole process. Throws `AlreadyExistsError` for a name that has a
 * function, among them the op types with gradients of their own.
 *
 * @example
 * registerGradient('ClippedIdentity', (op, dy) => clipByValue(dy, -1, 1));
 * const y = getDefaultGraph().gradientOverrideMap({ Identity: 'ClippedIdentity' }, () => identity(x));
 */
export function registerGradient(opType: string, grad: RegisteredGradient): void {
  if (opType === '') throw new InvalidArgumentError('registerGradient: the name must not be empty');
  if (registered.has(opType) || typeof lookupOp(opType)?.grad === 'function')
    throw new AlreadyExistsError(`registerGradient: "${opType}" has a gradient already`);
  registered.set(opType, grad);
}

/** The gradient that a node asks for by name, or that was registered for its type; `null` where neither is so. */
export function registeredGradient(op: Operation): GradFn | null {
  const name = op.attrs.has(GRADIENT_OP_TYPE) ? op.attrs.string(GRADIENT_OP_TYPE) : null;
  if (name === null || isOwnName(op.type, name)) return fromTable(op.type);
  const grad = fromTable(name) ?? recordOf(name);
  if (grad !== null) return grad;
  const near = nearestNames(name, registered.keys());
  const hint = near.length === 0 ? '' : `. Did you mean ${near.map((n) => `"${n}"`).join(', ')}?`;
  throw new NotFoundError(
    `${op.describe()} asks for the gradient "${name}", which nothing registered${hint}${op.creationSite()}`,
    { node: op.name },
  );
}

/** TensorFlow 2 gives each call of a function a name of its own for the gradient of that function. */
function isOwnName(type: string, name: string): boolean {
  return name === type || (type.endsWith('PartitionedCall') && /^(Stateful)?PartitionedCall-\d+$/.test(name));
}

/** An op may be given the gradient of another op. */
function recordOf(name: string): GradFn | null {
  const grad = lookupOp(name)?.grad;
  return typeof grad === 'function' ? grad : null;
}

function fromTable(name: string): GradFn | null {
  const grad = registered.get(name);
  if (grad === undefined) return null;
  return ({ op, dys, ops }) => {
    const filled = op.outputs.map((y, i) => dys[i] ?? ops.zerosLike(y));
    return checked(op, name, grad(op, ...filled));
  };
}

/** One gradient per input, each of a shape that fits. */
function checked(
  op: Operation,
  name: string,
  given: Tensor | null | readonly (Tensor | null)[],
): readonly (Tensor | null)[] {
  const fail = (rule: string): never => {
    throw new InvalidArgumentError(`the gradient "${name}" of ${op.describe()} ${rule}${op.creationSite()}`, {
      node: op.name,
    });
  };
  const dxs = given instanceof Tensor || given === null ? [given] : given;
  if (dxs.length !== op.inputs.length)
    return fail(`gave ${dxs.length} gradients for ${op.inputs.length} inputs`);
  dxs.forEach((dx, i) => {
    const x = op.inputs[i];
    if (dx === null || x === undefined || x.dtype === 'resource' || dx.shape.isCompatibleWith(x.shape))
      return;
    fail(`gave input ${i} of shape ${x.shape.toString()} a gradient of shape ${dx.shape.toString()}`);
  });
  return dxs;
}
