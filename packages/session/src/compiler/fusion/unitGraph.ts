/**
 * The units of a program as a graph, for fusion: who uses what, and whether units can become one without a
 * circle. Units keep their numbers; one that has joined another is gone.
 */
import { InternalError } from '@forerun/graph';
import { kernelOf } from '../fuse.js';
import type { IrNode, IrValue, Program } from '../ir.js';
import type { OpenUnit } from '../lower.js';
import { aliasRoot } from '../storage.js';

/** A proof that takes more steps than this is not attempted; the units stay apart. */
const MOST_STEPS = 500;

export class UnitGraph {
  readonly #units: (OpenUnit | null)[];
  readonly #idOf = new Map<IrNode, number>();
  /** Nodes with a data or control edge from a node. */
  readonly #successors = new Map<IrNode, IrNode[]>();
  /** Nodes that have a value as an input. */
  readonly #users = new Map<IrValue, IrNode[]>();
  readonly #fetched: ReadonlySet<IrValue>;

  constructor(units: readonly OpenUnit[], program: Program) {
    this.#units = [...units];
    units.forEach(({ unit }, id) => unit.nodes.forEach((node) => this.#idOf.set(node, id)));
    for (const node of program.nodes) {
      for (const input of new Set(node.inputs)) push(this.#users, input, node);
      const before = new Set([...node.inputs.map((input) => input.node), ...node.controls]);
      for (const other of before) push(this.#successors, other, node);
    }
    this.#fetched = new Set(program.fetches);
  }

  /** Numbers of the units, inputs before users at first. */
  get ids(): number[] {
    return [...this.#units.keys()].filter((id) => this.#units[id] !== null);
  }

  get units(): OpenUnit[] {
    return this.#units.filter((unit) => unit !== null);
  }

  find(id: number): OpenUnit | null {
    return this.#units[id] ?? null;
  }

  idOf(node: IrNode): number {
    const id = this.#idOf.get(node);
    if (id === undefined) throw new InternalError(`fusion lost the unit of "${node.name}"`);
    return id;
  }

  /** The unit that stores a value, looking through views; `null` where no kernel does. */
  producerOf(value: IrValue): number | null {
    const root = aliasRoot(value);
    const id = this.idOf(root.node);
    const unit = this.find(id);
    return unit?.kind === 'device' && unit.outputs.includes(root) ? id : null;
  }

  /** Units of the views between a value and what it is a view of. */
  viewsOf(value: IrValue): number[] {
    const ids: number[] = [];
    for (let v = value; aliasRoot(v) !== v; v = v.node.inputs[viewInput(v)] ?? aliasRoot(v)) {
      ids.push(this.idOf(v.node));
    }
    return ids;
  }

  /** Whether a value is fetched, or used by other units than `members`, under any of its shapes. */
  isUsedBeside(value: IrValue, members: ReadonlySet<number>): boolean {
    const stack = [value];
    for (let v = stack.pop(); v !== undefined; v = stack.pop()) {
      if (this.#fetched.has(v)) return true;
      for (const user of this.#users.get(v) ?? []) {
        if (isView(user))
          stack.push(...user.outputs.filter((output) => aliasRoot(output) === aliasRoot(value)));
        else if (!members.has(this.idOf(user))) return true;
      }
    }
    return false;
  }

  /** Whether no path leaves `members` and comes back to one of them; they are given from first to last. */
  isConvex(members: ReadonlySet<number>): boolean {
    const last = Math.max(...members);
    const seen = new Set<number>();
    const stack = [...members].filter((id) => id !== last).flatMap((id) => this.after(id));
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (members.has(id) || seen.has(id)) continue;
      if (seen.size >= MOST_STEPS) return false;
      seen.add(id);
      for (const next of this.after(id)) {
        if (members.has(next)) return false;
        stack.push(next);
      }
    }
    return true;
  }

  private after(id: number): number[] {
    const nodes = this.find(id)?.unit.nodes ?? [];
    return nodes.flatMap((node) => (this.#successors.get(node) ?? []).map((next) => this.idOf(next)));
  }

  /** Puts `merged`, which has all nodes of `members`, in their place. */
  merge(members: ReadonlySet<number>, merged: OpenUnit): void {
    const last = Math.max(...members);
    for (const id of members) this.#units[id] = null;
    this.#units[last] = merged;
    for (const node of merged.unit.nodes) this.#idOf.set(node, last);
  }
}

/** Nodes of several units, in the order of the units, none twice. */
export function nodesOf(graph: UnitGraph, members: ReadonlySet<number>): IrNode[] {
  const ids = [...members].sort((a, b) => a - b);
  return [...new Set(ids.flatMap((id) => graph.find(id)?.unit.nodes ?? []))];
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function isView(node: IrNode): boolean {
  return (
    node.feed === null &&
    node.literal === null &&
    (kernelOf(node).kind === 'view' || node.type === 'IdentityN')
  );
}

function viewInput({ node, index }: IrValue): number {
  return node.type === 'IdentityN' ? index : 0;
}
