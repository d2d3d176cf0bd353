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

export class SharedShaders {
  /** By skeleton and number of bindings. */
  readonly #variants = new Map<string, Variant[]>();

  /** For each text what to compile for it, in the same order. */
  share(texts: readonly ShaderText[]): SharedShader[] {
    const families = new Map<string, Map<string, ShaderTemplate & ShaderText>>();
    for (const text of texts) {
      const template = shaderTemplate(text.wgsl);
      const key = `${text.bindings} ${template.skeleton}`;
      const family = families.get(key) ?? new Map<string, ShaderTemplate & ShaderText>();
      families.set(key, family);
      family.set(text.wgsl, { ...template, ...text });
    }
    const shared = new Map<string, SharedShader>();
    for (const [key, family] of families) this.shareFamily(key, [...family.values()], shared);
    return texts.map(({ wgsl }) => shared.get(wgsl) ?? { wgsl, parameters: null });
  }

  private shareFamily(
    key: string,
    members: readonly (ShaderTemplate & ShaderText)[],
    shared: Map<string, SharedShader>,
  ): void {
    const variants = this.#variants.get(key) ?? [];
    this.#variants.set(key, variants);
    const taken = (member: ShaderTemplate & ShaderText): boolean => {
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
}

/** The values of the parameters with which the variant is the member; `null` when there are none such. */
function parameterValues({ constants, parameterOf }: Variant, member: ShaderTemplate): number[] | null {
  const values: number[] = [];
  for (const [i, value] of member.constants.entries()) {
    const number = parameterOf[i] ?? null;
    const known = number === null ? constants[i] : (values[number] ??= value);
    if (known !== value) return null;
  }
  return values;
}

/**
 * One shader for all members: what differs among them, or from a shader that was compiled for others, is a parameter. Constants that are equal in
 * each of these are one parameter.
 */
function variantOf(
  first: ShaderTemplate & ShaderText,
  members: readonly ShaderTemplate[],
  others: readonly Variant[],
): Variant {
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
