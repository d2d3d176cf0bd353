/** What is asked of the session for one part of a run that is cut: operations, and values from the parts before. */
import { TensorValue, type Operation, type Tensor } from '@forerun/graph';
import type { Salt } from '@forerun/kernels-webgpu';
import type { VariableRef } from '../compiler/ir.js';
import type { Pruned } from '../compiler/prune.js';
import type { Feed } from './feeds.js';
import type { RuntimeTensor, RuntimeValue } from './runtimeValues.js';

/** What is to be run in one part, with feeds from the parts before. */
export interface PartRequest {
  /** Tells the function and what has been done of it. */
  readonly key: string;
  readonly operations: readonly Operation[];
  readonly fetches: readonly Tensor[];
  readonly targets: readonly Operation[];
  readonly feeds: readonly Feed[];
  readonly bound: NonNullable<Pruned['bound']>;
}

/** Operations, what is wanted of them, and a name for the cache. */
export interface Scope {
  readonly key: string;
  readonly operations: readonly Operation[];
  readonly fetches: readonly Tensor[];
  readonly targets: readonly Operation[];
  /** Of the random numbers that are drawn in it. */
  readonly salt: Salt;
}

/** The request for `operations`, which are left of a scope, where `known` is done. */
export function partRequest(
  scope: Scope,
  operations: readonly Operation[],
  known: ReadonlyMap<Tensor, RuntimeValue>,
): PartRequest {
  const left = new Set(operations);
  const given = new Map<Tensor, RuntimeValue>();
  for (const tensor of operations.flatMap((op) => op.inputs)) {
    const value = known.get(tensor);
    if (value !== undefined) given.set(tensor, value);
  }
  const fetches = scope.fetches.filter((tensor) => !known.has(tensor));
  const targets = scope.targets.filter((op) => left.has(op));
  const wanted = [...fetches.map(({ op, index }) => `${op.id}:${index}`), ...targets.map(({ id }) => id)];
  const parts = [...given].map(([{ op, index }, value]) => `${op.id}:${index}=${describeValue(value)}`);
  return {
    key: `${scope.key}|${operations.map(({ id }) => id).join()}|${wanted.join()}|${parts.join()}`,
    operations,
    fetches,
    targets,
    feeds: [...given].map(([tensor, value]) => feedOf(tensor, value)),
    bound: boundOf(given),
  };
}

/** The values that are no tensors. */
function boundOf(given: ReadonlyMap<Tensor, RuntimeValue>): PartRequest['bound'] {
  const bound = new Map<Tensor, VariableRef | 'list'>();
  for (const [tensor, value] of given) {
    const other = boundValue(value);
    if (other !== null) bound.set(tensor, other);
  }
  return bound;
}

function boundValue(value: RuntimeValue): VariableRef | 'list' | null {
  if (value.kind === 'list') return 'list';
  return value.kind === 'variable' ? value.variable : null;
}

function feedOf(tensor: Tensor, value: RuntimeValue): Feed {
  if (value.kind === 'tensor') {
    return {
      tensor,
      value: value.value ?? withoutElements(value),
      buffer: value.value === null ? value.buffer : null,
    };
  }
  return { tensor, value: new TensorValue('int32', [], Int32Array.of(0)), buffer: null };
}

/** What compilation sees of a value that is on the device. */
function withoutElements({ dtype, shape }: RuntimeTensor): TensorValue {
  return Object.create(TensorValue.prototype, {
    dtype: { value: dtype },
    shape: { value: shape },
    data: { value: new Float32Array(0) },
  }) as TensorValue;
}

function describeValue(value: RuntimeValue): string {
  if (value.kind === 'tensor') return `${value.shape.join('x')}${value.value === null ? '' : 'h'}`;
  return value.kind === 'list' ? 'list' : value.variable.key;
}

/** The value of a feed of the whole run. */
export function fedValue({ value, buffer }: Feed): RuntimeTensor {
  return {
    kind: 'tensor',
    dtype: value.dtype,
    shape: value.shape,
    buffer,
    value: buffer === null ? value : null,
  };
}
