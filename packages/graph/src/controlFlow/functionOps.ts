/**
 * Calls of functions as TensorFlow 1 writes them (`Defun`): the type of a node is the name of a function of the library, and
 * its gradient is a node `SymbolicGradient`, which computes the function anew. Records for both; `calls.ts` has the functions
 * that they run.
 */
import { nameForCopy } from '../names.js';
import { baseDType, isFloating, isRefDType, type DType } from '../dtype.js';
import { UnimplementedError } from '../errors.js';
import type { FuncGraph } from '../funcGraph.js';
import { withGraph } from '../graphStack.js';
import type { GradContext, InferContext, OpDef } from '../opDef.js';
import type { Operation } from '../operation.js';
import type { Ops } from '../ops/index.js';
import { calledFunctions } from '../ops/calledFunctions.js';
import { TensorShape } from '../shape.js';
import type { ArgSpec } from '../signature.js';
import type { Tensor } from '../tensor.js';
import { zeroGradient } from './backward.js';
import { copyBody, newFunction, register } from './functions.js';

/** An argument or a result as a function of a file declares it. */
export interface DeclaredArgument {
  readonly name: string;
  readonly dtype: DType;
}

/** What a function of a file declares. */
export interface DeclaredFunction {
  readonly inputs: readonly DeclaredArgument[];
  readonly outputs: readonly DeclaredArgument[];
  readonly stateful: boolean;
}

/** The record of the nodes whose type is the name of `fn`, which need not have been read yet. */
export function functionOp(fn: FuncGraph, { inputs, outputs, stateful }: DeclaredFunction): OpDef {
  const { functionName } = fn;
  return {
    summary: `Calls the function "${functionName}".`,
    functionName,
    inputs: inputs.map(argument),
    outputs: outputs.map(argument),
    attrs: [],
    infer: () => outputs.map((_, i) => fn.outputs[i]?.shape ?? TensorShape.UNKNOWN),
    handles: () => outputs.map((_, i) => fn.outputs[i]?.handle ?? null),
    grad: (c) => functionGrad(c, fn),
    stateful,
  };
}

function argument({ name, dtype }: DeclaredArgument): ArgSpec {
  return { name, dtype: baseDType(dtype), isRef: isRefDType(dtype) };
}

/** Results have the shapes of the function's arguments, which come first. */
export function inferSymbolicGradient(c: InferContext): TensorShape[] {
  const { name } = c.attrs.func('f');
  const [given, results] = [c.attrs.types('Tin'), c.attrs.types('Tout')];
  if (given.length < results.length)
    c.fail(`gives ${results.length} gradients for ${given.length} inputs, of which some are arguments`);
  const signature = c.signature?.(name) ?? null;
  if (signature !== null) {
    const { inputs, outputs } = signature;
    const wanted = [...inputs, ...outputs];
    if (wanted.join() !== given.join())
      c.fail(
        `the gradient of function "${name}" takes (${wanted.join(', ')}), the arguments are (${given.join(', ')})`,
      );
    if (results.length !== inputs.length)
      c.fail(`function "${name}" has ${inputs.length} arguments, the node gives ${results.length} gradients`);
  }
  return results.map((_, i) => c.handle(i)?.shape ?? c.shape(i));
}

/** The gradient of a call: `SymbolicGradient` of the function, of the arguments and of what flows into its results. */
function functionGrad(c: GradContext, fn: FuncGraph): (Tensor | null)[] {
  const again = unrepeatable(fn, new Set());
  if (again !== undefined) {
    throw new UnimplementedError(
      `${c.op.describe()} has no gradient: it would run ${again.describe()} of function "${fn.functionName}" a second time, ` +
        `which draws other numbers or changes something again${c.op.creationSite()}`,
      { node: c.op.name },
    );
  }
  return symbolicGradientOf(c, fn.functionName);
}

/** What a second run of a function would do otherwise, or again. */
function unrepeatable(fn: FuncGraph, seen: Set<FuncGraph>): Operation | undefined {
  if (seen.has(fn)) return undefined;
  seen.add(fn);
  for (const op of fn.operations) {
    if (op.def?.stateful === true && op.attrs.has('seed')) return op;
    for (const name of calledFunctions(op)) {
      const inner = fn.root.functions.get(name);
      const found = inner === undefined ? undefined : unrepeatable(inner, seen);
      if (found !== undefined) return found;
    }
  }
  return fn.effects.find((op) => calledFunctions(op).length === 0);
}

/** The gradient of `SymbolicGradient`: that of the function that goes backward, which the library gets. */
export function symbolicGradientGrad(c: GradContext): (Tensor | null)[] {
  const { name } = c.attrs.func('f');
  const { root } = c.op.graph;
  const own = root.functionGradients.get(name);
  const backward = own === undefined ? namedGradient(root.getFunction(name), c) : root.getFunction(own);
  return symbolicGradientOf(c, backward.functionName);
}

function symbolicGradientOf({ op, ops, dys }: GradContext, name: string): (Tensor | null)[] {
  const seeds = op.outputs.map((y, i) => dys[i] ?? ops.zerosLike(y));
  const made = op.graph.createOp({
    type: 'SymbolicGradient',
    inputs: [...op.inputs, ...seeds],
    attrs: {
      f: { kind: 'func', value: { name, attrs: new Map() } },
      Tout: { kind: 'list(type)', value: op.inputs.map(gradientDType) },
    },
  });
  return op.inputs.map((x, i) => (isFloating(gradientDType(x)) ? made.output(i) : null));
}

/** The gradient for a variable has the dtype of its value. */
function gradientDType({ dtype, handle }: Tensor): DType {
  return dtype === 'resource' ? (handle?.dtype ?? 'float32') : baseDType(dtype);
}

const backward = new WeakMap<FuncGraph, FuncGraph>();

function namedGradient(fn: FuncGraph, { ops, backpropagate }: GradContext): FuncGraph {
  const known = backward.get(fn);
  if (known !== undefined) return known;
  const made = backwardFunction(fn, ops, backpropagate);
  register([made]);
  backward.set(fn, made);
  return made;
}

/**
 * The function from the arguments of `fn` and the gradients of its results to the gradients of its arguments, zeros where
 * there is none. It is made beside `fn`, and not in the library.
 */
export function backwardFunction(
  fn: FuncGraph,
  ops: Ops,
  backpropagate: GradContext['backpropagate'],
): FuncGraph {
  const made = newFunction(`${fn.functionName}_grad`, fn.outer);
  const args = fn.inputs.map(({ dtype, shape, handle, op }) =>
    made.addInput({ dtype, shape, handle, name: nameForCopy(op.name) }),
  );
  const seeds = fn.outputs.map(({ dtype, shape, handle }, i) =>
    made.addInput({ dtype: baseDType(dtype), shape, handle, name: `dy_${i}` }),
  );
  made.outputs = withGraph(made, () => {
    const tensors = copyBody(fn, new Map(fn.inputs.map((input, i) => [input, args[i] ?? input])));
    const flowing = fn.outputs.flatMap((output, i) => {
      const [y, dy] = [tensors.get(output), seeds[i]];
      return y === undefined || dy === undefined || !isFloating(baseDType(y.dtype)) ? [] : [{ y, dy }];
    });
    const dxs = backpropagate(
      flowing.map(({ y }) => y),
      args,
      flowing.map(({ dy }) => dy),
    );
    return args.map((x, i) => dxs[i] ?? zeroGradient(ops, x));
  });
  return made;
}
