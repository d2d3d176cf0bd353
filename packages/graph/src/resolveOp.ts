/**
 * Turns a request for a node (type, inputs, loose attributes) into checked inputs, complete tagged
 * attributes and output dtypes, by the op's declared signature.
 */
import type { AttrKind, AttrValue } from './attr.js';
import { Attrs } from './attr.js';
import { baseDType, isDType, isRefDType, type DType } from './dtype.js';
import type { OpDef } from './opDef.js';
import { TensorShape, type ShapeLike } from './shape.js';
import type { ArgSpec, AttrSpec } from './signature.js';
import type { Tensor } from './tensor.js';
import { TensorValue, toTensorValue, type ValueLike } from './value.js';

/** An attribute as a caller writes it: plain JavaScript, tagged by the op's declaration. */
export type AttrInput =
  | AttrValue
  | ValueLike
  | TensorShape
  | readonly (number | null)[]
  | readonly TensorShape[]
  | readonly TensorValue[]
  | null;
export type AttrInputs = Readonly<Record<string, AttrInput | undefined>>;

/** Attributes by name. */
export type AttrEntries = Iterable<readonly [name: string, value: AttrInput | undefined]>;

/** A failed rule, before the caller adds op, node and creation site. */
export class RuleError extends Error {}

/** Throws a `RuleError`. */
export function failRule(rule: string): never {
  throw new RuleError(rule);
}

/** Checks inputs and attributes against `def`; returns the complete attributes. Throws `RuleError`. */
export function resolveAttrs(
  def: OpDef,
  inputs: readonly Tensor[],
  given: AttrEntries,
  owner: string,
): Attrs {
  const values = new Map<string, AttrValue>();
  for (const [name, value] of given) {
    if (value === undefined) continue;
    const spec = attrSpec(def, name);
    values.set(name, spec === undefined ? untypedAttr(name, value) : tagAttr(spec, value));
  }
  return completeAttrs(def, inputs, values, owner);
}

/** As `resolveAttrs`, for tagged attributes in a map that is the node's from now on. */
export function resolveOwnAttrs(
  def: OpDef,
  inputs: readonly Tensor[],
  values: Map<string, AttrValue>,
  owner: string,
): Attrs {
  for (const [name, value] of values) {
    const spec = value.kind === 'list()' ? attrSpec(def, name) : undefined;
    if (spec !== undefined) values.set(name, emptyList(spec));
  }
  return completeAttrs(def, inputs, values, owner);
}

function attrSpec({ attrs }: OpDef, name: string): AttrSpec | undefined {
  for (const spec of attrs) if (spec.name === name) return spec;
  return undefined;
}

function completeAttrs(
  def: OpDef,
  inputs: readonly Tensor[],
  values: Map<string, AttrValue>,
  owner: string,
): Attrs {
  matchInputs(def, inputs, values);
  for (const spec of def.attrs) {
    let value = values.get(spec.name);
    if (value === undefined) {
      value = spec.default ?? failRule(`attribute "${spec.name}" is missing`);
      values.set(spec.name, value);
    }
    checkAttr(spec, value);
  }
  return new Attrs(values, owner);
}

/** A damaged file may ask for billions of outputs. */
const MAX_OUTPUTS = 2 ** 20;

/** The dtypes of all outputs, repeated and list outputs expanded. Throws for more outputs than a node can have. */
export function outputDTypes(def: OpDef, attrs: Attrs): DType[] {
  const types: DType[] = [];
  for (const arg of def.outputs) {
    if (arg.typeListAttr !== undefined) {
      types.push(...attrs.types(arg.typeListAttr));
      continue;
    }
    const dtype = arg.dtype ?? attrs.type(arg.typeAttr ?? '');
    const type: DType = arg.isRef ? `${baseDType(dtype)}_ref` : dtype;
    const count = arg.numberAttr === undefined ? 1 : attrs.int(arg.numberAttr);
    if (count > MAX_OUTPUTS) {
      failRule(
        `attribute "${arg.numberAttr ?? ''}" asks for ${count} outputs, a node has at most ${MAX_OUTPUTS}`,
      );
    }
    for (let i = 0; i < count; i++) types.push(type);
  }
  return types;
}

function matchInputs(def: OpDef, inputs: readonly Tensor[], values: Map<string, AttrValue>): void {
  let next = 0;
  for (const arg of def.inputs) {
    if (arg.numberAttr === undefined && arg.typeListAttr === undefined) {
      const tensor = inputs[next++];
      if (tensor === undefined) failRule(`input "${arg.name}" is missing: ${inputs.length} inputs given`);
      bindInput(arg, tensor, values);
      continue;
    }
    const count = argLength(def, arg, inputs.length, values);
    const group = inputs.slice(next, next + count);
    next += count;
    if (group.length < count) {
      failRule(`input "${arg.name}" is missing: ${inputs.length} inputs given`);
    }
    group.forEach((tensor) => bindInput(arg, tensor, values));
    if (arg.numberAttr !== undefined) values.set(arg.numberAttr, { kind: 'int', value: count });
    if (arg.typeListAttr !== undefined) {
      values.set(arg.typeListAttr, { kind: 'list(type)', value: group.map((t) => baseDType(t.dtype)) });
    }
  }
  if (next !== inputs.length) failRule(`takes ${next} inputs, ${inputs.length} given`);
}

