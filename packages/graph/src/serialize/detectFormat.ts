/** Tells by content what kind of file some bytes are. */
import { DataLossError } from '../errors.js';
import { decode, canDecode } from '../proto/decode.js';
import { decodeUtf8 } from '../proto/utf8.js';
import { WireReader } from '../proto/wireReader.js';
import { isTable } from '../checkpoint/tableReader.js';
import { crc32c, maskCrc } from '../checkpoint/crc32c.js';

/** Kinds of files that are told apart. */
export type FileFormat =
  | 'GraphDef'
  | 'MetaGraphDef'
  | 'SavedModel'
  | 'GraphDef text'
  | 'MetaGraphDef text'
  | 'SavedModel text'
  | 'JSON'
  | 'checkpoint index'
  | 'checkpoint state'
  | 'ONNX'
  | 'TFRecord'
  | 'unknown';

/** Characters that decide; the first line with a field name is near the start. */
const HEAD = 4096;

/** The kind of a file, by its content. Empty input counts as an empty `GraphDef`. */
export function detectFormat(bytes: Uint8Array): FileFormat {
  if (isTable(bytes)) return 'checkpoint index';
  if (bytes.length === 0) return 'GraphDef';
  if (isRecordFile(bytes)) return 'TFRecord';
  return textFormat(bytes) ?? binaryFormat(bytes) ?? 'unknown';
}

function textFormat(bytes: Uint8Array): FileFormat | undefined {
  const head = textHead(bytes);
  if (head === undefined) return undefined;
  if (/^\s*[{[]/.test(head)) return 'JSON';
  const stripped = head.replace(/^(\s|#[^\n]*\n)+/, '');
  const field = /^(\w+)\s*[:{<]/.exec(stripped)?.[1];
  switch (field) {
    case 'node':
    case 'library':
    case 'versions':
    case 'version':
      return 'GraphDef text';
    case 'meta_info_def':
    case 'graph_def':
    case 'saver_def':
    case 'collection_def':
    case 'signature_def':
      return 'MetaGraphDef text';
    case 'saved_model_schema_version':
    case 'meta_graphs':
      return 'SavedModel text';
    case 'model_checkpoint_path':
    case 'all_model_checkpoint_paths':
      return 'checkpoint state';
    default:
      return undefined;
  }
}

/** The beginning as text, when it is free of control characters. */
function textHead(bytes: Uint8Array): string | undefined {
  let end = Math.min(bytes.length, HEAD);
  // Do not cut a character in two.
  while (end < bytes.length && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  const head = decodeUtf8(bytes.subarray(0, end));
  // eslint-disable-next-line no-control-regex -- control characters are what tells binary files
  return head === undefined || /[\x00-\x08\x0e-\x1f]/.test(head) ? undefined : head;
}

/** Types of op that TensorFlow's grammar allows. */
const OP_TYPE = /^[A-Z_>][A-Za-z0-9_>]*$/;

/** Tags of first fields: number * 8 + wire type. */
const TAG = { one: 0x0a, oneVarint: 0x08, two: 0x12, three: 0x1a, threeVarint: 0x18, four: 0x22, five: 0x2a };

/**
 * Looks at the first field only, so that a file that is damaged further on is still known for what
 * it is and its reader can say where the damage lies.
 */
function binaryFormat(bytes: Uint8Array): FileFormat | undefined {
  if (isOnnx(bytes)) return 'ONNX';
  switch (bytes[0]) {
    case TAG.oneVarint:
      return 'SavedModel';
    case TAG.one:
      if (isNodeOrDamaged(firstContent(bytes))) return 'GraphDef';
      return canDecode('GraphDef', bytes) && !canDecode('MetaGraphDef', bytes) ? 'GraphDef' : 'MetaGraphDef';
    case TAG.two:
      return isGraph(firstContent(bytes)) ? 'MetaGraphDef' : 'GraphDef';
    case TAG.threeVarint:
      return 'GraphDef';
    case TAG.four:
      return canDecode('GraphDef', bytes) ? 'GraphDef' : 'MetaGraphDef';
    case TAG.three:
    case TAG.five:
      return 'MetaGraphDef';
    default:
      return undefined;
  }
}

/** Fields of ONNX' ModelProto that TensorFlow's messages have not, or not as this wire type. */
const ONNX_VERSION = 1;
const ONNX_GRAPH = 7;
const ONNX_OPSET = 8;

/** An ONNX model: a number as field 1 or operator sets as field 8, and a graph as field 7, unless it is damaged before that. */
function isOnnx(bytes: Uint8Array): boolean {
  const reader = new WireReader(bytes, 'ONNX');
  const found = new Set<number>();
  try {
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      const [number, wire] = [tag >>> 3, tag & 7];
      if (number === ONNX_VERSION && wire !== 0) return false;
      found.add(number);
      reader.skip(wire);
    }
  } catch (error) {
    if (!(error instanceof DataLossError)) throw error;
  }
  return found.has(ONNX_GRAPH) && (found.has(ONNX_VERSION) || found.has(ONNX_OPSET));
}

/** Content of the first field, a length-delimited one; `undefined` when it is cut off. */
function firstContent(bytes: Uint8Array): Uint8Array | undefined {
  let length = 0;
  let pos = 1;
  for (let factor = 1; pos < 6; factor *= 128) {
    const byte = bytes[pos++] ?? 0;
    length += (byte & 0x7f) * factor;
    if (byte < 0x80) break;
  }
  return pos + length <= bytes.length ? bytes.subarray(pos, pos + length) : undefined;
}

function isNodeOrDamaged(content: Uint8Array | undefined): boolean {
  if (content === undefined) return true;
  if (canDecode('NodeDef', content)) {
    const { name, op } = decode('NodeDef', content);
    if (name !== '' && OP_TYPE.test(op)) return true;
  }
  return !canDecode('MetaGraphDef.MetaInfoDef', content);
}

function isGraph(content: Uint8Array | undefined): boolean {
  if (content === undefined || !canDecode('GraphDef', content)) return false;
  return OP_TYPE.test(decode('GraphDef', content).node[0]?.op ?? '');
}

const RECORD_HEADER_BYTES = 12;

/** A TFRecord file: its first eight bytes are a length, the next four the checksum of those. */
function isRecordFile(bytes: Uint8Array): boolean {
  if (bytes.length < RECORD_HEADER_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_HEADER_BYTES);
  return view.getUint32(8, true) === maskCrc(crc32c(bytes.subarray(0, 8)));
}

/** What an error says of a file that is not what was wanted: `looks like a GraphDef`. */
export function describeContent(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'is empty';
  const format = detectFormat(bytes);
  if (format === 'unknown') return 'has no known format, perhaps it is a data shard or is cut off';
  return `looks like a ${format} file`;
}
