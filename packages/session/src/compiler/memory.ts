/**
 * Stage 7c: assigns temporaries to buffers by liveness. Whole buffers are shared, never ranges of
 * one: WebGPU forbids binding one buffer for reading and for writing in one dispatch. Largest
 * first into the first buffer that is free for the value's life (the "greedy by size for shared
 * objects" of Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020).
 */
import type { IrValue, Program } from './ir.js';
import type { LoweredUnit } from './lower.js';
import type { PlannedTemporary } from '../plan.js';
import type { InPlace } from './inPlace.js';
import type { Schedule } from './schedule.js';
import { bytesOf, storageOf } from './storage.js';

/** A scratch buffer: `unit`'s scratch number `index`. */
export interface ScratchSlot {
  readonly unit: LoweredUnit;
  readonly index: number;
}

export interface MemoryPlan {
  /** Byte sizes of the plan's buffers. */
  readonly buffers: readonly number[];
  readonly bufferOf: ReadonlyMap<IrValue, number>;
  readonly scratchOf: ReadonlyMap<LoweredUnit, readonly number[]>;
  /** All values and scratch buffers with the time that they live. */
  readonly temporaries: readonly PlannedTemporary[];
  /** Values that are stored in the place of operands. */
  readonly inPlace: number;
  /** Sum of the buffers: what the plan takes. */
  readonly peakBytes: number;
  /** The most bytes alive at once: no plan can take less. */
  readonly lowerBoundBytes: number;
  /** What it would take without sharing. */
  readonly naiveBytes: number;
}

interface Interval {
  readonly name: string;
  readonly bytes: number;
  readonly from: number;
  to: number;
  readonly assign: (buffer: number) => void;
  buffer: number;
}

/**
 * Plans buffers for all temporaries and scratch of a schedule. `placeOf` gives the values in whose place others are
 * computed.
 */
export function planMemory(
  program: Program,
  { order, copied }: Schedule,
  placeOf: InPlace['placeOf'] = new Map(),
): MemoryPlan {
  const lives = new Intervals(copied);
  order.forEach((lowered, position) => {
    for (const value of boundValues(lowered)) lives.touch(value, position);
    for (const output of lowered.unit.root.outputs) if (copied.has(output)) lives.touch(output, position);
    lives.addScratch(lowered, position);
  });
  for (const fetch of program.fetches) lives.touch(fetch, order.length);
  const all = [...lives.intervals.values()];
  const blocks = blocksOf(lives.intervals, placeOf);
  const buffers = assignBuffers(blocks);
  return {
    buffers,
    bufferOf: lives.bufferOf,
    scratchOf: lives.scratchOf,
    temporaries: all.map(({ name, bytes, from, to, buffer }) => ({ name, bytes, from, to, buffer })),
    inPlace: placeOf.size,
    peakBytes: sum(buffers),
    lowerBoundBytes: mostAlive(blocks, order.length),
    naiveBytes: sum(all.map((interval) => interval.bytes)),
  };
}

/** When values and scratch buffers live, and which buffers they get. */
class Intervals {
  readonly intervals = new Map<IrValue | ScratchSlot, Interval>();
  readonly bufferOf = new Map<IrValue, number>();
  readonly scratchOf = new Map<LoweredUnit, number[]>();

  constructor(private readonly copied: Schedule['copied']) {}

  /** Notes that a value is used at a position, if it lies in a temporary. */
  touch(value: IrValue, position: number): void {
    const storage = storageOf(value, this.copied);
    if (storage.kind !== 'temp' && storage.kind !== 'host') return;
    const root = storage.value;
    const interval = this.intervals.get(root);
    if (interval !== undefined) interval.to = Math.max(interval.to, position);
    else this.add(root, root.node.name, bytesOf(root), position, (buffer) => this.bufferOf.set(root, buffer));
  }

