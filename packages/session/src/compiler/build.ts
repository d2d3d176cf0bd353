/**
 * Stage 8: makes the GPU objects of a schedule: buffers, pipelines (compiled in parallel, shared by
 * text), bind groups. After this nothing is created any more.
 */
import type { TensorValue } from '@forerun/graph';
import { fromHostValue, InternalError, type HostValue } from '@forerun/graph';
import type { ConstantStore } from '../constants.js';
import { BufferUsage } from '../device/flags.js';
import type { DeviceHandle } from '../device/handle.js';
import { toWords } from '../device/words.js';
import type { Command, DeviceStep, HostStep, PlannedFeed, PlannedValue, ValueSource } from '../plan.js';
import { hostStep } from '../run/hostOps.js';
import type { VariableStore } from '../variables.js';
import { MAX_FOLDED_ELEMENTS, type HostValues } from './hostValues.js';
import { describe, elements, type IrValue } from './ir.js';
import type { BoundBinding, BoundDispatch, BoundSource, LoweredUnit } from './lower.js';
import { boundValues, type MemoryPlan } from './memory.js';
import type { Schedule } from './schedule.js';
import { isTrainingStep, shareShaders, type PlannedShader } from './shareShaders.js';
import { bytesOf, storageBytes, storageOf } from './storage.js';

/** Called as pipelines become ready. */
export type BuildProgress = (done: number, total: number) => void;

const STORAGE = BufferUsage.STORAGE | BufferUsage.COPY_DST | BufferUsage.COPY_SRC;

/** What outlives plans: the buffers that a session's plans share. */
export interface SessionState {
  readonly variables: VariableStore;
  readonly constants: ConstantStore;
}

/** Creates and collects the buffers of one plan. */
export class PlanBuilder {
  readonly owned: GPUBuffer[] = [];
  readonly #constants = new Map<IrValue, GPUBuffer>();
  readonly #data = new Map<Uint32Array, GPUBuffer>();
  readonly #feeds: (GPUBuffer | null)[];
  readonly #slots = new Map<IrValue, number>();
  readonly #arena: readonly GPUBuffer[];
  /** Results of host steps that kernels read. */
  readonly #uploaded: ReadonlySet<IrValue>;
  random: GPUBuffer | null = null;
  constantBytes = 0;

