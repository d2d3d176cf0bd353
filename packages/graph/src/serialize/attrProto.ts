/** `AttrValue` and `TensorShapeProto` messages to and from attribute values. */
import type { AttrKind, AttrKinds, AttrValue, FuncValue } from '../attr.js';
import { dtypeFromNumber, dtypeToNumber } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import type { Init } from '../proto/message.js';
import type {
  AttrValue as AttrValueProto,
  AttrValueListValue,
  NameAttrList,
  TensorShapeProto,
} from '../proto/messages.js';
import { textOrBytes, toBytes } from '../proto/utf8.js';
import { TensorShape } from '../shape.js';
import { sharedTensorFromProto, tensorToProto } from './tensorProto.js';

/** The shape of a message; -1 means an unknown dimension. */
export function shapeFromProto(proto: TensorShapeProto): TensorShape {
  return proto.unknownRank ? TensorShape.UNKNOWN : TensorShape.of(proto.dim.map((dim) => dim.size));
}

/** The message of a shape. */
export function shapeToProto(shape: TensorShape): Init<TensorShapeProto> {
  if (shape.dims === null) return { unknownRank: true };
  return { dim: shape.dims.map((dim) => ({ size: dim ?? -1 })) };
}

function intFromProto(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function funcFromProto(proto: NameAttrList): FuncValue {
  return { name: proto.name, attrs: attrsFromProto(proto.attr, `function "${proto.name}"`) };
}

function funcToProto({ name, attrs }: FuncValue): Init<NameAttrList> {
  return { name, attr: attrsToProto(attrs) };
}

/**
 * The attribute values of a map of messages. `owner` names the node in errors. With `defer`, the raw content of constants is not read before it
 * is asked for. Throws
 * `InvalidArgumentError` naming the attribute that holds nothing or cannot be understood.
 */
export function attrsFromProto(
  map: ReadonlyMap<string, AttrValueProto>,
  owner: string,
  defer = false,
): Map<string, AttrValue> {
  const attrs = new Map<string, AttrValue>();
  for (const [name, proto] of map) {
    try {
      attrs.set(name, attrFromProto(proto, defer));
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw new InvalidArgumentError(`${owner}: attribute "${name}": ${error.message}`, { cause: error });
    }
  }
  return attrs;
}

/** The messages of attribute values. */
export function attrsToProto(attrs: ReadonlyMap<string, AttrValue>): Map<string, Init<AttrValueProto>> {
  return new Map([...attrs].map(([name, value]) => [name, attrToProto(value)]));
}

const TRUE: AttrValue = { kind: 'bool', value: true };
const FALSE: AttrValue = { kind: 'bool', value: false };
const types = new Map<number, AttrValue>();

/** One object for all attributes that hold the same dtype: every node has some. */
function typeFromProto(number: number): AttrValue {
  let type = types.get(number);
  if (type === undefined) types.set(number, (type = { kind: 'type', value: dtypeFromNumber(number) }));
  return type;
}

/** The attribute value of a message. Throws `InvalidArgumentError` when it holds nothing. */
export function attrFromProto(proto: AttrValueProto, defer = false): AttrValue {
  if (proto.s !== undefined) return { kind: 'string', value: textOrBytes(proto.s) };
  if (proto.i !== undefined) return { kind: 'int', value: intFromProto(proto.i) };
  if (proto.f !== undefined) return { kind: 'float', value: proto.f };
  if (proto.b !== undefined) return proto.b ? TRUE : FALSE;
  if (proto.type !== undefined) return typeFromProto(proto.type);
  if (proto.shape !== undefined) return { kind: 'shape', value: shapeFromProto(proto.shape) };
  if (proto.tensor !== undefined)
    return { kind: 'tensor', value: sharedTensorFromProto(proto.tensor, defer) };
  if (proto.func !== undefined) return { kind: 'func', value: funcFromProto(proto.func) };
  if (proto.placeholder !== undefined) return { kind: 'placeholder', value: proto.placeholder };
  if (proto.list !== undefined) return listFromProto(proto.list);
  throw new InvalidArgumentError('it has no value');
}

function listFromProto(list: AttrValueListValue): AttrValue {
  if (list.s.length > 0) return { kind: 'list(string)', value: list.s.map(textOrBytes) };
  if (list.i.length > 0) return { kind: 'list(int)', value: list.i.map(intFromProto) };
  if (list.f.length > 0) return { kind: 'list(float)', value: list.f };
  if (list.b.length > 0) return { kind: 'list(bool)', value: list.b };
  if (list.type.length > 0) return { kind: 'list(type)', value: list.type.map(dtypeFromNumber) };
  if (list.shape.length > 0) return { kind: 'list(shape)', value: list.shape.map(shapeFromProto) };
  if (list.tensor.length > 0)
    return { kind: 'list(tensor)', value: list.tensor.map((tensor) => sharedTensorFromProto(tensor)) };
  if (list.func.length > 0) return { kind: 'list(func)', value: list.func.map(funcFromProto) };
  return { kind: 'list()', value: [] };
}

/** Field of `AttrValue` and of its list by kind, and the conversion of one value. */
const WRITERS: {
  readonly [K in Exclude<AttrKind, 'placeholder'>]: readonly [string, (value: AttrKinds[K]) => unknown];
} = {
  string: ['s', toBytes],
  int: ['i', BigInt],
  float: ['f', Number],
  bool: ['b', Boolean],
  type: ['type', dtypeToNumber],
  shape: ['shape', shapeToProto],
  tensor: ['tensor', tensorToProto],
  func: ['func', funcToProto],
};

/** The message of an attribute value. */
export function attrToProto({ kind, value }: AttrValue): Init<AttrValueProto> {
  if (kind === 'placeholder') return { placeholder: value };
  if (kind === 'list()') return { list: {} };
  const scalar = (kind.startsWith('list(') ? kind.slice(5, -1) : kind) as keyof typeof WRITERS;
  const [field, convert] = WRITERS[scalar] as readonly [string, (item: unknown) => unknown];
  if (scalar === kind) return { [field]: convert(value) };
  return { list: { [field]: (value as readonly unknown[]).map(convert) } };
}
