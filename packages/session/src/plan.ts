/** A compiled plan: what a run executes. Built once; a run creates nothing. */
import type { DType, Tensor, TensorValue } from '@forerun/graph';
import type { VariableRef } from './compiler/ir.js';
import type { DeferredOp, Export } from './compiler/values.js';
import type { MemoryPlan } from './compiler/memory.js';
import type { FusionReport } from './compiler/fusion/index.js';
import type { PassReport } from './compiler/simplify.js';
import type { HostStepFn, HostStepNode } from './run/hostOps.js';
import type { ChosenKernel } from './tuning/tuner.js';
import { BufferUsage } from './device/flags.js';
import type { DeviceHandle } from './device/handle.js';
import { transferBytes } from './device/words.js';

/** One dispatch, ready to encode. */
export interface Command {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
  readonly label: string;
  /** Graph nodes that the kernel stands for; the last one names it. */
  readonly sources: readonly string[];
}

/** Where a value is found at run time. */
export type ValueSource =
  | { readonly kind: 'buffer'; readonly buffer: GPUBuffer }
  | { readonly kind: 'feed'; readonly position: number }
  | { readonly kind: 'literal'; readonly value: () => TensorValue }
  /** Result `slot` of a host step of this plan. */
  | { readonly kind: 'host'; readonly slot: number };

/** A value to be given to the caller or to a host step. */
export interface PlannedValue {
  readonly source: ValueSource;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface DeviceStep {
  readonly kind: 'device';
  readonly commands: readonly Command[];
}

export interface HostStep {
  readonly kind: 'host';
  readonly node: HostStepNode;
  readonly run: HostStepFn;
  readonly inputs: readonly PlannedValue[];
  /** Slots of the results, and the buffers that kernels read them from. */
  readonly outputs: readonly { readonly slot: number; readonly upload: GPUBuffer | null }[];
}

export interface PlannedFeed {
  readonly name: string;
  /** `null` when no kernel reads the feed. */
  readonly buffer: GPUBuffer | null;
}

/** One dispatch as the compiler made it. */
export interface PlannedDispatch {
  /** The kernel's form. */
  readonly label: string;
  /** Graph nodes that it computes; the last one names it. */
  readonly nodes: readonly string[];
  readonly workgroups: readonly [number, number, number];
  readonly wgsl: string;
  /** Place in the order of units, as in `PlannedTemporary`. */
  readonly position: number;
}

/** A value that lives in a buffer of the plan for a while. */
export interface PlannedTemporary {
  readonly name: string;
  readonly bytes: number;
  /** First and last unit that touch it; beyond the last unit where it is fetched. */
  readonly from: number;
  readonly to: number;
  readonly buffer: number;
}

/** What the compiler did, for profiles, the command line and tests. */
export interface PlanReport {
  readonly graphNodes: number;
  readonly passes: readonly PassReport[];
  readonly fusions: readonly FusionReport[];
  readonly units: number;
  readonly dispatches: number;
  readonly pipelines: number;
  readonly copiedReads: number;
  readonly memory: Pick<MemoryPlan, 'peakBytes' | 'lowerBoundBytes' | 'naiveBytes' | 'inPlace'> & {
    readonly buffers: number;
    /** Nodes that are computed a second time to save memory (`config.memory`). */
    readonly recomputed: number;
    readonly constantBytes: number;
    readonly feedBytes: number;
  };
  /** Kernels that have several forms: which one was taken, and why. */
  readonly kernels: readonly ChosenKernel[];
  /** All dispatches in order. */
  readonly dispatchList: readonly PlannedDispatch[];
  readonly temporaries: readonly PlannedTemporary[];
  readonly compileMilliseconds: number;
}

export interface PlanInit {
  readonly steps: readonly (DeviceStep | HostStep)[];
  readonly feeds: readonly PlannedFeed[];
  readonly fetches: readonly PlannedValue[];
  /** Operations left for a later part of the run, and where that finds what this part computed. */
  readonly deferred: readonly DeferredOp[];
  readonly exports: ReadonlyMap<Tensor, Export>;
  /** Variables that must have a value before the plan runs. */
  readonly requires: readonly VariableRef[];
  /** Variables that have one afterwards. */
  readonly initializes: readonly VariableRef[];
  /** Bound by random kernels; `null` when the plan draws nothing. */
  readonly random: GPUBuffer | null;
  readonly hostSlots: number;
  readonly report: PlanReport;
  /** Buffers that belong to the plan. */
  readonly owned: readonly GPUBuffer[];
}

/** A fetched value on its way to the host: where it is, and where it comes to lie in the staging buffer. */
export interface FetchCopy {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
}

export class Plan {
  /** Bytes that the fetches take in the staging buffer. */
  readonly fetchBytes: number;
  /** Per fetch its copy, `null` for values that the host knows. */
  readonly fetchCopies: readonly (FetchCopy | null)[];
  /** Whether a run is one submit: no step on the host cuts it. */
  readonly isOneSubmit: boolean;
  /** Whether values that were fed are fetched. */
  readonly fetchesFeeds: boolean;
  readonly dispatches: number;
  /** A ring: runs in flight have a staging buffer each. */
  readonly #staging: GPUBuffer[] = [];
  #disposed = false;
  #running = 0;

  constructor(
    readonly handle: DeviceHandle,
    readonly init: PlanInit,
  ) {
    ({ copies: this.fetchCopies, bytes: this.fetchBytes } = layoutFetches(init.fetches));
    this.isOneSubmit = init.steps.every(({ kind }) => kind === 'device');
    this.fetchesFeeds = init.fetches.some(({ source }) => source.kind === 'feed');
    this.dispatches = init.steps.reduce(
      (total, step) => total + (step.kind === 'device' ? step.commands.length : 0),
      0,
    );
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** A staging buffer that no run uses; made when all are busy. */
  takeStaging(): GPUBuffer {
    const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
    return this.#staging.pop() ?? this.handle.createBuffer(this.fetchBytes, usage, 'fetches');
  }

  returnStaging(buffer: GPUBuffer): void {
    if (this.#disposed) this.handle.destroyBuffer(buffer);
    else this.#staging.push(buffer);
  }

  /** Marks the plan as in use until `release`, so that eviction waits for the run. */
  retain(): void {
    this.#running++;
  }

  release(): void {
    this.#running--;
    if (this.#disposed && this.#running === 0) this.free();
  }

  /** Frees the plan's buffers, after the runs that use it. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#running === 0) this.free();
  }

  private free(): void {
    for (const buffer of [...this.init.owned, ...this.#staging.splice(0)]) this.handle.destroyBuffer(buffer);
  }
}

/** Where values come to lie in one staging buffer, and its size. */
export function layoutFetches(values: readonly PlannedValue[]): {
  readonly copies: readonly (FetchCopy | null)[];
  readonly bytes: number;
} {
  let offset = 0;
  const copies = values.map((value) => {
    const bytes = fetchSize(value);
    if (value.source.kind !== 'buffer' || bytes === 0) return null;
    offset += bytes;
    return { buffer: value.source.buffer, offset: offset - bytes, bytes };
  });
  return { copies, bytes: offset };
}

/** Bytes of a fetched value in the staging buffer; 0 when it does not come from the device. */
export function fetchSize({ source, dtype, shape }: PlannedValue): number {
  return source.kind === 'buffer' ? transferBytes(shape, dtype) : 0;
}
