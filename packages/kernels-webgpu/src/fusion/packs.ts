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

/** One shader for all parts, one after the other. Those of narrower workgroups than the widest must be widenable. */
export function packShaders(parts: readonly PackPart[], label: string): ShaderSpec {
  const pack = new Pack(parts);
  let first = 0;
  const calls = parts.map((part, k) => {
    const call = pack.call(part, `(group_id.x - ${first}u)`, `(global_id.x - ${first * pack.widest}u)`);
    first += pack.groupsOf(part);
    return k === parts.length - 1 ? `{\n${call}\n}` : `if (group_id.x < ${first}u) {\n${call}\n}`;
  });
  return pack.shader(label, calls.join(' else '), first);
}

/**
 * One shader for two parts, the workgroups of either spread evenly among those of the other: any run of neighbouring workgroups has
 * its share of both. The grid must have fewer than 65,536 workgroups.
 */
export function interleaveShaders(some: PackPart, others: PackPart, label: string): ShaderSpec {
  const pack = new Pack([some, others]);
  const own = pack.groupsOf(some);
  const all = own + pack.groupsOf(others);
  const callOf = (part: PackPart, number: string): string =>
    pack.call(part, number, `(${number} * ${pack.widest}u + local_id.x)`);
  const [first, second] = [callOf(some, 'turn'), callOf(others, '(group_id.x - turn)')];
  const body = [
    `let turn = group_id.x * ${own}u / ${all}u;`,
    `if ((group_id.x + 1u) * ${own}u / ${all}u > turn) {\n${first}\n} else {\n${second}\n}`,
  ].join('\n');
  return pack.shader(label, body, all);
}

/** Texts of parts, each with names of its own, and what they bind together. */
class Pack {
  /** Invocations of a workgroup. */
  readonly widest: number;
  readonly #bindings: ShaderBinding[] = [];
  readonly #declarations: string[] = [];
  #parts = 0;

  constructor(parts: readonly PackPart[]) {
    this.widest = Math.max(...parts.map(widthOf));
  }

  /** Workgroups of the pack that a part takes. */
  groupsOf(part: PackPart): number {
    const [x, y, z] = part.workgroups;
    return Math.ceil((x * y * z * widthOf(part)) / this.widest);
  }

  /** Adds a part. Gives a call for the invocations that it would have by itself: those number `item` in its workgroup `number`. */
  call(part: PackPart, number: string, item: string): string {
    const prefix = `part${this.#parts++}_`;
    const own = part.bindings.map((binding) => ({ ...binding, name: prefix + binding.name }));
    const shared = sharedBindings(this.#bindings, own);
    this.#bindings.push(...shared.bindings);
    const text = part.declarations ?? '';
    const names = new Map([...text.matchAll(DECLARED)].map(([, name = '']) => [name, prefix + name]));
    for (const { name } of part.bindings) names.set(name, shared.names.get(prefix + name) ?? prefix + name);
    const used = BUILT_IN.filter(([name]) => new RegExp(`\\b${name}\\b`).test(part.body));
    const parameters = used.map(([name, type]) => `${name}: ${type}`).join(', ');
    this.#declarations.push(
      renamed(text, names),
      `fn ${prefix}main(${parameters}) {\n${renamed(part.body, names)}\n}`,
    );
    const values = used.map(([name]) => builtIn(name, part, number, item));
    const call = `${prefix}main(${values.join(', ')});`;
    const [invocations, all] = [part.workgroups[0] * widthOf(part), this.groupsOf(part) * this.widest];
    if (widthOf(part) === this.widest || invocations === all) return call;
    return `if (${item} < ${invocations}u) {\n${call}\n}`;
  }

  shader(label: string, body: string, workgroups: number): ShaderSpec {
    const declarations = this.#declarations.filter((text) => text !== '').join('\n');
    const size = { workgroups: [workgroups, 1, 1], workgroupSize: this.widest } as const;
    return { label, bindings: this.#bindings, declarations, body, ...size };
  }
}

function widthOf(part: PackPart): number {
  return workgroupWidth(part) ?? 1;
}

/** What a part sees of a built-in number: as if its own workgroups were the grid. */
function builtIn(name: string, part: PackPart, number: string, item: string): string {
  const [x, y, z] = part.workgroups;
  const group = `vec3<u32>(${number} % ${x}u, ${number} / ${x}u % ${y}u, ${number} / ${x * y}u)`;
  switch (name) {
    case 'global_id':
      if (y * z === 1) return `vec3<u32>(${item}, global_id.yz)`;
      return `${group} * vec3<u32>(${widthOf(part)}u, 1u, 1u) + local_id`;
    case 'group_id':
      return y * z === 1 ? `vec3<u32>(${number}, group_id.yz)` : group;
    case 'num_groups':
      return `vec3<u32>(${x}u, ${y}u, ${z}u)`;
    default:
      return name;
  }
}
