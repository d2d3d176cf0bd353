/**
 * Makes one shader of those that differ in nothing but sizes, which are then read from a uniform buffer: a network has many
 * layers of one kind, and what a driver takes to compile goes by the number of shaders. What differs in no two shaders stays
 * constant. Shaders that the device has are used again, so plans for other batch sizes find most of theirs.
 */
import { parameterWords, shaderTemplate, withParameters, type ShaderTemplate } from '@forerun/kernels-webgpu';

/** A shader to compile, and what its uniform buffer holds; `null` when it has none. */
export interface SharedShader {
  readonly wgsl: string;
  readonly parameters: Uint32Array<ArrayBuffer> | null;
}

/** A shader to be shared. */
export interface ShaderText {
  readonly wgsl: string;
  /** The kernel's: shaders of different labels are not compared. */
  readonly label: string;
  /** Storage bindings; the uniform buffer comes after them. */
  readonly bindings: number;
}

/** A shader that the device has. */
interface Variant {
  readonly wgsl: string;
  /** Its constants, with `null` where it reads a parameter. */
  readonly constants: readonly (number | null)[];
  /** For each constant the number of its parameter. */
  readonly parameterOf: readonly (number | null)[];
}

/** The shaders of one label. */
interface Kind {
  /** The only one so far; `null` when there are more, which have been taken apart. */
  only: ShaderText | null;
  /** By skeleton. */
  readonly variants: Map<string, Variant[]>;
}

type Member = ShaderTemplate & ShaderText;

export class SharedShaders {
  readonly #kinds = new Map<string, Kind>();

  /** For each text what to compile for it, in the same order. */
  share(texts: readonly ShaderText[]): SharedShader[] {
    const kinds = new Map<string, Map<string, ShaderText>>();
    for (const text of texts) {
      const key = `${text.bindings} ${text.label}`;
      const kind = kinds.get(key) ?? new Map<string, ShaderText>();
      kinds.set(key, kind.set(text.wgsl, text));
    }
    const shared = new Map<string, SharedShader>();
    for (const [key, kind] of kinds) this.shareKind(key, kind, shared);
    return texts.map(({ wgsl }) => shared.get(wgsl) ?? { wgsl, parameters: null });
  }

  private shareKind(
    key: string,
    texts: ReadonlyMap<string, ShaderText>,
    shared: Map<string, SharedShader>,
  ): void {
    const [first = null] = texts.values();
    const kind: Kind = this.#kinds.get(key) ?? { only: first, variants: new Map() };
    this.#kinds.set(key, kind);
    const { only, variants } = kind;
    if (only !== null) {
      const before = texts.has(only.wgsl) ? [] : [only];
      if (texts.size + before.length === 1) return;
      kind.only = null;
      for (const [skeleton, [member]] of bySkeleton(before)) {
        if (member !== undefined) variants.set(skeleton, [variantOf(member, [member], [])]);
      }
    }
    for (const [skeleton, family] of bySkeleton(texts.values())) {
      const known = variants.get(skeleton) ?? [];
      variants.set(skeleton, known);
      shareFamily(family, known, shared);
    }
  }
}

function bySkeleton(texts: Iterable<ShaderText>): Map<string, Member[]> {
  const families = new Map<string, Member[]>();
  for (const text of texts) {
    const template = shaderTemplate(text.wgsl);
    const family = families.get(template.skeleton);
    const member = { ...template, ...text };
    if (family === undefined) families.set(template.skeleton, [member]);
    else family.push(member);
  }
  return families;
}

/** Gives each member a shader of `variants`, to which one is added where none serves. */
function shareFamily(
  members: readonly Member[],
  variants: Variant[],
  shared: Map<string, SharedShader>,
): void {
  const taken = (member: Member): boolean => {
    for (const variant of variants) {
      const values = parameterValues(variant, member);
      if (values === null) continue;
      const parameters = values.length === 0 ? null : parameterWords(values);
      shared.set(member.wgsl, { wgsl: variant.wgsl, parameters });
      return true;
    }
    return false;
  };
  const open = members.filter((member) => !taken(member));
  const [first] = open;
  if (first === undefined) return;
  variants.push(variantOf(first, open, variants));
  open.forEach(taken);
}

/** The values of the parameters with which the variant is the member; `null` when there are none such. */
function parameterValues({ constants, parameterOf }: Variant, member: ShaderTemplate): number[] | null {
  const values: number[] = [];
  const matches = member.constants.every((value, i) => {
    const number = parameterOf[i] ?? null;
    return value === (number === null ? constants[i] : (values[number] ??= value));
  });
  return matches ? values : null;
}

/**
 * One shader for all members: what differs among them, or from a shader that was compiled for others, is a parameter. Constants that are equal in
 * each of these are one parameter.
 */
function variantOf(first: Member, members: readonly ShaderTemplate[], others: readonly Variant[]): Variant {
  const numbers = new Map<string, number>();
  const parameterOf = first.constants.map((constant, i) => {
    const values = [...members, ...others].map(({ constants }) => constants[i] ?? null);
    if (values.every((value) => value === constant)) return null;
    const key = values.join(' ');
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  });
  const constants = first.constants.map((constant, i) => (parameterOf[i] === null ? constant : null));
  const wgsl = numbers.size === 0 ? first.wgsl : withParameters(first.wgsl, parameterOf, first.bindings);
  return { wgsl, constants, parameterOf };
}
