/**
 * Looking into checkpoints without a graph: `tf.train.NewCheckpointReader`, `list_variables`, `load_variable` and what the
 * program `inspect_checkpoint` tells. A path is a prefix, any of the checkpoint's files, or a directory, which means its latest one.
 */
import {
  NotFoundError,
  ObjectGraph,
  type CheckpointEntry,
  type DType,
  type TensorValue,
} from '@forerun/graph';
import { tensorStatistics, type TensorStatistics } from '../weights/statistics.js';
import { fileKind, openCheckpoint, type OpenCheckpoint } from './files.js';
import { latestCheckpoint } from './latest.js';

/** Opens the checkpoint that a path means. Throws `NotFoundError` when there is none. */
export async function openCheckpointAt(path: string): Promise<OpenCheckpoint> {
  if ((await fileKind(path)) !== 'directory') return openCheckpoint(path);
  const latest = await latestCheckpoint(path);
  if (latest !== null) return openCheckpoint(latest);
  throw new NotFoundError(`the directory "${path}" holds no checkpoint`);
}

/** An opened checkpoint (`tf.train.NewCheckpointReader`). Close it, or use `await using`. */
export class CheckpointReader {
  private constructor(private readonly opened: OpenCheckpoint) {}

  /** Opens a checkpoint. Throws `NotFoundError` when there is none, `DataLossError` when its index is damaged. */
  static async open(path: string): Promise<CheckpointReader> {
    return new CheckpointReader(await openCheckpointAt(path));
  }

  /** Version of the format, 1 or 2. */
  get version(): 1 | 2 {
    return this.opened.reader.version;
  }

  get prefix(): string {
    return this.opened.prefix;
  }

  hasTensor(name: string): boolean {
    return this.opened.reader.has(name);
  }

  /** Reads a tensor. Throws `NotFoundError` with the nearest names, `DataLossError` for a wrong checksum. */
  getTensor(name: string): Promise<TensorValue> {
    return this.opened.reader.read(name);
  }

  getVariableToShapeMap(): Record<string, readonly number[]> {
    return this.mapped(({ shape }) => shape);
  }

  getVariableToDtypeMap(): Record<string, DType> {
    return this.mapped(({ dtype }) => dtype);
  }

  /** A line for each tensor: `layer/kernel (float32) [3,4]`. */
  debugString(): string {
    const lines = [...this.opened.reader.entries.values()].map(
      ({ name, dtype, shape }) => `${name} (${dtype}) [${shape.join(',')}]`,
    );
    return lines.join('\n');
  }

  close(): Promise<void> {
    return this.opened.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private mapped<T>(of: (entry: CheckpointEntry) => T): Record<string, T> {
    return Object.fromEntries(
      [...this.opened.reader.entries.values()].map((entry) => [entry.name, of(entry)]),
    );
  }
}

/** Opens a checkpoint (`tf.train.NewCheckpointReader`). */
export function newCheckpointReader(path: string): Promise<CheckpointReader> {
  return CheckpointReader.open(path);
}

/** Names and shapes of a checkpoint's tensors (`tf.train.list_variables`). */
export async function listVariables(
  path: string,
): Promise<(readonly [name: string, shape: readonly number[]])[]> {
  const { reader, close } = await openCheckpointAt(path);
  await close();
  return [...reader.entries.values()].map(({ name, shape }) => [name, shape]);
}

/**
 * The value of one tensor of a checkpoint (`tf.train.load_variable`), of one of TensorFlow 2 also by the path of attributes or the variable's
 * name in its graph.
 */
export async function loadVariable(path: string, name: string): Promise<TensorValue> {
  const { reader, close } = await openCheckpointAt(path);
  try {
    const plain = name.replace(/:0$/, '');
    const objects = reader.has(plain) ? undefined : await ObjectGraph.of(reader);
    return await reader.read(objects?.keyOf(plain) ?? plain);
  } finally {
    await close();
  }
}

export interface InspectCheckpointOptions {
  /** Only this tensor. */
  readonly tensorName?: string;
  /** Read all values: verifies every checksum, and tells statistics. Default false. */
  readonly allTensors?: boolean;
}

export interface InspectedTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Stored bytes. */
  readonly bytes: number;
  /** Number of parts of a partitioned variable. */
  readonly slices: number;
  /** The value, and what it is like: only of tensors that were read. */
  readonly value?: TensorValue;
  readonly statistics?: TensorStatistics | null;
}

export interface CheckpointInspection {
  readonly prefix: string;
  readonly version: 1 | 2;
  readonly numShards: number;
  readonly tensors: readonly InspectedTensor[];
}

/**
 * What a checkpoint holds (`inspect_checkpoint`'s `print_tensors_in_checkpoint_file`, as data). Values are read with `tensorName`, one at a
 * time with `allTensors`, and not kept then. Throws `DataLossError` naming the tensor whose bytes are damaged.
 */
export async function inspectCheckpoint(
  path: string,
  { tensorName, allTensors = false }: InspectCheckpointOptions = {},
): Promise<CheckpointInspection> {
  const { reader, prefix, close } = await openCheckpointAt(path);
  try {
    const entries = tensorName === undefined ? [...reader.entries.values()] : [reader.entry(tensorName)];
    const tensors: InspectedTensor[] = [];
    for (const { name, dtype, shape, size, slices } of entries) {
      const head = { name, dtype, shape, bytes: size, slices: slices.length };
      const value = allTensors || tensorName !== undefined ? await reader.read(name) : undefined;
      const read = value === undefined ? {} : { statistics: tensorStatistics(value) };
      tensors.push({
        ...head,
        ...read,
        ...(tensorName === undefined || value === undefined ? {} : { value }),
      });
    }
    return { prefix, version: reader.version, numShards: reader.numShards, tensors };
  } finally {
    await close();
  }
}
