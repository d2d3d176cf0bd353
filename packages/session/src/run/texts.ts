/** Elements of string tensors, which are texts or bytes. */
import { InternalError, type TensorValue } from '@forerun/graph';

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
