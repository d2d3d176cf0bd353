/** Writes graph models of TensorFlow.js: `model.json` and weight files, plain or quantized. */
import { InvalidArgumentError } from '../errors.js';
import type { Graph } from '../graph.js';
import type { Operation } from '../operation.js';
import { toJson, type Json } from '../proto/json.js';
import type { Init } from '../proto/message.js';
import type { AttrValue, GraphDef, NodeDef, SignatureDef } from '../proto/messages.js';
import { graphToGraphDef } from '../serialize/exportGraph.js';
import { dataToBytes } from '../serialize/tensorBytes.js';
import { dtypeToNumber, type DType } from '../dtype.js';
import { float16Bits, float16Value } from '../halfFloat.js';
import type { TensorValue } from '../value.js';
import type { WeightDType, WeightQuantization, WeightSpec } from './modelJson.js';
import { stringBytes } from './weights.js';

export interface WriteGraphModelOptions {
  /** Inputs and outputs by name. */
  readonly signature?: Init<SignatureDef> | undefined;
  /** How float32 weights of more than `minQuantized` elements are stored. Default: as they are. */
  readonly quantization?: WeightQuantization['dtype'] | undefined;
  /** Default 1024. */
  readonly minQuantized?: number | undefined;
  /** Bytes of a weight file; default 4 MiB, which browsers cache. */
  readonly shardBytes?: number | undefined;
  readonly userDefinedMetadata?: Readonly<Record<string, Json>> | undefined;
}

export interface WrittenGraphModel {
  /** The text of `model.json`. */
  readonly modelJson: string;
  /** Weight files, by their path relative to `model.json`. */
  readonly shards: readonly { readonly path: string; readonly bytes: Uint8Array }[];
}

/**
 * A frozen graph as a graph model of TensorFlow.js. Its dtypes are few: int64 and narrow integers are stored as int32, float64 and
 * half precision as float32; the nodes keep their dtypes, so that Forerun reads the same graph again.
 *
 * Throws `InvalidArgumentError` naming the nodes for variables, which have to be frozen first, and for integers beyond int32.
 */
export function writeTfjsGraphModel(graph: Graph, options: WriteGraphModelOptions = {}): WrittenGraphModel {
  refuseVariables(graph);
  const { quantization, minQuantized = 1024, shardBytes = 4 * 2 ** 20 } = options;
  if (!(shardBytes >= 1)) throw new InvalidArgumentError(`shardBytes must be 1 or more, got ${shardBytes}`);
  const specs: { spec: WeightSpec; bytes: Uint8Array }[] = [];
  const def = graphToGraphDef(graph);
  refuseConstantsInFunctions(def);
  const node = graph.operations.map((op, i) => {
    const written = def.node?.[i] ?? {};
    if (op.type !== 'Const') return written;
    const value = op.attrs.tensor('value');
    const wanted = value.data.length >= minQuantized ? quantization : undefined;
    specs.push(weightOf(op, value, wanted));
    return withoutValue(written, value);
  });
  const shards = cutShards(
    specs.map(({ bytes }) => bytes),
    shardBytes,
  );
  const paths = shards.map((_, i) => `group1-shard${i + 1}of${shards.length}.bin`);
  const json = {
    format: 'graph-model',
    generatedBy: 'Forerun',
    convertedBy: 'Forerun',
    ...(options.signature === undefined ? {} : { signature: toJson('SignatureDef', options.signature) }),
    ...(options.userDefinedMetadata === undefined
      ? {}
      : { userDefinedMetadata: options.userDefinedMetadata }),
    modelTopology: toJson('GraphDef', { ...def, node }),
    weightsManifest: specs.length === 0 ? [] : [{ paths, weights: specs.map(({ spec }) => spec) }],
  };
  return {
    modelJson: `${JSON.stringify(json)}\n`,
    shards: shards.map((bytes, i) => ({ path: paths[i] ?? '', bytes })),
  };
}

const VARIABLES: ReadonlySet<string> = new Set(['VarHandleOp', 'VariableV2', 'Variable']);

function refuseVariables(graph: Graph): void {
  const names = graph.operations.filter(({ type }) => VARIABLES.has(type)).map(({ name }) => `"${name}"`);
  if (names.length === 0) return;
  throw new InvalidArgumentError(
    `graph models of TensorFlow.js have no variables: freeze ${names.slice(0, 5).join(', ')}` +
      `${names.length > 5 ? ` and ${names.length - 5} more` : ''} first, with fr.graphUtil.convertVariablesToConstants`,
  );
}

/** The weights are found by the names of nodes, of which functions have their own. */
function refuseConstantsInFunctions({ library }: Init<GraphDef>): void {
  const seen = new Set<string>();
  for (const fn of library?.function ?? []) {
    for (const { op, name = '' } of fn.nodeDef ?? []) {
      if (op !== 'Const') continue;
      if (seen.has(name)) {
        throw new InvalidArgumentError(
          `two functions have a constant "${name}": TensorFlow.js could not tell them apart`,
          {
            node: name,
          },
        );
      }
      seen.add(name);
    }
  }
}

