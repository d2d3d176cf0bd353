/**
 * The records of optimizer updates, made from one table. Each update changes a variable and its slots
 * in place. Every rule has a form for resource variables and most have one for the reference variables
 * of older files; many have sparse forms, which change only the rows that `indices` names.
 */
import { noOutputs } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
import { inferHandle } from './stateInfer.js';

/** What an update takes: variable and slots first, then hyper-parameters, then or among them the gradient. */
export interface UpdateSpec {
  readonly summary: string;
  /** Variable and slots, all of one shape. */
  readonly state: readonly string[];
  /** All other inputs in order: scalars, and the gradient, called `grad` or `delta`. */
  readonly values: readonly string[];
  readonly attrs?: readonly string[];
}

const update = (
  summary: string,
  state: string,
  values: string,
  attrs: readonly string[] = [],
): UpdateSpec => ({ summary, state: state.split(' '), values: values.split(' '), attrs });

/** Rules with dense and sparse forms, each on resource and on reference variables. */
const WITH_SPARSE = {
  Momentum: update(
    'Momentum: accum = momentum * accum + grad; var -= lr * accum.',
    'var accum',
    'lr grad momentum',
    ['use_nesterov: bool = false'],
  ),
  Adagrad: update('Adagrad: accum += grad^2; var -= lr * grad / sqrt(accum).', 'var accum', 'lr grad', [
    'update_slots: bool = true',
  ]),
  AdagradV2: update(
    'Adagrad with epsilon: accum += grad^2; var -= lr * grad / (sqrt(accum) + epsilon).',
    'var accum',
    'lr epsilon grad',
    ['update_slots: bool = true'],
  ),
  Adadelta: update(
    'Adadelta: steps scaled by the ratio of the running sizes of past steps and of gradients.',
    'var accum accum_update',
    'lr rho epsilon grad',
  ),
  RMSProp: update(
    'RMSProp: ms = rho * ms + (1 - rho) * grad^2; mom = momentum * mom + lr * grad / sqrt(ms + epsilon); var -= mom.',
    'var ms mom',
    'lr rho momentum epsilon grad',
  ),
  CenteredRMSProp: update(
    'RMSProp that divides by an estimate of the standard deviation of the gradient.',
    'var mg ms mom',
    'lr rho momentum epsilon grad',
  ),
  Ftrl: update('FTRL-proximal.', 'var accum linear', 'grad lr l1 l2 lr_power'),
  FtrlV2: update(
    'FTRL-proximal with shrinkage: 2 * l2_shrinkage * var is added to the gradient.',
    'var accum linear',
    'grad lr l1 l2 l2_shrinkage lr_power',
  ),
  ProximalGradientDescent: update(
    'Gradient descent followed by the proximal step of l1 and l2 penalties.',
    'var',
    'alpha l1 l2 delta',
  ),
  ProximalAdagrad: update(
    'Adagrad followed by the proximal step of l1 and l2 penalties.',
    'var accum',
    'lr l1 l2 grad',
  ),
  AdagradDA: update(
    'Adagrad with dual averaging: the variable is computed anew from the sums of all gradients.',
    'var gradient_accumulator gradient_squared_accumulator',
    'grad lr l1 l2 global_step',
  ),
};

/** Rules without a sparse form. */
const DENSE = {
  GradientDescent: update('Gradient descent: var -= alpha * delta.', 'var', 'alpha delta'),
  Adam: update(
    'Adam: var -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon).',
    'var m v',
    'beta1_power beta2_power lr beta1 beta2 epsilon grad',
    ['use_nesterov: bool = false'],
  ),
  AdaMax: update(
    'AdaMax: v = max(beta2 * v, |grad|); var -= lr / (1 - beta1^t) * m / (v + epsilon).',
    'var m v',
    'beta1_power lr beta1 beta2 epsilon grad',
  ),
  AddSign: update(
    'AddSign: var -= lr * (alpha + sign_decay * sign(grad) * sign(m)) * grad.',
    'var m',
    'lr alpha sign_decay beta grad',
  ),
  PowerSign: update(
    'PowerSign: var -= lr * exp(logbase * sign_decay * sign(grad) * sign(m)) * grad.',
    'var m',
    'lr logbase sign_decay beta grad',
  ),
};

/** Rules that came after reference variables. */
const RESOURCE_WITH_SPARSE = {
  KerasMomentum: update(
    'Momentum that holds the rate: accum = momentum * accum - lr * grad; var += accum.',
    'var accum',
    'lr grad momentum',
    ['use_nesterov: bool = false'],
  ),
};
const RESOURCE_DENSE = {
  AdamWithAmsgrad: update(
    'Adam that divides by the largest second moment so far.',
    'var m v vhat',
    'beta1_power beta2_power lr beta1 beta2 epsilon grad',
  ),
};

/** Every update rule under the name that its ops share. */
export const UPDATES = { ...WITH_SPARSE, ...RESOURCE_WITH_SPARSE, ...DENSE, ...RESOURCE_DENSE };
export type UpdateName = keyof typeof UPDATES;

