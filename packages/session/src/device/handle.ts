/**
 * One GPU device with what all its sessions share: pipelines keyed by their shader text, counters
 * of everything created, and the record of asynchronous failures.
 */
import { AbortedError, InternalError, ResourceExhaustedError } from '@forerun/graph';
import type { AdapterFacts } from '@forerun/kernels-webgpu';
import { SharedShaders } from './sharedShaders.js';
import { TextPool } from './texts.js';
import { waitFor } from './wait.js';
import { BufferUsage, ShaderStage } from './flags.js';

/** How many objects were created on the device so far, by kind. */
export interface CreationCounts {
  buffers: number;
  bindGroups: number;
  pipelines: number;
  shaderModules: number;
}

/** Access of each binding in order: `r` read-only, `w` read-write, `u` a uniform buffer. */
export type LayoutKey = string;

const BUFFER_TYPES: Readonly<Record<string, GPUBufferBindingType>> = {
  r: 'read-only-storage',
  w: 'storage',
  u: 'uniform',
};

export class DeviceHandle {
  readonly counts: CreationCounts = { buffers: 0, bindGroups: 0, pipelines: 0, shaderModules: 0 };
  /** Bytes of all buffers alive. */
  bufferBytes = 0;
  readonly #layouts = new Map<LayoutKey, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly sharedShaders = new SharedShaders();
  readonly texts = new TextPool();
  /** Pipelines that were dispatched to warm up. */
  readonly warmed = new WeakSet<GPUComputePipeline>();
  #noWorkgroups: GPUBuffer | undefined;
  #failure: string | undefined;
  #lost: string | undefined;

  constructor(
    readonly device: GPUDevice,
    readonly facts: AdapterFacts,
  ) {
    device.onuncapturederror = ({ error }) => (this.#failure ??= error.message);
    void device.lost.then(({ reason, message }) => (this.#lost = `${reason}: ${message}`));
  }

  get queue(): GPUQueue {
    return this.device.queue;
  }

  get timestamps(): boolean {
    return this.device.features.has('timestamp-query');
  }

  /** Arguments of an indirect dispatch of no workgroups. */
  get noWorkgroups(): GPUBuffer {
    return (this.#noWorkgroups ??= this.createBuffer(12, BufferUsage.INDIRECT, 'no workgroups'));
  }

  /** Throws when the device was lost or reported an error outside any scope. */
  check(): void {
    if (this.#lost !== undefined) {
      throw new AbortedError(
        `the GPU device was lost (${this.#lost}): create a new session and restore a checkpoint`,
      );
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw new InternalError(`WebGPU reported: ${failure}`);
  }

  /** Waits for a promise of the device, polling gently on software adapters. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    try {
      return await waitFor(promise, this.facts.software);
    } finally {
      this.check();
    }
  }

  /** A buffer of `size` bytes. Throws `ResourceExhaustedError` above the device's limit. */
  createBuffer(size: number, usage: GPUBufferUsageFlags, label: string): GPUBuffer {
    const limit = this.device.limits.maxBufferSize;
    if (size > limit) {
      throw new ResourceExhaustedError(
        `${label}: a buffer of ${size} bytes exceeds this adapter's limit of ${limit}`,
      );
    }
    this.counts.buffers++;
    this.bufferBytes += size;
    return this.device.createBuffer({ size, usage, label });
  }

  destroyBuffer(buffer: GPUBuffer): void {
    this.bufferBytes -= buffer.size;
    buffer.destroy();
  }

  /** Runs `create` and turns the device's out-of-memory and validation errors into exceptions. */
  async guarded<T>(what: string, create: () => Promise<T>): Promise<T> {
    this.device.pushErrorScope('out-of-memory');
    this.device.pushErrorScope('validation');
    const outcome = await create().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    const scopes = [this.device.popErrorScope(), this.device.popErrorScope()] as const;
    const [validation, memory] = await this.wait(Promise.all(scopes));
    if (memory !== null) throw new ResourceExhaustedError(`${what}: out of device memory: ${memory.message}`);
    if ('error' in outcome) throw outcome.error;
    if (validation !== null) throw new InternalError(`${what}: ${validation.message}`);
    return outcome.value;
  }

  createBindGroup(key: LayoutKey, resources: readonly GPUBufferBinding[], label: string): GPUBindGroup {
    this.counts.bindGroups++;
    return this.device.createBindGroup({
      label,
      layout: this.layout(key).group,
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
  }

  /** The pipeline of a shader; the text and the bindings' access are the key. */
  pipeline(wgsl: string, key: LayoutKey, label: string): Promise<GPUComputePipeline> {
    const cacheKey = `${key}\n${wgsl}`;
    let pipeline = this.#pipelines.get(cacheKey);
    if (pipeline === undefined) {
      pipeline = this.createPipeline(wgsl, key, label);
      this.#pipelines.set(cacheKey, pipeline);
    }
    return pipeline;
  }

  private async createPipeline(wgsl: string, key: LayoutKey, label: string): Promise<GPUComputePipeline> {
    this.counts.pipelines++;
    this.counts.shaderModules++;
    const module = this.device.createShaderModule({ code: wgsl, label });
    try {
      return await this.device.createComputePipelineAsync({
        label,
        layout: this.layout(key).pipeline,
        compute: { module, entryPoint: 'main' },
      });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new InternalError(`shader ${label} does not compile: ${reason}\n${wgsl}`, { cause });
    }
  }

  private layout(key: LayoutKey): { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout } {
    let layout = this.#layouts.get(key);
    if (layout === undefined) {
      const group = this.device.createBindGroupLayout({
        entries: Array.from(key, (access, binding) => ({
          binding,
          visibility: ShaderStage.COMPUTE,
          buffer: { type: BUFFER_TYPES[access] ?? 'storage' },
        })),
      });
      layout = { group, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) };
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}
