/**
 * Epilogues: what a kernel would store is first worked on, or updates a variable instead. Kernels need not
 * know: their stores `out[index] = value` become calls of a function that is written here. Where a
 * kernel does more with an output than store to it, there is no epilogue.
 */
import type { ElementwiseProgram } from '../elementwiseProgram.js';
import { programCode, programWidth } from '../elementwise.js';
import type { BindingSource, ElementAccesses, ElementUpdate, ShaderBinding, ShaderSpec } from '../kernel.js';
import { storageType, vectorType, type Width } from '../wgsl/dtype.js';
import {
  accessedAlone,
  hasConflict,
  nextPrefix,
  overLanes,
  renamed,
  sameSource,
  sharedBindings,
} from './names.js';
import { replaceAccesses } from './rewrite.js';

/** Code for one stored element: `i` is its number in units of the width, `value` what would be stored. */
export interface StoreCode {
  readonly bindings: readonly ShaderBinding[];
  readonly statements: string;
  /** What the statements access at element `i` alone. */
  readonly elementwise?: ElementAccesses;
}

/** Writes the code for arrays of `width`; the names of its bindings begin with `prefix`. */
export type StoreEffect = (width: Width, prefix: string) => StoreCode;

export interface StoreFusion {
  /** The output whose stores are replaced. */
  readonly target: BindingSource;
  readonly effect: StoreEffect;
  /** Others read the output: it is stored as well. */
  readonly keep: boolean;
  /** Joins the label of the kernel. */
  readonly label: string;
  /**
   * The effect does no more than store the value elsewhere, or add something to it: it stands in place of the stores also where the
   * kernel asks for its results to be revisited, an addition where the kernel's loop allows it (`Revisit.addsAtStores`).
   */
  readonly light?: 'move' | 'add' | undefined;
}

/**
 * The shader with its stores to an output replaced; `null` when it does more than store to it. Where a kernel asks
 * for its results to be revisited (`Revisit`), and no other output can hold them, they are stored though not kept.
 */
export function fuseStores(asked: ShaderSpec, fusion: StoreFusion): ShaderSpec | null {
  const { target, effect, keep, label, light } = fusion;
  const { revisit, ...plain } = asked;
  const active = revisit?.active === true;
  // What is being revisited lies where it is stored.
  if (light === 'move' && active) return null;
  const atStores = light === 'move' || (light === 'add' && !active && revisit?.addsAtStores === true);
  const spec: ShaderSpec = atStores ? plain : asked;
  const written = spec.bindings.find((binding) => sameSource(binding.source, target));
  if (written === undefined) return asked;
  if (written.access === 'read') return keep ? asked : null;
  if (written.atomic === true) return null;
  const prefix = nextPrefix(spec);
  const code = effect(written.width ?? 1, prefix);
  const place = spec.revisit?.name === written.name ? revisiting(spec, written, code, keep) : null;
  const texts = callSet(spec, written.name, `${prefix}set`);
  if (texts === null) return null;
  const kept = keep || place !== null;
  const own = spec.bindings.flatMap((binding) => {
    if (binding !== written) return [binding];
    return kept ? [place ?? binding] : [];
  });
  const added = code.bindings.filter(({ source }) => place === null || !sameSource(source, place.source));
  const { bindings, names } = sharedBindings(own, added);
  if (hasConflict([...own, ...bindings])) return null;
  code.bindings.forEach((one) => added.includes(one) || names.set(one.name, written.name));
  const type = vectorType(storageType(written.dtype), written.width ?? 1);
  const statements = renamed(code.statements, names);
  const store = keep && texts.storesFirst ? `${written.name}[i] = value;\n` : '';
  return {
    ...spec,
    ...texts.parts,
    label: `${spec.label}+${label}`,
    bindings: [...own, ...bindings],
    elementwise: [
      ...accessedAlone(spec.elementwise ?? [], new Set([written.name, ...names.values()])),
      ...accessedAlone(
        code.elementwise === undefined ? [] : [code.elementwise],
        shared(names, code.elementwise),
      ),
    ],
    declarations: [
      texts.parts.declarations,
      `fn ${prefix}set(i: u32, value: ${type}) {\n${store}${statements}\n}`,
    ]
      .filter((part) => part !== '')
      .join('\n'),
  };
}

/** Names that the code of an effect does not have for itself, or under which it also accesses other elements than its own. */
function shared(
  names: ReadonlyMap<string, string>,
  accesses: ElementAccesses | undefined,
): ReadonlySet<string> {
  const same = [...names].filter(([name]) => accesses?.reads.includes(name) !== true);
  return new Set([...names.keys(), ...same.map(([, name]) => name)]);
}

/** The binding where results wait to be revisited: an output of the effect of the same type, or the kernel's own. */
function revisiting(
  { revisit }: ShaderSpec,
  written: ShaderBinding,
  { bindings }: StoreCode,
  keep: boolean,
): ShaderBinding | null {
  if (revisit === undefined) return null;
  const fits = (one: ShaderBinding): boolean =>
    one.source.kind === 'output' &&
    storageType(one.dtype) === storageType(written.dtype) &&
    (one.width ?? 1) === (written.width ?? 1);
  const successor = keep ? undefined : bindings.find(fits);
  return successor === undefined ? written : { ...written, source: successor.source, dtype: successor.dtype };
}

interface CallingTexts {
  readonly parts: Pick<ShaderSpec, 'body' | 'revisit'> & { readonly declarations: string };
  /** The call comes in place of the store, not after it. */
  readonly storesFirst: boolean;
}

/** The shader's texts with `set` called for every element that is stored to `name`. */
function callSet(spec: ShaderSpec, name: string, set: string): CallingTexts | null {
  const { body, declarations = '', revisit } = spec;
  if (revisit?.name !== name) {
    const texts = replaceAccesses([body, declarations], name, 'set', set);
    if (texts === null) return null;
    const [newBody = '', newDeclarations = ''] = texts;
    return { parts: { body: newBody, declarations: newDeclarations }, storesFirst: true };
  }
  if (revisit.active === true && new RegExp(`\\b${name}\\b`).test(declarations)) {
    const texts = replaceAccesses([declarations], name, 'set', set);
    return texts === null ? null : { parts: { body, declarations: texts[0] ?? '' }, storesFirst: true };
  }
  const loop = revisit.loop((index) => `{\nlet i = ${index};\n${set}(i, ${name}[i]);\n}`);
  const parts = { body: `${body}\n{\n${loop}\n}`, declarations, revisit: { ...revisit, active: true } };
  return { parts, storesFirst: false };
}

/** The effect that computes a program of which the stored element is the inputs `given`, and stores its results. */
export function programEffect(program: ElementwiseProgram, given: readonly number[]): StoreEffect {
  const values = new Map(given.map((input) => [input, 'value']));
  return (width, prefix) => {
    const own = width === 4 ? programWidth(program) : 1;
    const code = programCode(program, { width: own, prefix, given: values });
    if (own === width) return code;
    const outputs = code.outputs.map((output) => ({ ...output, width }));
    return { bindings: [...code.inputs, ...outputs], statements: overLanes(code, outputs, 'value') };
  };
}

/** The effect of an update: `value` is the gradient, or what is assigned. */
export function updateEffect(update: ElementUpdate): StoreEffect {
  return (width, prefix) => {
    const bindings = update.bindings(width);
    const names = new Map(bindings.map(({ name }) => [name, prefix + name]));
    return {
      bindings: bindings.map((binding) => ({ ...binding, name: prefix + binding.name })),
      statements: renamed(update.statements(width), names),
    };
  };
}
