/** Texts that are equal for equal attributes and constants: by these, nodes that do the same are found. */
import {
  TensorShape,
  TensorValue,
  type AttrKind,
  type AttrKinds,
  type Attrs,
  type AttrValue,
  type HostValue,
} from '@forerun/graph';

/** Larger constants are compared by identity. */
const MAX_COMPARED_ELEMENTS = 32;

const attrKeys = new WeakMap<Attrs, string>();
const identities = new WeakMap<object, number>();
let identitiesGiven = 0;

/** A number of the object's own. */
export function identityOf(object: object): number {
  let identity = identities.get(object);
  if (identity === undefined) identities.set(object, (identity = identitiesGiven++));
  return identity;
}

/** Key of all attributes but those that only mean something to readers of files (`_class`). */
export function attrsKey(attrs: Attrs): string {
  let key = attrKeys.get(attrs);
  if (key === undefined) {
    key = keyOfMap(attrs.values);
    attrKeys.set(attrs, key);
  }
  return key;
}

function keyOfMap(attrs: ReadonlyMap<string, AttrValue>): string {
  const parts: string[] = [];
  for (const [name, value] of attrs) if (!name.startsWith('_')) parts.push(`${name}=${attrKey(value)}`);
  return parts.sort().join(';');
}

function attrKey({ kind, value }: AttrValue): string {
  if (!Array.isArray(value)) return `${kind}:${itemKey(value as AttrItem)}`;
  return `${kind}:${(value as readonly AttrItem[]).map(itemKey).join()}`;
}

type AttrItem = AttrKinds[AttrKind];

function itemKey(item: AttrItem): string {
  if (typeof item === 'string') return JSON.stringify(item);
  if (typeof item !== 'object') return numberText(item);
  if (item instanceof TensorValue) return tensorKey(item);
  if (item instanceof Uint8Array || item instanceof TensorShape) return `[${item.toString()}]`;
  return `${item.name}(${keyOfMap(item.attrs)})`;
}

/** Key of a constant: its elements, of a large one its identity. */
export function tensorKey(value: TensorValue): string {
  const head = `${value.dtype}[${value.shape.join()}]`;
  if (value.data.length > MAX_COMPARED_ELEMENTS || value.dtype === 'string')
    return `${head}#${identityOf(value)}`;
  return `${head}:${elementTexts(value.data).join()}`;
}

/** Key of a value that is known on the host, of a large one its identity. */
export function hostValueKey(value: HostValue | null): string {
  if (value === null) return '?';
  if (value.data.length > MAX_COMPARED_ELEMENTS) return `#${identityOf(value)}`;
  return `${value.dtype}[${value.shape.join()}]:${elementTexts(value.data).join()}`;
}

function elementTexts(data: TensorValue['data']): string[] {
  const texts: string[] = [];
  for (const x of data) texts.push(typeof x === 'object' ? `[${x.join()}]` : numberText(x));
  return texts;
}

/** A number as text, zeros with their sign. */
export function numberText(x: number | bigint | boolean | string): string {
  return Object.is(x, -0) ? '-0' : String(x);
}