function argLength(def: OpDef, arg: ArgSpec, total: number, values: Map<string, AttrValue>): number {
  const attr = values.get(arg.numberAttr ?? arg.typeListAttr ?? '');
  if (attr?.kind === 'int') return Number(attr.value);
  if (attr?.kind === 'list(type)') return attr.value.length;
  const variadic = def.inputs.filter((a) => a.numberAttr !== undefined || a.typeListAttr !== undefined);
  const sharing = variadic.filter((a) => a.numberAttr !== undefined && a.numberAttr === arg.numberAttr);
  if (variadic.length > 1 && sharing.length !== variadic.length) {
    failRule(`the length of input "${arg.name}" must be given by an attribute`);
  }
  return Math.max(0, Math.floor((total - (def.inputs.length - variadic.length)) / variadic.length));
}

function bindInput(arg: ArgSpec, tensor: Tensor, values: Map<string, AttrValue>): void {
  const dtype = baseDType(tensor.dtype);
  if (arg.isRef && !isRefDType(tensor.dtype)) {
    failRule(`input "${arg.name}" must be a reference variable, ${tensor.name} is ${tensor.dtype}`);
  }
  if (dtype === 'invalid') return;
  if (arg.dtype !== undefined && arg.dtype !== dtype) {
    failRule(`input "${arg.name}" must be ${arg.dtype}, ${tensor.name} is ${dtype}`);
  }
  if (arg.typeAttr === undefined) return;
  const bound = values.get(arg.typeAttr);
  if (bound === undefined) values.set(arg.typeAttr, { kind: 'type', value: dtype });
  else if (bound.kind === 'type' && bound.value !== dtype) {
    failRule(`input "${arg.name}" must be ${bound.value} (${arg.typeAttr}), ${tensor.name} is ${dtype}`);
  }
}

function checkAttr(spec: AttrSpec, attr: AttrValue): void {
  if (attr.kind !== spec.kind && attr.kind !== 'placeholder') {
    failRule(`attribute "${spec.name}" must be of kind ${spec.kind}, got ${attr.kind}`);
  }
  if (spec.allowed !== undefined) {
    const bad = notAllowed(spec.allowed, attr.value);
    if (bad !== undefined) {
      failRule(
        `attribute "${spec.name}" must be one of ${spec.allowed.join(', ')}, got ${bad}${integerHint(spec.allowed, bad)}`,
      );
    }
  }
  if (spec.minimum !== undefined) {
    const size = Array.isArray(attr.value) ? attr.value.length : Number(attr.value);
    if (size < spec.minimum) {
      failRule(`attribute "${spec.name}" must be at least ${spec.minimum}, got ${size}`);
    }
  }
}

/** What to do where a number without a dtype has become float32 and an integer is wanted. */
function integerHint(allowed: readonly string[], got: string): string {
  if (got !== 'float32' || !allowed.includes('int32') || allowed.some((dtype) => dtype.startsWith('float')))
    return '';
  return ": numbers without a dtype are float32; give { dtype: 'int32' }, or cast";
}

/** The first of an attribute's values, as text, that is not among the allowed ones. */
function notAllowed(allowed: readonly string[], value: unknown): string | undefined {
  if (typeof value === 'string') return allowed.includes(value) ? undefined : value;
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
  return texts.find((text) => !allowed.includes(text));
}

function isTagged(value: AttrInput): value is AttrValue {
  return typeof value === 'object' && value !== null && 'kind' in value && 'value' in value;
}

/** Attributes outside the op's declaration (`_class`, `_output_shapes`) keep a tag or get the obvious one. */
function untypedAttr(name: string, value: AttrInput): AttrValue {
  if (isTagged(value)) return value;
  if (!name.startsWith('_')) failRule(`there is no attribute "${name}"`);
  if (typeof value === 'string') return { kind: 'string', value };
  if (typeof value === 'boolean') return { kind: 'bool', value };
  if (typeof value === 'number') return { kind: Number.isInteger(value) ? 'int' : 'float', value };
  return failRule(`attribute "${name}" needs a tagged value`);
}

function tagAttr(spec: AttrSpec, value: AttrInput): AttrValue {
  if (isTagged(value)) return value.kind === 'list()' ? emptyList(spec) : value;
  if (!spec.kind.startsWith('list('))
    return { kind: spec.kind, value: scalarAttr(spec, spec.kind, value) } as AttrValue;
  if (!Array.isArray(value)) failRule(`attribute "${spec.name}" must be a list`);
  const kind = spec.kind.slice(5, -1);
  const items = (value as AttrInput[]).map((item) => scalarAttr(spec, kind, item));
  return { kind: spec.kind, value: items } as AttrValue;
}

/** An empty list read from a file does not tell its kind; the declaration does. */
function emptyList(spec: AttrSpec): AttrValue {
  if (!spec.kind.startsWith('list('))
    failRule(`attribute "${spec.name}" must be of kind ${spec.kind}, got a list`);
  return { kind: spec.kind, value: [] } as AttrValue;
}

function scalarAttr(spec: AttrSpec, kind: string, value: AttrInput): unknown {
  if (acceptsScalar(kind as AttrKind, value)) {
    if (kind === 'shape') return TensorShape.of(value as ShapeLike);
    // Files hold float32: a graph must not change by being written and read.
    if (kind === 'float') return Math.fround(value as number);
    return kind === 'tensor' ? toTensorValue(value as ValueLike) : value;
  }
  return failRule(`attribute "${spec.name}" must be of kind ${kind}, got ${JSON.stringify(value)}`);
}

function acceptsScalar(kind: AttrKind, value: AttrInput): boolean {
  switch (kind) {
    case 'int':
      return Number.isInteger(value) || typeof value === 'bigint';
    case 'float':
      return typeof value === 'number';
    case 'bool':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string' || value instanceof Uint8Array;
    case 'type':
      return typeof value === 'string' && isDType(value);
    case 'shape':
      return value === null || value instanceof TensorShape || Array.isArray(value);
    case 'tensor':
      return value instanceof TensorValue;
    default:
      return typeof value === 'object' && value !== null;
  }
}
