/**
 * A reader of Python's pickles that executes nothing: a stack machine with the opcodes that `torch.save` writes for
 * tensors in dictionaries. What a pickle would have called becomes a `Call` for the caller to judge; every global but
 * those that the caller names, and every other opcode, is refused.
 */
import { DataLossError, InvalidArgumentError } from '@forerun/graph';

/** A name that the pickle refers to, as `torch._utils._rebuild_tensor_v2`. */
export class Global {
  constructor(readonly name: string) {}
}

/** What `callee(*args)` would be. */
export class Call {
  constructor(
    readonly callee: Global,
    readonly args: readonly PickleValue[],
  ) {}
}

/** Something that lies outside of the pickle. */
export class PersistentId {
  constructor(readonly id: readonly PickleValue[]) {}
}

/** A tuple, which unlike a list does not change. */
export class Tuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A dictionary, ordered. Keys are texts and numbers; others are refused. */
export class Dictionary {
  readonly entries = new Map<string | number, PickleValue>();
}

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Global
  | Call
  | PersistentId
  | Tuple
  | Dictionary
  | PickleValue[];

/** What may be in a pickle. */
export interface PickleRules {
  /** Names that may be referred to. */
  readonly allows: (global: string) => boolean;
  /** What a call with checked arguments is worth; called once for each. */
  readonly call: (callee: string, args: readonly PickleValue[]) => PickleValue;
  readonly what: string;
}

/** More than any dictionary of weights needs; what a pickle can make of a few bytes stays bounded. */
const MAX_DEPTH_OF_STACK = 1_000_000;
const MAX_TEXT_BYTES = 2 ** 24;

const OP = {
  MARK: 0x28, STOP: 0x2e, POP: 0x30, POP_MARK: 0x31, BINFLOAT: 0x47, BININT: 0x4a, BININT1: 0x4b, BININT2: 0x4d,
  NONE: 0x4e, BINPERSID: 0x51, REDUCE: 0x52, BINSTRING: 0x54, SHORT_BINSTRING: 0x55, BINUNICODE: 0x58, APPEND: 0x61,
  BUILD: 0x62, GLOBAL: 0x63, APPENDS: 0x65, BINGET: 0x68, LONG_BINGET: 0x6a, BINPUT: 0x71, LONG_BINPUT: 0x72,
  SETITEM: 0x73, TUPLE: 0x74, SETITEMS: 0x75, EMPTY_TUPLE: 0x29, EMPTY_LIST: 0x5d, EMPTY_DICT: 0x7d, PROTO: 0x80,
  TUPLE1: 0x85, TUPLE2: 0x86, TUPLE3: 0x87, NEWTRUE: 0x88, NEWFALSE: 0x89, LONG1: 0x8a, BINBYTES: 0x42,
  SHORT_BINBYTES: 0x43, SHORT_BINUNICODE: 0x8c, STACK_GLOBAL: 0x93, MEMOIZE: 0x94, FRAME: 0x95,
} as const; // prettier-ignore

const NAMES = new Map<number, string>(Object.entries(OP).map(([name, code]) => [code, name]));
const HIGHEST_PROTOCOL = 5;

/** A pickle's value and where it ends. */
export interface ReadPickle {
  readonly value: PickleValue;
  readonly end: number;
}

/**
 * Reads the pickle at `start`. Throws `InvalidArgumentError` for what is refused and `DataLossError` for damage, both with the byte.
 */
export function readPickle(bytes: Uint8Array, rules: PickleRules, start = 0): ReadPickle {
  const machine = new PickleMachine(bytes, rules, start);
  const value = machine.run();
  return { value, end: machine.pos };
}

const MARK = Symbol('mark');
type StackItem = PickleValue | typeof MARK;

