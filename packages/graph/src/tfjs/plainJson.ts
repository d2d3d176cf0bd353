/**
 * Parts of a graph model in the form that nearly all files give them, read straight from JSON. A model of a few dozen nodes is loaded in
 * less time than the reader of all messages takes to get going; that one is asked only where these functions give `null`, because something
 * is unusual or wrong.
 */
import type { AttrValue } from '../attr.js';
import { dtypeFromNumber } from '../dtype.js';
import { fromBase64 } from '../proto/base64.js';
import type { SignatureDef, TensorInfo, TensorShapeProto, VersionDef } from '../proto/messages.js';
import { enumNumber } from '../proto/spec.js';
import { textOrBytes } from '../proto/utf8.js';
import { TensorShape } from '../shape.js';
import { isObject } from './modelJson.js';

/** The value of an attribute. */
export function plainAttr(json: unknown): AttrValue | null {
  if (!isObject(json)) return null;
  const [field, another] = Object.keys(json);
  if (field === undefined || another !== undefined) return null;
  const value = json[field];
  switch (field) {
    case 'type': {
      const number = dtypeNumber(value);
      return number === null ? null : { kind: 'type', value: dtypeFromNumber(number) };
    }
    case 'i': {
      const int = plainInt(value);
      return int === null ? null : { kind: 'int', value: int };
    }
    case 'f':
      return typeof value === 'number' ? { kind: 'float', value: Math.fround(value) } : null;
    case 'b':
      return typeof value === 'boolean' ? { kind: 'bool', value } : null;
    case 's': {
      const text = plainText(value);
      return text === null ? null : { kind: 'string', value: text };
    }
    case 'shape': {
      const shape = plainShape(value);
      return shape === null
        ? null
        : { kind: 'shape', value: TensorShape.of(shape.dim.map((dim) => dim.size)) };
    }
    case 'list':
      return plainList(value);
    default:
      return null;
  }
}

/** Lists of integers and texts, and those without elements. */
function plainList(json: unknown): AttrValue | null {
  if (!isObject(json)) return null;
  const [field, another] = Object.keys(json);
  if (field === undefined) return { kind: 'list()', value: [] };
  const items = json[field];
  if (another !== undefined || !Array.isArray(items) || items.length === 0) return null;
  const ints = field === 'i' ? allOf(items, plainInt) : null;
  if (ints !== null) return { kind: 'list(int)', value: ints };
  const texts = field === 's' ? allOf(items, plainText) : null;
  return texts === null ? null : { kind: 'list(string)', value: texts };
}

function allOf<T>(items: readonly unknown[], read: (item: unknown) => T | null): T[] | null {
  const values: T[] = [];
  for (const item of items) {
    const value = read(item);
    if (value === null) return null;
    values.push(value);
  }
  return values;
}

const INTEGER = /^-?\d{1,15}$/;

/** An integer that a number holds exactly. */
function plainInt(json: unknown): number | null {
  const value = typeof json === 'string' && INTEGER.test(json) ? Number(json) : json;
  // Integers have one zero.
  return typeof value === 'number' && Number.isSafeInteger(value) ? value + 0 : null;
}

function plainText(json: unknown): string | Uint8Array | null {
  const bytes = typeof json === 'string' ? fromBase64(json) : undefined;
  return bytes === undefined ? null : textOrBytes(bytes);
}

function dtypeNumber(json: unknown): number | null {
  return (typeof json === 'string' ? enumNumber('DataType', json) : undefined) ?? null;
}

function plainShape(json: unknown): TensorShapeProto | null {
  if (!isObject(json) || !hasOnly(json, ['dim'])) return null;
  const { dim = [] } = json;
  if (!Array.isArray(dim)) return null;
  const dims = allOf(dim, (item) => {
    const size = isObject(item) && hasOnly(item, ['size']) ? plainInt(item.size) : null;
    return size === null || size < -1 ? null : { size, name: '' };
  });
  return dims === null ? null : { dim: dims, unknownRank: false };
}

function hasOnly(json: Readonly<Record<string, unknown>>, fields: readonly string[]): boolean {
  return Object.keys(json).every((field) => fields.includes(field));
}

/** The signature of a model. */
export function plainSignature(json: unknown): SignatureDef | null {
  if (!isObject(json) || !hasOnly(json, ['inputs', 'outputs'])) return null;
  const [inputs, outputs] = [plainInfos(json.inputs), plainInfos(json.outputs)];
  if (inputs === null || outputs === null) return null;
  return { inputs, outputs, methodName: '', defaults: new Map() };
}

function plainInfos(json: unknown): Map<string, TensorInfo> | null {
  if (!isObject(json)) return null;
  const infos = new Map<string, TensorInfo>();
  for (const key of Object.keys(json)) {
    const info = json[key];
    if (!isObject(info) || !hasOnly(info, ['name', 'dtype', 'tensorShape'])) return null;
    const [dtype, tensorShape] = [dtypeNumber(info.dtype), plainShape(info.tensorShape)];
    if (typeof info.name !== 'string' || dtype === null || tensorShape === null) return null;
    infos.set(key, { name: info.name, dtype, tensorShape });
  }
  return infos;
}

/** What a graph holds besides its nodes, where these are no functions: what wrote it. */
export function plainVersions(graph: Readonly<Record<string, unknown>>): VersionDef | null {
  const { library = {}, versions = {} } = graph;
  if (!hasOnly(graph, ['node', 'library', 'versions']) || !isObject(library) || !isObject(versions))
    return null;
  const { producer = 0, minConsumer = 0 } = versions;
  const usual =
    hasOnly(library, []) &&
    hasOnly(versions, ['producer', 'minConsumer']) &&
    isVersion(producer) &&
    isVersion(minConsumer);
  return usual ? { producer, minConsumer, badConsumers: [] } : null;
}

function isVersion(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}
