/**
 * What a tensor of the graph is while a program is built: a value of the program, or a list of such values. Lists
 * exist in the compiler only: reading and writing them costs nothing at run time.
 */
import type { HandleData, Operation, Tensor } from '@forerun/graph';
import type { Salt } from '@forerun/kernels-webgpu';
import type { IrNode, IrValue, VariableRef } from './ir.js';

/** A tensor list whose elements are known to the compiler; `null` for one that was never set. */
export class ListValue {
  constructor(
    readonly elements: readonly (Value | null)[],
    readonly element: HandleData,
  ) {}
}

/** A tensor list that comes from an earlier part of the run. */
export class FedList {
  constructor(readonly tensor: Tensor) {}
}

export type Value = IrValue | ListValue | FedList;

export function isIrValue(value: Value): value is IrValue {
  return !(value instanceof ListValue) && !(value instanceof FedList);
}

/** Where the operations of one function call, or of the graph itself, find values. */
export interface Frame {
  readonly values: Map<Tensor, Value>;
  /** The nodes that an operation has become. */
  readonly nodes: Map<Operation, readonly IrNode[]>;
  /** Name of the call with a slash, or nothing. */
  readonly path: string;
  /** Tells the random numbers of one call from those of another. */
  readonly salt: Salt;
  /** Nodes that everything in the call waits for. */
  readonly waits: readonly IrNode[];
  /** The operation of the graph that all this is for. */
  readonly origin: Operation;
  /** How many calls it lies in. */
  readonly depth: number;
}

/**
 * Thrown where an operation cannot become part of the program, because it depends on values that the run has yet to
 * compute. `hostInputs` are those whose values would be enough; none when the operation is carried out by the run itself.
 */
export class Deferral extends Error {
  constructor(readonly hostInputs: readonly number[]) {
    super('the operation waits for values');
  }
}

/** An operation left for a later part of the run. */
export interface DeferredOp {
  readonly op: Operation;
  /** Inputs to be read before the operation can be compiled; `null` when it only waits for others. */
  readonly hostInputs: readonly number[] | null;
}

/** Where a later part of the run finds a tensor that this program computed. */
export type Export =
  /** Position among the program's fetches. */
  | { readonly kind: 'value'; readonly index: number }
  | { readonly kind: 'list'; readonly elements: readonly (Export | null)[]; readonly element: HandleData }
  | { readonly kind: 'variable'; readonly variable: VariableRef }
  | { readonly kind: 'fed'; readonly tensor: Tensor };