  constructor(
    private readonly handle: DeviceHandle,
    private readonly schedule: Schedule,
    private readonly memory: MemoryPlan,
    private readonly host: HostValues,
    private readonly state: SessionState,
    private readonly feedValues: readonly (IrValue | undefined)[],
    /** Kernels that differ in sizes alone share a shader. */
    private readonly sharesShaders: boolean,
  ) {
    this.#arena = memory.buffers.map((bytes, i) => this.own(bytes, `temporary ${i}`));
    this.#feeds = feedValues.map(() => null);
    const read = schedule.order.flatMap((lowered) => (lowered.kind === 'host' ? [] : boundValues(lowered)));
    this.#uploaded = new Set(
      read.flatMap((value) => {
        const storage = storageOf(value, schedule.copied);
        return storage.kind === 'host' ? [storage.value] : [];
      }),
    );
  }

  /** Makes all steps. Pipelines compile in parallel. */
  async steps(onProgress: BuildProgress): Promise<(DeviceStep | HostStep)[]> {
    const { order } = this.schedule;
    const bound = order.flatMap((lowered) => lowered.dispatches.map((each) => ({ lowered, ...each })));
    const shaders = this.shaders(bound);
    const pending = bound.map((each, i) => this.command(each, shaders[i]));
    let done = 0;
    const count = <T>(promise: Promise<T>): Promise<T> =>
      promise.finally(() => onProgress(++done, pending.length));
    const commands = await this.handle.wait(Promise.all(pending.map(count)));
    const steps: (DeviceStep | HostStep)[] = [];
    let next = 0;
    let segment: Command[] = [];
    for (const lowered of order) {
      if (lowered.kind === 'host') {
        if (segment.length > 0) steps.push({ kind: 'device', commands: segment });
        segment = [];
        steps.push(this.hostStep(lowered));
      }
      segment.push(...commands.slice(next, next + lowered.dispatches.length));
      next += lowered.dispatches.length;
    }
    if (segment.length > 0) steps.push({ kind: 'device', commands: segment });
    return steps;
  }

  private own(bytes: number, label: string): GPUBuffer {
    const buffer = this.handle.createBuffer(bytes, STORAGE, label);
    this.owned.push(buffer);
    return buffer;
  }

  /** What is compiled for each dispatch. */
  private shaders(bound: readonly BoundDispatch[]): PlannedShader[] {
    if (!this.sharesShaders || isTrainingStep(bound, this.schedule.copied))
      return bound.map(({ dispatch }) => ({ wgsl: dispatch.wgsl, parameters: null }));
    const shaders = shareShaders(this.handle, bound);
    if (shaders.buffer !== null) this.owned.push(shaders.buffer);
    return shaders.planned;
  }

  private async command(
    { lowered, dispatch, bindings }: BoundDispatch & { readonly lowered: LoweredUnit },
    shader: PlannedShader | undefined,
  ): Promise<Command> {
    const { wgsl, parameters } = shader ?? { wgsl: dispatch.wgsl, parameters: null };
    const accesses = bindings.map(({ access }) => (access === 'read' ? 'r' : 'w')).join('');
    const key = parameters === null ? accesses : `${accesses}u`;
    const resources = bindings.map((binding) => this.resource(lowered, binding));
    if (parameters !== null) resources.push(parameters);
    const pipeline = await this.handle.pipeline(wgsl, key, dispatch.label);
    const sources = lowered.unit.nodes.flatMap((node) => node.sources);
    return {
      pipeline,
      bindGroup: this.handle.createBindGroup(key, resources, `${dispatch.label} ${lowered.unit.root.name}`),
      workgroups: dispatch.workgroups,
      label: dispatch.label,
      sources,
    };
  }

  /** Of a buffer that holds larger values at other times only the part that this one takes is bound. */
  private resource(lowered: LoweredUnit, { source, window }: BoundBinding): GPUBufferBinding {
    const buffer = this.bufferOf(lowered, source);
    if (window !== undefined) return { buffer, offset: window.offset, size: window.bytes };
    if (buffer.size <= this.handle.facts.maxBindingBytes) return { buffer };
    if (source.kind === 'value') return { buffer, size: bytesOf(source.value) };
    const bytes = source.kind === 'scratch' ? lowered.scratch[source.index] : undefined;
    return bytes === undefined ? { buffer } : { buffer, size: storageBytes(bytes / 4) };
  }

  private bufferOf(lowered: LoweredUnit, source: BoundSource): GPUBuffer {
    switch (source.kind) {
      case 'value':
        return this.valueBuffer(source.value);
      case 'scratch':
        return this.arenaBuffer(this.memory.scratchOf.get(lowered)?.[source.index], lowered.unit.root.name);
      case 'data':
        return this.dataBuffer(source.words);
      case 'random':
        return (this.random ??= this.own(16, 'random step'));
    }
  }

  private valueBuffer(value: IrValue): GPUBuffer {
    const storage = storageOf(value, this.schedule.copied);
    switch (storage.kind) {
      case 'variable':
        return this.state.variables.state(storage.variable).buffer;
      case 'feed':
        return this.feedBuffer(storage.position);
      case 'constant':
        return this.constantBuffer(storage.value);
      case 'temp':
      case 'host':
        return this.arenaBuffer(this.memory.bufferOf.get(storage.value), storage.value.node.name);
    }
  }

  private arenaBuffer(index: number | undefined, name: string): GPUBuffer {
    const buffer = index === undefined ? undefined : this.#arena[index];
    if (buffer === undefined) throw new InternalError(`no buffer was planned for "${name}"`);
    return buffer;
  }

  private feedBuffer(position: number): GPUBuffer {
    const value = this.feedValues[position];
    if (value === undefined) throw new InternalError(`feed ${position} has no value`);
    const buffer = this.#feeds[position] ?? this.own(bytesOf(value), `feed ${value.node.name}`);
    this.#feeds[position] = buffer;
    return buffer;
  }

  private constantBuffer(value: IrValue): GPUBuffer {
    let buffer = this.#constants.get(value);
    if (buffer === undefined) {
      buffer = this.makeConstant(value);
      this.#constants.set(value, buffer);
      this.constantBytes += buffer.size;
    }
    return buffer;
  }

  /** Small constants belong to the plan; larger ones are the graph's own and shared by all plans. */
  private makeConstant(value: IrValue): GPUBuffer {
    const { node } = value;
    if (node.literal !== null && elements(value) > MAX_FOLDED_ELEMENTS) {
      return this.state.constants.buffer(node.literal, describe(node));
    }
    const buffer = this.own(bytesOf(value), `constant ${node.name}`);
    this.handle.queue.writeBuffer(
      buffer,
      0,
      toWords(this.literal(value), describe(node), this.handle.texts, 'constant'),
    );
    return buffer;
  }

  private dataBuffer(words: Uint32Array): GPUBuffer {
    let buffer = this.#data.get(words);
    if (buffer === undefined) {
      buffer = this.own(storageBytes(words.length), 'table');
      this.handle.queue.writeBuffer(buffer, 0, words);
      this.#data.set(words, buffer);
    }
    return buffer;
  }

  /** The value of a constant or of a node evaluated on the host. */
  private literal(value: IrValue): TensorValue {
    if (value.node.literal !== null) return value.node.literal;
    const known: HostValue | null = this.host.get(value, 'feeds');
    if (known === null) throw new InternalError(`${describe(value.node)} has no known value`);
    return fromHostValue(known);
  }

  private slot(value: IrValue): number {
    const slot = this.#slots.get(value) ?? this.#slots.size;
    this.#slots.set(value, slot);
    return slot;
  }

  private hostStep({ unit: { root } }: LoweredUnit): HostStep {
    const run = hostStep(root.type);
    if (run === undefined) throw new InternalError(`${describe(root)} is not a host step`);
    const { type, name, attrs, site } = root;
    const inputs = root.inputs.filter((input) => input.variable === null);
    const resources = root.inputs.flatMap(({ variable }) => variable ?? []);
    return {
      kind: 'host',
      node: { type, name, attrs, site, resources },
      run,
      inputs: inputs.map((input) => this.planned(input)),
      outputs: root.outputs.map((output) => ({ slot: this.slot(output), upload: this.uploadBuffer(output) })),
    };
  }

  private uploadBuffer(value: IrValue): GPUBuffer | null {
    const index = this.memory.bufferOf.get(value);
    return index === undefined || !this.#uploaded.has(value)
      ? null
      : this.arenaBuffer(index, value.node.name);
  }

  /** Where a value is found at run time, for fetches and host steps. */
  planned(value: IrValue): PlannedValue {
    return { source: this.source(value), dtype: value.dtype, shape: value.shape };
  }

  private source(value: IrValue): ValueSource {
    const storage = storageOf(value, this.schedule.copied);
    switch (storage.kind) {
      case 'feed':
        return { kind: 'feed', position: storage.position };
      case 'host':
        return { kind: 'host', slot: this.slot(storage.value) };
      case 'constant':
        return { kind: 'literal', value: () => this.literal(storage.value) };
      default:
        return { kind: 'buffer', buffer: this.valueBuffer(value) };
    }
  }

  get hostSlots(): number {
    return this.#slots.size;
  }

  get feeds(): PlannedFeed[] {
    return this.#feeds.map((buffer, i) => ({ name: this.feedValues[i]?.node.name ?? `feed ${i}`, buffer }));
  }
}
