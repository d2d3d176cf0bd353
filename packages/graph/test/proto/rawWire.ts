/**
 * A second reader of the protobuf wire format, written apart from the codec under test: it knows no
 * schema, only field numbers, so tests can check files against TensorFlow's numbers directly.
 */

export type RawValue = number | bigint | Uint8Array;

export interface RawField {
  readonly number: number;
  readonly value: RawValue;
}

/** The fields of a message in order. */
export function rawFields(bytes: Uint8Array): RawField[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: RawField[] = [];
  let pos = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(pos++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (pos < bytes.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    let value: RawValue;
    if (wire === 0) value = varint();
    else if (wire === 1) value = view.getBigUint64((pos += 8) - 8, true);
    else if (wire === 5) value = view.getUint32((pos += 4) - 4, true);
    else if (wire === 2) {
      const length = Number(varint());
      value = bytes.subarray(pos, (pos += length));
      if (pos > bytes.length) throw new Error(`field ${tag >>> 3} runs past the end`);
    } else throw new Error(`wire type ${wire}`);
    fields.push({ number: tag >>> 3, value });
  }
  return fields;
}

/** All values of field `number`. */
export function raw(bytes: Uint8Array, number: number): RawValue[] {
  return rawFields(bytes)
    .filter((field) => field.number === number)
    .map((field) => field.value);
}

/** The only value of a length-delimited field, found along a path of field numbers. */
export function rawBytes(bytes: Uint8Array, ...path: number[]): Uint8Array {
  let current = bytes;
  for (const number of path) {
    const [value] = raw(current, number);
    if (!(value instanceof Uint8Array)) throw new Error(`no bytes in field ${number}`);
    current = value;
  }
  return current;
}

/** Text of a length-delimited field along a path. */
export function rawText(bytes: Uint8Array, ...path: number[]): string {
  return new TextDecoder().decode(rawBytes(bytes, ...path));
}

/** Entries of a map field: key text to value bytes. */
export function rawMap(bytes: Uint8Array, number: number): Map<string, Uint8Array> {
  const entries = raw(bytes, number).map((entry) => {
    if (!(entry instanceof Uint8Array)) throw new Error(`field ${number} is no map`);
    return [rawText(entry, 1), rawBytes(entry, 2)] as const;
  });
  return new Map(entries);
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const unhex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
