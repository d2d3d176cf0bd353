/**
 * Packs: small shaders that have nothing to do with each other become one, in which every part has its own workgroups.
 * What a part declares gets the part's own names; its body becomes a function of the numbers that are built in.
 */
import type { ShaderBinding, ShaderSpec } from '../kernel.js';
import { renamed, sharedBindings } from './names.js';

/** Numbers of the invocation that a body may name; those of the grid are counted from the part's first workgroup. */
const BUILT_IN: readonly (readonly [name: string, type: string])[] = [
  ['global_id', 'vec3<u32>'],
  ['local_id', 'vec3<u32>'],
  ['group_id', 'vec3<u32>'],
  ['num_groups', 'vec3<u32>'],
  ['local_index', 'u32'],
  ['lane', 'u32'],
  ['lanes', 'u32'],
];
/** At module scope: a local variable may be called as a function of WGSL is, which must keep its name. */
const DECLARED = /\b(?:fn|const|alias|struct|var<\w+>)\s+([A-Za-z_]\w*)/g;

/** A part of a pack: its shader, with bindings that are those of the pack already. */
export type PackPart = Pick<
  ShaderSpec,
  'bindings' | 'body' | 'declarations' | 'workgroups' | 'workgroupSize'
>;

/** Invocations along x of a shader that has no others; `null` where it is not so. */
export function workgroupWidth({ workgroups: [, y, z], workgroupSize: size = 64 }: PackPart): number | null {
  if (y !== 1 || z !== 1) return null;
  if (typeof size === 'number') return size;
  return size[1] === 1 && size[2] === 1 ? size[0] : null;
}

/** One shader for all parts, which must be of the same workgroup width. */
export function packShaders(parts: readonly PackPart[], label: string): ShaderSpec {
  const bindings: ShaderBinding[] = [];
  const declarations: string[] = [];
  const calls: string[] = [];
  let first = 0;
  parts.forEach((part, k) => {
    const prefix = `part${k}_`;
    const own = part.bindings.map((binding) => ({ ...binding, name: prefix + binding.name }));
    const shared = sharedBindings(bindings, own);
    bindings.push(...shared.bindings);
    const text = part.declarations ?? '';
    const names = new Map([...text.matchAll(DECLARED)].map(([, name = '']) => [name, prefix + name]));
    for (const { name } of part.bindings) names.set(name, shared.names.get(prefix + name) ?? prefix + name);
    const width = workgroupWidth(part) ?? 1;
    const [groups] = part.workgroups;
    const used = BUILT_IN.filter(([name]) => new RegExp(`\\b${name}\\b`).test(part.body));
    const parameters = used.map(([name, type]) => `${name}: ${type}`).join(', ');
    declarations.push(
      renamed(text, names),
      `fn ${prefix}main(${parameters}) {\n${renamed(part.body, names)}\n}`,
    );
    const values = used.map(([name]) => numberOf(name, { first, groups, width }));
    const condition = k === parts.length - 1 ? '' : `if (group_id.x < ${first + groups}u) `;
    calls.push(`${condition}{\n${prefix}main(${values.join(', ')});\n}`);
    first += groups;
  });
  return {
    label,
    bindings,
    declarations: declarations.filter((text) => text !== '').join('\n'),
    body: calls.join(' else '),
    workgroups: [first, 1, 1],
    workgroupSize: parts[0]?.workgroupSize ?? 64,
  };
}

interface PartGrid {
  readonly first: number;
  readonly groups: number;
  readonly width: number;
}

/** What a part sees of a built-in number: as if its own workgroups were the grid. */
function numberOf(name: string, { first, groups, width }: PartGrid): string {
  switch (name) {
    case 'global_id':
      return `global_id - vec3<u32>(${first * width}u, 0u, 0u)`;
    case 'group_id':
      return `group_id - vec3<u32>(${first}u, 0u, 0u)`;
    case 'num_groups':
      return `vec3<u32>(${groups}u, 1u, 1u)`;
    default:
      return name;
  }
}