class PickleMachine {
  readonly #view: DataView;
  readonly #stack: StackItem[] = [];
  readonly #memo = new Map<number, PickleValue>();
  /** Where the opcode that is being carried out lies. */
  #at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly rules: PickleRules,
    public pos: number,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  run(): PickleValue {
    for (;;) {
      this.#at = this.pos;
      const op = this.#view.getUint8(this.take(1));
      if (op === OP.STOP) return this.pop();
      this.step(op);
      if (this.#stack.length > MAX_DEPTH_OF_STACK) this.fail('the stack is too high');
    }
  }

  private fail(rule: string): never {
    throw new DataLossError(`${this.rules.what}: ${rule} at byte ${this.#at}`);
  }

  private refuse(what: string): never {
    throw new InvalidArgumentError(
      `${this.rules.what}: ${what} at byte ${this.#at} is refused; only tensors in dictionaries and lists are read, and nothing is executed`,
    );
  }

  private take(count: number): number {
    if (count > this.bytes.length - this.pos)
      this.fail(`the pickle ends ${count - (this.bytes.length - this.pos)} bytes early`);
    const at = this.pos;
    this.pos += count;
    return at;
  }

  private uint8(): number {
    return this.#view.getUint8(this.take(1));
  }

  private uint32(): number {
    return this.#view.getUint32(this.take(4), true);
  }

  private push(value: PickleValue): void {
    this.#stack.push(value);
  }

  private pop(): PickleValue {
    const value = this.#stack.pop();
    return value === undefined || value === MARK ? this.fail('nothing on the stack') : value;
  }

  private top(): PickleValue {
    const value = this.#stack.at(-1);
    return value === undefined || value === MARK ? this.fail('nothing on the stack') : value;
  }

  private popToMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) this.fail('no mark on the stack');
    const items = this.#stack.splice(at).slice(1);
    return items as PickleValue[];
  }

  private popMany(count: number): Tuple {
    const items = Array.from({ length: count }, () => this.pop());
    return new Tuple(items.reverse());
  }

  private step(op: number): void {
    if (this.literal(op) || this.container(op) || this.reference(op)) return;
    const name = NAMES.get(op);
    this.refuse(`the opcode ${name ?? `0x${op.toString(16).padStart(2, '0')}`}`);
  }

  private literal(op: number): boolean {
    switch (op) {
      case OP.PROTO: {
        const protocol = this.uint8();
        if (protocol > HIGHEST_PROTOCOL) this.fail(`unknown protocol ${protocol}`);
        return true;
      }
      case OP.FRAME:
        this.take(8);
        return true;
      case OP.NONE:
        this.push(null);
        return true;
      case OP.NEWTRUE:
      case OP.NEWFALSE:
        this.push(op === OP.NEWTRUE);
        return true;
      case OP.BININT:
        this.push(this.#view.getInt32(this.take(4), true));
        return true;
      case OP.BININT1:
        this.push(this.uint8());
        return true;
      case OP.BININT2:
        this.push(this.#view.getUint16(this.take(2), true));
        return true;
      case OP.BINFLOAT:
        this.push(this.#view.getFloat64(this.take(8)));
        return true;
      case OP.LONG1:
        this.push(this.long(this.uint8()));
        return true;
      default:
        return this.text(op);
    }
  }

  private long(length: number): number | bigint {
    const at = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[at + i] ?? 0);
    const signed = length === 0 ? 0n : BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  private text(op: number): boolean {
    switch (op) {
      case OP.BINUNICODE:
        this.push(this.utf8(this.uint32()));
        return true;
      case OP.SHORT_BINUNICODE:
        this.push(this.utf8(this.uint8()));
        return true;
      // Python 2's texts are bytes; names of weights are ASCII.
      case OP.BINSTRING:
        this.push(this.utf8(this.uint32()));
        return true;
      case OP.SHORT_BINSTRING:
        this.push(this.utf8(this.uint8()));
        return true;
      case OP.BINBYTES:
        this.push(this.raw(this.uint32()));
        return true;
      case OP.SHORT_BINBYTES:
        this.push(this.raw(this.uint8()));
        return true;
      default:
        return false;
    }
  }

  private raw(length: number): Uint8Array {
    if (length > MAX_TEXT_BYTES) this.fail(`a text of ${length} bytes`);
    const at = this.take(length);
    return this.bytes.slice(at, at + length);
  }

  private utf8(length: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(this.raw(length));
    } catch (error) {
      if (error instanceof DataLossError) throw error;
      return this.fail('a text that is not UTF-8');
    }
  }

  private container(op: number): boolean {
    switch (op) {
      case OP.MARK:
        this.#stack.push(MARK);
        return true;
      case OP.EMPTY_TUPLE:
        this.push(new Tuple([]));
        return true;
      case OP.EMPTY_LIST:
        this.push([]);
        return true;
      case OP.EMPTY_DICT:
        this.push(new Dictionary());
        return true;
      case OP.TUPLE:
        this.push(new Tuple(this.popToMark()));
        return true;
      case OP.TUPLE1:
      case OP.TUPLE2:
      case OP.TUPLE3:
        this.push(this.popMany(op - OP.TUPLE1 + 1));
        return true;
      case OP.APPEND:
        this.append([this.pop()]);
        return true;
      case OP.APPENDS:
        this.append(this.popToMark());
        return true;
      case OP.SETITEM:
        this.setItems([...this.popMany(2).items]);
        return true;
      case OP.SETITEMS:
        this.setItems(this.popToMark());
        return true;
      default:
        return this.dropping(op);
    }
  }

  private dropping(op: number): boolean {
    if (op === OP.POP) {
      if (this.#stack.pop() === undefined) this.fail('nothing on the stack');
      return true;
    }
    if (op !== OP.POP_MARK) return false;
    this.popToMark();
    return true;
  }

  private append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) this.fail('an append to what is no list');
    for (const item of items) list.push(item);
  }

  private setItems(items: readonly PickleValue[]): void {
    const target = this.top();
    if (!(target instanceof Dictionary)) this.fail('an item set in what is no dictionary');
    if (items.length % 2 !== 0) this.fail('a key without a value');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (typeof key !== 'string' && typeof key !== 'number')
        this.refuse('a key that is neither text nor number');
      target.entries.set(key, items[i + 1] ?? null);
    }
  }

  private reference(op: number): boolean {
    switch (op) {
      case OP.BINPUT:
        this.#memo.set(this.uint8(), this.top());
        return true;
      case OP.LONG_BINPUT:
        this.#memo.set(this.uint32(), this.top());
        return true;
      case OP.MEMOIZE:
        this.#memo.set(this.#memo.size, this.top());
        return true;
      case OP.BINGET:
        this.recall(this.uint8());
        return true;
      case OP.LONG_BINGET:
        this.recall(this.uint32());
        return true;
      default:
        return this.object(op);
    }
  }

  private recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) this.fail(`nothing was kept as ${index}`);
    this.push(value);
  }

  private object(op: number): boolean {
    switch (op) {
      case OP.GLOBAL:
        this.pushGlobal(this.line(), this.line());
        return true;
      case OP.STACK_GLOBAL: {
        const [module, name] = this.popMany(2).items;
        if (typeof module !== 'string' || typeof name !== 'string') this.fail('a global without a name');
        this.pushGlobal(module, name);
        return true;
      }
      case OP.BINPERSID: {
        const id = this.pop();
        if (!(id instanceof Tuple)) this.fail('a persistent id that is no tuple');
        this.push(new PersistentId(id.items));
        return true;
      }
      case OP.REDUCE: {
        const args = this.pop();
        const callee = this.pop();
        if (!(callee instanceof Global) || !(args instanceof Tuple)) this.fail('a call of what is no global');
        this.push(this.rules.call(callee.name, args.items));
        return true;
      }
      case OP.BUILD:
        // An OrderedDict's own attributes: `_metadata` of a state_dict.
        this.pop();
        if (!(this.top() instanceof Dictionary)) this.refuse('a state set on what is no dictionary');
        return true;
      default:
        return false;
    }
  }

  private pushGlobal(module: string, name: string): void {
    const global = `${module}.${name}`;
    if (!this.rules.allows(global)) this.refuse(`the global "${global}"`);
    this.push(new Global(global));
  }

  /** Text up to the end of a line. */
  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.pos);
    if (end < 0 || end - this.pos > 1000) this.fail('a name without an end');
    const text = new TextDecoder().decode(this.bytes.subarray(this.pos, end));
    this.pos = end + 1;
    return text;
  }
}
