/** The one way in which passes change a program: node by node, inputs already replaced. */
import { InternalError } from '@forerun/graph';
import { makeNode, type IrNode, type IrValue, type Program } from './ir.js';

/**
 * Decides about one node whose inputs have been replaced. Returns the values to use instead of its
 * outputs, or `null` to keep it.
 */
export type Visit = (node: IrNode) => readonly IrValue[] | null;

/**
 * Applies `visit` to every node in order. Who waited for a replaced node waits for the producers of
 * its replacements. Nodes that nothing needs any more are dropped.
 */
export function rebuild(program: Program, visit: Visit): Program {
  const values = new Map<IrValue, IrValue>();
  const waits = new Map<IrNode, readonly IrNode[]>();
  const nodes: IrNode[] = [];
  const known = new Set<IrNode>();
  const replacement = (value: IrValue): IrValue => {
    const found = values.get(value);
    if (found === undefined)
      throw new InternalError(`value of "${value.node.name}" is used before it is made`);
    return found;
  };
  const keep = (node: IrNode): void => {
    if (known.has(node)) return;
    for (const input of node.inputs) keep(input.node);
    known.add(node);
    nodes.push(node);
  };
  for (const old of program.nodes) {
    const inputs = old.inputs.map(replacement);
    const controls = [...new Set(old.controls.flatMap((control) => waits.get(control) ?? []))];
    const node =
      sameMembers(inputs, old.inputs) && sameMembers(controls, old.controls)
        ? old
        : clone(old, inputs, controls);
    const outputs = visit(node) ?? node.outputs;
    outputs.forEach((output) => keep(output.node));
    if (outputs === node.outputs) keep(node);
    old.outputs.forEach((output, i) => values.set(output, outputs[i] ?? output));
    waits.set(old, outputs === node.outputs ? [node] : [...new Set(outputs.map((output) => output.node))]);
  }
  return prune({
    nodes,
    fetches: program.fetches.map(replacement),
    targets: program.targets.flatMap((target) => waits.get(target) ?? []),
  });
}

function sameMembers<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function clone(node: IrNode, inputs: readonly IrValue[], controls: readonly IrNode[]): IrNode {
  return makeNode({ ...node, inputs, controls }, node.outputs);
}

/** Drops nodes that neither a fetch nor a target needs. */
export function prune(program: Program): Program {
  const needed = new Set<IrNode>();
  const stack = [...program.targets, ...program.fetches.map((value) => value.node)];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    for (const input of node.inputs) stack.push(input.node);
    for (const control of node.controls) stack.push(control);
  }
  return { ...program, nodes: program.nodes.filter((node) => needed.has(node)) };
}

/** Throws `InternalError` when a pass left the program inconsistent. */
export function validate(program: Program, pass: string, before: Program): Program {
  const seen = new Set<IrNode>();
  for (const node of program.nodes) {
    for (const value of node.inputs) requireSeen(seen, value.node, node, pass);
    for (const control of node.controls) requireSeen(seen, control, node, pass);
    seen.add(node);
  }
  program.fetches.forEach((value, i) => {
    const old = before.fetches[i];
    requireSeen(seen, value.node, value.node, pass);
    if (old?.dtype !== value.dtype || old.shape.join() !== value.shape.join()) {
      throw new InternalError(`pass ${pass} changed dtype or shape of fetch ${i}`);
    }
  });
  return program;
}

function requireSeen(seen: ReadonlySet<IrNode>, needed: IrNode, user: IrNode, pass: string): void {
  if (!seen.has(needed)) {
    throw new InternalError(
      `pass ${pass}: "${user.name}" uses "${needed.name}", which does not come before it`,
    );
  }
}
