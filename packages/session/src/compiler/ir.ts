/**
 * The compiler's intermediate form: the needed part of the graph with every shape known. Passes
 * are functions from one `Program` to the next; nothing is changed in place.
 */
import {
  InternalError,
  sizeOf,
  type Attrs,
  type DType,
  type HandleData,
  type OpDef,
  type Operation,
  type TensorValue,
} from '@forerun/graph';
import type { DenseSpec } from '../denseBuckets.js';

/** One output of a node, with its static shape. */
export interface IrValue {
  readonly node: IrNode;
  readonly index: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The variable behind a resource value. */
  readonly variable: VariableRef | null;
}

/** A variable of the session. */
export interface VariableRef extends HandleData {
  /** Key in the session's variable store: the shared name, or the name of the handle node. */
  readonly key: string;
  /** Set where it is a hash table, which the host keeps: `dtype` and `shape` are then those of one value. */
  readonly table?: TableSpec;
}

/** What a hash table is declared as. */
export interface TableSpec {
  readonly keyDtype: DType;
  /** Whether it is filled once. */
  readonly isStatic: boolean;
  /** Set for a dense table. */
  readonly dense?: DenseSpec | undefined;
}

/** A node of a program. `literal` holds the value of constants; `feed` the position of fed values. */
export interface IrNode {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly attrs: Attrs;
  readonly def: OpDef;
  readonly inputs: readonly IrValue[];
  readonly controls: readonly IrNode[];
  readonly outputs: readonly IrValue[];
  /** Names of the graph nodes this node stands for. */
  readonly sources: readonly string[];
  readonly literal: TensorValue | null;
  readonly feed: number | null;
  /** ` (created at file:line)` of the graph node, for errors. */
  readonly site: () => string;
  /** The operation of the graph that the node is for: itself, or the call that it came from. */
  readonly origin: Operation | null;
}

export interface Program {
  /** Inputs before users; control inputs before the nodes that wait for them. */
  readonly nodes: readonly IrNode[];
  readonly fetches: readonly IrValue[];
  /** Nodes that must run though nothing is fetched from them. */
  readonly targets: readonly IrNode[];
}

/** What a node is made of, before it has outputs. */
export type NodeInit = Omit<IrNode, 'outputs' | 'id'>;

/** Dtype, shape and variable of an output to be. */
export type OutputInit = Omit<IrValue, 'node' | 'index'>;

let nextId = 0;

/**
 * Makes a node with outputs as described. The fields are written out: V8 gives an object of its own kind to a literal that goes on after
 * a spread, which makes every later read of a node slow.
 */
export function makeNode(init: NodeInit, outputs: readonly OutputInit[]): IrNode {
  const { type, name, attrs, def, inputs, controls, sources, literal, feed, site, origin } = init;
  const values: IrValue[] = [];
  const node: IrNode = {
    id: nextId++,
    type,
    name,
    attrs,
    def,
    inputs,
    controls,
    outputs: values,
    sources,
    literal,
    feed,
    site,
    origin,
  };
  outputs.forEach(({ dtype, shape, variable }, index) =>
    values.push({ node, index, dtype, shape, variable }),
  );
  return node;
}

/** Input `i` of a node. */
export function inputOf(node: Pick<IrNode, 'type' | 'name' | 'inputs'>, i: number): IrValue {
  const value = node.inputs[i];
  if (value === undefined) throw new InternalError(`${describe(node)} has no input ${i}`);
  return value;
}

/** Output `i` of a node. */
export function outputOf(node: IrNode, i = 0): IrValue {
  const value = node.outputs[i];
  if (value === undefined) throw new InternalError(`${describe(node)} has no output ${i}`);
  return value;
}

/** `MatMul "dense/logits"`. */
export function describe(node: Pick<IrNode, 'type' | 'name'>): string {
  return `${node.type} "${node.name}"`;
}

/** Number of elements of a value. */
export function elements(value: IrValue): number {
  return sizeOf(value.shape);
}

/** Which nodes use each value, fetches not counted. */
export function consumersOf(program: Program): Map<IrValue, IrNode[]> {
  const consumers = new Map<IrValue, IrNode[]>();
  for (const node of program.nodes) {
    for (const input of new Set(node.inputs)) {
      const users = consumers.get(input) ?? [];
      users.push(node);
      consumers.set(input, users);
    }
  }
  return consumers;
}
