/**
 * The mini-language in which ops declare inputs, outputs and attributes. It is the one of
 * TensorFlow's own op registrations: `'a: T'`, `'values: N * T'`, `'transpose_a: bool = false'`,
 * `'T: {float32, int32}'`, `'padding: {"SAME", "VALID"}'`, `'N: int >= 1'`.
 */
import type { AttrKind, AttrValue } from './attr.js';
import { isDType, type DType } from './dtype.js';
import { InternalError } from './errors.js';
import { TensorShape } from './shape.js';
import { toTensorValue, type TensorValue, type ValueLike } from './value.js';

/** One input or output argument. Exactly one of `dtype`, `typeAttr` and `typeListAttr` is set. */
export interface ArgSpec {
  readonly name: string;
  readonly dtype?: DType;
  readonly typeAttr?: string;
  /** The attribute that counts the tensors of a repeated argument. */
  readonly numberAttr?: string;
  readonly typeListAttr?: string;
  readonly isRef: boolean;
}

export type AttrSpecKind = AttrValue['kind'];

/** One attribute: its kind, what it may be, and its default. */
export interface AttrSpec {
  readonly name: string;
  readonly kind: AttrSpecKind;
  readonly allowed?: readonly string[];
  readonly minimum?: number;
  readonly default?: AttrValue;
}

/** Named groups of dtypes that attribute declarations may use in place of a list. */
const TYPE_GROUPS: Readonly<Record<string, readonly DType[]>> = {
  floating: ['float32', 'float16', 'bfloat16', 'float64'],
  integer: ['int32', 'int64', 'uint8', 'int8', 'int16', 'uint16', 'uint32', 'uint64'],
  numeric: [
    ...(['float32', 'float16', 'bfloat16', 'float64'] as const),
    ...(['int32', 'int64', 'uint8', 'int8', 'int16', 'uint16', 'uint32', 'uint64'] as const),
    ...(['complex64', 'complex128', 'qint8', 'quint8', 'qint32'] as const),
  ],
  real: [
    ...(['float32', 'float16', 'bfloat16', 'float64'] as const),
    ...(['int32', 'int64', 'uint8', 'int8', 'int16', 'uint16', 'uint32', 'uint64'] as const),
  ],
  index: ['int32', 'int64'],
};

/** Parses `'name: T'`, `'name: N * T'`, `'name: Tlist'` or `'name: Ref(T)'` against the declared attributes. */
export function parseArg(text: string, attrs: readonly AttrSpec[]): ArgSpec {
  const match = /^(\w+):\s*(?:(\w+)\s*\*\s*)?(Ref\()?(\w+)\)?$/.exec(text);
  const [, name, numberAttr, ref, type] = match ?? [];
  if (name === undefined || type === undefined) throw new InternalError(`malformed argument "${text}"`);
  const common = { name, isRef: ref !== undefined, ...(numberAttr === undefined ? {} : { numberAttr }) };
  const attr = attrs.find((a) => a.name === type);
  if (attr?.kind === 'list(type)') return { ...common, typeListAttr: type };
  if (attr !== undefined) return { ...common, typeAttr: type };
  if (isDType(type)) return { ...common, dtype: type };
  throw new InternalError(`argument "${text}" names neither a dtype nor an attribute`);
}

/** Parses `'name: kind'` with optional allowed values, minimum and default. */
export function parseAttr(text: string): AttrSpec {
  const match = /^(\w+):\s*(list\()?(\{[^}]*\}|\w+)\)?\s*(?:>=\s*(-?\d+))?\s*(?:=\s*(.+))?$/.exec(text);
  const [, name, list, type, minimum, defaultText] = match ?? [];
  if (name === undefined || type === undefined) throw new InternalError(`malformed attribute "${text}"`);
  const allowed = allowedValues(type);
  const scalar = allowed === undefined ? (type as AttrKind) : allowed.kind;
  const kind = (list === undefined ? scalar : `list(${scalar})`) as AttrSpecKind;
  return {
    name,
    kind,
    ...(allowed === undefined ? {} : { allowed: allowed.values }),
    ...(minimum === undefined ? {} : { minimum: Number(minimum) }),
    ...(defaultText === undefined ? {} : { default: parseDefault(kind, defaultText) }),
  };
}

function allowedValues(type: string): { kind: AttrKind; values: readonly string[] } | undefined {
  const group = TYPE_GROUPS[type];
  if (group !== undefined) return { kind: 'type', values: group };
  if (!type.startsWith('{')) return undefined;
  const items = type
    .slice(1, -1)
    .split(',')
    .map((item) => item.trim());
  const quoted = items[0]?.startsWith('"') ?? false;
  return quoted
    ? { kind: 'string', values: items.map((item) => item.slice(1, -1)) }
    : { kind: 'type', values: items };
}

function parseDefault(kind: AttrSpecKind, text: string): AttrValue {
  if (kind.startsWith('list(')) {
    const items = text.replace(/^\[|\]$/g, '').split(',');
    const scalar = kind.slice(5, -1) as AttrKind;
    const values = items.filter((item) => item.trim() !== '').map((item) => parseScalar(scalar, item.trim()));
    return { kind, value: values } as AttrValue;
  }
  return { kind, value: parseScalar(kind as AttrKind, text.trim()) } as AttrValue;
}

function parseScalar(kind: AttrKind, text: string): number | boolean | string | TensorShape | TensorValue {
  switch (kind) {
    case 'int':
    case 'float':
      return Number(text);
    case 'bool':
      return text === 'true';
    case 'string':
      return text.replace(/^["']|["']$/g, '');
    case 'type':
      return text;
    case 'shape':
      return text === '<unknown>' ? TensorShape.UNKNOWN : TensorShape.of(JSON.parse(text) as number[]);
    case 'tensor': {
      const [, dtype = '', value = ''] = /^(\w+) (.*)$/.exec(text) ?? [];
      return toTensorValue(JSON.parse(value) as ValueLike, dtype as DType);
    }
    default:
      throw new InternalError(`attributes of kind ${kind} have no written default`);
  }
}
