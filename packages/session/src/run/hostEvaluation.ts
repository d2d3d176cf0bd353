/** Ops that are evaluated on the host in the middle of a run, from values that were read for it. */
import {
  fromHostValue,
  InvalidArgumentError,
  TensorShape,
  TensorValue,
  toHostValue,
  type HostValue,
  type Operation,
} from '@forerun/graph';
import type { TextPool } from '../device/texts.js';
import { hostTensor, type RuntimeTensor, type RuntimeValue } from './runtimeValues.js';

type Values = readonly (HostValue | null)[];

/** The results of `op`, or `null` where it cannot tell them. */
export function evaluate(
  op: Operation,
  tensors: readonly RuntimeTensor[],
  texts: TextPool,
): readonly RuntimeValue[] | null {
  return results(op, tensors, valuesOf(tensors, texts), texts);
}

/** As `evaluate`; before, the values are held against the op's rules, of which a graph can only check those on shapes. */
export function evaluateChecked(
  op: Operation,
  tensors: readonly RuntimeTensor[],
  texts: TextPool,
): readonly RuntimeValue[] | null {
  const values = valuesOf(tensors, texts);
  checkValues(op, tensors, values);
  return results(op, tensors, values, texts);
}

/** Texts as on the device, by their numbers. */
function valuesOf(tensors: readonly RuntimeTensor[], texts: TextPool): Values {
  return tensors.map(({ value }) => {
    if (value?.dtype !== 'string') return value === null ? null : toHostValue(value);
    const numbers = texts.numbers(value.data as readonly (string | Uint8Array)[], 'run');
    return { dtype: 'string', shape: value.shape, data: Float64Array.from(numbers) };
  });
}

function tensorOf(value: HostValue, texts: TextPool): TensorValue {
  if (value.dtype !== 'string') return fromHostValue(value);
  return new TensorValue('string', value.shape, texts.texts(value.data));
}

function results(
  op: Operation,
  tensors: readonly RuntimeTensor[],
  values: Values,
  texts: TextPool,
): readonly RuntimeValue[] | null {
  const shapes = tensors.map(({ shape }) => new TensorShape(shape));
  const found = op.def?.evaluate?.({
    attrs: op.attrs,
    shapes,
    outputs: op.outputs.map(({ dtype }) => dtype),
    shape: (i) => shapes[i] ?? TensorShape.UNKNOWN,
    value: (i) => values[i] ?? null,
  });
  return found?.map((value) => hostTensor(tensorOf(value, texts))) ?? null;
}

function checkValues(op: Operation, tensors: readonly RuntimeTensor[], values: Values): void {
  const shapes = tensors.map(({ shape }) => new TensorShape(shape));
  op.def?.infer({
    attrs: op.attrs,
    shapes,
    dtypes: tensors.map(({ dtype }) => dtype),
    compiling: true,
    shape: (i) => shapes[i] ?? TensorShape.UNKNOWN,
    constant: (i) => values[i] ?? null,
    handle: () => null,
    fail: (rule) => {
      throw new InvalidArgumentError(`${op.describe()}: ${rule}${op.creationSite()}`, { node: op.name });
    },
  });
}
