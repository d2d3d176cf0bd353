/** Signatures of ops as `OpDef` messages, which files carry so that readers know foreign ops. */
import { dtypeToNumber, isDType } from '../dtype.js';
import type { OpDef } from '../opDef.js';
import type { Init } from '../proto/message.js';
import type {
  AttrValue as AttrValueProto,
  OpDef as OpDefProto,
  OpDefArgDef,
  OpDefAttrDef,
} from '../proto/messages.js';
import { toBytes } from '../proto/utf8.js';
import type { ArgSpec, AttrSpec } from '../signature.js';
import { attrToProto } from './attrProto.js';

/** The signature of op type `name`, without documentation as TensorFlow strips it. */
export function opDefToProto(name: string, def: OpDef): Init<OpDefProto> {
  return {
    name,
    inputArg: def.inputs.map(argToProto),
    outputArg: def.outputs.map(argToProto),
    attr: def.attrs.map(attrDefToProto),
    isStateful: def.stateful,
  };
}

function argToProto(arg: ArgSpec): Init<OpDefArgDef> {
  return {
    name: arg.name,
    type: arg.dtype === undefined ? 0 : dtypeToNumber(arg.dtype),
    typeAttr: arg.typeAttr ?? '',
    numberAttr: arg.numberAttr ?? '',
    typeListAttr: arg.typeListAttr ?? '',
    isRef: arg.isRef,
  };
}

function attrDefToProto(spec: AttrSpec): Init<OpDefAttrDef> {
  return {
    name: spec.name,
    type: spec.kind,
    defaultValue: spec.default === undefined ? undefined : attrToProto(spec.default),
    hasMinimum: spec.minimum !== undefined,
    minimum: BigInt(spec.minimum ?? 0),
    allowedValues: spec.allowed === undefined ? undefined : allowedToProto(spec.allowed),
  };
}

function allowedToProto(allowed: readonly string[]): Init<AttrValueProto> {
  const types = allowed.filter(isDType);
  const isTypes = types.length === allowed.length;
  return { list: isTypes ? { type: types.map(dtypeToNumber) } : { s: allowed.map(toBytes) } };
}
