/** Feeds as callers write them, resolved to tensors and checked values. */
import {
  baseDType,
  InvalidArgumentError,
  isFloating,
  isTensorConvertible,
  NotFoundError,
  SparseTensor,
  Tensor,
  TensorShape,
  TensorValue,
  toTensorValue,
  type Graph,
  type NestedArray,
  type NumericData,
  type TensorConvertible,
} from '@forerun/graph';
import { transferBytes } from '../device/words.js';
import { isSparseValue, sparseFeeds, type SparseTensorValue } from './sparseFeeds.js';
import { nestedFeeds, nestedTarget, NestedTarget, type Pair } from './nestedFeeds.js';

/** A value for one tensor: number, nested arrays, typed array, `TensorValue`, anything of its form, or a buffer on the device. */
export type DenseFeedValue = NestedArray | NumericData | TensorValue | TensorValueLike | GPUBuffer;
/** A value to feed: for a `SparseTensor` its three parts, else one value. */
export type FeedValue = DenseFeedValue | SparseTensorValue;

/** Structurally a `TensorValue`, as datasets yield. */
export interface TensorValueLike {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: TensorValue['data'];
}

/** What means one tensor. */
export type DenseFeedKey = Tensor | TensorConvertible | string;
/** A tensor, or any nesting of tensors, such as the state of recurrent cells, which takes values of the same nesting. */
export type FeedKey =
  DenseFeedKey | SparseTensor | Pair<FeedKey> | readonly FeedKey[] | { readonly [key: string]: FeedKey };
/** A value for one key, of the key's nesting. */
export type NestedFeedValue =
  | FeedValue
  | Pair<NestedFeedValue>
  | readonly NestedFeedValue[]
  | { readonly [key: string]: NestedFeedValue };

/** A `Map`, pairs, or a record by name. */
export type Feeds =
  | ReadonlyMap<FeedKey, NestedFeedValue>
  | readonly (readonly [FeedKey, NestedFeedValue])[]
  | Readonly<Record<string, FeedValue>>;

/** What a feed key means. */
export type FeedTarget = Tensor | SparseTensor | NestedTarget;

/** One resolved feed: a checked value, or a device buffer with the placeholder's static shape. */
export interface Feed {
  readonly tensor: Tensor;
  readonly value: TensorValue;
  readonly buffer: GPUBuffer | null;
}

/** The feeds in a fixed order. Throws `InvalidArgumentError` naming the tensor, both dtypes or both shapes. */
export function resolveFeeds(graph: Graph, feeds: Feeds | undefined): Feed[] {
  const resolved = pairs(feeds).flatMap(([key, value]) => feedsOf(feedTarget(graph, key), value));
  const seen = new Set<Tensor>();
  for (const { tensor } of resolved) {
    if (seen.has(tensor)) throw new InvalidArgumentError(`"${tensor.name}" is fed twice`);
    seen.add(tensor);
  }
  return resolved;
}

function pairs(feeds: Feeds | undefined): readonly (readonly [FeedKey, NestedFeedValue])[] {
  if (feeds === undefined) return [];
  if (feeds instanceof Map) return [...(feeds as ReadonlyMap<FeedKey, NestedFeedValue>)];
  if (Array.isArray(feeds)) return feeds as readonly (readonly [FeedKey, NestedFeedValue])[];
  return Object.entries(feeds as Readonly<Record<string, FeedValue>>);
}

/** What a feed key means: a tensor, a sparse tensor of the graph, or a nesting of these. */
export function feedTarget(graph: Graph, key: FeedKey): FeedTarget {
  if (key instanceof SparseTensor) {
    for (const part of [key.indices, key.values, key.denseShape]) feedTensor(graph, part);
    return key;
  }
  return isNesting(key) ? nestedTarget(key, (part) => feedTarget(graph, part)) : feedTensor(graph, key);
}

function isNesting(key: FeedKey): key is Exclude<FeedKey, DenseFeedKey | SparseTensor> {
  const value: unknown = key;
  return (
    typeof value === 'object' && value !== null && !(value instanceof Tensor) && !isTensorConvertible(value)
  );
}

/** The tensor that a feed key means; a bare op name means its first output. */
export function feedTensor(graph: Graph, key: DenseFeedKey): Tensor {
  if (typeof key === 'string') return namedTensor(graph, key);
  const tensor = isTensorConvertible(key) ? key.asTensor() : key;
  if (!(tensor instanceof Tensor)) {
    throw new InvalidArgumentError(
      `a feed key must be a tensor, a variable or a name, got ${String(tensor)}`,
    );
  }
  if (tensor.graph !== graph) {
    throw new InvalidArgumentError(`"${tensor.name}" is fed but belongs to another graph than the session's`);
  }
  return tensor;
}

