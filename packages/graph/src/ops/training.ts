/**
 * Records and builders of optimizer updates. Each changes a variable and its slots in place. The
 * `Resource` forms work on resource variables; the others are those of older files.
 */
import { applyOp, type NameOptions } from '../apply.js';
import { noOutputs } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import type { Operation } from '../operation.js';
import { TensorShape } from '../shape.js';
import type { TensorLike } from '../tensor.js';
import { variableHandle, type VariableLike } from './state.js';
import { inferHandle } from './stateInfer.js';

const UPDATE = notDifferentiable('it changes variables');

/** What an update takes: variable and slots first, then hyper-parameters, then or among them the gradient. */
interface UpdateSpec {
  readonly summary: string;
  /** Variable and slots, all of one shape. */
  readonly state: readonly string[];
  /** All other inputs in order; every one but `grad` is a scalar. */
  readonly values: readonly string[];
  /** Which of `values` has the variable's shape. */
  readonly grad: string;
  readonly attrs?: readonly string[];
}

function resourceUpdate({ summary, state, values, grad, attrs = [] }: UpdateSpec): OpDef {
  const names = [...state, ...values];
  return op({
    summary,
    inputs: [...state.map((name) => `${name}: resource`), ...values.map((name) => `${name}: T`)],
    attrs: ['T: numeric', 'use_locking: bool = false', ...attrs],
    infer: (c) => {
      const shapes = state.map((_, i) => inferHandle(c, i, 'T')?.shape ?? TensorShape.UNKNOWN);
      checkUpdate(c, shapes, names, grad);
      return noOutputs();
    },
    grad: UPDATE,
    stateful: true,
  });
}

function referenceUpdate({ summary, state, values, grad, attrs = [] }: UpdateSpec): OpDef {
  const names = [...state, ...values];
  return op({
    summary: `${summary.replace(/\.$/, '')}, on reference variables.`,
    inputs: [...state.map((name) => `${name}: Ref(T)`), ...values.map((name) => `${name}: T`)],
    outputs: ['out: Ref(T)'],
    attrs: ['T: numeric', 'use_locking: bool = false', ...attrs],
    infer: (c) => {
      checkUpdate(c, c.shapes.slice(0, state.length), names, grad);
      return [c.shape(0)];
    },
    grad: UPDATE,
    stateful: true,
  });
}

function checkUpdate(
  c: InferContext,
  state: readonly TensorShape[],
  names: readonly string[],
  grad: string,
): void {
  const [variable = TensorShape.UNKNOWN] = state;
  names.forEach((name, i) => {
    const shape = state[i] ?? c.shape(i);
    const whole = i < state.length || name === grad;
    if (whole && !shape.isCompatibleWith(variable)) {
      c.fail(`${name} has shape ${shape.toString()}, the variable has ${variable.toString()}`);
    }
    if (!whole && !shape.isCompatibleWith(TensorShape.SCALAR)) {
      c.fail(`${name} must be a scalar, got shape ${shape.toString()}`);
    }
  });
}

const GRADIENT_DESCENT: UpdateSpec = {
  summary: 'Gradient descent: var -= alpha * delta.',
  state: ['var'],
  values: ['alpha', 'delta'],
  grad: 'delta',
};
const MOMENTUM: UpdateSpec = {
  summary: 'Momentum: accum = momentum * accum + grad; var -= lr * accum.',
  state: ['var', 'accum'],
  values: ['lr', 'grad', 'momentum'],
  grad: 'grad',
  attrs: ['use_nesterov: bool = false'],
};
const ADAM: UpdateSpec = {
  summary: 'Adam: var -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon).',
  state: ['var', 'm', 'v'],
  values: ['beta1_power', 'beta2_power', 'lr', 'beta1', 'beta2', 'epsilon', 'grad'],
  grad: 'grad',
  attrs: ['use_nesterov: bool = false'],
};

export const TRAINING = {
  ResourceApplyGradientDescent: resourceUpdate(GRADIENT_DESCENT),
  ResourceApplyMomentum: resourceUpdate(MOMENTUM),
  ResourceApplyAdam: resourceUpdate(ADAM),
  ApplyGradientDescent: referenceUpdate(GRADIENT_DESCENT),
  ApplyMomentum: referenceUpdate(MOMENTUM),
  ApplyAdam: referenceUpdate(ADAM),
};

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
