/**
 * Stage 7a: the order of units. Data and control edges bind; beyond them a variable is written
 * after those who read its old value, so that reading needs no copy, and then as early as
 * possible, so that gradients die young. Where an old value must outlive the write it is copied.
 */
import { InternalError } from '@forerun/graph';
import { Heap } from './heap.js';
import { ShortLives } from './shortLives.js';
import type { IrNode, IrValue, Program } from './ir.js';
import type { LoweredUnit } from './lower.js';
import {
  aliasRoot,
  variableRead,
  variablesBoundForReading,
  variablesWritten,
  type CopiedReads,
} from './storage.js';

export interface Schedule {
  readonly order: readonly LoweredUnit[];
  readonly copied: CopiedReads;
}

/**
 * How units are ordered where their edges leave a choice. `program`: as the graph was built. `short`: those that free as
 * much memory as they take at once, those that start from nothing (masks, fills) when they are needed.
 */
export type UnitOrder = 'program' | 'short';

/** Orders the units and finds the reads that need a copy. */
export function schedule(
  lowered: readonly LoweredUnit[],
  program: Program,
  preferred: UnitOrder = 'program',
): Schedule {
  const edges = new UnitGraph(lowered);
  edges.addAntiDependencies();
  const order = edges.order(preferred === 'short' ? new ShortLives(lowered, program) : null);
  return { order, copied: readsToCopy(order, program) };
}

/** A unit that reads a variable, and all that use the value, itself included. */
interface Read {
  readonly read: number;
  readonly users: readonly number[];
}

class UnitGraph {
  readonly #successors: number[][];
  readonly #hard: number[];
  readonly #soft: number[];
  readonly #softSuccessors: number[][];
  readonly #unitOf = new Map<IrNode, number>();
  /** Keys of the variables that each unit writes. */
  readonly #written: readonly ReadonlySet<string>[];
  #topological: readonly number[] | null = null;

