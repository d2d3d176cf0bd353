/** Nodes that passes add: constants, and ops in the place of others. Errors go on naming the graph's node. */
import { Attrs, OPS, TensorValue, type AttrValue, type OpName } from '@forerun/graph';
import { makeNode, outputOf, type IrNode, type IrValue } from '../ir.js';

/** A constant that stands for an input of `node`. */
export function literalFor(node: IrNode, literal: TensorValue): IrValue {
  const { dtype, shape } = literal;
  const constant = { ...node, type: 'Const', def: OPS.Const, inputs: [], controls: [], literal };
  return outputOf(makeNode(constant, [{ dtype, shape, variable: null }]));
}

/** A vector of int32 that stands for an input of `node`: a shape, a permutation, axes. */
export function intsFor(node: IrNode, ints: readonly number[]): IrValue {
  return literalFor(node, new TensorValue('int32', [ints.length], Int32Array.from(ints)));
}

/** The first output of an op of another type, with the attributes that both have, in the place of `node`. */
export function opFor(
  node: IrNode,
  type: OpName,
  inputs: readonly IrValue[],
  shape: readonly number[] = outputOf(node).shape,
): IrValue {
  const { dtype } = outputOf(node);
  const other = { ...node, type, def: OPS[type], inputs };
  return outputOf(makeNode(other, [{ dtype, shape, variable: null }]));
}

const RUNNING = '_running_sum';

/** `term` with a sum so far added, in the place of `node`: an addition that is left for the epilogue of what computes the term. */
export function runningSum(node: IrNode, term: IrValue, sum: IrValue): IrValue {
  const attrs = withAttrs(node.attrs, { [RUNNING]: { kind: 'bool', value: true } });
  return opFor({ ...node, attrs }, 'AddV2', [term, sum], term.shape);
}

export function isRunningSum(node: Pick<IrNode, 'attrs'>): boolean {
  return node.attrs.has(RUNNING);
}

/** `value` under another shape with as many elements; itself where it has that shape. */
export function reshapedFor(node: IrNode, value: IrValue, shape: readonly number[]): IrValue {
  if (value.shape.join() === shape.join()) return value;
  const { dtype } = value;
  const init = { ...node, type: 'Reshape', def: OPS.Reshape, inputs: [value, intsFor(node, shape)] };
  return outputOf(makeNode(init, [{ dtype, shape, variable: null }]));
}

/** The attributes with some of them changed. */
export function withAttrs(attrs: Attrs, changes: Readonly<Record<string, AttrValue>>): Attrs {
  return new Attrs(new Map([...attrs.values, ...Object.entries(changes)]));
}
