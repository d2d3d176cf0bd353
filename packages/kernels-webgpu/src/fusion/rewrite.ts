/** Replaces the accesses to one array in the texts of a shader by calls. */
import { rewriteAccesses, UnrewritableError } from '../wgsl/accessors.js';
import { renamed } from './names.js';

/**
 * The texts with every access to the array `name` a call of `callee`; `null` when there are none, or other
 * accesses than `operation` among them.
 */
export function replaceAccesses(
  texts: readonly string[],
  name: string,
  operation: 'get' | 'set',
  callee: string,
): string[] | null {
  try {
    const rewritten = texts.map((text) => rewriteAccesses(text, [{ name, length: 0 }]));
    const calls = new Set(rewritten.flatMap((one) => [...one.calls]));
    if (calls.size !== 1 || !calls.has(`${name}_${operation}`)) return null;
    const names = new Map([[`${name}_${operation}`, callee]]);
    return rewritten.map(({ text }) => renamed(text, names));
  } catch (error) {
    if (error instanceof UnrewritableError) return null;
    throw error;
  }
}