function namedTensor(graph: Graph, name: string): Tensor {
  if (/^(Tensor\(|<Variable )"/.test(name)) {
    throw new InvalidArgumentError(
      `feed: the key ${name} is no name: the keys of a record are. Feed by tensor with a Map or an array of pairs`,
    );
  }
  try {
    return name.includes(':') ? graph.getTensorByName(name) : graph.getOperationByName(name).output(0);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    throw new NotFoundError(`feed: ${error.message}${feedHint(graph, error.message)}`, { cause: error });
  }
}

/** What may have been meant where no name is near. */
function feedHint(graph: Graph, message: string): string {
  if (message.endsWith('?')) return '';
  const placeholders = graph.operations.filter(({ type }) => type.startsWith('Placeholder'));
  if (placeholders.length === 0) return '; it has no placeholders';
  const names = placeholders.slice(0, 5).map((op) => `"${op.name}"`);
  return `; its placeholders are ${names.join(', ')}${placeholders.length > 5 ? ', ...' : ''}`;
}

/** The feeds of one target: three for a sparse tensor, those of all parts for a nesting. */
export function feedsOf(target: FeedTarget, value: NestedFeedValue): Feed[] {
  if (target instanceof NestedTarget)
    return nestedFeeds(target, value).flatMap(([part, partValue]) => feedsOf(part, partValue));
  if (target instanceof SparseTensor) {
    return sparseFeeds(target, value).map(([tensor, part]) => resolveFeed(tensor, part));
  }
  if (isSparseValue(value)) {
    throw new InvalidArgumentError(
      `feed for "${target.name}" is the value of a sparse tensor${target.op.creationSite()}`,
      { node: target.op.name },
    );
  }
  return [resolveFeed(target, value as DenseFeedValue)];
}

/** Checks one value against its tensor's dtype and static shape. */
export function resolveFeed(tensor: Tensor, value: DenseFeedValue): Feed {
  requireValue(tensor, value);
  if (isGpuBuffer(value)) return bufferFeed(tensor, value);
  const converted = convert(tensor, value);
  if (!tensor.shape.isCompatibleWith(new TensorShape(converted.shape))) {
    throw new InvalidArgumentError(
      `feed for "${tensor.name}" has shape [${converted.shape.join(',')}], the graph says ${tensor.shape.toString()}${tensor.op.creationSite()}`,
      { node: tensor.op.name },
    );
  }
  return { tensor, value: converted, buffer: null };
}

/** Plain JavaScript feeds a field that is not there as `undefined`. */
function requireValue(tensor: Tensor, value: unknown): void {
  if (value !== undefined && value !== null) return;
  throw new InvalidArgumentError(
    `feed for "${tensor.name}" (${tensor.dtype} ${tensor.shape.toString()}) is ${String(value)}${tensor.op.creationSite()}`,
    { node: tensor.op.name },
  );
}

function bufferFeed(tensor: Tensor, buffer: GPUBuffer): Feed {
  if (!tensor.shape.isFullyDefined) {
    throw new InvalidArgumentError(
      `feed for "${tensor.name}" is a GPUBuffer, which needs a fully known shape, the graph says ${tensor.shape.toString()}`,
      { node: tensor.op.name },
    );
  }
  const shape = tensor.shape.toStatic();
  const bytes = transferBytes(shape, tensor.dtype);
  if (buffer.size < bytes) {
    throw new InvalidArgumentError(
      `feed for "${tensor.name}" needs ${bytes} bytes, the GPUBuffer has ${buffer.size}`,
    );
  }
  return { tensor, value: placeholderValue(tensor, shape), buffer };
}

/** Dtype and shape without elements: what compilation sees of a value on the device. */
function placeholderValue(tensor: Tensor, shape: readonly number[]): TensorValue {
  return Object.create(TensorValue.prototype, {
    dtype: { value: tensor.dtype },
    shape: { value: shape },
    data: { value: new Float32Array(0) },
  }) as TensorValue;
}

function isGpuBuffer(value: DenseFeedValue): value is GPUBuffer {
  return typeof GPUBuffer !== 'undefined' && value instanceof GPUBuffer;
}

function isValueLike(value: unknown): value is TensorValueLike {
  return (
    typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value && 'data' in value
  );
}

function convert(tensor: Tensor, value: Exclude<DenseFeedValue, GPUBuffer>): TensorValue {
  const dtype = baseDType(tensor.dtype);
  try {
    if (isValueLike(value)) {
      if (value.dtype !== dtype)
        throw new InvalidArgumentError(`expected dtype ${dtype}, got ${value.dtype}`);
      return value instanceof TensorValue ? value : new TensorValue(dtype, value.shape, value.data);
    }
    if (!ArrayBuffer.isView(value)) return toTensorValue(value, dtype);
    return toTensorValue(value, checkArray(tensor, value), arrayShape(tensor, value));
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(
      `feed for "${tensor.name}" (${dtype} ${tensor.shape.toString()}): ${error.message}${tensor.op.creationSite()}`,
      { node: tensor.op.name, cause: error },
    );
  }
}

/** Floating-point arrays are not silently truncated to integers. */
function checkArray(tensor: Tensor, array: NumericData): ReturnType<typeof baseDType> {
  const dtype = baseDType(tensor.dtype);
  const floats = array instanceof Float32Array || array instanceof Float64Array;
  if (floats && !isFloating(dtype))
    throw new InvalidArgumentError(`expected dtype ${dtype}, got ${array.constructor.name}`);
  return dtype;
}

/** A flat array takes the placeholder's shape when at most one dimension is open and the count fits. */
function arrayShape(tensor: Tensor, array: NumericData): readonly number[] {
  const dims = tensor.shape.dims;
  const open = dims?.filter((dim) => dim === null).length ?? 2;
  if (dims === null || open > 1) return [array.length];
  const known = dims.reduce<number>((size, dim) => size * (dim ?? 1), 1);
  if (open === 0) return array.length === known ? (dims as readonly number[]) : [array.length];
  if (known === 0 || array.length % known !== 0) return [array.length];
  return dims.map((dim) => dim ?? array.length / known);
}
