/** Host steps of the ops that look at values: assertions, printing, functions of the host program. */
import {
  hostFunctionOf,
  InvalidArgumentError,
  isTypedArray,
  NotFoundError,
  OutOfRangeError,
  toTensorValue,
  TensorValue,
  type DType,
  type NestedArray,
  type ValueLike,
} from '@forerun/graph';
import type { HostStepFn } from './hostOps.js';

/** The first elements of a tensor, as messages show them: `[1 2 3...]`. */
export function summary(value: TensorValue, count: number): string {
  return nested(value.toArray(), count < 0 ? Infinity : count);
}

function nested(value: NestedArray, count: number): string {
  if (!Array.isArray(value)) return String(value);
  const shown = value.slice(0, count).map((item) => nested(item as NestedArray, count));
  return `[${shown.join(' ')}${value.length > count ? '...' : ''}]`;
}

const assertStep: HostStepFn = (node, [condition, ...data]) => {
  if (Number(condition?.data[0] ?? 0) !== 0) return [];
  const shown = data.map((value) => `[${summary(value, node.attrs.int('summarize'))}]`);
  throw new InvalidArgumentError(
    `Assert "${node.name}": assertion failed: ${shown.join(' ')}${node.site()}`,
    {
      node: node.name,
    },
  );
};

const printed = new WeakMap<object, number>();

const printStep: HostStepFn = (node, [input, ...data], { print }) => {
  const limit = node.attrs.int('first_n');
  const times = printed.get(node) ?? 0;
  printed.set(node, times + 1);
  if (limit < 0 || times < limit) {
    const shown = data.map((value) => `[${summary(value, node.attrs.int('summarize'))}]`);
    print(`${node.attrs.string('message')}${shown.join('')}`, 'stderr');
  }
  return input === undefined ? [] : [input];
};

const printV2: HostStepFn = (node, [text], { print }) => {
  print(String(text?.data[0] ?? ''), node.attrs.string('output_stream') === 'stdout' ? 'stdout' : 'stderr');
  return [];
};

const stringFormat: HostStepFn = (node, inputs) => {
  const parts = node.attrs.string('template').split(node.attrs.string('placeholder'));
  const values = inputs.map((input) => summary(input, node.attrs.int('summarize')));
  const text = parts.map((part, i) => (i === 0 ? part : `${values[i - 1] ?? ''}${part}`)).join('');
  return [new TensorValue('string', [], [text])];
};

/** Gets the count before it grows. */
const countUpTo: HostStepFn = (node, [count]) => {
  const limit = node.attrs.int('limit');
  if (Number(count?.data[0] ?? 0) < limit) return [];
  throw new OutOfRangeError(`${node.type} "${node.name}": reached limit of ${limit}${node.site()}`, {
    node: node.name,
  });
};

/** Gets the tensor and, as a bool scalar, whether all elements are finite (see the program builder). */
const checkNumerics: HostStepFn = (node, [finite]) => {
  if (Number(finite?.data[0] ?? 0) !== 0) return [];
  throw new InvalidArgumentError(
    `CheckNumerics "${node.name}": ${node.attrs.string('message')} : the tensor has NaN or infinite elements${node.site()}`,
    { node: node.name },
  );
};

const hostFunction: HostStepFn = async (node, inputs) => {
  const func = hostFunctionOf(node.attrs.string('token'));
  if (func === undefined) {
    throw new NotFoundError(
      `${node.type} "${node.name}": its function is not part of this program: graph files do not keep functions${node.site()}`,
      { node: node.name },
    );
  }
  const result: unknown = await func(...inputs);
  const types = node.attrs.types('Tout');
  const results =
    types.length === 1 && !isListOfOne(result) ? [result] : (result as readonly unknown[] | undefined);
  if (types.length > 0 && results?.length !== types.length) {
    throw new InvalidArgumentError(
      `${node.type} "${node.name}": the function returned ${results?.length ?? 0} values, expected ${types.length}${node.site()}`,
      { node: node.name },
    );
  }
  return types.map((dtype, i) => toValue(results?.[i], dtype, node));
};

function isListOfOne(result: unknown): boolean {
  return (
    Array.isArray(result) &&
    result.length === 1 &&
    (result[0] instanceof TensorValue || isTypedArray(result[0]))
  );
}

function toValue(result: unknown, dtype: DType, node: Parameters<HostStepFn>[0]): TensorValue {
  try {
    return toTensorValue(result as ValueLike, dtype);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new InvalidArgumentError(
      `${node.type} "${node.name}": the function's result is no ${dtype} tensor: ${error.message}${node.site()}`,
      { node: node.name, cause: error },
    );
  }
}

export const DEBUG_STEPS: Readonly<Record<string, HostStepFn>> = {
  Assert: assertStep,
  Print: printStep,
  PrintV2: printV2,
  StringFormat: stringFormat,
  CheckNumerics: checkNumerics,
  CountUpTo: countUpTo,
  ResourceCountUpTo: countUpTo,
  PyFunc: hostFunction,
  PyFuncStateless: hostFunction,
};
