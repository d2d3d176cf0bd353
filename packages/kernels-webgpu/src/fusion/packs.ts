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

/** Invocations of a workgroup that has them along x only; `null` where it is not so. */
export function workgroupWidth({ workgroupSize: size = 64 }: PackPart): number | null {
  if (typeof size === 'number') return size;
  return size[1] === 1 && size[2] === 1 ? size[0] : null;
}

/** Whether a part may run in wider workgroups than its own: its invocations know nothing but their number in the grid. */
export function isWidenable(part: PackPart): boolean {
  const { body, declarations = '', workgroups } = part;
  const others = BUILT_IN.map(([name]) => name).filter((name) => name !== 'global_id');
  const bound = new RegExp(`\\b(?:${others.join('|')}|subgroup[A-Z]\\w*|\\w*Barrier|var<workgroup>)`);
  return workgroups[1] * workgroups[2] === 1 && !bound.test(body) && !bound.test(declarations);
}

/** One shader for all parts. Those of narrower workgroups than the widest must be widenable. */
export function packShaders(parts: readonly PackPart[], label: string): ShaderSpec {
  const widest = Math.max(...parts.map((part) => workgroupWidth(part) ?? 1));
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
    const place: PartGrid = { first, grid: part.workgroups, width: workgroupWidth(part) ?? 1, widest };
    const used = BUILT_IN.filter(([name]) => new RegExp(`\\b${name}\\b`).test(part.body));
    const parameters = used.map(([name, type]) => `${name}: ${type}`).join(', ');
    declarations.push(
      renamed(text, names),
      `fn ${prefix}main(${parameters}) {\n${renamed(part.body, names)}\n}`,
    );
    const values = used.map(([name]) => numberOf(name, place));
    const end = first + groupsOf(place);
    const condition = k === parts.length - 1 ? '' : `if (group_id.x < ${end}u) `;
    calls.push(`${condition}{\n${guarded(`${prefix}main(${values.join(', ')});`, place)}\n}`);
    first = end;
  });
  return {
    label,
    bindings,
    declarations: declarations.filter((text) => text !== '').join('\n'),
    body: calls.join(' else '),
    workgroups: [first, 1, 1],
    workgroupSize: widest,
  };
}

interface PartGrid {
  /** The pack's workgroup with which the part begins. */
  readonly first: number;
  readonly grid: readonly [number, number, number];
  /** Invocations of the part's own workgroups, and of the pack's. */
  readonly width: number;
  readonly widest: number;
}

/** Workgroups of the pack that a part takes. */
function groupsOf({ grid: [x, y, z], width, widest }: PartGrid): number {
  return Math.ceil((x * y * z * width) / widest);
}

/** A call for the invocations that the part would have by itself. */
function guarded(call: string, place: PartGrid): string {
  const [own, all] = [place.grid[0] * place.width, groupsOf(place) * place.widest];
  if (place.width === place.widest || own === all) return call;
  return `if (global_id.x < ${place.first * place.widest + own}u) {\n${call}\n}`;
}

/** What a part sees of a built-in number: as if its own workgroups were the grid. */
function numberOf(name: string, { first, grid: [x, y, z], width, widest }: PartGrid): string {
  const number = `(group_id.x - ${first}u)`;
  const group = `vec3<u32>(${number} % ${x}u, ${number} / ${x}u % ${y}u, ${number} / ${x * y}u)`;
  switch (name) {
    case 'global_id':
      if (y * z === 1) return `global_id - vec3<u32>(${first * widest}u, 0u, 0u)`;
      return `${group} * vec3<u32>(${width}u, 1u, 1u) + local_id`;
    case 'group_id':
      return y * z === 1 ? `group_id - vec3<u32>(${first}u, 0u, 0u)` : group;
    case 'num_groups':
      return `vec3<u32>(${x}u, ${y}u, ${z}u)`;
    default:
      return name;
  }
}
