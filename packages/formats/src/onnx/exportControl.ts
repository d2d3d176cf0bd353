/**
 * Calls and conditionals of functions in ONNX. Branches are graphs that use the names around them; calls are replaced by the
 * functions' nodes.
 */
import { calledFunction, type FuncGraph, type Operation, type Tensor } from '@forerun/graph';
import { writeLoop } from './exportLoop.js';
import { fail, input, type ControlWriter } from './exportWriter.js';
import { onnxNumber, valueOf } from './tensors.js';

const CALLS: ReadonlySet<string> = new Set([
  'PartitionedCall',
  'StatefulPartitionedCall',
  'SymbolicGradient',
]);
const CONDITIONALS: ReadonlySet<string> = new Set(['If', 'StatelessIf']);
const CASES: ReadonlySet<string> = new Set(['Case', 'StatelessCase']);
const LOOPS: ReadonlySet<string> = new Set(['While', 'StatelessWhile']);

export function isControl(op: Operation): boolean {
  return isPlainCall(op) || [CASES, CONDITIONALS, LOOPS].some((types) => types.has(op.type));
}

function isPlainCall({ type, def }: Operation): boolean {
  return CALLS.has(type) || def?.functionName !== undefined;
}

function functionOf(op: Operation, attr: string): FuncGraph {
  return op.graph.getFunction(op.attrs.func(attr).name);
}

/** The functions that an op calls. */
export function functionsOf(op: Operation): FuncGraph[] {
  const called = calledFunction(op);
  if (called !== null) return [called];
  if (CASES.has(op.type)) return op.attrs.funcs('branches').map(({ name }) => op.graph.getFunction(name));
  const names = CONDITIONALS.has(op.type) ? ['then_branch', 'else_branch'] : ['cond', 'body'];
  return names.map((name) => functionOf(op, name));
}

/** Adds what a call, a conditional or a loop becomes; its results go under the names of its outputs. */
export function writeControl(op: Operation, part: ControlWriter, outputs: readonly string[]): void {
  const called = calledFunction(op);
  if (called !== null) writeCall(op, called, part, outputs);
  else if (CONDITIONALS.has(op.type)) writeConditional(op, part, outputs);
  else if (CASES.has(op.type)) writeCase(op, part, outputs);
  else writeLoop(op, part, outputs, functionOf(op, 'cond'), functionOf(op, 'body'));
}

function writeCall(op: Operation, called: FuncGraph, part: ControlWriter, outputs: readonly string[]): void {
  const args = op.inputs.map((tensor) => part.argument(tensor));
  const results = part.call(called, args, op.name);
  outputs.forEach((name, i) => part.add('Identity', [results[i] ?? ''], {}, name));
}

function writeConditional(op: Operation, part: ControlWriter, outputs: readonly string[]): void {
  const predicate = input(op, 0);
  const given = part.name(predicate);
  const condition =
    predicate.dtype === 'bool' ? given : part.add('Cast', [given], { to: onnxNumber('bool', op.name) });
  const args = op.inputs.slice(1).map((tensor) => part.argument(tensor));
  const branch = (attr: string): { graph: ReturnType<ControlWriter['subgraph']> } => {
    const fn = functionOf(op, attr);
    const build = (inner: ControlWriter) =>
      inner.call(fn, args, 'branch').map((name, i) => [name, fn.outputs[i] ?? op.output(i)] as const);
    return { graph: part.subgraph(`${op.name}/${attr}`, [], build) };
  };
  const branches = { then_branch: branch('then_branch'), else_branch: branch('else_branch') };
  part.addMany('If', [condition], branches, outputs);
}

/** The branch of a number: a chain of conditionals, the last branch where there is no such number. */
function writeCase(op: Operation, part: ControlWriter, outputs: readonly string[]): void {
  const index = part.name(input(op, 0));
  const args = op.inputs.slice(1).map((tensor) => part.argument(tensor));
  const branches = functionsOf(op);
  const last = branches.at(-1) ?? fail(op, 'there are no branches');
  const chain = (own: ControlWriter, k: number, names: readonly string[]): void => {
    const fn = branches[k] ?? last;
    if (k >= branches.length - 1) {
      const results = own.call(fn, args, `branch_${k}`);
      names.forEach((name, i) => own.add('Identity', [results[i] ?? ''], {}, name));
      return;
    }
    const is = own.add('Equal', [index, own.constant(valueOf(input(op, 0).dtype, k))]);
    const then = own.subgraph(`${op.name}/branch_${k}`, [], (inner) =>
      named(inner.call(fn, args, 'branch'), fn),
    );
    const otherwise = own.subgraph(`${op.name}/after_${k}`, [], (inner) => {
      const made = names.map((_, i) => `${op.name}/after_${k}/result_${i}`);
      chain(inner, k + 1, made);
      return named(made, last);
    });
    own.addMany('If', [is], { then_branch: { graph: then }, else_branch: { graph: otherwise } }, names);
  };
  chain(part, 0, outputs);
}

function named(names: readonly string[], fn: FuncGraph): (readonly [string, Tensor])[] {
  return fn.outputs.map((tensor, i) => [names[i] ?? '', tensor] as const);
}
