/**
 * The units of a program as a graph, for fusion: who uses what, and whether units can become one without a
 * circle. Units keep their numbers; one that has joined another is gone.
 */
import { InternalError } from '@forerun/graph';
import { isView } from '../fuse.js';
import type { IrNode, IrValue, Program } from '../ir.js';
import type { OpenUnit } from '../lower.js';
import { aliasRoot, variableRead, viewInput } from '../storage.js';
import type { JoinedPrograms } from './chains.js';
import { JoinedKernels } from './join.js';

/** A proof that takes more steps than this is not attempted; the units stay apart. */
const MOST_STEPS = 500;
const NONE: ReadonlySet<number> = new Set();

export class UnitGraph {
  readonly kernels = new JoinedKernels();
  readonly programs: JoinedPrograms = new Map();
  readonly #units: (OpenUnit | null)[];
  readonly #idOf = new Map<IrNode, number>();
  /** Nodes with a data or control edge from a node. */
  readonly #successors = new Map<IrNode, IrNode[]>();
  /** Nodes that have a value as an input. */
  readonly #users = new Map<IrValue, IrNode[]>();
  readonly #fetched: ReadonlySet<IrValue>;
  /** Units that use a variable or a value read from it. */
  readonly #variableUsers = new Map<string, Set<IrNode>>();

  constructor(units: readonly OpenUnit[], program: Program) {
    this.#units = [...units];
    units.forEach(({ unit }, id) => unit.nodes.forEach((node) => this.#idOf.set(node, id)));
    for (const node of program.nodes) {
      for (const input of new Set(node.inputs)) {
        push(this.#users, input, node);
        const key = variableKey(input);
        if (key !== null) this.#variableUsers.set(key, (this.#variableUsers.get(key) ?? new Set()).add(node));
      }
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

  /** Units that read a value, under any of its shapes. */
  usersOf(root: IrValue): number[] {
    const ids = new Set<number>();
    const stack = [root];
    for (let v = stack.pop(); v !== undefined; v = stack.pop()) {
      for (const user of this.#users.get(v) ?? []) {
        if (isView(user)) stack.push(...user.outputs.filter((output) => aliasRoot(output) === root));
        else ids.add(this.idOf(user));
      }
    }
    return [...ids];
  }

  /** Units of the views between a value and what it is a view of. */
  viewsOf(value: IrValue): number[] {
    const ids: number[] = [];
    for (let v = value; aliasRoot(v) !== v; v = v.node.inputs[viewInput(v)] ?? aliasRoot(v)) {
      ids.push(this.idOf(v.node));
    }
    return ids;
  }

  /** Units that use a variable, or what was read from it. */
  usersOfVariable(key: string): number[] {
    return [...new Set([...(this.#variableUsers.get(key) ?? [])].map((node) => this.idOf(node)))];
  }

  /** Whether no other node than those of a unit can write a variable. */
  isOnlyWriter(id: number, key: string): boolean {
    return [...(this.#variableUsers.get(key) ?? [])].every((node) => {
      const holds = node.inputs.some(({ variable }) => variable?.key === key);
      return !holds || node.type === 'ReadVariableOp' || this.idOf(node) === id;
    });
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

  /**
   * Whether no path leaves `members` and comes back to one of them; `last` uses what the others
   * compute. `before` are units that must come before it, though no edge says so. What cannot be proven cheaply, forward
   * or backward, is taken for false.
   */
  isConvex(members: ReadonlySet<number>, last: number, before: ReadonlySet<number> = NONE): boolean {
    const first = [...members].filter((id) => id !== last);
    const returns = (id: number): boolean => members.has(id) || before.has(id);
    const forward = this.#reaches(
      first.flatMap((id) => this.after(id)),
      members,
      returns,
      (id) => this.after(id),
    );
    if (forward !== null) return !forward;
    const entries = [...[...members].flatMap((id) => this.preceding(id)), ...before];
    return (
      this.#reaches(
        entries,
        members,
        (id) => members.has(id),
        (id) => this.preceding(id),
      ) === false
    );
  }

  /** Units that come after a unit; `null` when they are many. */
  descendants(id: number): ReadonlySet<number> | null {
    const seen = new Set<number>();
    const found = this.#walk(
      this.after(id),
      seen,
      (next) => this.after(next),
      () => false,
    );
    return found === null ? null : seen;
  }

  /** Whether a walk from outside `members` comes to a unit that `hit` names; `null` when that takes too long. */
  #reaches(
    start: readonly number[],
    members: ReadonlySet<number>,
    hit: (id: number) => boolean,
    next: (id: number) => readonly number[],
  ): boolean | null {
    // Steps from member to member do not leave.
    const outside = start.filter((id) => !members.has(id));
    return this.#walk(outside, new Set(), next, hit);
  }

  #walk(
    start: readonly number[],
    seen: Set<number>,
    next: (id: number) => readonly number[],
    hit: (id: number) => boolean,
  ): boolean | null {
    const stack = [...start];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (seen.has(id)) continue;
      if (hit(id)) return true;
      if (seen.size >= MOST_STEPS) return null;
      seen.add(id);
      stack.push(...next(id));
    }
    return false;
  }

  /** Units with an edge from a unit. */
  after(id: number): number[] {
    const nodes = this.find(id)?.unit.nodes ?? [];
    return this.others(
      id,
      nodes.flatMap((node) => this.#successors.get(node) ?? []),
    );
  }

  private preceding(id: number): number[] {
    const nodes = this.find(id)?.unit.nodes ?? [];
    return this.others(
      id,
      nodes.flatMap((node) => [...node.inputs.map((input) => input.node), ...node.controls]),
    );
  }

  private others(id: number, nodes: readonly IrNode[]): number[] {
    return [...new Set(nodes.map((node) => this.idOf(node)))].filter((other) => other !== id);
  }

  /** Puts a changed unit in the place of one. */
  replace(id: number, unit: OpenUnit): void {
    this.#units[id] = unit;
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

/** The variable that a value is, or was read from. */
export function variableKey(value: IrValue): string | null {
  const root = aliasRoot(value);
  if (root.variable !== null) return root.variable.key;
  return root.node.type === 'ReadVariableOp' ? variableRead(root).key : null;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
