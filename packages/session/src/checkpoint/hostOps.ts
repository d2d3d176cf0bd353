/** The host steps of the ops that a saver puts into the graph. */
import { BundleReader, BundleWriter, dataPath, indexPath, TensorValue } from '@forerun/graph';
import type { HostStepFn } from '../run/hostOps.js';
import { strings } from '../run/texts.js';
import { openCheckpoint, removeFiles, writeFileAtomically } from './files.js';
import { extentsOf, isWhole, joinSlices, parseSlice, sliceOf, type TensorSlice } from './tensorSlices.js';

/** Key under which checkpoints keep the session's random step (int64 scalar); TensorFlow ignores it. */
export const RANDOM_STEP_KEY = 'forerun/random_step';

/** A slice of a tensor, with its elements. */
interface Part {
  readonly value: TensorValue;
  readonly slice: TensorSlice;
}

/** Writes `.data` and `.index` of a checkpoint; the index last, so that it never speaks of missing data. */
export async function writeBundle(
  prefix: string,
  entries: readonly (readonly [string, TensorValue])[],
  slices: readonly (readonly [string, Part])[] = [],
): Promise<void> {
  const writer = new BundleWriter();
  const parts = function* (): Generator<Uint8Array> {
    for (const [name, value] of entries) yield writer.add(name, value);
    for (const [name, { value, slice }] of slices)
      yield writer.addSlice(name, slice.whole, extentsOf(slice), value);
  };
  await writeFileAtomically(dataPath(prefix), parts());
  await writeFileAtomically(indexPath(prefix), [writer.finish()]);
}

/** The session's random step as a checkpoint entry. */
export function randomStepEntry(step: bigint): readonly [string, TensorValue] {
  return [RANDOM_STEP_KEY, new TensorValue('int64', [], BigInt64Array.of(BigInt.asIntN(64, step)))];
}

/** Whether a checkpoint is a later one of several parts: TensorFlow merges these only where no two have the same entry. */
function isLaterPart(prefix: string): boolean {
  const shard = /-(\d{5})-of-\d{5}$/.exec(prefix)?.[1];
  return shard !== undefined && Number(shard) > 0;
}

/** `SaveV2`: prefix, names, slices, tensors. The first of several parts has the random step. */
export const saveV2: HostStepFn = async (node, [prefix, names, slices, ...tensors], { random }) => {
  const [keys, texts] = [strings(names, node.name), strings(slices, node.name)];
  const parts = new Map<string, Part[]>();
  const entries: (readonly [string, TensorValue])[] = [];
  tensors.forEach((value, i) => {
    const [key = '', slice] = [keys[i], parseSlice(texts[i] ?? '')];
    if (slice === null) entries.push([key, value]);
    else parts.set(key, [...(parts.get(key) ?? []), { value, slice }]);
  });
  const { whole, slices: rest } = joined(parts);
  const [path = ''] = strings(prefix, node.name);
  const step = isLaterPart(path) ? [] : [randomStepEntry(random.state.step)];
  await writeBundle(path, [...entries, ...whole, ...step], rest);
  return [];
};

/** Tensors of which all slices are there, and the slices of the others. */
function joined(parts: ReadonlyMap<string, readonly Part[]>): {
  whole: (readonly [string, TensorValue])[];
  slices: (readonly [string, Part])[];
} {
  const whole: (readonly [string, TensorValue])[] = [];
  const slices: (readonly [string, Part])[] = [];
  for (const [key, list] of parts) {
    if (
      isWhole(
        list.map(({ slice }) => slice),
        key,
      )
    )
      whole.push([key, joinSlices(list, key)]);
    else for (const part of list) slices.push([key, part]);
  }
  return { whole, slices };
}

/** `MergeV2Checkpoints`: joins checkpoints under one prefix; deletes the parts unless told otherwise. */
export const mergeV2Checkpoints: HostStepFn = async (node, [sources, destination]) => {
  const prefixes = strings(sources, node.name);
  const entries: (readonly [string, TensorValue])[] = [];
  const slices = new Map<string, Part[]>();
  for (const prefix of prefixes) {
    const part = await openCheckpoint(prefix);
    try {
      for (const [name, { shape, slices: stored }] of part.reader.entries) {
        if (stored.length === 0 || !(part.reader instanceof BundleReader)) {
          entries.push([name, await part.reader.read(name)]);
          continue;
        }
        const own = (await part.reader.readParts(name)).map(({ extents, value }) => ({
          value,
          slice: sliceOf(extents, shape),
        }));
        slices.set(name, [...(slices.get(name) ?? []), ...own]);
      }
    } finally {
      await part.close();
    }
  }
  const { whole, slices: rest } = joined(slices);
  const merged = new Map([...entries, ...whole]);
  await writeBundle(strings(destination, node.name)[0] ?? '', [...merged], rest);
  if (node.attrs.bool('delete_old_dirs')) {
    await removeFiles(prefixes.flatMap((prefix) => [indexPath(prefix), dataPath(prefix)]));
  }
  return [];
};

/** `ShardedFilename`: the data file's name without its extension, as TensorFlow composes it. */
export const shardedFilename: HostStepFn = (node, [basename, shard, count]) => {
  const pad = (value: TensorValue | undefined): string => String(value?.item() ?? 0).padStart(5, '0');
  const name = `${strings(basename, node.name)[0] ?? ''}-${pad(shard)}-of-${pad(count)}`;
  return [new TensorValue('string', [], [name])];
};
