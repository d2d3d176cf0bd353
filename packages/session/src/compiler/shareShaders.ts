/** Part of the stage that builds: which shaders of a plan are shared, and the buffer of their parameters. */
import { BufferUsage } from '../device/flags.js';
import type { DeviceHandle } from '../device/handle.js';
import type { SharedShader } from '../device/sharedShaders.js';
import type { IrValue } from './ir.js';
import type { BoundBinding, BoundDispatch } from './lower.js';
import { storageOf, type CopiedReads } from './storage.js';

const UNIFORM = BufferUsage.UNIFORM | BufferUsage.COPY_DST;

/** What is compiled for a dispatch, and where its parameters are, if it has any. */
export interface PlannedShader {
  readonly wgsl: string;
  readonly parameters: GPUBufferBinding | null;
}

/**
 * Whether variables are read and updated. Such a plan is run many times, so that what compiling takes counts for little, and
 * constants are a little faster than parameters.
 */
export function isTrainingStep(dispatches: readonly BoundDispatch[], copied: CopiedReads): boolean {
  const bound = (wanted: BoundBinding['access']): string[] =>
    dispatches
      .flatMap(({ bindings }) => bindings.filter(({ access }) => access === wanted))
      .flatMap(({ source }) => (source.kind === 'value' ? variableKey(source.value, copied) : []));
  const read = new Set(bound('read'));
  return bound('read_write').some((key) => read.has(key));
}

function variableKey(value: IrValue, copied: CopiedReads): string[] {
  const storage = storageOf(value, copied);
  return storage.kind === 'variable' ? [storage.variable.key] : [];
}

/** What is compiled for each dispatch, and the buffer with the parameters of all, which the plan then owns. */
export function shareShaders(
  handle: DeviceHandle,
  dispatches: readonly BoundDispatch[],
): { readonly planned: PlannedShader[]; readonly buffer: GPUBuffer | null } {
  const texts = dispatches.map(({ dispatch, bindings }) => ({
    wgsl: dispatch.wgsl,
    label: dispatch.label,
    bindings: bindings.length,
  }));
  const shared = handle.sharedShaders.share(texts);
  const { words, offsets } = laidOut(shared, handle.device.limits.minUniformBufferOffsetAlignment);
  const buffer = words.length === 0 ? null : handle.createBuffer(words.byteLength, UNIFORM, 'parameters');
  if (buffer !== null) handle.queue.writeBuffer(buffer, 0, words);
  const planned = shared.map(({ wgsl, parameters }, i) => ({
    wgsl,
    parameters:
      parameters === null || buffer === null
        ? null
        : { buffer, offset: offsets[i] ?? 0, size: parameters.byteLength },
  }));
  return { planned, buffer };
}

/** The parameters of all shaders one after the other, and where those of each begin, in bytes: multiples of `alignment`. */
function laidOut(
  shaders: readonly SharedShader[],
  alignment: number,
): { readonly words: Uint32Array<ArrayBuffer>; readonly offsets: readonly number[] } {
  let end = 0;
  const offsets = shaders.map(({ parameters }) => {
    if (parameters === null) return end;
    const offset = Math.ceil(end / alignment) * alignment;
    end = offset + parameters.byteLength;
    return offset;
  });
  const words = new Uint32Array(end / 4);
  shaders.forEach(({ parameters }, i) => {
    if (parameters !== null) words.set(parameters, (offsets[i] ?? 0) / 4);
  });
  return { words, offsets };
}