function withoutValue(node: Init<NodeDef>, value: TensorValue): Init<NodeDef> {
  const attr = new Map<string, Init<AttrValue>>(node.attr);
  const dim = value.shape.map((size) => ({ size }));
  attr.set('value', { tensor: { dtype: dtypeToNumber(value.dtype), tensorShape: { dim } } });
  return { ...node, attr };
}

/** The dtype in which weights of another one are stored. */
const STORED: Partial<Record<DType, WeightDType>> = {
  float32: 'float32',
  float64: 'float32',
  float16: 'float32',
  int32: 'int32',
  int64: 'int32',
  int16: 'int32',
  int8: 'int32',
  uint8: 'int32',
  uint16: 'int32',
  uint32: 'int32',
  bool: 'bool',
  string: 'string',
  complex64: 'complex64',
};

function weightOf(
  op: Operation,
  value: TensorValue,
  quantization: WeightQuantization['dtype'] | undefined,
): { spec: WeightSpec; bytes: Uint8Array } {
  const dtype = STORED[value.dtype];
  if (dtype === undefined) {
    throw new InvalidArgumentError(`${op.describe()}: TensorFlow.js has no weights of dtype ${value.dtype}`, {
      node: op.name,
    });
  }
  const spec = { name: op.name, shape: value.shape, dtype };
  if (quantization !== undefined && dtype === 'float32') {
    const quantized = quantize(numbersOf(op, value, dtype) as Float32Array, quantization);
    if (quantized !== null)
      return { spec: { ...spec, quantization: quantized.quantization }, bytes: quantized.bytes };
  }
  return { spec, bytes: bytesOf(op, value, dtype) };
}

function bytesOf(op: Operation, value: TensorValue, dtype: WeightDType): Uint8Array {
  if (dtype === 'string') return stringBytes(value.data as readonly (string | Uint8Array)[]);
  if (dtype === value.dtype) return dataToBytes(dtype, value.data);
  return dataToBytes(dtype, numbersOf(op, value, dtype));
}

/** The elements as float32 or int32. */
function numbersOf(op: Operation, value: TensorValue, dtype: WeightDType): Float32Array | Int32Array {
  const { data } = value;
  const result = dtype === 'int32' ? new Int32Array(data.length) : new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const element = value.dtype === 'float16' ? float16Value(Number(data[i])) : Number(data[i]);
    if (dtype === 'int32' && element !== (element | 0)) {
      throw new InvalidArgumentError(
        `${op.describe()}: element ${i} is ${element}, weights of TensorFlow.js are int32`,
        {
          node: op.name,
        },
      );
    }
    result[i] = element;
  }
  return result;
}

/** The stored form, or `null` for weights with elements that are not finite. */
function quantize(
  data: Float32Array,
  dtype: WeightQuantization['dtype'],
): { bytes: Uint8Array; quantization: WeightQuantization } | null {
  let [min, max] = [Infinity, -Infinity];
  for (const x of data) {
    if (!Number.isFinite(x)) return null;
    min = Math.min(min, x);
    max = Math.max(max, x);
  }
  if (dtype === 'float16') {
    if (Math.max(Math.abs(min), Math.abs(max)) > 65504) return null;
    return {
      bytes: dataToBytes('uint16', Uint16Array.from(data, float16Bits)),
      quantization: { dtype, scale: 1, min: 0 },
    };
  }
  const levels = dtype === 'uint8' ? 255 : 65535;
  const { scale, min: first } = affine(min, max, levels);
  const stored = dtype === 'uint8' ? new Uint8Array(data.length) : new Uint16Array(data.length);
  data.forEach((x, i) => (stored[i] = Math.min(levels, Math.max(0, Math.round((x - first) / scale)))));
  return { bytes: dataToBytes(dtype, stored), quantization: { dtype, scale, min: first } };
}

/** Scale and first level between `min` and `max`, such that 0 is a level where it lies between them (Jacob et al., 2018). */
export function affine(min: number, max: number, levels: number): { scale: number; min: number } {
  if (max === min) return { scale: 1, min };
  if (min >= 0 || max <= 0) return { scale: (max - min) / levels, min };
  const scale = (max - min) / levels;
  return { scale, min: Math.round(min / scale) * scale };
}

function cutShards(parts: readonly Uint8Array[], size: number): Uint8Array[] {
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  const shards = Array.from(
    { length: Math.ceil(total / size) },
    (_, i) => new Uint8Array(Math.min(size, total - i * size)),
  );
  let at = 0;
  for (const part of parts) {
    for (let taken = 0; taken < part.length;) {
      const shard = shards[Math.floor(at / size)] ?? new Uint8Array(0);
      const piece = part.subarray(taken, taken + size - (at % size));
      shard.set(piece, at % size);
      taken += piece.length;
      at += piece.length;
    }
  }
  return shards;
}
