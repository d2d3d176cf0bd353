/**
 * Shape inference tests in one line: `inferOk('MatMul', '[1,?];[?,2]', '[1,2]')`. Shapes are written
 * `[2,?,3]`, `?` is an unknown rank, `;` separates tensors, an empty text means no tensors.
 */
import { Graph, TensorShape, toTensorValue, type DType, type Operation } from '@forerun/graph';
import type { ErrorCase, ShapeCase } from './sample.js';
import { argDTypes, constantNode, definitionOf, placeholderNode, variableNode } from './nodes.js';

/** Parses `"[1,?];?"`. Throws for anything else than shapes. */
export function parseShapes(text: string): TensorShape[] {
  if (text.trim() === '') return [];
  return text.split(';').map((part) => {
    const item = part.trim();
    if (item === '?') return TensorShape.UNKNOWN;
    const [, inner] = /^\[([\d,?\s]*)\]$/.exec(item) ?? [];
    if (inner === undefined) throw new Error(`malformed shape "${item}" in "${text}"`);
    if (inner.trim() === '') return TensorShape.SCALAR;
    return new TensorShape(inner.split(',').map((dim) => (dim.trim() === '?' ? null : Number(dim))));
  });
}

/** Writes shapes as `parseShapes` reads them. */
export function formatShapes(shapes: readonly TensorShape[]): string {
  return shapes.map((shape) => (shape.rank === null ? '?' : shape.toString())).join(';');
}

/** Attributes, dtypes and constant values that go with the input shapes. */
export type ShapeCaseOptions = Omit<ShapeCase, 'inputs' | 'outputs'>;

/** A node of `type` whose inputs have the shapes in `inputs`. */
export function nodeOfShapes(
  type: string,
  inputs: string,
  { attrs = {}, dtypes = [], constants = {} }: ShapeCaseOptions,
): Operation {
  const graph = new Graph();
  const shapes = parseShapes(inputs);
  const fallback = argDTypes(definitionOf(type), shapes.length);
  const tensors = shapes.map((shape, i) => {
    const dtype: DType = dtypes[i] ?? fallback[i] ?? 'float32';
    const value = constants[i];
    if (fallback[i] === 'resource')
      return variableNode(graph, dtype === 'resource' ? 'float32' : dtype, shape);
    if (value === undefined) return placeholderNode(graph, dtype, shape);
    return constantNode(
      graph,
      toTensorValue(value, dtype, shape.isFullyDefined ? shape.toStatic() : undefined),
    );
  });
  return graph.createOp({ type, name: 'node', inputs: tensors, attrs });
}

/** Throws unless inference gives the shapes in `outputs`. */
export function inferOk(type: string, inputs: string, outputs: string, options: ShapeCaseOptions = {}): void {
  const got = formatShapes(nodeOfShapes(type, inputs, options).outputs.map((output) => output.shape));
  const want = formatShapes(parseShapes(outputs));
  if (got !== want) throw new Error(`${type} of ${inputs}: inferred ${got}, expected ${want}`);
}

/** Throws unless building the node fails with a message that matches `message`. */
export function inferError(
  type: string,
  inputs: string,
  message: RegExp,
  options: Omit<ErrorCase, 'inputs' | 'message'> = {},
): void {
  let shapes: string;
  try {
    shapes = formatShapes(nodeOfShapes(type, inputs, options).outputs.map((output) => output.shape));
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (message.test(text)) return;
    throw new Error(`${type} of ${inputs}: expected an error like ${String(message)}, got: ${text}`, {
      cause: error,
    });
  }
  throw new Error(`${type} of ${inputs}: expected an error like ${String(message)}, inferred ${shapes}`);
}
