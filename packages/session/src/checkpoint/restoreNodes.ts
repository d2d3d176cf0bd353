/**
 * `RestoreV2` at run time. Its outputs have the shapes that the file says, so the file is read
 * before the plan is compiled and the tensors are fed in place of the node's outputs.
 */
import {
  BundleReader,
  NotFoundError,
  type CheckpointFile,
  type Operation,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import { openCheckpoint } from './files.js';
import { strings } from '../run/texts.js';
import { cutSlice, parseSlice, sliceOf, type TensorSlice } from './tensorSlices.js';

/** The `RestoreV2` nodes that the fetches need and whose outputs are not fed. */
export function restoreNodes(
  tensors: readonly Tensor[],
  operations: readonly Operation[],
  fed: ReadonlySet<Tensor>,
): Operation[] {
  const found: Operation[] = [];
  const seen = new Set<Operation>();
  const stack = [...tensors.filter((tensor) => !fed.has(tensor)).map(({ op }) => op), ...operations];
  for (let op = stack.pop(); op !== undefined; op = stack.pop()) {
    if (seen.has(op)) continue;
    seen.add(op);
    if (op.type === 'RestoreV2' && !op.outputs.every((output) => fed.has(output))) found.push(op);
    for (const input of op.inputs) if (!fed.has(input)) stack.push(input.op);
    stack.push(...op.controlInputs);
  }
  return found;
}

/** The slice as it is stored, where the tensor is stored in slices of which this is one. */
async function storedSlice(
  reader: CheckpointFile,
  name: string,
  { whole, start, size }: TensorSlice,
): Promise<TensorValue | undefined> {
  const { shape, slices } = reader.entry(name);
  if (!(reader instanceof BundleReader) || slices.length === 0 || shape.join() !== whole.join())
    return undefined;
  const wanted = slices.find((extents) => {
    const stored = sliceOf(extents, shape);
    return stored.start.join() === start.join() && stored.size.join() === size.join();
  });
  return wanted === undefined ? undefined : reader.readSlice(name, wanted);
}

/** Reads what one `RestoreV2` node asks for. `inputs`: its prefix, tensor names and slices. */
export async function readRestored(node: Operation, inputs: readonly TensorValue[]): Promise<TensorValue[]> {
  const [prefix = ''] = strings(inputs[0], node.name);
  const checkpoint = await openCheckpoint(prefix);
  try {
    const names = strings(inputs[1], node.name);
    const missing = names.filter((name) => !checkpoint.reader.has(name));
    if (missing.length > 0) {
      throw new NotFoundError(
        `the checkpoint "${prefix}" has no ${missing.map((name) => `"${name}"`).join(', ')}`,
      );
    }
    const values: TensorValue[] = [];
    const slices = strings(inputs[2], node.name);
    for (const [i, name] of names.entries()) {
      const slice = parseSlice(slices[i] ?? '');
      const stored = slice === null ? undefined : await storedSlice(checkpoint.reader, name, slice);
      values.push(stored ?? cutSlice(await checkpoint.reader.read(name), slice, name));
    }
    return values;
  } finally {
    await checkpoint.close();
  }
}
