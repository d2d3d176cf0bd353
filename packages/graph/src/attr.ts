/**
 * Attribute values of operations. They are held tagged with their kind, because files must keep the
 * difference between an int 1 and a float 1; `Attrs` gives them out untagged and checked.
 */
import type { DType } from './dtype.js';
import { InternalError } from './errors.js';
import type { TensorShape } from './shape.js';
import type { TensorValue } from './value.js';

/** A function reference: name and bound attributes (`NameAttrList`). */
export interface FuncValue {
  readonly name: string;
  readonly attrs: ReadonlyMap<string, AttrValue>;
}

/** JavaScript representation of each scalar attribute kind. Strings that are not UTF-8 stay bytes. */
export interface AttrKinds {
  string: string | Uint8Array;
  int: number | bigint;
  float: number;
  bool: boolean;
  type: DType;
  shape: TensorShape;
  tensor: TensorValue;
  func: FuncValue;
  placeholder: string;
}

export type AttrKind = keyof AttrKinds;
type ScalarAttr = { [K in AttrKind]: { readonly kind: K; readonly value: AttrKinds[K] } }[AttrKind];
type ListAttr = {
  [K in Exclude<AttrKind, 'placeholder'>]: {
    readonly kind: `list(${K})`;
    readonly value: readonly AttrKinds[K][];
  };
}[Exclude<AttrKind, 'placeholder'>];
/** A list without elements read from a file does not tell its kind. */
interface EmptyListAttr {
  readonly kind: 'list()';
  readonly value: readonly [];
}

/** A tagged attribute value, as in `AttrValue` of attr_value.proto. */
export type AttrValue = ScalarAttr | ListAttr | EmptyListAttr;

/** Read access to the attributes of one operation, with defaults filled in. */
export class Attrs {
  constructor(
    readonly values: ReadonlyMap<string, AttrValue>,
    private readonly owner = 'operation',
  ) {}

  has(name: string): boolean {
    return this.values.has(name);
  }

  get(name: string): AttrValue {
    const value = this.values.get(name);
    if (value === undefined) throw new InternalError(`${this.owner} has no attribute "${name}"`);
    return value;
  }

  int(name: string): number {
    return Number(this.expect(name, 'int'));
  }

  /** An int attribute with all its 64 bits. */
  bigint(name: string): bigint {
    return BigInt(this.expect(name, 'int'));
  }

  float(name: string): number {
    return this.expect(name, 'float');
  }

  bool(name: string): boolean {
    return this.expect(name, 'bool');
  }

  string(name: string): string {
    const value = this.expect(name, 'string');
    return typeof value === 'string' ? value : new TextDecoder().decode(value);
  }

  type(name: string): DType {
    return this.expect(name, 'type');
  }

  shape(name: string): TensorShape {
    return this.expect(name, 'shape');
  }

  tensor(name: string): TensorValue {
    return this.expect(name, 'tensor');
  }

  func(name: string): FuncValue {
    return this.expect(name, 'func');
  }

  funcs(name: string): readonly FuncValue[] {
    return this.list(name, 'func');
  }

  ints(name: string): number[] {
    return this.list(name, 'int').map(Number);
  }

  floats(name: string): number[] {
    return this.list(name, 'float').map(Number);
  }

  types(name: string): readonly DType[] {
    return this.list(name, 'type');
  }

  strings(name: string): string[] {
    return this.list(name, 'string').map((s) => (typeof s === 'string' ? s : new TextDecoder().decode(s)));
  }

  shapes(name: string): readonly TensorShape[] {
    return this.list(name, 'shape');
  }

  private expect<K extends AttrKind>(name: string, kind: K): AttrKinds[K] {
    const attr = this.get(name);
    if (attr.kind !== kind) {
      throw new InternalError(`attribute "${name}" of ${this.owner} is of kind ${attr.kind}, not ${kind}`);
    }
    return attr.value as AttrKinds[K];
  }

  private list<K extends Exclude<AttrKind, 'placeholder'>>(name: string, kind: K): readonly AttrKinds[K][] {
    const attr = this.get(name);
    if (attr.kind !== `list(${kind})` && attr.kind !== 'list()') {
      throw new InternalError(
        `attribute "${name}" of ${this.owner} is of kind ${attr.kind}, not list(${kind})`,
      );
    }
    return attr.value as readonly AttrKinds[K][];
  }
}
