/**
 * How random ops inside of functions and loops draw anew in every call and iteration: each adds a number to both
 * words of the node's key. The number of a call within a call is the sum of both, so that it makes no difference which
 * part of it the seeds carry, where the compiler has put bodies in place of calls, and which part comes with the random
 * step, where a body is run by itself.
 */
import { Attrs, type AttrValue } from '@forerun/graph';
import { philoxKey } from './randomStream.js';

/** What is added to the two words of a key. */
export type Salt = readonly [number, number];

/** Of the graph itself. */
export const NO_SALT: Salt = [0, 0];

/** MurmurHash3's finalizer: every bit of the result depends on every bit of `x`. */
function scramble(x: number): number {
  let hash = x | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The salt of iteration `iteration` of the op numbered `call` (its position in its graph) in a body of salt `outer`. */
export function callSalt(outer: Salt, call: number, iteration: number): Salt {
  const first = scramble(scramble(call + 1) + iteration + 1);
  const second = scramble(first ^ 0x9e3779b9);
  return [(outer[0] + first) >>> 0, (outer[1] + second) >>> 0];
}

/** The attributes of a random op with the salt in its seeds. `name` is the node's in its function. */
export function saltedSeeds(attrs: Attrs, salt: Salt, name: string): Attrs {
  const isRandom = attrs.has('seed') && attrs.has('seed2');
  if (!isRandom || (salt[0] === 0 && salt[1] === 0)) return attrs;
  const key = philoxKey(attrs.bigint('seed'), attrs.bigint('seed2'), name);
  const word = (i: 0 | 1): AttrValue => ({ kind: 'int', value: ((key[i] ?? 0) + salt[i]) >>> 0 });
  return new Attrs(new Map([...attrs.values, ['seed', word(0)], ['seed2', word(1)]]), name);
}
