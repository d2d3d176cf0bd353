/**
 * Conditionals and loops of functions in ONNX. Branches are graphs that use the names around them; a loop computes its condition
 * before it begins and at the end of each iteration. Calls of functions are replaced by the functions' nodes.
 */
import { calledFunction, type FuncGraph, type Operation } from '@forerun/graph';
import { fail, input, valueInfo, type ControlWriter } from './exportWriter.js';
import { onnxNumber } from './tensors.js';

const CALLS: ReadonlySet<string> = new Set([
  'PartitionedCall',
  'StatefulPartitionedCall',
  'SymbolicGradient',
]);
const CONDITIONALS: ReadonlySet<string> = new Set(['If', 'StatelessIf']);
const LOOPS: ReadonlySet<string> = new Set(['While', 'StatelessWhile']);

export function isControl(op: Operation): boolean {
  return isPlainCall(op) || CONDITIONALS.has(op.type) || LOOPS.has(op.type);
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
  const names = CONDITIONALS.has(op.type) ? ['then_branch', 'else_branch'] : ['cond', 'body'];
  return names.map((name) => functionOf(op, name));
}

/** Adds what a call, a conditional or a loop becomes; its results go under the names of its outputs. */
export function writeControl(op: Operation, part: ControlWriter, outputs: readonly string[]): void {
  const called = calledFunction(op);
  if (called !== null) writeCall(op, called, part, outputs);
  else if (CONDITIONALS.has(op.type)) writeConditional(op, part, outputs);
  else writeLoop(op, part, outputs);
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

function writeLoop(op: Operation, part: ControlWriter, outputs: readonly string[]): void {
  const [cond, body] = [functionOf(op, 'cond'), functionOf(op, 'body')];
  op.inputs.forEach(({ dtype, name }) => {
    if (dtype === 'variant') fail(op, `its variable "${name}" is a tensor list`);
  });
  const initial = op.inputs.map((tensor) => part.argument(tensor));
  // Handles of variables stay as they are.
  const carried = op.inputs.flatMap(({ dtype }, i) => (dtype === 'resource' ? [] : [i]));
  const label = `${op.name}/loop`;
  const inner = (name: string): string => `${op.name}/loop_${name}`;
  const [first = fail(op, 'its condition has no result')] = part.call(cond, initial, `${op.name}/first`);
  const infos = [
    { name: inner('iteration'), type: { tensorType: { elemType: onnxNumber('int64', op.name), shape: { dim: [] } } } }, // prettier-ignore
    { name: inner('condition'), type: { tensorType: { elemType: onnxNumber('bool', op.name), shape: { dim: [] } } } }, // prettier-ignore
    ...carried.map((i) => valueInfo(inner(`variable_${i}`), body.inputs[i] ?? op.output(i))),
  ];
  const graph = part.subgraph(label, infos, (own) => {
    const given = initial.map((arg, i) => (typeof arg === 'string' ? inner(`variable_${i}`) : arg));
    const next = own.call(body, given, 'body');
    const after = initial.map((arg, i) => (typeof arg === 'string' ? (next[i] ?? '') : arg));
    const [goesOn = ''] = own.call(cond, after, 'cond');
    const condition = cond.outputs[0] ?? op.output(0);
    return [
      [goesOn, condition],
      ...carried.map((i) => [next[i] ?? '', body.outputs[i] ?? op.output(i)] as const),
    ];
  });
  const names = initial.filter((arg) => typeof arg === 'string');
  part.addMany(
    'Loop',
    ['', first, ...names],
    { body: { graph } },
    carried.map((i) => outputs[i] ?? ''),
  );
}
