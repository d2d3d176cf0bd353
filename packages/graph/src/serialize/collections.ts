/** Collections of a graph as `CollectionDef` messages: variables, nodes, text, bytes and numbers. */
import { InvalidArgumentError, NotFoundError } from '../errors.js';
import type { Graph } from '../graph.js';
import { Operation } from '../operation.js';
import { create, decode } from '../proto/decode.js';
import { encode } from '../proto/encode.js';
import type { Init } from '../proto/message.js';
import type { CollectionDef } from '../proto/messages.js';
import { textOrBytes, toBytes } from '../proto/utf8.js';
import { Tensor } from '../tensor.js';
import { Variable, variableFromDef, variableToDef } from '../variable.js';
import { GraphKeys } from '../variableKeys.js';

/** Where a collection value is read into. */
export interface CollectionContext {
  readonly graph: Graph;
  readonly key: string;
  /** What the names in the file have been put under: empty, or with a trailing slash. */
  readonly scope: string;
}

/** Turns values of some collections into serialized messages and back. */
export interface CollectionCodec {
  /** Collections that it reads. */
  readonly keys: ReadonlySet<string>;
  /** The message of a value, or `undefined` when the codec does not know it. */
  toProto(value: unknown, key: string): Uint8Array | undefined;
  fromProto(bytes: Uint8Array, context: CollectionContext): unknown;
}

/** Collections of variables; a variable in several of them is one object again after reading. */
export function variableCodec(): CollectionCodec {
  const known = new Map<string, Variable>();
  return {
    keys: new Set([
      GraphKeys.GLOBAL_VARIABLES,
      GraphKeys.LOCAL_VARIABLES,
      GraphKeys.METRIC_VARIABLES,
      GraphKeys.MODEL_VARIABLES,
      GraphKeys.TRAINABLE_VARIABLES,
      GraphKeys.MOVING_AVERAGE_VARIABLES,
      GraphKeys.GLOBAL_STEP,
    ]),
    toProto: (value) => (value instanceof Variable ? encode('VariableDef', variableToDef(value)) : undefined),
    fromProto: (bytes, { graph, scope }) => {
      const def = decode('VariableDef', bytes);
      const variable = known.get(def.variableName) ?? variableFromDef(graph, def, scope);
      known.set(def.variableName, variable);
      return variable;
    },
  };
}

/**
 * The message of a collection, or `undefined` when some value has no form in files (then the caller
 * decides what to do).
 */
export function collectionToProto(
  key: string,
  values: readonly unknown[],
  codecs: readonly CollectionCodec[],
): Init<CollectionDef> | undefined {
  const [first] = values;
  if (values.every(isNode)) return { nodeList: { value: values.map((node) => node.name) } };
  if (typeof first === 'number' || typeof first === 'bigint') return numbersToProto(values);
  const bytes = values.map((value) => valueBytes(key, value, codecs));
  return bytes.every((item) => item !== undefined) ? { bytesList: { value: bytes } } : undefined;
}

function isNode(value: unknown): value is Tensor | Operation {
  return value instanceof Tensor || value instanceof Operation;
}

function numbersToProto(values: readonly unknown[]): Init<CollectionDef> | undefined {
  if (values.every((value) => typeof value === 'bigint' || Number.isSafeInteger(value))) {
    return { int64List: { value: values.map((value) => BigInt(value as number | bigint)) } };
  }
  if (!values.every((value) => typeof value === 'number')) return undefined;
  return { floatList: { value: values } };
}

function valueBytes(key: string, value: unknown, codecs: readonly CollectionCodec[]): Uint8Array | undefined {
  if (typeof value === 'string' || value instanceof Uint8Array) return toBytes(value);
  for (const codec of codecs) {
    const bytes = codec.toProto(value, key);
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}

/** The values of a collection. Throws `InvalidArgumentError` naming it when it names a node that is not there. */
export function collectionFromProto(
  def: CollectionDef,
  context: CollectionContext,
  codecs: readonly CollectionCodec[],
): unknown[] {
  try {
    return itemsFromProto(def, context, codecs);
  } catch (cause) {
    if (!(cause instanceof NotFoundError)) throw cause;
    throw new InvalidArgumentError(`collection "${context.key}": ${cause.message}`, { cause });
  }
}

function itemsFromProto(
  def: CollectionDef,
  context: CollectionContext,
  codecs: readonly CollectionCodec[],
): unknown[] {
  const { graph, key, scope } = context;
  if (def.nodeList !== undefined) return def.nodeList.value.map((name) => graph.asGraphElement(scope + name));
  if (def.bytesList !== undefined) {
    const codec = codecs.find((candidate) => candidate.keys.has(key));
    return def.bytesList.value.map((bytes) => codec?.fromProto(bytes, context) ?? textOrBytes(bytes));
  }
  if (def.int64List !== undefined) return def.int64List.value.map(exactNumber);
  if (def.floatList !== undefined) return [...def.floatList.value];
  if (def.anyList !== undefined)
    return def.anyList.value.map((any) => ({ ...create('google.protobuf.Any'), ...any }));
  throw new InvalidArgumentError(`collection "${key}" holds nothing`);
}

function exactNumber(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
