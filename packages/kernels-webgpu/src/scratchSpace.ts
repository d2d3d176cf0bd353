/** Numbers the scratch buffers of a kernel whose parts each need some. */
import type { DType } from '@forerun/graph';
import { scratchBinding, type ShaderBinding } from './wgsl/shader.js';
import type { Width } from './wgsl/dtype.js';

/** Buffers cannot be empty. */
const MIN_BYTES = 16;

/** A scratch buffer under a name that each shader chooses. */
export interface ScratchBuffer {
  /** Binds it to be written. */
  readonly write: (name: string) => ShaderBinding;
  /** Binds it to be read only. */
  readonly read: (name: string) => ShaderBinding;
}

export class ScratchSpace {
  /** Byte sizes, as `Lowered.scratch` wants them. */
  readonly sizes: number[] = [];

  /** A new buffer of `elements` elements. */
  add(elements: number, dtype: DType = 'uint32', width: Width = 1): ScratchBuffer {
    const index = this.sizes.length;
    this.sizes.push(Math.max(MIN_BYTES, elements * 4));
    return {
      write: (name) => scratchBinding(index, name, dtype, width),
      read: (name) => ({ ...scratchBinding(index, name, dtype, width), access: 'read' }),
    };
  }
}
