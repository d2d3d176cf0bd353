/**
 * Functional control flow: conditionals, loops and calls of functions of the graph's library. The builders that
 * take callbacks are in `controlFlow/`; these records are what they make, and what files contain.
 */
import type { FuncValue } from '../attr.js';
import { inferSymbolicGradient, symbolicGradientGrad } from '../controlFlow/functionOps.js';
import { callGrad } from '../controlFlow/callGradients.js';
import { whileGrad } from '../controlFlow/loopGradients.js';
import { baseDType, type DType } from '../dtype.js';
import { op, type HandleData, type InferContext, type OpDef } from '../opDef.js';
import type { Operation } from '../operation.js';
import { TensorShape } from '../shape.js';
import { calledFunctions } from './calledFunctions.js';

const SHAPES = 'output_shapes: list(shape) = []';

/** The shapes that the builder recorded, else nothing is known. */
function declaredShapes(c: InferContext, types = 'Tout'): TensorShape[] {
  const [shapes, results] = [c.attrs.shapes('output_shapes'), c.attrs.types(types)];
  if (shapes.length > 0 && shapes.length !== results.length)
    c.fail(`attribute "output_shapes" has ${shapes.length} shapes for ${results.length} results`);
  return results.map((_, i) => shapes[i] ?? TensorShape.UNKNOWN);
}

/** Refuses a function that does not take these arguments or does not give results of these dtypes (`null`: any one). */
function checkFunction(
  c: InferContext,
  name: string,
  given: readonly DType[],
  results: readonly DType[] | null,
): void {
  const signature = c.signature?.(name) ?? null;
  if (signature === null) return;
  const { inputs, outputs } = signature;
  if (!sameDTypes(inputs, given))
    c.fail(`function "${name}" takes (${inputs.join(', ')}), the arguments are (${given.join(', ')})`);
  if (results === null && outputs.length !== 1)
    c.fail(`function "${name}" must give one result, it gives (${outputs.join(', ')})`);
  if (results !== null && !sameDTypes(outputs, results))
    c.fail(`function "${name}" gives (${outputs.join(', ')}), the results are (${results.join(', ')})`);
}

/** A reference is passed as the tensor behind it; dtypes that a file leaves open fit every other. */
function sameDTypes(signature: readonly DType[], given: readonly DType[]): boolean {
  if (signature.length !== given.length) return false;
  return signature.every((dtype, i) => {
    const other = baseDType(given[i] ?? 'invalid');
    return dtype === other || dtype === 'invalid' || other === 'invalid';
  });
}

/** Handles of the results of the functions that an op may call: those of the first one that is here. */
function resultHandles(op: Operation): (HandleData | null)[] {
  for (const name of calledFunctions(op)) {
    const fn = op.graph.root.functions.get(name);
    if (fn !== undefined) return fn.outputs.map((output) => output.handle);
  }
  return [];
}

function inferWhile(c: InferContext): TensorShape[] {
  const values = c.attrs.types('T');
  checkFunction(c, c.attrs.func('cond').name, values, null);
  checkFunction(c, c.attrs.func('body').name, values, values);
  return declaredShapes(c, 'T');
}

function rejectBadBranchIndex(c: InferContext): void {
  if (c.shape(0).rank !== null && c.shape(0).rank !== 0) {
    c.fail(`branch_index must be a scalar, got shape ${c.shape(0).toString()}`);
  }
}

/** Functions that all take `Tin` and give `Tout`. */
function checkFunctions(c: InferContext, functions: readonly FuncValue[]): void {
  for (const { name } of functions) checkFunction(c, name, c.attrs.types('Tin'), c.attrs.types('Tout'));
}

function conditional(summary: string, stateful: boolean): OpDef {
  return op({
    summary,
    inputs: ['cond: Tcond', 'input: Tin'],
    outputs: ['output: Tout'],
    attrs: [
      'Tcond: type',
      'Tin: list(type) >= 0',
      'Tout: list(type) >= 0',
      'then_branch: func',
      'else_branch: func',
      SHAPES,
    ],
    infer: (c) => {
      checkFunctions(c, [c.attrs.func('then_branch'), c.attrs.func('else_branch')]);
      return declaredShapes(c);
    },
    handles: resultHandles,
    grad: callGrad,
    stateful,
  });
}

function loop(summary: string, stateful: boolean): OpDef {
  return op({
    summary,
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: ['T: list(type) >= 0', 'cond: func', 'body: func', SHAPES, 'parallel_iterations: int = 10'],
    infer: inferWhile,
    handles: ({ inputs }) => inputs.map((input) => input.handle),
    grad: whileGrad,
    stateful,
  });
}

function choice(summary: string, stateful: boolean): OpDef {
  return op({
    summary,
    inputs: ['branch_index: int32', 'input: Tin'],
    outputs: ['output: Tout'],
    attrs: ['Tin: list(type) >= 0', 'Tout: list(type) >= 0', 'branches: list(func) >= 1', SHAPES],
    infer: (c) => {
      rejectBadBranchIndex(c);
      checkFunctions(c, c.attrs.funcs('branches'));
      return declaredShapes(c);
    },
    handles: resultHandles,
    grad: callGrad,
    stateful,
  });
}

function call(summary: string, stateful: boolean): OpDef {
  return op({
    summary,
    inputs: ['args: Tin'],
    outputs: ['output: Tout'],
    attrs: [
      'Tin: list(type) >= 0',
      'Tout: list(type) >= 0',
      'f: func',
      'config: string = ""',
      'config_proto: string = ""',
      'executor_type: string = ""',
    ],
    infer: (c) => {
      checkFunctions(c, [c.attrs.func('f')]);
      return c.attrs.types('Tout').map(() => TensorShape.UNKNOWN);
    },
    handles: resultHandles,
    grad: callGrad,
    stateful,
  });
}

export const CONTROL = {
  If: conditional('The results of one of two functions.', true),
  StatelessIf: conditional('The results of one of two functions without state.', false),
  Case: choice('The results of one of several functions; the last one for an index out of range.', true),
  StatelessCase: choice(
    'The results of one of several functions without state; the last for an index out of range.',
    false,
  ),
  While: loop('Applies a function to values as long as a condition on them holds.', true),
  StatelessWhile: loop(
    'Applies a function without state to values as long as a condition on them holds.',
    false,
  ),
  PartitionedCall: call('The results of a function without state.', false),
  StatefulPartitionedCall: call('The results of a function.', true),
  SymbolicGradient: op({
    summary: 'The gradients of a function for its arguments, from these and the gradients of its results.',
    inputs: ['input: Tin'],
    outputs: ['output: Tout'],
    attrs: ['Tin: list(type) >= 1', 'Tout: list(type) >= 1', 'f: func'],
    infer: inferSymbolicGradient,
    grad: symbolicGradientGrad,
  }),
} satisfies Record<string, OpDef>;
