/** What a session is made with, what a run is given, and what a session says of itself. */
import type { Graph } from '@forerun/graph';
import type { CompileProgress } from './compiler/compile.js';
import type { MemoryWish } from './compiler/fit.js';
import type { PassSwitches } from './compiler/simplify.js';
import type { CreationCounts } from './device/handle.js';
import type { RunMetadata } from './metadata.js';
import type { DenseFeedKey } from './run/feeds.js';
import type { TuningConfig } from './tuning/sessionTuner.js';

export interface SessionConfig extends TuningConfig {
  /**
   * Compiler passes to switch off, for debugging: those of `COMPILER_PASSES`. What each does is in
   * docs/architecture.md.
   */
  readonly passes?: PassSwitches;
  /**
   * Trades time for memory: values of the forward pass are computed again in the backward pass, until the
   * temporaries of a plan take at most this many bytes, or as few as can be had (`minimize`). Results stay the same.
   * Default: nothing is computed twice.
   */
  readonly memory?: MemoryWish;
  /** How many compiled plans are kept; default 64. */
  readonly planCacheSize?: number;
  /** Receives what the graph prints; default: `console.error`, or `console.info` for the stream `stdout`. */
  readonly onPrint?: (text: string, stream: 'stdout' | 'stderr') => void;
  /** Receives warnings; default `console.warn`. */
  readonly onWarning?: (message: string) => void;
}

export interface SessionOptions {
  /** Default: the default graph. */
  readonly graph?: Graph;
  /** A device made by the caller; default: the process's shared one. */
  readonly device?: GPUDevice;
  readonly config?: SessionConfig;
}

export interface RunOptions {
  /** `FULL_TRACE` measures every kernel; the run is slower. */
  readonly traceLevel?: 'NO_TRACE' | 'FULL_TRACE';
  /** Filled after the run. */
  readonly runMetadata?: RunMetadata;
}

/** Shapes of the feeds for which to compile ahead. */
export type FeedShapes =
  ReadonlyMap<DenseFeedKey, readonly number[]> | Readonly<Record<string, readonly number[]>>;

export interface CompileOptions {
  /** Told about every stage and every finished pipeline. */
  readonly onProgress?: (progress: CompileProgress) => void;
}

/** What the session has created and holds, for tests and profiles. */
export interface SessionStats {
  readonly created: Readonly<CreationCounts>;
  /** Bytes of all buffers alive on the device. */
  readonly bufferBytes: number;
  readonly plans: number;
  readonly variableBytes: number;
}
