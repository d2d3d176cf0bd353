/** Elements of string tensors, which are texts or bytes. */
import { InternalError, TensorValue } from '@forerun/graph';

/** An element as a text, of bytes by UTF-8. */
export function textOf(element: unknown): string {
  return element instanceof Uint8Array ? new TextDecoder().decode(element) : String(element);
}

/** An element as bytes, of a text in UTF-8. */
export function bytesOfText(element: unknown): Uint8Array {
  return element instanceof Uint8Array ? element : new TextEncoder().encode(String(element));
}

/** The elements of a string tensor as texts. */
export function strings(value: TensorValue | undefined, node: string): string[] {
  if (value?.dtype !== 'string') throw new InternalError(`"${node}": expected a string tensor`);
  return Array.from<unknown, string>(value.data, textOf);
}

/** An element as a text with a character for each byte of its UTF-8, on which what goes by bytes is done. */
export function binaryOf(element: unknown): string {
  if (typeof element === 'string' && isAscii(element)) return element;
  return Array.from(bytesOfText(element), (byte) => String.fromCharCode(byte)).join('');
}

/** The element with these bytes: a text where they are UTF-8. */
export function ofBinary(binary: string): string | Uint8Array {
  if (isAscii(binary)) return binary;
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

function isAscii(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(text);
}

/** The elements of a string tensor, as they are. */
export function elementsOf(value: TensorValue | undefined): readonly (string | Uint8Array)[] {
  if (value?.dtype !== 'string') throw new InternalError('expected a string tensor');
  return value.data as readonly (string | Uint8Array)[];
}

/** The only element of a string tensor as a text. */
export function onlyText(value: TensorValue | undefined): string {
  return textOf(elementsOf(value)[0] ?? '');
}

export function stringTensor(
  shape: readonly number[],
  elements: readonly (string | Uint8Array)[],
): TensorValue {
  return new TensorValue('string', shape, elements);
}
