/**
 * Builders of optimizer updates, which change a variable and its slots in place. Their records are made
 * from the table in trainingUpdates.ts.
 */
import { applyOp, type NameOptions } from '../apply.js';
import { baseDType, isFloating, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import type { Operation } from '../operation.js';
import { lookupOp } from '../opTable.js';
import type { AttrInputs } from '../resolveOp.js';
import { Tensor, type TensorLike } from '../tensor.js';
import { variableHandle, type VariableLike } from './state.js';
import { cast } from './unary.js';
import { UPDATES, type UpdateName } from './trainingUpdates.js';

export { TRAINING, UPDATES, type UpdateName, type UpdateSpec } from './trainingUpdates.js';

/** Options that all updates share. `useLocking` is kept for files; runs are ordered anyway. */
export interface ApplyGradientOptions extends NameOptions {
  readonly useLocking?: boolean;
}

/**
 * `var -= alpha * delta` (`ResourceApplyGradientDescent`). `delta` has the variable's shape, `alpha` is a scalar.
 */
export function resourceApplyGradientDescent(
  variable: VariableLike,
  alpha: TensorLike,
  delta: TensorLike,
  { name, useLocking = false }: ApplyGradientOptions = {},
): Operation {
  return applyOp('ResourceApplyGradientDescent', [variableHandle(variable), alpha, delta], {
    name,
    attrs: { use_locking: useLocking },
  });
}

/**
 * `accum = momentum * accum + grad`, then `var -= lr * accum`, or with `useNesterov`
 * `var -= lr * (grad + momentum * accum)` (`ResourceApplyMomentum`).
 */
export function resourceApplyMomentum(
  variable: VariableLike,
  accum: VariableLike,
  lr: TensorLike,
  grad: TensorLike,
  momentum: TensorLike,
  { name, useLocking = false, useNesterov = false }: ApplyGradientOptions & { useNesterov?: boolean } = {},
): Operation {
  return applyOp(
    'ResourceApplyMomentum',
    [variableHandle(variable), variableHandle(accum), lr, grad, momentum],
    {
      name,
      attrs: { use_locking: useLocking, use_nesterov: useNesterov },
    },
  );
}

/** Hyper-parameters of Adam, all scalars; `beta1Power` and `beta2Power` are beta1 and beta2 to the power of the step. */
export interface AdamParameters {
  readonly beta1Power: TensorLike;
  readonly beta2Power: TensorLike;
  readonly lr: TensorLike;
  readonly beta1: TensorLike;
  readonly beta2: TensorLike;
  readonly epsilon: TensorLike;
}

/**
 * One step of Adam (Kingma and Ba, 2014, the form with epsilon outside the corrected root), on a
 * variable and its moments `m` and `v` (`ResourceApplyAdam`).
 */
export function resourceApplyAdam(
  variable: VariableLike,
  m: VariableLike,
  v: VariableLike,
  parameters: AdamParameters,
  grad: TensorLike,
  { name, useLocking = false, useNesterov = false }: ApplyGradientOptions & { useNesterov?: boolean } = {},
): Operation {
  const { beta1Power, beta2Power, lr, beta1, beta2, epsilon } = parameters;
  const inputs = [variable, m, v].map(variableHandle);
  return applyOp('ResourceApplyAdam', [...inputs, beta1Power, beta2Power, lr, beta1, beta2, epsilon, grad], {
    name,
    attrs: { use_locking: useLocking, use_nesterov: useNesterov },
  });
}

/** Inputs of an update under the names that the op gives them: `var`, `accum`, `lr`, `grad` … */
export interface UpdateInputs {
  /** Variable and slots under the names of the rule. */
  readonly state: Readonly<Record<string, VariableLike>>;
  /** Hyper-parameters, the gradient and, for a sparse update, `indices`. */
  readonly values: Readonly<Record<string, TensorLike>>;
}

/**
 * The update `rule` with inputs by name: `Resource[Sparse]Apply<rule>`, or the form for reference
 * variables where `var` is one. It is sparse when `indices` is given: a vector of row numbers, to which the rows of
 * `grad` belong; rows named several times are updated several times, in order. Numbers out of range are
 * passed over. Hyper-parameters are cast to the dtype of the variable. Throws `InvalidArgumentError` when an input is missing or has a name that the op does not have.
 */
export function applyUpdate(
  rule: UpdateName,
  { state, values }: UpdateInputs,
  { name, useLocking = false, attrs = {} }: ApplyGradientOptions & { readonly attrs?: AttrInputs } = {},
): Operation {
  const handles = Object.fromEntries(
    Object.entries(state).map(([key, value]) => [key, variableHandle(value)]),
  );
  const prefix = handles.var?.dtype === 'resource' ? 'Resource' : '';
  const type = `${prefix}${'indices' in values ? 'SparseApply' : 'Apply'}${rule}`;
  const inputs = lookupOp(type)?.inputs;
  if (inputs === undefined) {
    throw new InvalidArgumentError(`there is no op ${type}: ${UPDATES[rule].summary}`);
  }
  const given: Readonly<Record<string, TensorLike>> = { ...handles, ...values };
  const dtype = handles.var?.handle?.dtype ?? handles.var?.dtype;
  const extra = Object.keys(given).find((key) => inputs.every((input) => input.name !== key));
  if (extra !== undefined) throw new InvalidArgumentError(`${type} has no input "${extra}"`);
  const ordered = inputs.map((input) => {
    const value = given[input.name];
    if (value === undefined) throw new InvalidArgumentError(`${type}: input "${input.name}" is missing`);
    const isOwn = input.name in handles || ['grad', 'delta'].includes(input.name);
    return isOwn || dtype === undefined ? value : hyperParameter(value, dtype);
  });
  return applyOp(type, ordered, { name, attrs: { use_locking: useLocking, ...attrs } });
}

/** A float scalar in the dtype of the variable, which is float16 in some programs. A gradient must have the dtype by itself. */
function hyperParameter(value: TensorLike, dtype: DType): TensorLike {
  const isOther = value instanceof Tensor && value.shape.rank === 0 && value.dtype !== baseDType(dtype);
  return isOther && isFloating(value.dtype) ? cast(value, baseDType(dtype)) : value;
}
