/** Names in fused shaders: every part's own begin with its number, and what two parts bind is bound once. */
import type { ProgramCode } from '../elementwise.js';
import type { BindingSource, ElementAccesses, ShaderBinding, ShaderSpec } from '../kernel.js';
import { storageType } from '../wgsl/dtype.js';

const PREFIX = /^f(\d+)_/;

/** The prefix of the next part that joins a shader: `f0_`, `f1_` … */
export function nextPrefix({ bindings, declarations = '' }: ShaderSpec): string {
  const names = [...bindings.map(({ name }) => name), ...(declarations.match(/\bf\d+_/g) ?? [])];
  const numbers = names.map((name) => Number(PREFIX.exec(name)?.[1] ?? -1));
  return `f${Math.max(-1, ...numbers) + 1}_`;
}

/** Whether a binding came with a fused part, which accesses element `i` where it works on element `i`, or broadcasts. */
export function isFused(name: string): boolean {
  return PREFIX.test(name);
}

export function sameSource(a: BindingSource, b: BindingSource): boolean {
  if (a.kind === 'data' || b.kind === 'data') return a === b;
  if (a.kind === 'random' || b.kind === 'random') return a.kind === b.kind;
  return a.kind === b.kind && a.index === b.index;
}

/** Replaces whole words. */
export function renamed(text: string, names: ReadonlyMap<string, string>): string {
  if (names.size === 0) return text;
  return text.replace(/(?<![.\w])[A-Za-z_]\w*/g, (word) => names.get(word) ?? word);
}

/** The bindings that a shader must get, and the names by which it has the others already. */
export function sharedBindings(
  own: readonly ShaderBinding[],
  added: readonly ShaderBinding[],
): { bindings: ShaderBinding[]; names: Map<string, string> } {
  const names = new Map<string, string>();
  const bindings: ShaderBinding[] = [];
  for (const binding of added) {
    const same = [...own, ...bindings].find((other) => interchangeable(other, binding));
    if (same === undefined) bindings.push(binding);
    else names.set(binding.name, same.name);
  }
  return { bindings, names };
}

/** What is still accessed element by element where other code accesses the arrays `others` too. */
export function accessedAlone(
  accesses: readonly ElementAccesses[],
  others: ReadonlySet<string>,
): readonly ElementAccesses[] {
  const alone = (names: readonly string[]): string[] => names.filter((name) => !others.has(name));
  return accesses.map(({ reads, writes }) => ({ reads: alone(reads), writes: alone(writes) }));
}

function interchangeable(a: ShaderBinding, b: ShaderBinding): boolean {
  const access = (x: ShaderBinding): string => x.access ?? 'read';
  return (
    (a.source.kind === 'input' || a.source.kind === 'output') &&
    access(a) === access(b) &&
    sameSource(a.source, b.source) &&
    storageType(a.dtype) === storageType(b.dtype) &&
    (a.width ?? 1) === (b.width ?? 1) &&
    a.atomic !== true
  );
}

/** Whether one array is bound twice, and written. */
export function hasConflict(bindings: readonly ShaderBinding[]): boolean {
  const arrays = bindings.filter(({ source }) => source.kind === 'input' || source.kind === 'output');
  const isWritten = ({ source, access }: ShaderBinding): boolean =>
    access === 'read_write' || (source.kind === 'output' && access !== 'read');
  return arrays.some((a) => isWritten(a) && arrays.some((b) => b !== a && sameSource(a.source, b.source)));
}

/** Scalar code over the four lanes of element `i`: for programs whose rows are not made of whole vectors. */
export function overLanes(
  { compute, results }: ProgramCode,
  outputs: readonly ShaderBinding[],
  given: string,
): string {
  const names = outputs.map((_, k) => `wide${k}`);
  return [
    ...outputs.map(({ dtype }, k) => `var ${names[k] ?? ''}: vec4<${storageType(dtype)}>;`),
    `let wide_i = i;\nlet wide_value = ${given};`,
    'for (var lane_number = 0u; lane_number < 4u; lane_number++) {',
    'let i = wide_i * 4u + lane_number;',
    `let ${given} = wide_value[lane_number];`,
    compute,
    ...results.map((result, k) => `${names[k] ?? ''}[lane_number] = ${result};`),
    '}',
    ...outputs.map(({ name }, k) => `${name}[wide_i] = ${names[k] ?? ''};`),
  ].join('\n');
}
