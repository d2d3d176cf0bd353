/**
 * Output dtypes of ops that are not registered. Such nodes are imported as they are; what is known of
 * their outputs comes from signatures in the file, from its functions, or from the table below.
 * Outputs of which nothing is known have the dtype `invalid`, which fits everywhere.
 */
import type { AttrValue } from '../attr.js';
import { baseDType, dtypeFromNumber, type DType } from '../dtype.js';
import type { OpDef, OpDefArgDef } from '../proto/messages.js';
import { attrFromProto } from './attrProto.js';

/** Control flow, tensor arrays and stacks of version 1: a type attribute, or a fixed dtype, for each output. */
const CONTROL_FLOW: Readonly<Record<string, readonly ('T' | 'T_ref' | 'dtype' | 'elem_type' | DType)[]>> = {
  Switch: ['T', 'T'],
  Merge: ['T', 'int32'],
  Enter: ['T'],
  Exit: ['T'],
  NextIteration: ['T'],
  LoopCond: ['bool'],
  RefSwitch: ['T_ref', 'T_ref'],
  RefMerge: ['T_ref', 'int32'],
  RefEnter: ['T_ref'],
  RefExit: ['T_ref'],
  RefNextIteration: ['T_ref'],
  TensorArrayV3: ['resource', 'float32'],
  TensorArrayReadV3: ['dtype'],
  TensorArrayGatherV3: ['dtype'],
  TensorArrayWriteV3: ['float32'],
  TensorArrayScatterV3: ['float32'],
  TensorArrayConcatV3: ['dtype', 'int64'],
  TensorArraySplitV3: ['float32'],
  TensorArrayGradV3: ['resource', 'float32'],
  TensorArraySizeV3: ['int32'],
  TensorArrayCloseV3: [],
  StackV2: ['resource'],
  StackPushV2: ['T'],
  StackPopV2: ['elem_type'],
  StackCloseV2: [],
  ControlTrigger: [],
};

/** Output dtypes of a node of type `op`; at least `count` of them, which other nodes use. */
export function inertOutputs(
  op: string,
  attrs: ReadonlyMap<string, AttrValue>,
  signature: OpDef | undefined,
  count: number,
): DType[] {
  const known = signature === undefined ? controlFlowOutputs(op, attrs) : signatureOutputs(signature, attrs);
  while (known.length < count) known.push('invalid');
  return known;
}

function controlFlowOutputs(op: string, attrs: ReadonlyMap<string, AttrValue>): DType[] {
  const outputs = Object.hasOwn(CONTROL_FLOW, op) ? CONTROL_FLOW[op] : undefined;
  const type = typeAttr(attrs.get('T'));
  return (outputs ?? []).map((output) => {
    if (output === 'T') return type;
    if (output === 'dtype' || output === 'elem_type') return typeAttr(attrs.get(output));
    return output === 'T_ref' ? refOf(type) : output;
  });
}

function typeAttr(attr: AttrValue | undefined): DType {
  return attr?.kind === 'type' ? attr.value : 'invalid';
}

function refOf(dtype: DType): DType {
  return dtype === 'invalid' ? 'invalid' : `${baseDType(dtype)}_ref`;
}

function signatureOutputs(signature: OpDef, attrs: ReadonlyMap<string, AttrValue>): DType[] {
  const attr = (name: string): AttrValue | undefined => {
    const fallback = signature.attr.find((spec) => spec.name === name)?.defaultValue;
    return attrs.get(name) ?? (fallback === undefined ? undefined : attrFromProto(fallback));
  };
  return signature.outputArg.flatMap((arg) => argOutputs(arg, attr));
}

function argOutputs(arg: OpDefArgDef, attr: (name: string) => AttrValue | undefined): DType[] {
  if (arg.typeListAttr !== '') {
    const list = attr(arg.typeListAttr);
    return list?.kind === 'list(type)' ? [...list.value] : [];
  }
  const type = arg.typeAttr === '' ? dtypeFromNumber(arg.type) : typeAttr(attr(arg.typeAttr));
  const number = arg.numberAttr === '' ? undefined : attr(arg.numberAttr);
  const count = number?.kind === 'int' ? Number(number.value) : 1;
  return new Array<DType>(count).fill(arg.isRef ? refOf(type) : type);
}
