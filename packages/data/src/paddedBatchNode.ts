/** Batches of elements whose sizes differ: each is padded to the largest of its batch, or to sizes that are given. */
import { DataError } from './errors.js';
import { streamNode, type Node, type OpenOptions } from './node.js';
import { allocate, checkValue, isDataValue, leavesOf, rebuild, sizeOf, type DataValue } from './value.js';

/** Sizes for each value of an element, in the element's structure; `null` stands for the largest of the batch. */
export type PaddedShapes<T> = T extends DataValue
  ? readonly (number | null)[]
  : { readonly [K in keyof T]?: PaddedShapes<T[K]> };

/** What each value of an element is padded with, in the element's structure. */
export type PaddingValues<T> = T extends DataValue
  ? number | bigint | boolean
  : { readonly [K in keyof T]?: PaddingValues<T[K]> };

/** Settings of one `paddedBatch` stage. */
export interface PaddedBatchSpec<T> {
  readonly size: number;
  readonly dropRemainder: boolean;
  readonly paddedShapes: PaddedShapes<T> | undefined;
  readonly paddingValues: PaddingValues<T> | undefined;
}

/** The settings for each leaf of `element`, in the order of `leavesOf`. */
function settingsOf(what: string, element: unknown, given: unknown): unknown[] {
  if (isDataValue(element)) return [given];
  const isStructure =
    typeof given === 'object' && given !== null && Array.isArray(given) === Array.isArray(element);
  if (given !== undefined && !isStructure)
    throw new DataError('INVALID_ARGUMENT', `paddedBatch: ${what} must have the structure of the elements`);
  return Object.entries(element as object).flatMap(([name, part]: [string, unknown]) =>
    settingsOf(what, part, (given as Readonly<Record<string, unknown>> | undefined)?.[name]),
  );
}

/** The sizes of a padded element: the given ones, else the largest of the batch. */
function paddedShape(path: string, values: readonly DataValue[], given: unknown): number[] {
  const where = `paddedBatch: "${path}"`;
  const [first] = values;
  const rank = first?.shape.length ?? 0;
  if (given !== undefined && (!Array.isArray(given) || given.length !== rank))
    throw new DataError(
      'INVALID_ARGUMENT',
      `${where} has ${rank} dimensions, paddedShapes says ${JSON.stringify(given)}`,
    );
  return Array.from({ length: rank }, (_, axis) => {
    const largest = Math.max(...values.map(({ shape }) => shape[axis] ?? 0));
    const wanted = (given as readonly (number | null)[] | undefined)?.[axis] ?? largest;
    if (largest <= wanted) return wanted;
    throw new DataError(
      'INVALID_ARGUMENT',
      `${where}: an element has size ${largest} in dimension ${axis}, paddedShapes says ${wanted}`,
    );
  });
}

function checkAlike(path: string, values: readonly DataValue[]): void {
  const [first] = values;
  for (const [index, value] of values.entries()) {
    checkValue(`paddedBatch: "${path}"`, value);
    if (value.dtype === first?.dtype && value.shape.length === first.shape.length) continue;
    const label = ({ dtype, shape }: DataValue): string => `${dtype} [${shape.join(',')}]`;
    throw new DataError(
      'INVALID_ARGUMENT',
      `paddedBatch: "${path}" of element ${index} of a batch is ${label(value)}, of the first ${first === undefined ? '' : label(first)}: dtype and rank must be equal`,
    );
  }
}

/** Copies `value` to the front corner of an element of `shape` that begins at `start` of `target`. */
function copyCorner(
  target: DataValue['data'],
  start: number,
  shape: readonly number[],
  value: DataValue,
): void {
  const row = value.shape.at(-1) ?? 1;
  const rows = row === 0 ? 0 : value.data.length / row;
  for (let at = 0; at < rows; at++) {
    // The place of the row in the padded element, dimension by dimension from the last but one.
    let [rest, place, stride] = [at, start, shape.at(-1) ?? 1];
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      const size = value.shape[axis] ?? 1;
      place += (rest % size) * stride;
      rest = Math.floor(rest / size);
      stride *= shape[axis] ?? 1;
    }
    // Both have the dtype's class; Float32Array stands for all of them.
    (target as Float32Array).set(value.data.subarray(at * row, (at + 1) * row) as Float32Array, place);
  }
}

function padded(
  path: string,
  values: readonly DataValue[],
  shapeGiven: unknown,
  padding: unknown,
): DataValue {
  checkAlike(path, values);
  const dtype = values[0]?.dtype ?? 'float32';
  const shape = paddedShape(path, values, shapeGiven);
  const size = sizeOf(shape);
  const data = allocate(dtype, values.length * size);
  if (padding !== undefined) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(BigInt(padding as number));
    else data.fill(Number(padding));
  }
  values.forEach((value, i) => copyCorner(data, i * size, shape, value));
  return { dtype, shape: [values.length, ...shape], data };
}

function stack<T>(elements: readonly T[], spec: PaddedBatchSpec<T>): T {
  const [first] = elements;
  const leaves = elements.map((element) => leavesOf('paddedBatch', element));
  const paths = (leaves[0] ?? []).map(({ path }) => path);
  if (paths.length === 0) throw new DataError('INVALID_ARGUMENT', 'paddedBatch: the element holds no values');
  leaves.forEach((own, index) => {
    const differs = own.length !== paths.length || own.some(({ path }, leaf) => path !== paths[leaf]);
    if (differs)
      throw new DataError(
        'INVALID_ARGUMENT',
        `paddedBatch: element ${index} of a batch has other values than the first`,
      );
  });
  const shapes = settingsOf('paddedShapes', first, spec.paddedShapes);
  const paddings = settingsOf('paddingValues', first, spec.paddingValues);
  const values = paths.map((path, leaf) => {
    const column = leaves.flatMap((own) => own[leaf]?.value ?? []);
    return padded(path, column, shapes[leaf], paddings[leaf]);
  });
  return rebuild(first as T, values);
}

async function* paddedStream<T>(
  up: Node<T>,
  spec: PaddedBatchSpec<T>,
  options: OpenOptions,
): AsyncGenerator<T, void, undefined> {
  const upstream = { start: options.start * spec.size, epoch: options.epoch, lease: spec.size, own: false };
  let elements: T[] = [];
  for await (const element of up.open(upstream)) {
    elements.push(element);
    if (elements.length < spec.size) continue;
    yield stack(elements, spec);
    elements = [];
  }
  if (elements.length > 0 && !spec.dropRemainder) yield stack(elements, spec);
}

/** `up` in batches of `spec.size`, padded; every batch has memory of its own. */
export function paddedBatchNode<T>(up: Node<T>, spec: PaddedBatchSpec<T>): Node<T> {
  const share = up.count === undefined ? undefined : up.count / spec.size;
  const count = share === undefined ? undefined : spec.dropRemainder ? Math.floor(share) : Math.ceil(share);
  return streamNode(count, (options) => paddedStream(up, spec, options));
}
