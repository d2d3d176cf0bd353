/**
 * `customGradient`: a piece of graph whose gradient the caller writes. The results and the arguments
 * pass through one `IdentityN` node; its gradient is the caller's function, so that nothing flows into
 * the piece itself.
 */
import { convertToTensor } from './apply.js';
import { InvalidArgumentError } from './errors.js';
import { overrideGradient } from './gradients.js';
import type { Operation } from './operation.js';
import { zerosLike } from './ops/fill.js';
import { identity, identityN } from './ops/source.js';
import { Tensor, type TensorLike } from './tensor.js';

/** The value of a function and how gradients go back through it. */
export interface WithGradient<V extends Tensor | readonly Tensor[]> {
  readonly value: V;
  /**
   * From the gradient of each result (zeros where none flows) to the gradient of each argument, `null` for
   * an argument without one. A single argument's gradient need not be in a list. Must be made of graph ops,
   * and then has gradients itself.
   */
  readonly grad: (...dys: Tensor[]) => Tensor | null | readonly (Tensor | null)[];
}

/**
 * Gives a function a gradient of its own (`tf.custom_gradient`): `fn` gets the arguments as tensors and
 * returns `{ value, grad }`. The function that results builds `value` and returns it. Variables must be
 * passed as arguments to get a gradient. A graph file keeps the nodes but not the gradient function.
 * `gradients` throws `InvalidArgumentError` when `grad` gives another number of gradients than there are
 * arguments, or one of another shape.
 *
 * @example
 * const softplus = customGradient((x: Tensor) => ({
 *   value: log(exp(x).add(1)),
 *   grad: (dy: Tensor) => dy.mul(sigmoid(x)),
 * }));
 */
export function customGradient(
  fn: (...xs: Tensor[]) => WithGradient<Tensor>,
): (...xs: TensorLike[]) => Tensor;
export function customGradient(
  fn: (...xs: Tensor[]) => WithGradient<readonly Tensor[]>,
): (...xs: TensorLike[]) => Tensor[];
export function customGradient(
  fn: (...xs: Tensor[]) => WithGradient<Tensor | readonly Tensor[]>,
): (...xs: TensorLike[]) => Tensor | Tensor[] {
  return (...xs) => {
    const args = xs.map((x) => identity(convertToTensor(x)));
    const { value, grad } = checkResult(fn(...args));
    const results = value instanceof Tensor ? [value] : value;
    if (results.length === 0) throw new InvalidArgumentError('customGradient: the function gave no value');
    const passed = identityN([...results, ...args]).slice(0, results.length);
    const [first] = passed;
    if (first === undefined) return [];
    overrideGradient(first.op, ({ op, dys }) => {
      const filled = passed.map((y, i) => dys[i] ?? zerosLike(y));
      return [...results.map(() => null), ...argumentGradients(op, grad(...filled), args)];
    });
    return value instanceof Tensor ? first : passed;
  };
}

/** TensorFlow's function gives a pair, which plain JavaScript may hand over here. */
function checkResult<R extends WithGradient<Tensor | readonly Tensor[]>>(result: R): R {
  const { value, grad }: { value?: unknown; grad?: unknown } = Object(result) as object;
  const values: unknown[] = Array.isArray(value) ? value : [value];
  if (typeof grad === 'function' && values.every((item) => item instanceof Tensor)) return result;
  throw new InvalidArgumentError(
    'customGradient: the function must return { value, grad }: a tensor or a list of tensors, and a function ' +
      'from their gradients to those of the arguments',
  );
}

/** One gradient per argument, each of a shape that fits. */
function argumentGradients(
  op: Operation,
  given: Tensor | null | readonly (Tensor | null)[],
  args: readonly Tensor[],
): readonly (Tensor | null)[] {
  const dxs = given instanceof Tensor || given === null ? [given] : given;
  const fail = (rule: string): never => {
    throw new InvalidArgumentError(`customGradient "${op.name}": ${rule}${op.creationSite()}`, {
      node: op.name,
    });
  };
  if (dxs.length !== args.length) fail(`grad gave ${dxs.length} gradients for ${args.length} arguments`);
  dxs.forEach((dx, i) => {
    const x = args[i];
    if (dx === null || x === undefined || dx.shape.isCompatibleWith(x.shape)) return;
    fail(
      `the gradient of argument ${i} has shape ${dx.shape.toString()}, the argument ${x.shape.toString()}`,
    );
  });
  return dxs;
}
