/**
 * Shape inference tests in one line: `inferOk('MatMul', '[1,?];[?,2]', '[1,2]')`. Shapes are written
 * `[2,?,3]`, `?` is an unknown rank, `;` separates tensors, an empty text means no tensors. For what a shape
 * alone does not say there are prefixes: see `ShapeCase.inputs`.
 */
import { FuncGraph, Graph, TensorShape, toTensorValue, type DType, type Operation } from '@forerun/graph';
import type { ArgSpec, Tensor } from '@forerun/graph';
import type { ErrorCase, FunctionCase, ShapeCase } from './sample.js';
import {
  argDTypes,
  argSpecs,
  constantNode,
  definitionOf,
  listNode,
  placeholderNode,
  referenceNode,
  variableNode,
} from './nodes.js';

/** One tensor of a case. */
interface Item {
  /** `''`, `'tensor'`, `'list'` or `'3*list'`. */
  readonly form: string;
  readonly shape: TensorShape;
}

function parseItem(item: string, text: string): Item {
  const [, form = '', shape = ''] = /^((?:\d+\*)?list|tensor|)(.*)$/s.exec(item) ?? [];
  if (shape === '?') return { form, shape: TensorShape.UNKNOWN };
  const [, inner] = /^\[([\d,?\s]*)\]$/.exec(shape) ?? [];
  if (inner === undefined) throw new Error(`malformed shape "${item}" in "${text}"`);
  if (inner.trim() === '') return { form, shape: TensorShape.SCALAR };
  const dims = inner.split(',').map((dim) => (dim.trim() === '?' ? null : Number(dim)));
  return { form, shape: new TensorShape(dims) };
}

function parseItems(text: string): Item[] {
  return text.trim() === '' ? [] : text.split(';').map((part) => parseItem(part.trim(), text));
}

/** Parses `"[1,?];?"`. Throws for anything else than shapes. */
export function parseShapes(text: string): TensorShape[] {
  return parseItems(text).map(({ shape }) => shape);
}

/** Writes shapes as `parseShapes` reads them. */
export function formatShapes(shapes: readonly TensorShape[]): string {
  return formatItems(shapes.map((shape) => ({ form: '', shape })));
}

function formatItems(items: readonly Item[]): string {
  return items.map(({ form, shape }) => `${form}${shape.rank === null ? '?' : shape.toString()}`).join(';');
}

/** A tensor as a case writes it: lists of known elements by these. */
function itemOf({ dtype, shape, handle }: Tensor): Item {
  if (dtype === 'variant' && handle !== null && shape.rank === 0)
    return { form: 'list', shape: handle.shape };
  return { form: '', shape };
}

/** Attributes, dtypes, constant values and functions that go with the input shapes. */
export type ShapeCaseOptions = Omit<ShapeCase, 'inputs' | 'outputs'>;

/** A node of `type` whose inputs have the shapes in `inputs`. */
export function nodeOfShapes(type: string, inputs: string, options: ShapeCaseOptions): Operation {
  const { attrs = {}, dtypes = [], constants = {}, functions = {} } = options;
  const graph = new Graph();
  for (const [name, fn] of Object.entries(functions)) graph.addFunction(functionOf(graph, name, fn));
  const items = parseItems(inputs);
  const specs = argSpecs(definitionOf(type), items.length);
  const fallback = argDTypes(definitionOf(type), items.length);
  const tensors = items.map((item, i) => {
    const value = constants[i];
    const dtype: DType = dtypes[i] ?? fallback[i] ?? 'float32';
    if (value === undefined) return inputNode(graph, item, dtype, specs[i]);
    const { shape } = item;
    const literal = toTensorValue(value, dtype, shape.isFullyDefined ? shape.toStatic() : undefined);
    return constantNode(graph, literal);
  });
  return graph.createOp({ type, name: 'node', inputs: tensors, attrs });
}

/** An input without a known value: variable, list or placeholder, as its form and the signature say. */
function inputNode(graph: Graph, { form, shape }: Item, dtype: DType, arg: ArgSpec | undefined): Tensor {
  const held = dtype === 'resource' || dtype === 'variant' ? 'float32' : dtype;
  if (form === 'list') return listNode(graph, held, shape);
  if (form.endsWith('*list')) {
    const lists = Array.from({ length: parseInt(form) }, () => listNode(graph, held, shape));
    return graph.createOp({ type: 'Pack', inputs: lists }).output(0);
  }
  if (form === 'tensor') return placeholderNode(graph, held, shape);
  if (arg?.isRef === true) return referenceNode(graph, held, shape);
  return arg?.dtype === 'resource' ? variableNode(graph, held, shape) : placeholderNode(graph, dtype, shape);
}

function functionOf(graph: Graph, name: string, { inputs, dtypes = [], returns }: FunctionCase): FuncGraph {
  const fn = new FuncGraph(name, graph);
  parseShapes(inputs).forEach((shape, i) =>
    fn.addInput({ dtype: dtypes[i] ?? 'float32', shape, name: `x${i}` }),
  );
  fn.outputs = returns.map((i) => {
    const result = fn.inputs[i];
    if (result === undefined) throw new Error(`function "${name}" has no argument ${i} to return`);
    return result;
  });
  return fn;
}

/** The outputs of a node, as a case writes them. */
function inferred(type: string, inputs: string, options: ShapeCaseOptions): string {
  return formatItems(nodeOfShapes(type, inputs, options).outputs.map(itemOf));
}

/** Throws unless inference gives the shapes in `outputs`. */
export function inferOk(type: string, inputs: string, outputs: string, options: ShapeCaseOptions = {}): void {
  const got = inferred(type, inputs, options);
  const want = formatItems(parseItems(outputs));
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
    shapes = inferred(type, inputs, options);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (message.test(text)) return;
    throw new Error(`${type} of ${inputs}: expected an error like ${String(message)}, got: ${text}`, {
      cause: error,
    });
  }
  throw new Error(`${type} of ${inputs}: expected an error like ${String(message)}, inferred ${shapes}`);
}
