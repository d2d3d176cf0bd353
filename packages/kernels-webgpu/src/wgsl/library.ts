/**
 * Named WGSL functions that kernels may use. `libraryFor` includes those that a text names, with all
 * that they need. Each exists for scalars (`erf`) and for `vec4`s (`erf_v4`) from one text; `widen`
 * turns scalar expressions into `vec4` ones.
 */
import type { Width } from './dtype.js';
import { FUNCTIONS } from './functions.js';

const IDENTIFIER = /(?<![.\w])[A-Za-z_]\w*/g;
const SCALARS: ReadonlySet<string> = new Set(['f32', 'f16', 'i32', 'u32', 'bool']);
const SUFFIX = '_v4';

/**
 * Scalar WGSL as WGSL over `vec4`s: scalar types become vectors (so `f32(0)` becomes a splat and
 * `bitcast<u32>(x)` keeps its meaning) and library functions their `vec4` form. Comparisons, shifts
 * and bit operations therefore need both operands typed: `x < f32(0)`, not `x < 0`.
 */
export function widen(text: string, width: Width): string {
  if (width === 1) return text;
  return text.replace(IDENTIFIER, (name) => {
    if (SCALARS.has(name)) return `vec4<${name}>`;
    return Object.hasOwn(FUNCTIONS, name) ? name + SUFFIX : name;
  });
}

/** The library functions that `text` names, and those that they need, callees first. */
export function libraryFor(text: string): string {
  const included = new Map<string, string>();
  const include = (name: string): void => {
    const definition = definitionOf(name);
    if (definition === null || included.has(name)) return;
    included.set(name, '');
    definition.uses.forEach(include);
    included.delete(name);
    included.set(name, definition.text);
  };
  for (const name of identifiers(text)) include(name);
  return [...included.values()].join('\n');
}

function identifiers(text: string): Set<string> {
  return new Set(text.match(IDENTIFIER) ?? []);
}

interface Definition {
  readonly text: string;
  /** Every identifier in the text. */
  readonly uses: ReadonlySet<string>;
}

/** Definitions by name as they are asked for; `null` for names of something else. */
const definitions = new Map<string, Definition | null>();
/** Kernels name few things, but their number has no bound. */
const MAX_DEFINITIONS = 4096;

function definitionOf(name: string): Definition | null {
  const known = definitions.get(name);
  if (known !== undefined) return known;
  const text = textOf(name);
  const definition = text === undefined ? null : { text, uses: identifiers(text) };
  if (definitions.size >= MAX_DEFINITIONS) definitions.clear();
  definitions.set(name, definition);
  return definition;
}

function textOf(name: string): string | undefined {
  if (Object.hasOwn(FUNCTIONS, name)) return FUNCTIONS[name]?.text;
  const scalar = name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : '';
  const entry = Object.hasOwn(FUNCTIONS, scalar) ? FUNCTIONS[scalar] : undefined;
  if (entry === undefined) return undefined;
  return entry.perLane ? laneByLane(scalar, entry.text) : widen(entry.text, 4);
}

/** The `vec4` form of a function that branches or indexes by value: four calls. */
function laneByLane(name: string, text: string): string {
  const [, parameters = '', result = 'f32'] = /\(([^)]*)\)\s*->\s*(\w+)/.exec(text) ?? [];
  const names = parameters.split(',').map((parameter) => parameter.split(':')[0]?.trim() ?? '');
  const lanes = ['x', 'y', 'z', 'w'].map((lane) => `${name}(${names.map((n) => `${n}.${lane}`).join(', ')})`);
  const signature = `fn ${name}${SUFFIX}(${widen(parameters, 4)}) -> vec4<${result}>`;
  return `${signature} {\n  return vec4<${result}>(${lanes.join(', ')});\n}`;
}