  addScratch(unit: LoweredUnit, position: number): void {
    if (unit.scratch.length === 0) return;
    const slots: number[] = [];
    unit.scratch.forEach((bytes, index) => {
      const name = `${unit.unit.root.name} (scratch ${index})`;
      this.add({ unit, index }, name, bytes, position, (buffer) => (slots[index] = buffer));
    });
    this.scratchOf.set(unit, slots);
  }

  private add(
    owner: IrValue | ScratchSlot,
    name: string,
    bytes: number,
    position: number,
    assign: Interval['assign'],
  ): void {
    this.intervals.set(owner, { name, bytes, from: position, to: position, buffer: -1, assign });
  }
}

/** What lies in one place, one after the other, without a pause. */
interface Block {
  readonly bytes: number;
  readonly from: number;
  to: number;
  readonly members: Interval[];
}

/** A block for every value and scratch buffer but those that are computed in the place of another. */
function blocksOf(
  intervals: ReadonlyMap<IrValue | ScratchSlot, Interval>,
  placeOf: InPlace['placeOf'],
): Block[] {
  const blocks = new Map<IrValue | ScratchSlot, Block>();
  for (const [owner, interval] of intervals) {
    const { bytes, from, to } = interval;
    blocks.set(owner, { bytes, from, to, members: [interval] });
  }
  for (const [result, operand] of placeOf) {
    const [block, own] = [blocks.get(operand), blocks.get(result)];
    if (block === undefined || own === undefined) continue;
    // Until then the operand is alive, though it is not bound by itself.
    const last = block.members.at(-1);
    if (last !== undefined) last.to = own.from;
    block.members.push(...own.members);
    block.to = own.to;
    blocks.set(result, block);
  }
  return [...new Set(blocks.values())];
}

/** Values that a unit's dispatches or host step touch. */
export function boundValues(lowered: LoweredUnit): IrValue[] {
  if (lowered.kind === 'host') return [...lowered.unit.root.inputs, ...lowered.unit.root.outputs];
  return lowered.dispatches.flatMap(({ bindings }) =>
    bindings.flatMap(({ source }) => (source.kind === 'value' ? [source.value] : [])),
  );
}

/** How many buffers are looked at for one value: plans with more stay linear in their number of values. */
const MAX_LOOKED_AT = 256;

/** Sizes of the buffers. Blocks are placed from large to small, so that every buffer is as large as its first. */
function assignBuffers(blocks: readonly Block[]): number[] {
  const sizes: number[] = [];
  const held: Occupancy[] = [];
  for (const { bytes, from, to, members } of [...blocks].sort(
    (a, b) => b.bytes - a.bytes || a.from - b.from,
  )) {
    let buffer = held.slice(0, MAX_LOOKED_AT).findIndex((occupancy) => occupancy.take(from, to));
    if (buffer < 0) {
      buffer = sizes.push(bytes) - 1;
      const occupancy = new Occupancy();
      occupancy.take(from, to);
      held.push(occupancy);
    }
    for (const interval of members) {
      interval.assign(buffer);
      interval.buffer = buffer;
    }
  }
  return sizes;
}

/** When a buffer is in use: disjoint intervals in order. */
class Occupancy {
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  /** Takes the buffer from one position to another, ends included, unless it is in use then. */
  take(from: number, to: number): boolean {
    let [low, high] = [0, this.#from.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#to[middle] ?? 0) < from) low = middle + 1;
      else high = middle;
    }
    if ((this.#from[low] ?? Infinity) <= to) return false;
    this.#from.splice(low, 0, from);
    this.#to.splice(low, 0, to);
    return true;
  }
}

function mostAlive(blocks: readonly Block[], end: number): number {
  const change = new Array<number>(end + 2).fill(0);
  for (const { bytes, from, to } of blocks) {
    change[from] = (change[from] ?? 0) + bytes;
    change[to + 1] = (change[to + 1] ?? 0) - bytes;
  }
  let alive = 0;
  return change.reduce((most, delta) => Math.max(most, (alive += delta)), 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
