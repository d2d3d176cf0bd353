/**
 * What the gradients of conditionals, calls and loops share: the graph of a function that goes backward, and functions of the
 * forward op that may be changed to hand values over.
 */
import { isFloating } from '../dtype.js';
import { FuncGraph } from '../funcGraph.js';
import type { Graph } from '../graph.js';
import type { Operation } from '../operation.js';
import type { Ops } from '../ops/index.js';
import { TensorShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { cloneFunction, newFunction, register } from './functions.js';

/** Function that goes backward through `forward`: what it uses of it is asked from `handOver`. */
export class BackwardGraph extends FuncGraph {
  readonly #known = new Map<Tensor, Tensor>();

  constructor(
    name: string,
    outer: Graph,
    private readonly forward: FuncGraph,
    private readonly handOver: (tensor: Tensor) => Tensor,
  ) {
    super(name, outer);
  }

  override capture(tensor: Tensor): Tensor {
    if (tensor.graph !== this.forward || tensor.op.type === 'Const') return super.capture(tensor);
    const known = this.#known.get(tensor) ?? this.handOver(tensor);
    this.#known.set(tensor, known);
    return known;
  }
}

/** Whether something can flow into a tensor: floats, lists of floats, lists of lists. */
export function carriesGradient(tensor: Tensor): boolean {
  if (tensor.dtype !== 'variant') return isFloating(tensor.dtype);
  const element = tensor.handle?.dtype ?? 'float32';
  return isFloating(element) || element === 'variant';
}

/** A gradient of zeros for a tensor or for the variable behind a handle. */
export function zeroGradient(ops: Ops, tensor: Tensor): Tensor {
  if (tensor.dtype !== 'resource') return ops.zerosLike(tensor);
  const { dtype, shape } = tensor.handle ?? { dtype: 'float32', shape: TensorShape.UNKNOWN };
  return shape.isFullyDefined ? ops.zeros(shape, { dtype }) : ops.zerosLike(ops.readVariable(tensor));
}

/** Functions of which the op is the only user, so that they can be changed. */
const ownFunctions = new WeakMap<Operation, readonly FuncGraph[]>();

/** The functions called `names`, for this op alone. */
export function privateFunctions(op: Operation, names: readonly string[]): readonly FuncGraph[] {
  const known = ownFunctions.get(op);
  if (known !== undefined) return known;
  const clones = names.map((name) => cloneFunction(op.graph.getFunction(name)));
  register(clones);
  ownFunctions.set(op, clones);
  return clones;
}

/** A name for a function made of `fn`, which no other gets. */
export function reservedName(fn: FuncGraph, suffix: string): string {
  return newFunction(`${fn.functionName}_${suffix}`, fn.outer).functionName;
}
