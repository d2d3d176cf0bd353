/**
 * Options are one object. Plain JavaScript lets a program written after a Python tutorial pass them by
 * position, `argMax(x, 1)`, where destructuring a number silently gives the defaults: a wrong result and no
 * error. Builders whose optional arguments change the result look before they take them.
 */
import { InvalidArgumentError } from './errors.js';
import { Tensor } from './tensor.js';

/**
 * Returns `options`. Throws `InvalidArgumentError` naming the `caller` when they are no plain object.
 *
 * @param example What the caller may have meant, such as `{ axis: 1 }`.
 */
export function checkOptions<T extends object>(caller: string, options: T, example: string): T {
  const found = otherThanOptions(options);
  if (found === null) return options;
  throw new InvalidArgumentError(`${caller}: options must be an object such as ${example}, got ${found}`);
}

/** What was given in place of options, in words; `null` when it may be options. */
function otherThanOptions(given: unknown): string | null {
  if (typeof given === 'function') return 'a function';
  if (typeof given === 'string') return `"${given}"`;
  if (given instanceof Tensor) return given.toString();
  if (ArrayBuffer.isView(given)) return given.constructor.name;
  return Array.isArray(given) || typeof given !== 'object' || given === null ? JSON.stringify(given) : null;
}
