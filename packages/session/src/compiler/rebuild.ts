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
 * its replacements. Nodes that nothing needs any more are dropped. A program in which nothing is replaced is returned as it is.
 */
export function rebuild(program: Program, visit: Visit): Program {
  const { nodes } = program;
  for (const [i, node] of nodes.entries()) {
    const outputs = visit(node) ?? node.outputs;
    if (outputs !== node.outputs) return rebuildFrom(program, visit, { node: i, outputs });
  }
  return program;
}

/** The first node that is replaced, and by what. */
interface Change {
  readonly node: number;
  readonly outputs: readonly IrValue[];
}

function rebuildFrom(program: Program, visit: Visit, first: Change): Program {
  const rebuilding = new Rebuilding();
  program.nodes.forEach((old, i) => {
    // Up to the first that is replaced, all stay as they are.
    const node = i <= first.node ? old : rebuilding.current(old);
    const outputs = i > first.node ? visit(node) : i === first.node ? first.outputs : null;
    rebuilding.put(old, node, outputs ?? node.outputs);
  });
  return prune({
    nodes: rebuilding.nodes,
    fetches: program.fetches.map((value) => rebuilding.replacement(value)),
    targets: program.targets.flatMap((target) => rebuilding.waitsFor(target)),
  });
}

/** What has become of a program's nodes so far. */
class Rebuilding {
  readonly nodes: IrNode[] = [];
  readonly #known = new Set<IrNode>();
  readonly #values = new Map<IrValue, IrValue>();
  readonly #waits = new Map<IrNode, readonly IrNode[]>();

  replacement(value: IrValue): IrValue {
    const found = this.#values.get(value);
    if (found === undefined)
      throw new InternalError(`value of "${value.node.name}" is used before it is made`);
    return found;
  }

  waitsFor(node: IrNode): readonly IrNode[] {
    return this.#waits.get(node) ?? [];
  }

  /** The node with its inputs and what it waits for replaced. */
  current(old: IrNode): IrNode {
    const inputs = old.inputs.map((input) => this.replacement(input));
    const controls = [...new Set(old.controls.flatMap((control) => this.waitsFor(control)))];
    const same = sameMembers(inputs, old.inputs) && sameMembers(controls, old.controls);
    return same ? old : clone(old, inputs, controls);
  }

  /** `outputs` are used in place of those of `old`, which has become `node`. */
  put(old: IrNode, node: IrNode, outputs: readonly IrValue[]): void {
    const kept = outputs === node.outputs;
    for (const output of outputs) this.keep(output.node);
    if (kept) this.keep(node);
    old.outputs.forEach((output, i) => this.#values.set(output, outputs[i] ?? output));
    this.#waits.set(old, kept ? [node] : [...new Set(outputs.map((output) => output.node))]);
  }

  private keep(node: IrNode): void {
    if (this.#known.has(node)) return;
    for (const input of node.inputs) this.keep(input.node);
    this.#known.add(node);
    this.nodes.push(node);
  }
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
