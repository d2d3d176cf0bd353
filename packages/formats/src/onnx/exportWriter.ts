/** What the writers of ops share: the model that is being made, and what is known of an op's inputs. */
import {
  constantValue,
  InvalidArgumentError,
  TensorValue,
  toHostValue,
  type FuncGraph,
  type Operation,
  type proto,
  type Tensor,
} from '@forerun/graph';
import { onnxNumber } from './tensors.js';

/** An attribute: an integer, a float as `{ f }`, a text, integers, a graph. */
export type AttributeValue =
  | number
  | string
  | readonly number[]
  | { readonly f: number }
  | { readonly graph: proto.Init<proto.onnxGraphProto> };

/** What the writers of ops need of the model that is being made. */
export interface OnnxWriter {
  /** The ONNX name of a tensor. */
  name(tensor: Tensor): string;
  /** Adds a node and returns its only output, which is called `output` if given. */
  add(
    type: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
    output?: string,
  ): string;
  /** Adds a node with several outputs of these names; an empty one is left out. */
  addMany(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>>,
    outputs: readonly string[],
  ): void;
  /** Says that an output has no name, and the rule that it would take. */
  withhold(tensor: Tensor, rule: string): void;
  /** Adds a constant and returns its name. */
  constant(value: TensorValue): string;
  /** The value of a tensor that the graph or the given variables hold. */
  value(tensor: Tensor): TensorValue | undefined;
}

/** What a function is given: the name of a tensor, or the handle of a variable. */
export type Argument = string | Tensor;

/** A function, or a part of one that gives other results. */
export type FunctionBody = Pick<FuncGraph, 'inputs' | 'outputs'>;

/** What the writers of calls, conditionals and loops need besides. */
export interface ControlWriter extends OnnxWriter {
  argument(tensor: Tensor): Argument;
  /** Adds the nodes of a function here, their names below `label`; gives the names of its results. */
  call(fn: FunctionBody, args: readonly Argument[], label: string): string[];
  /** A graph of its own, which may use the names of this one; `build` adds its nodes and gives its outputs. */
  subgraph(
    label: string,
    inputs: readonly proto.Init<proto.onnxValueInfoProto>[],
    build: (part: ControlWriter) => readonly (readonly [name: string, tensor: Tensor])[],
  ): proto.Init<proto.onnxGraphProto>;
}

/** Writes one op; its results go under the given names of its outputs. */
export type OpWriter = (op: Operation, writer: OnnxWriter, outputs: readonly string[]) => void;

export function fail(op: Operation, rule: string): never {
  throw new InvalidArgumentError(`${op.type} "${op.name}" cannot be written to ONNX: ${rule}`);
}

export function input(op: Operation, index: number): Tensor {
  return op.inputs[index] ?? fail(op, `input ${index} is missing`);
}

/** Known integers of an input. */
export function known(op: Operation, index: number): number[] {
  const host = constantValue(input(op, index));
  if (host === null || host.data.some(Number.isNaN)) fail(op, `input ${index} must be constant`);
  return [...host.data];
}

export function rankOf(op: Operation, index = 0): number {
  return input(op, index).shape.rank ?? fail(op, `the rank of input ${index} is not known`);
}

export function integers(list: readonly number[]): TensorValue {
  return new TensorValue('int64', [list.length], BigInt64Array.from(list, BigInt));
}

/** An input of integers as int64: a constant where it is known, which the shape inference of readers sees through. */
export function toInt64(op: Operation, writer: OnnxWriter, index: number): string {
  const tensor = input(op, index);
  const value = writer.value(tensor);
  const host = value === undefined ? undefined : toHostValue(value);
  if (host !== undefined && host !== null && tensor.dtype !== 'int64')
    return writer.constant(new TensorValue('int64', host.shape, BigInt64Array.from(host.data, BigInt)));
  return writer.add('Cast', [writer.name(tensor)], { to: onnxNumber('int64', op.name) });
}

export const simple =
  (type: string, attributes?: (op: Operation) => Readonly<Record<string, AttributeValue>>): OpWriter =>
  (op, writer, [output]) => {
    writer.add(
      type,
      op.inputs.map((tensor) => writer.name(tensor)),
      attributes?.(op) ?? {},
      output,
    );
  };

/** A float32 scalar. */
export const scalar = (value: number): TensorValue => new TensorValue('float32', [], Float32Array.of(value));

/** Name, dtype and shape of a tensor, for the inputs and outputs of graphs; those of a list's rows. */
export function valueInfo(name: string, tensor: Tensor): proto.Init<proto.onnxValueInfoProto> {
  const list = tensor.dtype === 'variant';
  const own = tensor.shape.dims;
  const elements = tensor.handle?.shape.dims ?? null;
  const sizes = list ? elements && [null, ...elements] : own;
  const dims = sizes?.map((size, i) =>
    size === null ? { dimParam: i === 0 && !list ? 'batch' : `${name}_${i}` } : { dimValue: size },
  );
  const elemType = onnxNumber(list ? (tensor.handle?.dtype ?? tensor.dtype) : tensor.dtype, `"${name}"`);
  return {
    name,
    type: { tensorType: { elemType, ...(dims === undefined ? {} : { shape: { dim: dims } }) } },
  };
}
