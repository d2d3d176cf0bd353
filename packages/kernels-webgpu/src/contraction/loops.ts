/** The loops around the inner run of a contraction, and the position of a workgroup in its grid. */
import type { AdapterFacts } from '../kernel.js';
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

/** A three-dimensional grid of workgroups, folded where a dimension exceeds the adapter's limit. */
export function workgroupGrid(
  [x, y, z]: readonly [number, number, number],
  adapter: AdapterFacts,
): { readonly workgroups: readonly [number, number, number]; readonly code: string } {
  const most = adapter.maxWorkgroups;
  if (Math.max(x, y, z) <= most) {
    const code = 'let group_x = group_id.x;\nlet group_y = group_id.y;\nlet group_z = group_id.z;';
    return { workgroups: [x, y, z], code };
  }
  const total = x * y * z;
  const across = Math.min(most, Math.ceil(Math.sqrt(total)));
  const down = Math.min(most, Math.ceil(total / across));
  const deep = Math.ceil(total / (across * down));
  const code = [
    `let group_number = group_id.x + (group_id.y + group_id.z * ${down}u) * ${across}u;`,
    `if (group_number >= ${total}u) { return; }`,
    `let group_x = group_number % ${x}u;`,
    `let group_y = group_number / ${x}u % ${y}u;`,
    `let group_z = group_number / ${x * y}u;`,
  ];
  return { workgroups: [across, down, deep], code: code.join('\n') };
}
