/** The loops around the inner run of a contraction. */
import type { Loop } from './contraction.js';

/**
 * Nests `body` in `loops`. With `split` the outermost loop only runs through the part whose number
 * the variable of `split` holds.
 */
export function inLoops(loops: readonly Loop[], split: Split | null, body: string): string {
  return loops.reduceRight((inner, loop, depth) => {
    const content = [loop.head ?? '', inner].filter((part) => part !== '').join('\n');
    const count = typeof loop.count === 'number' ? `${loop.count}u` : loop.count;
    const [from, to] = depth === 0 && split !== null ? splitRange(count, split) : ['0u', count];
    const { variable: i } = loop;
    return `for (var ${i} = ${from}; ${i} < ${to}; ${i}++) {\n${content}\n}`;
  }, body);
}

/** A part of the outermost loop: the variable that numbers the parts, and how many there are. */
export interface Split {
  readonly variable: string;
  readonly parts: number;
}

function splitRange(count: string, { variable, parts }: Split): [string, string] {
  return [`${variable} * ${count} / ${parts}u`, `(${variable} + 1u) * ${count} / ${parts}u`];
}
