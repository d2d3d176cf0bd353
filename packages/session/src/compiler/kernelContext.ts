/** What a kernel sees of a node: operands with their shapes, and the values that it may or must know. */
import {
  InvalidArgumentError,
  TensorShape,
  UnimplementedError,
  type DType,
  type HostValue,
} from '@forerun/graph';
import {
  computedOperand,
  type AdapterFacts,
  type KernelContext,
  type Operand,
} from '@forerun/kernels-webgpu';
import { isDeviceDType } from '../device/words.js';
import type { HostValues } from './hostValues.js';
import { describe, elements, inputOf, outputOf, type IrNode, type IrValue } from './ir.js';

/** A kernel must know the values of inputs that are computed on the device: the run has to read them first. */
export class NeedsHostValue extends UnimplementedError {
  constructor(
    readonly irNode: IrNode,
    readonly hostInputs: readonly number[],
    what: string,
  ) {
    super(
      `${describe(irNode)}: ${what} must be known when the plan is compiled, but depends on values computed on the device${irNode.site()}`,
      { node: irNode.name },
    );
  }
}

/** What a kernel sees of a node. */
export function contextOf(node: IrNode, host: HostValues, adapter: AdapterFacts): KernelContext {
  // A scalar may be a parameter that the kernel takes from the host.
  const held = [...node.inputs.filter((value) => elements(value) !== 1), ...node.outputs];
  for (const value of held) requireComputed(node, operandOf(value).dtype);
  refuseTexts(node);
  const inputs = node.inputs.map((value) => computedOperand(operandOf(value)));
  const outputs = node.outputs.map((value) => computedOperand(operandOf(value)));
  return {
    op: node.type,
    name: node.name,
    attrs: node.attrs,
    inputs,
    outputs,
    adapter,
    input: (i) => computedOperand(operandOf(inputOf(node, i))),
    output: (i) => computedOperand(operandOf(outputOf(node, i))),
    host: (i) => host.get(inputOf(node, i)),
    requireHost: (i, what) => requireHost(node, i, what, host),
    unsupported: (why) => {
      throw new UnimplementedError(`${describe(node)}: ${why}${node.site()}`, { node: node.name });
    },
  };
}

/** Refuses dtypes that the device does not hold. */
function requireComputed(node: IrNode, dtype: DType): void {
  if (isDeviceDType(dtype)) return;
  throw new UnimplementedError(
    `${describe(node)}: dtype ${dtype} is not computed with on the device${node.site()}`,
    { node: node.name },
  );
}

/** Texts are numbers on the device: they can be moved and compared there, not computed with, nor kept from one run to the next. */
function refuseTexts(node: IrNode): void {
  const refuse = (why: string): never => {
    throw new UnimplementedError(`${describe(node)}: ${why}${node.site()}`, { node: node.name });
  };
  const isText = (value: IrValue): boolean => value.dtype === 'string';
  if (node.type.startsWith('Add') && node.inputs.some(isText)) refuse('texts are joined by StringJoin');
  const variable = [...node.inputs, ...node.outputs].find((value) => value.variable?.dtype === 'string');
  if (variable !== undefined) refuse('variables of dtype string are not kept on the device');
}

function requireHost(node: IrNode, i: number, what: string, host: HostValues): HostValue {
  const value = host.get(inputOf(node, i), 'feeds');
  if (value !== null) return value;
  throw new NeedsHostValue(node, [i], what);
}

/** Dtype in memory and shape; a resource stands for its variable. */
export function operandOf(value: IrValue): Operand {
  if (value.variable === null) return { dtype: value.dtype, shape: value.shape };
  const { dtype, shape, key } = value.variable;
  if (!TensorShape.of(shape).isFullyDefined) {
    throw new InvalidArgumentError(
      `variable "${key}" has the shape ${shape.toString()}, which is not fully known`,
    );
  }
  return { dtype, shape: shape.toStatic() };
}