const UPDATE = notDifferentiable('it changes variables');
const isGradient = (name: string): boolean => name === 'grad' || name === 'delta';
/** Only dual averaging counts steps by a tensor. */
const dtypeOf = (name: string): string => (name === 'global_step' ? 'int64' : 'T');

/** Positions of what an update takes besides scalars. */
interface Layout {
  readonly names: readonly string[];
  readonly state: number;
  readonly grad: number;
  /** Position of the row numbers, -1 in dense forms. */
  readonly indices: number;
}

function layout({ state, values }: UpdateSpec, sparse: boolean): Layout {
  const given = sparse ? values.flatMap((name) => (isGradient(name) ? ['grad', 'indices'] : [name])) : values;
  const names = [...state, ...given];
  return {
    names,
    state: state.length,
    grad: names.findIndex(isGradient),
    indices: names.indexOf('indices'),
  };
}

function signature(spec: UpdateSpec, { names, state, indices }: Layout, stateType: string) {
  return {
    inputs: names.map((name, i) => {
      if (i < state) return `${name}: ${stateType}`;
      return i === indices ? `${name}: Tindices` : `${name}: ${dtypeOf(name)}`;
    }),
    attrs: [
      'T: numeric',
      ...(indices < 0 ? [] : ['Tindices: index']),
      'use_locking: bool = false',
      ...(spec.attrs ?? []),
    ],
  };
}

const onRows = (summary: string, sparse: boolean): string =>
  sparse ? `${summary.replace(/\.$/, '')}, on the rows that indices name.` : summary;

function resourceUpdate(spec: UpdateSpec, sparse: boolean): OpDef {
  const places = layout(spec, sparse);
  return op({
    summary: onRows(spec.summary, sparse),
    ...signature(spec, places, 'resource'),
    infer: (c) => {
      const shapes = spec.state.map((_, i) => inferHandle(c, i, 'T')?.shape ?? TensorShape.UNKNOWN);
      checkUpdate(c, shapes, places);
      return noOutputs();
    },
    grad: UPDATE,
    stateful: true,
  });
}

function referenceUpdate(spec: UpdateSpec, sparse: boolean): OpDef {
  const places = layout(spec, sparse);
  return op({
    summary: `${onRows(spec.summary, sparse).replace(/\.$/, '')}, on reference variables.`,
    ...signature(spec, places, 'Ref(T)'),
    outputs: ['out: Ref(T)'],
    infer: (c) => {
      checkUpdate(c, c.shapes.slice(0, places.state), places);
      return [c.shape(0)];
    },
    grad: UPDATE,
    stateful: true,
  });
}

function checkUpdate(c: InferContext, state: readonly TensorShape[], places: Layout): void {
  const [variable = TensorShape.UNKNOWN] = state;
  const gradient = places.indices < 0 ? variable : rowsOf(c, variable, places.indices);
  places.names.forEach((name, i) => {
    if (i === places.indices) return;
    const shape = state[i] ?? c.shape(i);
    const wanted = i < places.state ? variable : i === places.grad ? gradient : null;
    if (wanted !== null && !shape.isCompatibleWith(wanted)) {
      const rule =
        wanted === variable
          ? `the variable has ${variable.toString()}`
          : `${wanted.toString()} is needed for these indices of a variable of shape ${variable.toString()}`;
      c.fail(`${name} has shape ${shape.toString()}, ${rule}`);
    }
    if (wanted === null && !shape.isCompatibleWith(TensorShape.SCALAR)) {
      c.fail(`${name} must be a scalar, got shape ${shape.toString()}`);
    }
  });
}

/** The shape of a gradient that has one row per index. */
function rowsOf(c: InferContext, variable: TensorShape, at: number): TensorShape {
  const indices = c.shape(at);
  if (indices.rank !== null && indices.rank !== 1) {
    c.fail(`indices must be a vector, got shape ${indices.toString()}`);
  }
  if (variable.rank === 0) c.fail('a scalar variable has no rows to update');
  if (variable.rank === null) return TensorShape.UNKNOWN;
  return new TensorShape([indices.rank === null ? null : indices.dim(0)]).concat(variable.slice(1));
}

/** The records of all `specs`, their names behind `prefix`. */
function records<P extends string, K extends string>(
  prefix: P,
  specs: Readonly<Record<K, UpdateSpec>>,
  make: (spec: UpdateSpec, sparse: boolean) => OpDef,
): Record<`${P}${K}`, OpDef> {
  const sparse = prefix.includes('Sparse');
  const entries = Object.entries<UpdateSpec>(specs).map(([name, spec]) => [
    prefix + name,
    make(spec, sparse),
  ]);
  return Object.fromEntries(entries) as Record<`${P}${K}`, OpDef>;
}

export const TRAINING = {
  ...records('ResourceApply', UPDATES, resourceUpdate),
  ...records('ResourceSparseApply', { ...WITH_SPARSE, ...RESOURCE_WITH_SPARSE }, resourceUpdate),
  ...records('Apply', { ...WITH_SPARSE, ...DENSE }, referenceUpdate),
  ...records('SparseApply', WITH_SPARSE, referenceUpdate),
};
