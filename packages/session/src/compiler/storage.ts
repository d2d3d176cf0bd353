/** Where the elements of each value live: which values share a buffer, and who writes variables. */
import { InternalError, type DType } from '@forerun/graph';
import { elementBytes } from '@forerun/kernels-webgpu';
import { isView, kernelOf } from './fuse.js';
import { elements, inputOf, type IrValue, type VariableRef } from './ir.js';
import type { LoweredUnit } from './lower.js';
import { isHostStep } from '../run/hostOps.js';

export type Storage =
  /** A buffer of the plan, alive from its unit to its last user. */
  | { readonly kind: 'temp'; readonly value: IrValue }
  /** Known values, uploaded when the plan is built. */
  | { readonly kind: 'constant'; readonly value: IrValue }
  | { readonly kind: 'feed'; readonly position: number }
  | { readonly kind: 'variable'; readonly variable: VariableRef }
  /** Results of host steps; uploaded when a kernel needs them. */
  | { readonly kind: 'host'; readonly value: IrValue };

/** Bytes of a buffer for a value: whole vec4s, never empty. Elements take a word each, but those of float16. */
export function storageBytes(elementCount: number, dtype: DType = 'float32'): number {
  return Math.max(16, Math.ceil((elementCount * elementBytes(dtype)) / 16) * 16);
}

export function bytesOf(value: IrValue): number {
  return storageBytes(elements(value), value.dtype);
}

/** The value whose buffer `value` shares: looks through views. */
export function aliasRoot(value: IrValue): IrValue {
  let root = value;
  while (isView(root.node)) root = inputOf(root.node, viewInput(root));
  return root;
}

/** The input of its node that a view shows. */
export function viewInput(value: IrValue): number {
  return value.node.type === 'IdentityN' ? value.index : 0;
}

/** Reads that had to be copied because the variable is written while the value is still needed. */
export type CopiedReads = ReadonlySet<IrValue>;

/** Where a value's elements are. */
export function storageOf(value: IrValue, copied: CopiedReads): Storage {
  const root = aliasRoot(value);
  const { node } = root;
  if (node.feed !== null) return { kind: 'feed', position: node.feed };
  if (root.variable !== null) return { kind: 'variable', variable: root.variable };
  if (node.type === 'ReadVariableOp' && !copied.has(root))
    return { kind: 'variable', variable: variableRead(root) };
  if (isHostStep(node.type)) return { kind: 'host', value: root };
  if (node.literal !== null || (kernelOf(node).kind === 'host' && node.type !== 'ReadVariableOp')) {
    return { kind: 'constant', value: root };
  }
  return { kind: 'temp', value: root };
}

/** The variable that a `ReadVariableOp` value reads. */
export function variableRead(value: IrValue): VariableRef {
  const { variable } = inputOf(value.node, 0);
  if (variable === null) throw new InternalError(`"${value.node.name}" reads no known variable`);
  return variable;
}

/** Keys of the variables whose buffers a unit writes. */
export function variablesWritten(lowered: LoweredUnit): Set<string> {
  return boundVariables(lowered, 'read_write');
}

/** Keys of the variables whose buffers a unit's own kernels read through the handle, and do not write. */
export function variablesBoundForReading(lowered: LoweredUnit): Set<string> {
  return boundVariables(lowered, 'read');
}

function boundVariables({ dispatches }: LoweredUnit, wanted: 'read' | 'read_write'): Set<string> {
  const keys = new Set<string>();
  for (const { bindings } of dispatches) {
    for (const { source, access } of bindings) {
      if (access === wanted && source.kind === 'value' && source.value.variable !== null) {
        keys.add(source.value.variable.key);
      }
    }
  }
  return keys;
}
