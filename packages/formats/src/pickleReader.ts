/** The bytes of a pickle, read from front to back; what is wrong is told with the byte of the opcode under way. */
import { DataLossError, InvalidArgumentError } from '@forerun/graph';

/** What a pickle can make of a few bytes stays bounded. */
const MAX_TEXT_BYTES = 2 ** 24;
const MAX_LINE_BYTES = 1000;

/** Numbers are little-endian but for `float64`, as pickles have them. Reading past the end throws `DataLossError`. */
export class PickleReader {
  readonly #view: DataView;
  /** Where the opcode that is being carried out lies. */
  #at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly what: string,
    public pos: number,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  opcode(): number {
    this.#at = this.pos;
    return this.uint8();
  }

  /** Throws `DataLossError`: the pickle is damaged. */
  fail(rule: string): never {
    throw new DataLossError(`${this.what}: ${rule} at byte ${this.#at}`);
  }

  /** Throws `InvalidArgumentError`: the pickle holds what is not read. */
  refuse(found: string): never {
    throw new InvalidArgumentError(
      `${this.what}: ${found} at byte ${this.#at} is refused; only tensors in dictionaries and lists are read, and nothing is executed`,
    );
  }

  /** Goes over `count` bytes and returns where they begin. */
  take(count: number): number {
    if (count > this.bytes.length - this.pos)
      this.fail(`the pickle ends ${count - (this.bytes.length - this.pos)} bytes early`);
    const at = this.pos;
    this.pos += count;
    return at;
  }

  uint8(): number {
    return this.#view.getUint8(this.take(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.take(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.take(4), true);
  }

  int32(): number {
    return this.#view.getInt32(this.take(4), true);
  }

  float64(): number {
    return this.#view.getFloat64(this.take(8));
  }

  /** An integer of `length` bytes in two's complement. */
  long(length: number): number | bigint {
    const at = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[at + i] ?? 0);
    const signed = length === 0 ? 0n : BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  raw(length: number): Uint8Array {
    if (length > MAX_TEXT_BYTES) this.fail(`a text of ${length} bytes`);
    const at = this.take(length);
    return this.bytes.slice(at, at + length);
  }

  utf8(length: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(this.raw(length));
    } catch (error) {
      if (error instanceof DataLossError) throw error;
      return this.fail('a text that is not UTF-8');
    }
  }

  /** Text up to the end of a line. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.pos);
    if (end < 0 || end - this.pos > MAX_LINE_BYTES) this.fail('a name without an end');
    const text = new TextDecoder().decode(this.bytes.subarray(this.pos, end));
    this.pos = end + 1;
    return text;
  }
}
