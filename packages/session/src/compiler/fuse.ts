/**
 * Stage 4: gathers nodes into units, each of which becomes one lowered kernel. Chains of
 * elementwise ops of one shape become one unit: values that only the chain uses never reach memory.
 */
import { InternalError, type OpName } from '@forerun/graph';
import { KERNELS, type Kernel, type Work } from '@forerun/kernels-webgpu';
import { TABLES } from '../tables.js';
import type { HostValues } from './hostValues.js';
import { isRunningSum } from './passes/newNodes.js';
import { consumersOf, elements, inputOf, outputOf, type IrNode, type IrValue, type Program } from './ir.js';

/** Nodes that are lowered together. Only the last node's outputs are stored. */
export interface Unit {
  readonly nodes: readonly IrNode[];
  readonly root: IrNode;
  readonly kind: 'elementwise' | 'single';
}

/** Ops that the session carries out without a kernel and without a host step. */
export const SESSION_OPS: ReadonlySet<string> = new Set([
  'VarHandleOp',
  'ReadVariableOp',
  'NoOp',
  'Const',
  'Placeholder',
  'PlaceholderV2',
  'IdentityN',
  ...TABLES,
]);

export function kernelOf(node: Pick<IrNode, 'type'>): Kernel {
  return KERNELS[node.type as OpName];
}

/** What kind of work the kernel of a node does, where it is known. */
export function workOf(node: Pick<IrNode, 'type'>): Work | null {
  const kernel = kernelOf(node);
  return kernel.kind === 'device' ? (kernel.work ?? null) : null;
}

/** Whether a node's outputs are its inputs under other shapes, in the same buffers. */
export function isView(node: IrNode): boolean {
  if (node.feed !== null || node.literal !== null) return false;
  const kernel = kernelOf(node);
  if (node.type === 'IdentityN' || kernel.kind === 'view') return true;
  // A kernel that neither repeats nor combines anything.
  if ((kernel.kind !== 'device' && kernel.kind !== 'elementwise') || kernel.relabels !== true) return false;
  const [input, output] = [inputOf(node, 0), outputOf(node)];
  return input.dtype === output.dtype && elements(input) === elements(output);
}

/** Groups the program's nodes into units, in program order of their roots. */
export function fuse(program: Program, host: HostValues, maxBindings: number, enabled: boolean): Unit[] {
  const fusion = new ElementwiseFusion(program, host, maxBindings);
  const members = new Map<IrNode, IrNode[]>();
  if (enabled) fusion.run(members);
  const absorbed = new Set([...members.values()].flatMap((nodes) => nodes.slice(0, -1)));
  return program.nodes
    .filter((node) => !absorbed.has(node))
    .map((root) => ({
      nodes: members.get(root) ?? [root],
      root,
      kind: isElementwise(root) ? 'elementwise' : 'single',
    }));
}

export function isElementwise(node: IrNode): boolean {
  const own = node.feed === null && node.literal === null;
  return own && kernelOf(node).kind === 'elementwise' && !isView(node);
}

class ElementwiseFusion {
  readonly #consumers: ReadonlyMap<IrValue, readonly IrNode[]>;
  readonly #pinned = new Set<IrNode>();
  readonly #rootOf = new Map<IrNode, IrNode>();

  constructor(
    private readonly program: Program,
    private readonly host: HostValues,
    private readonly maxBindings: number,
  ) {
    this.#consumers = consumersOf(program);
    for (const value of program.fetches) this.#pinned.add(value.node);
    for (const node of program.targets) this.#pinned.add(node);
    for (const node of program.nodes) for (const control of node.controls) this.#pinned.add(control);
  }

  /**
   * Consumers first, so that a producer can join the unit of its users. It may when all of them are
   * in one unit of its shape: then only that unit's root is seen from outside and no cycle can arise.
   */
  run(members: Map<IrNode, IrNode[]>): void {
    for (const node of [...this.program.nodes].reverse()) {
      if (!isElementwise(node)) continue;
      const root = this.unitToJoin(node, members);
      this.#rootOf.set(node, root);
      const unit = members.get(root) ?? [];
      members.set(root, [node, ...unit]);
    }
  }

  private unitToJoin(node: IrNode, members: ReadonlyMap<IrNode, IrNode[]>): IrNode {
    if (isRunningSum(node)) return node;
    const users = this.#consumers.get(outputOf(node)) ?? [];
    const roots = new Set(users.map((user) => this.#rootOf.get(user)));
    const [root] = roots;
    if (roots.size !== 1 || root === undefined) return node;
    if (this.#pinned.has(node) || node.controls.length > 0) return node;
    if (outputOf(node).shape.join() !== outputOf(root).shape.join()) return node;
    const unit = members.get(root);
    if (unit === undefined) throw new InternalError(`fusion lost the unit of "${root.name}"`);
    return this.bindingsOf([node, ...unit]) <= this.maxBindings ? root : node;
  }

  private bindingsOf(nodes: readonly IrNode[]): number {
    const inside = new Set(nodes);
    const inputs = new Set(nodes.flatMap((node) => node.inputs.filter((input) => !inside.has(input.node))));
    const loaded = [...inputs].filter((input) => !isLiteral(input, this.host));
    return loaded.length + 1;
  }
}

/** Whether a value is written into the shader text: one known element. */
export function isLiteral(value: IrValue, host: HostValues): boolean {
  return elements(value) === 1 && host.get(value) !== null;
}