  constructor(private readonly lowered: readonly LoweredUnit[]) {
    this.#successors = lowered.map(() => []);
    this.#softSuccessors = lowered.map(() => []);
    this.#hard = lowered.map(() => 0);
    this.#soft = lowered.map(() => 0);
    this.#written = lowered.map(variablesWritten);
    lowered.forEach(({ unit }, i) => unit.nodes.forEach((node) => this.#unitOf.set(node, i)));
    lowered.forEach(({ unit }, i) => {
      const before = unit.nodes.flatMap((node) => [
        ...node.inputs.map((input) => input.node),
        ...node.controls,
      ]);
      for (const j of new Set(before.map((node) => this.#unitOf.get(node)))) {
        if (j === undefined || j === i) continue;
        this.#successors[j]?.push(i);
        this.#hard[i] = (this.#hard[i] ?? 0) + 1;
      }
    });
  }

  /** Users of a variable's old value come before the unit that writes it, where data edges allow. */
  addAntiDependencies(): void {
    const readers = this.readersByVariable();
    const writers = new Map<string, number[]>();
    this.#written.forEach((keys, i) => keys.forEach((key) => listOf(writers, key).push(i)));
    for (const [key, units] of writers) {
      const reads = readers.get(key);
      if (reads === undefined) continue;
      const generations = units.length > 1 ? this.generations(units) : null;
      if (generations !== null) this.orderInChain(reads, units, generations);
      else for (const writer of units) this.orderBefore(writer, reads);
    }
  }

  private orderBefore(writer: number, reads: readonly Read[]): void {
    const after = this.descendants(writer);
    for (const { read, users } of reads) {
      if (after.has(read)) continue;
      for (const user of users) if (user !== writer && !after.has(user)) this.addSoftEdge(user, writer);
    }
  }

  /** Where every writer comes after the one before it, a read needs to precede only the next one. */
  private orderInChain(reads: readonly Read[], writers: readonly number[], generations: Int32Array): void {
    for (const { read, users } of reads) {
      const next = (generations[read] ?? 0) + 1;
      const writer = writers[next];
      if (writer === undefined) continue;
      for (const user of users) {
        if (user !== writer && (generations[user] ?? 0) < next) this.addSoftEdge(user, writer);
      }
    }
  }

  /** For every unit the last of `writers` that comes before it, -1 for none; `null` unless they form a chain. */
  private generations(writers: readonly number[]): Int32Array | null {
    const last = new Int32Array(this.lowered.length).fill(-1);
    const numbers = new Map(writers.map((unit, number) => [unit, number]));
    for (const i of this.topological()) {
      const own = numbers.get(i) ?? last[i] ?? -1;
      for (const next of this.#successors[i] ?? []) last[next] = Math.max(last[next] ?? -1, own);
    }
    return writers.every((unit, number) => last[unit] === number - 1) ? last : null;
  }

  /** All units, each after those that it depends on. */
  private topological(): readonly number[] {
    if (this.#topological !== null) return this.#topological;
    const left = [...this.#hard];
    const order = left.flatMap((count, i) => (count === 0 ? [i] : []));
    // Grows while it is read.
    for (const i of order) this.release(this.#successors[i] ?? [], left, (next) => order.push(next));
    return (this.#topological = order);
  }

  private readersByVariable(): Map<string, Read[]> {
    const users = new Map<IrValue, Set<number>>();
    this.lowered.forEach(({ unit }, i) => {
      for (const input of unit.nodes.flatMap((node) => node.inputs)) {
        const root = aliasRoot(input);
        if (root.node.type === 'ReadVariableOp') users.set(root, (users.get(root) ?? new Set()).add(i));
      }
    });
    const readers = new Map<string, Read[]>();
    this.lowered.forEach((lowered, read) => {
      const { unit } = lowered;
      for (const key of variablesBoundForReading(lowered)) {
        listOf(readers, key).push({ read, users: [read] });
      }
      if (unit.root.type !== 'ReadVariableOp') return;
      const [value] = unit.root.outputs;
      if (value === undefined) return;
      const { key } = variableRead(value);
      listOf(readers, key).push({ read, users: [read, ...(users.get(value) ?? [])] });
    });
    return readers;
  }

  private descendants(start: number): Set<number> {
    const found = new Set<number>();
    const stack = [start];
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      for (const next of this.#successors[i] ?? []) {
        if (found.has(next)) continue;
        found.add(next);
        stack.push(next);
      }
    }
    return found;
  }

  private addSoftEdge(from: number, to: number): void {
    this.#softSuccessors[from]?.push(to);
    this.#soft[to] = (this.#soft[to] ?? 0) + 1;
  }

  /**
   * Kahn's algorithm; writers of variables first, then by `lives` or in program order. Soft edges give way to a cycle.
   */
  order(lives: ShortLives | null): LoweredUnit[] {
    const count = this.lowered.length;
    const late = lives === null ? null : this.asLateAsPossible(lives);
    const keyOf = (i: number): number => {
      if (this.writes(i)) return i - 2 * count;
      if (lives !== null && lives.growth(i) <= 0) return i - count;
      return late?.[i] ?? i;
    };
    const ready = new Heap<number>(keyOf);
    const waiting = new Heap<number>((i) => i);
    const done = new Set<number>();
    const offer = (i: number): void => {
      if (this.#hard[i] !== 0 || done.has(i)) return;
      (this.#soft[i] === 0 ? ready : waiting).push(i);
    };
    this.lowered.forEach((_, i) => offer(i));
    const result: LoweredUnit[] = [];
    for (let i = ready.pop() ?? waiting.pop(); i !== undefined; i = ready.pop() ?? waiting.pop()) {
      if (done.has(i)) continue;
      done.add(i);
      const unit = this.lowered[i];
      if (unit !== undefined) result.push(unit);
      this.release(this.#successors[i] ?? [], this.#hard, offer);
      this.release(this.#softSuccessors[i] ?? [], this.#soft, offer);
      for (const last of lives?.finish(i) ?? []) offer(last);
    }
    if (result.length < this.lowered.length) throw new InternalError(this.circle(done));
    return result;
  }

  /** Which units wait for each other: a stage before has joined what must not be one. */
  private circle(done: ReadonlySet<number>): string {
    const names = this.lowered.flatMap(({ unit }, i) => (done.has(i) ? [] : [unit.root.name]));
    return `${names.length} units wait for each other, among them ${names.slice(0, 5).join(', ')}`;
  }

  /** Keys that put a unit which reads no temporary just before the first that needs it. */
  private asLateAsPossible(lives: ShortLives): number[] {
    const keys = this.lowered.map((_, i) => i);
    for (const i of [...this.topological()].reverse()) {
      const after = this.#successors[i] ?? [];
      if (!lives.startsFromNothing(i) || after.length === 0) continue;
      keys[i] = after.reduce((least, next) => Math.min(least, keys[next] ?? next), Infinity) - 0.5;
    }
    return keys;
  }

  private release(targets: readonly number[], counts: number[], offer: (i: number) => void): void {
    for (const target of targets) {
      const left = (counts[target] ?? 0) - 1;
      counts[target] = left;
      if (left === 0) offer(target);
    }
  }

  private writes(i: number): boolean {
    return (this.#written[i]?.size ?? 0) > 0;
  }
}

/** The first of ascending numbers that is greater than `bound`. */
function firstAfter(ascending: readonly number[], bound: number): number | undefined {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) > bound) high = middle;
    else low = middle + 1;
  }
  return ascending[low];
}

/** The list under `key`, made when it is missing. */
function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

/** Reads whose value is used by, or after, a unit that writes the variable later than the read. */
function readsToCopy(order: readonly LoweredUnit[], program: Program): Set<IrValue> {
  const writesOf = new Map<string, number[]>();
  const readAt = new Map<IrValue, number>();
  const lastUse = new Map<IrValue, number>();
  order.forEach((lowered, position) => {
    for (const key of variablesWritten(lowered)) listOf(writesOf, key).push(position);
    for (const input of lowered.unit.nodes.flatMap((node) => node.inputs)) {
      const value = aliasRoot(input);
      // What is read in place is read before the unit writes.
      lastUse.set(value, lowered.inPlace.has(value) ? position - 0.5 : position);
    }
    const { root } = lowered.unit;
    const [value] = root.outputs;
    if (root.type === 'ReadVariableOp' && value !== undefined) readAt.set(value, position);
  });
  for (const value of program.fetches) lastUse.set(aliasRoot(value), order.length);
  const copied = new Set<IrValue>();
  for (const [value, position] of readAt) {
    const next = firstAfter(writesOf.get(variableRead(value).key) ?? [], position);
    if (next !== undefined && next <= (lastUse.get(value) ?? position)) copied.add(value);
  }
  return copied;
}
