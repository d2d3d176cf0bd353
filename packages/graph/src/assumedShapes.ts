/** Looks at a graph as if its inputs had other shapes than they are declared with, without building it once more. */
import { Attrs } from './attr.js';
import { forgetConstant } from './constantValue.js';
import type { Graph } from './graph.js';
import { inferShapes } from './inferShapes.js';
import { explain, isHandle } from './nodeOutputs.js';
import type { Operation } from './operation.js';
import type { TensorShape } from './shape.js';

/**
 * While `work` runs, these placeholders have these shapes (their attribute `shape`), and what depends on them has the shapes that follow.
 * Afterwards all is as before. Returns what `work` returns; `undefined`, without having called it, where variables or lists
 * depend on a placeholder: what is behind their handles is settled when the graph is built.
 * Throws `InvalidArgumentError` naming the node that the shapes do not fit.
 */
export function withAssumedShapes<R>(
  graph: Graph,
  shapes: ReadonlyMap<Operation, TensorShape>,
  work: () => R,
): R | undefined {
  const affected = dependents(graph, shapes);
  if (affected.some(({ outputs }) => outputs.some(({ dtype }) => isHandle(dtype)))) return undefined;
  const before = affected.map((op) => ({
    op,
    attrs: op.attrs,
    shapes: op.outputs.map(({ shape }) => shape),
  }));
  affected.forEach(forget);
  try {
    for (const op of affected) inferAgain(op, shapes.get(op));
    return work();
  } finally {
    for (const { op, attrs, shapes: declared } of before) {
      op.extend(op.inputs, attrs);
      setShapes(op, declared);
      forget(op);
    }
  }
}

/** These operations and all whose shapes may follow from theirs, in creation order. */
function dependents({ operations }: Graph, roots: ReadonlyMap<Operation, TensorShape>): readonly Operation[] {
  const marked = new Uint8Array(operations.length);
  return operations.filter((op) => {
    const depends = roots.has(op) || op.inputs.some((input) => marked[input.op.id] === 1);
    // Nothing follows for the shapes of ops that are not registered.
    if (!depends || op.def === undefined) return false;
    marked[op.id] = 1;
    return true;
  });
}

function inferAgain(op: Operation, shape: TensorShape | undefined): void {
  if (op.def === undefined) return;
  if (shape !== undefined) {
    const values = new Map(op.attrs.values).set('shape', { kind: 'shape', value: shape });
    op.extend(op.inputs, new Attrs(values, op.name));
  }
  try {
    setShapes(op, inferShapes(op.def, op, op.outputs.length));
  } catch (error) {
    explain(error, op);
  }
}

function setShapes({ outputs }: Operation, shapes: readonly TensorShape[]): void {
  shapes.forEach((shape, i) => outputs[i]?.replaceShape(shape));
}

/** What was computed from the shapes. */
function forget({ outputs }: Operation): void {
  outputs.forEach(forgetConstant);
}
