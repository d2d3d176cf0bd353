/** What `inspect` tells of a checkpoint, as plain data: the form that `--json` prints. */
import { dtypeBytes, sizeOf, type CheckpointEntry } from '@forerun/graph';
import type { LoadedCheckpoint } from './load.js';

export interface CheckpointTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly bytes: number;
  /** It looks like an optimizer's state of the variable of which its name is an extension. */
  readonly slot: boolean;
  /** Number of parts of a partitioned variable. */
  readonly slices?: number;
}

export interface CheckpointReport {
  readonly kind: 'checkpoint';
  readonly file: string;
  readonly format: string;
  readonly fileBytes: number;
  readonly shards: number;
  readonly parameters: number;
  readonly slotParameters: number;
  readonly bytes: number;
  readonly tensors: readonly CheckpointTensor[];
}

/** Everything that the index of a checkpoint tells. */
export function reportCheckpoint(loaded: LoadedCheckpoint): CheckpointReport {
  const byName = new Map(loaded.entries.map((entry) => [entry.name, entry]));
  const tensors = loaded.entries.map((entry) => tensorReport(entry, byName));
  const sum = (items: readonly CheckpointTensor[], of: (item: CheckpointTensor) => number): number =>
    items.reduce((total, item) => total + of(item), 0);
  const numeric = tensors.filter(({ dtype }) => dtype !== 'string');
  return {
    kind: 'checkpoint',
    file: loaded.path,
    format: loaded.format,
    fileBytes: loaded.bytes,
    shards: loaded.numShards,
    parameters: sum(
      numeric.filter(({ slot }) => !slot),
      ({ elements }) => elements,
    ),
    slotParameters: sum(
      numeric.filter(({ slot }) => slot),
      ({ elements }) => elements,
    ),
    bytes: sum(tensors, ({ bytes }) => bytes),
    tensors,
  };
}

function tensorReport(
  entry: CheckpointEntry,
  byName: ReadonlyMap<string, CheckpointEntry>,
): CheckpointTensor {
  const { name, dtype, shape, size, slices } = entry;
  const elements = sizeOf(shape);
  const bytes = slices.length === 0 || dtypeBytes(dtype) === 0 ? size : elements * dtypeBytes(dtype);
  return {
    name,
    dtype,
    shape,
    elements,
    bytes,
    slot: isSlot(entry, byName),
    ...(slices.length < 2 ? {} : { slices: slices.length }),
  };
}

/** `fc/kernel/Adam` beside `fc/kernel` of the same shape. */
function isSlot({ name, shape }: CheckpointEntry, byName: ReadonlyMap<string, CheckpointEntry>): boolean {
  const owner = byName.get(name.slice(0, Math.max(0, name.lastIndexOf('/'))));
  return owner?.shape.join() === shape.join();
}
