/** Nodes at the head of a dataset: rows of tensors, ranges, generators, and several datasets side by side. */
import { DataError } from './errors.js';
import { randomNode, streamNode, type Node, type OpenOptions, type Reader } from './node.js';
import { allocate, checkValue, leavesOf, rebuild, sizeOf, type DataValue } from './value.js';

/** Rows of tensors that agree in their first dimension. */
export function slicesNode<T>(tensors: T): Node<T> {
  const leaves = leavesOf('fromTensorSlices', tensors);
  let count: number | undefined;
  for (const { path, value } of leaves) {
    const where = path === '' ? 'fromTensorSlices' : `fromTensorSlices: "${path}"`;
    checkValue(where, value);
    const rows = value.shape[0];
    if (rows === undefined) throw new DataError('INVALID_ARGUMENT', `${where} is a scalar: it has no slices`);
    count ??= rows;
    if (rows !== count) {
      throw new DataError(
        'INVALID_ARGUMENT',
        `${where} has ${rows} slices, "${leaves[0]?.path ?? ''}" has ${count}: first dimensions must agree`,
      );
    }
  }
  if (count === undefined) throw new DataError('INVALID_ARGUMENT', 'fromTensorSlices: no tensors given');
  const values = leaves.map((leaf) => leaf.value);
  return randomNode(count, {
    reader: (options) => (position) =>
      rebuild(
        tensors,
        values.map((value) => sliceOf(value, position, options.own)),
      ),
    rows: { tensors, open: () => (position) => position },
    shuffled: false,
    sequential: false,
  });
}

function sliceOf(value: DataValue, row: number, copy: boolean): DataValue {
  const shape = value.shape.slice(1);
  const width = sizeOf(shape);
  const [from, to] = [row * width, (row + 1) * width];
  return {
    dtype: value.dtype,
    shape,
    data: copy ? value.data.slice(from, to) : value.data.subarray(from, to),
  };
}

/** int32 scalars start, start + step, ... before stop. */
export function rangeNode(start: number, stop: number, step: number): Node<DataValue<'int32'>> {
  for (const [name, value] of Object.entries({ start, stop, step })) {
    if (value !== (value | 0)) {
      throw new DataError('INVALID_ARGUMENT', `range: ${name} must be an int32, got ${value}`);
    }
  }
  if (step === 0) throw new DataError('INVALID_ARGUMENT', 'range: step must not be 0');
  return randomNode(Math.max(0, Math.ceil((stop - start) / step)), {
    reader: () => (position) => {
      const data = allocate('int32', 1);
      data[0] = start + position * step;
      return { dtype: 'int32', shape: [], data };
    },
    rows: undefined,
    shuffled: false,
    sequential: false,
  });
}

/** Whatever a function's generator gives; called anew for every iteration. */
export function generatorNode<T>(generator: () => Iterable<T> | AsyncIterable<T>): Node<T> {
  return streamNode(undefined, async function* (options) {
    let index = 0;
    for await (const element of generator()) {
      if (index++ >= options.start) yield element;
    }
  });
}

/** Elements of several nodes side by side, as long as the shortest; `join` makes one of them. */
export function zipNode<T>(nodes: readonly Node<unknown>[], join: (parts: unknown[]) => T): Node<T> {
  let count: number | undefined = Infinity;
  for (const node of nodes) {
    if (node.count === undefined || count === undefined) count = undefined;
    else count = Math.min(count, node.count);
  }
  const randoms = nodes.flatMap((node) => node.random ?? []);
  if (count === undefined || randoms.length < nodes.length) {
    return streamNode(count, (options) => zipStream(nodes, join, options));
  }
  return randomNode(count, {
    reader: (options): Reader<T> => {
      const readers = randoms.map((random) => random.reader(options));
      return async (position, epoch) => join(await Promise.all(readers.map((read) => read(position, epoch))));
    },
    rows: undefined,
    shuffled: randoms.some((random) => random.shuffled),
    sequential: randoms.some((random) => random.sequential),
  });
}

async function* zipStream<T>(
  nodes: readonly Node<unknown>[],
  join: (parts: unknown[]) => T,
  options: OpenOptions,
): AsyncGenerator<T, void, undefined> {
  const parts = nodes.map((node) => node.open(options));
  try {
    for (;;) {
      const results: unknown[] = [];
      for (const part of parts) {
        const result = await part.next();
        if (result.done === true) return;
        results.push(result.value);
      }
      yield join(results);
    }
  } finally {
    await Promise.all(parts.map((part) => part.return()));
  }
}
