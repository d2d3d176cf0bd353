/**
 * A reader of Python's pickles that executes nothing: a stack machine with the opcodes that `torch.save` writes for
 * tensors in dictionaries. The caller says what a call that the pickle asks for is worth;
 * every global but those that the caller names, and every other opcode, is refused.
 */
import { PickleReader } from './pickleReader.js';
import { Dictionary, Global, PersistentId, Tuple, type PickleValue } from './pickleValue.js';

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
  const reader = new PickleReader(bytes, rules.what, start);
  const value = new PickleMachine(reader, rules).run();
  return { value, end: reader.pos };
}

const MARK = Symbol('mark');
type StackItem = PickleValue | typeof MARK;

class PickleMachine {
  readonly #stack: StackItem[] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(
    private readonly reader: PickleReader,
    private readonly rules: PickleRules,
  ) {}

  run(): PickleValue {
    for (;;) {
      const op = this.reader.opcode();
      if (op === OP.STOP) return this.pop();
      this.step(op);
      if (this.#stack.length > MAX_DEPTH_OF_STACK) this.reader.fail('the stack is too high');
    }
  }

  private push(value: PickleValue): void {
    this.#stack.push(value);
  }

  private pop(): PickleValue {
    const value = this.#stack.pop();
    return value === undefined || value === MARK ? this.reader.fail('nothing on the stack') : value;
  }

  private top(): PickleValue {
    const value = this.#stack.at(-1);
    return value === undefined || value === MARK ? this.reader.fail('nothing on the stack') : value;
  }

  private popToMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) this.reader.fail('no mark on the stack');
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
    this.reader.refuse(`the opcode ${name ?? `0x${op.toString(16).padStart(2, '0')}`}`);
  }

  private literal(op: number): boolean {
    switch (op) {
      case OP.PROTO: {
        const protocol = this.reader.uint8();
        if (protocol > HIGHEST_PROTOCOL) this.reader.fail(`unknown protocol ${protocol}`);
        return true;
      }
      case OP.FRAME:
        this.reader.take(8);
        return true;
      case OP.NONE:
        this.push(null);
        return true;
      case OP.NEWTRUE:
      case OP.NEWFALSE:
        this.push(op === OP.NEWTRUE);
        return true;
      case OP.BININT:
        this.push(this.reader.int32());
        return true;
      case OP.BININT1:
        this.push(this.reader.uint8());
        return true;
      case OP.BININT2:
        this.push(this.reader.uint16());
        return true;
      case OP.BINFLOAT:
        this.push(this.reader.float64());
        return true;
      case OP.LONG1:
        this.push(this.reader.long(this.reader.uint8()));
        return true;
      default:
        return this.text(op);
    }
  }

  private text(op: number): boolean {
    switch (op) {
      case OP.BINUNICODE:
        this.push(this.reader.utf8(this.reader.uint32()));
        return true;
      case OP.SHORT_BINUNICODE:
        this.push(this.reader.utf8(this.reader.uint8()));
        return true;
      // Python 2's texts are bytes; names of weights are ASCII.
      case OP.BINSTRING:
        this.push(this.reader.utf8(this.reader.uint32()));
        return true;
      case OP.SHORT_BINSTRING:
        this.push(this.reader.utf8(this.reader.uint8()));
        return true;
      case OP.BINBYTES:
        this.push(this.reader.raw(this.reader.uint32()));
        return true;
      case OP.SHORT_BINBYTES:
        this.push(this.reader.raw(this.reader.uint8()));
        return true;
      default:
        return false;
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
      if (this.#stack.pop() === undefined) this.reader.fail('nothing on the stack');
      return true;
    }
    if (op !== OP.POP_MARK) return false;
    this.popToMark();
    return true;
  }

  private append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) this.reader.fail('an append to what is no list');
    for (const item of items) list.push(item);
  }

  private setItems(items: readonly PickleValue[]): void {
    const target = this.top();
    if (!(target instanceof Dictionary)) this.reader.fail('an item set in what is no dictionary');
    if (items.length % 2 !== 0) this.reader.fail('a key without a value');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (typeof key !== 'string' && typeof key !== 'number')
        this.reader.refuse('a key that is neither text nor number');
      target.entries.set(key, items[i + 1] ?? null);
    }
  }

  private reference(op: number): boolean {
    switch (op) {
      case OP.BINPUT:
        this.#memo.set(this.reader.uint8(), this.top());
        return true;
      case OP.LONG_BINPUT:
        this.#memo.set(this.reader.uint32(), this.top());
        return true;
      case OP.MEMOIZE:
        this.#memo.set(this.#memo.size, this.top());
        return true;
      case OP.BINGET:
        this.recall(this.reader.uint8());
        return true;
      case OP.LONG_BINGET:
        this.recall(this.reader.uint32());
        return true;
      default:
        return this.object(op);
    }
  }

  private recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) this.reader.fail(`nothing was kept as ${index}`);
    this.push(value);
  }

  private object(op: number): boolean {
    switch (op) {
      case OP.GLOBAL:
        this.pushGlobal(this.reader.line(), this.reader.line());
        return true;
      case OP.STACK_GLOBAL: {
        const [module, name] = this.popMany(2).items;
        if (typeof module !== 'string' || typeof name !== 'string')
          this.reader.fail('a global without a name');
        this.pushGlobal(module, name);
        return true;
      }
      case OP.BINPERSID: {
        const id = this.pop();
        if (!(id instanceof Tuple)) this.reader.fail('a persistent id that is no tuple');
        this.push(new PersistentId(id.items));
        return true;
      }
      case OP.REDUCE: {
        const args = this.pop();
        const callee = this.pop();
        if (!(callee instanceof Global) || !(args instanceof Tuple))
          this.reader.fail('a call of what is no global');
        this.push(this.rules.call(callee.name, args.items));
        return true;
      }
      case OP.BUILD:
        // An OrderedDict's own attributes: `_metadata` of a state_dict.
        this.pop();
        if (!(this.top() instanceof Dictionary)) this.reader.refuse('a state set on what is no dictionary');
        return true;
      default:
        return false;
    }
  }

  private pushGlobal(module: string, name: string): void {
    const global = `${module}.${name}`;
    if (!this.rules.allows(global)) this.reader.refuse(`the global "${global}"`);
    this.push(new Global(global));
  }
}
