/** Snappy decompression (google/snappy, format_description.txt), for index files of other writers. */
import { ByteCursor } from './bytes.js';

/** Anything larger is a damaged length: blocks of an index are a fraction of this. */
const MAX_BLOCK_BYTES = 2 ** 30;
/** No element of the format produces more than 64 bytes from three. */
const MAX_RATIO = 64;

/** The bytes that `compressed` stands for. Throws `DataLossError` when it is damaged. */
export function snappyDecompress(compressed: Uint8Array): Uint8Array {
  const input = new ByteCursor(compressed, 'snappy block');
  const length = input.varint();
  if (length > MAX_BLOCK_BYTES || length > compressed.length * MAX_RATIO) {
    input.fail(`length ${length} is impossible`);
  }
  const output = new Uint8Array(length);
  let pos = 0;
  while (input.left > 0) {
    const tag = input.byte();
    if ((tag & 3) === 0) {
      const literal = input.slice(literalLength(input, tag >> 2));
      if (literal.length > length - pos) input.fail('more data than announced');
      output.set(literal, pos);
      pos += literal.length;
      continue;
    }
    const [size, offset] = copyElement(input, tag);
    if (offset === 0 || offset > pos) input.fail(`copy from ${offset} bytes back with ${pos} written`);
    if (size > length - pos) input.fail('more data than announced');
    // Byte by byte: source and target may overlap, which repeats a pattern.
    for (let i = 0; i < size; i++, pos++) output[pos] = output[pos - offset] ?? 0;
  }
  return pos === length ? output : input.fail(`${pos} bytes instead of ${length}`);
}

function literalLength(input: ByteCursor, code: number): number {
  if (code < 60) return code + 1;
  return littleEndian(input, code - 59) + 1;
}

function copyElement(input: ByteCursor, tag: number): readonly [size: number, offset: number] {
  if ((tag & 3) === 1) return [((tag >> 2) & 7) + 4, ((tag >> 5) << 8) | input.byte()];
  return [(tag >> 2) + 1, littleEndian(input, (tag & 3) === 2 ? 2 : 4)];
}

function littleEndian(input: ByteCursor, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value += input.byte() * 256 ** i;
  return value;
}
