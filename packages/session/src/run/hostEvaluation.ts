/** Ops that are evaluated on the host in the middle of a run, from values that were read for it. */
import {
  fromHostValue,
  InvalidArgumentError,
  TensorShape,
  toHostValue,
  type HostValue,
  type Operation,
} from '@forerun/graph';
import { hostTensor, type RuntimeTensor, type RuntimeValue } from './runtimeValues.js';

/** The results of `op`, or `null` where it cannot tell them. */
export function evaluate(op: Operation, tensors: readonly RuntimeTensor[]): readonly RuntimeValue[] | null {
  const values = valuesOf(tensors);
  const shapes = tensors.map(({ shape }) => new TensorShape(shape));
  const results = op.def?.evaluate?.({
    attrs: op.attrs,
    shapes,
    outputs: op.outputs.map(({ dtype }) => dtype),
    shape: (i) => shapes[i] ?? TensorShape.UNKNOWN,
    value: (i) => values[i] ?? null,
  });
  return results?.map((value) => hostTensor(fromHostValue(value))) ?? null;
}

function valuesOf(tensors: readonly RuntimeTensor[]): (HostValue | null)[] {
  return tensors.map(({ value }) => (value === null ? null : toHostValue(value)));
}

/** Holds the values against the op's rules, of which a graph can only check those on shapes. */
export function checkValues(op: Operation, tensors: readonly RuntimeTensor[]): void {
  const values = valuesOf(tensors);
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
