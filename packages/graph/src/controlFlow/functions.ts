/** Building, copying and calling functions: what conditionals, loops and their gradients share. */
import { nameForCopy } from '../names.js';
import { InvalidArgumentError } from '../errors.js';
import { FuncGraph } from '../funcGraph.js';
import type { Graph } from '../graph.js';
import { withGraph } from '../graphStack.js';
import type { Operation } from '../operation.js';
import type { FuncValue } from '../attr.js';
import { getDefaultGraph } from '../scopes.js';
import type { Tensor } from '../tensor.js';

/** A new function below the default graph, not yet in the library. */
export function newFunction(name: string, outer: Graph = getDefaultGraph()): FuncGraph {
  const { functions } = outer.root;
  let unique = name;
  for (let i = 1; functions.has(unique) || reserved.get(outer.root)?.has(unique) === true; i++) {
    unique = `${name}_${i}`;
  }
  reserved.set(outer.root, (reserved.get(outer.root) ?? new Set()).add(unique));
  return new FuncGraph(unique, outer);
}

/** Names of functions under construction. */
const reserved = new WeakMap<Graph, Set<string>>();

/** Runs `build` inside the function and returns its result. Refuses callbacks that return a promise. */
export function inside<R>(fn: FuncGraph, build: () => R, what: string): R {
  const result = withGraph(fn, build);
  if (result instanceof Promise) throw new InvalidArgumentError(`${what} takes synchronous callbacks`);
  return result;
}

/** Gives functions one signature: each gets the captures of all. Returns the captured tensors in order. */
export function shareCaptures(functions: readonly FuncGraph[]): Tensor[] {
  const outers = new Set(functions.flatMap((fn) => [...fn.captures.keys()]));
  functions.forEach((fn) => fn.alignCaptures([...outers]));
  return [...outers];
}

/** Puts functions into the library of their graph and returns the operations that they must wait for. */
export function register(functions: readonly FuncGraph[]): Operation[] {
  const waits = new Set<Operation>();
  for (const fn of functions) {
    fn.root.addFunction(fn);
    for (const op of fn.outerControls) waits.add(op);
  }
  return [...waits];
}

/** Whether running a function changes or depends on state. */
export function isStateful(fn: FuncGraph): boolean {
  return fn.operations.some((op) => op.def?.stateful === true && op.type !== 'Placeholder');
}

/** A tagged attribute that names a function. */
export function funcAttr(fn: FuncGraph): { kind: 'func'; value: FuncValue } {
  return { kind: 'func', value: { name: fn.functionName, attrs: new Map() } };
}

/** Operations after those they depend on: one whose inputs were extended may be older than these. */
function inputsFirst(operations: readonly Operation[]): Operation[] {
  const order = new Set<Operation>();
  const visit = (op: Operation): void => {
    const before = [...op.inputs.map((input) => input.op), ...op.controlInputs];
    for (const source of before)
      if (!order.has(source) && source.id > op.id && source.graph === op.graph) visit(source);
    order.add(op);
  };
  operations.forEach((op) => {
    if (!order.has(op)) visit(op);
  });
  return [...order];
}

/** Copies the operations of `source` into the default graph, `args` standing for its arguments. */
export function copyBody(source: FuncGraph, args: ReadonlyMap<Tensor, Tensor>): Map<Tensor, Tensor> {
  const graph = getDefaultGraph();
  const tensors = new Map<Tensor, Tensor>(args);
  const copies = new Map<Operation, Operation>();
  const isArgument = new Set(source.inputs.map((input) => input.op));
  for (const op of inputsFirst(source.operations)) {
    if (isArgument.has(op)) continue;
    const copy = graph.createOp({
      type: op.type,
      name: nameForCopy(op.name),
      inputs: op.inputs.map((input) => tensors.get(input) ?? input),
      attrs: op.attrs.values,
      controlInputs: op.controlInputs.flatMap((control) => copies.get(control) ?? []),
      device: op.device,
      outputDTypes: op.outputs.map((output) => output.dtype),
    });
    copies.set(op, copy);
    op.outputs.forEach((output, i) => {
      const made = copy.output(i);
      if (made.shape.isCompatibleWith(output.shape)) made.setShape(output.shape);
      tensors.set(output, made);
    });
  }
  return tensors;
}

/** A copy of a function under another name, for an op that is about to change it. */
export function cloneFunction(source: FuncGraph): FuncGraph {
  const clone = newFunction(source.functionName, source.outer);
  const args = source.inputs.map((input) =>
    clone.addInput({
      dtype: input.dtype,
      shape: input.shape,
      name: nameForCopy(input.op.name),
      handle: input.handle,
    }),
  );
  const tensors = withGraph(clone, () =>
    copyBody(source, new Map(source.inputs.map((input, i) => [input, args[i] ?? input]))),
  );
  clone.outputs = source.outputs.map((output) => tensors.get(output) ?? output);
  return clone;
}
