/**
 * Prologues: an input that is computed element by element is computed where a kernel loads it, and never
 * reaches memory. Loads `x[index]` become calls of a function that is written here.
 */
import type { ElementwiseProgram } from '../elementwiseProgram.js';
import { programCode, programWidth, type ProgramCode } from '../elementwise.js';
import type { BindingSource, ShaderBinding, ShaderSpec } from '../kernel.js';
import { storageType, vectorType, type Width } from '../wgsl/dtype.js';
import { accessedAlone, nextPrefix, renamed, sameSource, sharedBindings } from './names.js';
import { replaceAccesses } from './rewrite.js';

export interface LoadFusion {
  /** The input whose loads are replaced. */
  readonly target: BindingSource;
  /** Computes the input's element number `i`, for every `i`; has one output. */
  readonly program: ElementwiseProgram;
  /** Gives the bindings of the program's inputs their place among the shader's. */
  readonly moved: (binding: ShaderBinding) => ShaderBinding;
}

/** The shader with the loads of an input replaced; `null` when it does more than load it. */
export function fuseLoads(spec: ShaderSpec, fusion: LoadFusion): ShaderSpec | null {
  const { target, program } = fusion;
  const read = spec.bindings.filter((binding) => sameSource(binding.source, target));
  let result: ShaderSpec | null = spec;
  for (const binding of read) result = result === null ? null : replaceLoads(result, binding, fusion);
  if (result === null || read.length === 0) return result;
  return { ...result, label: `${program.label}+${result.label}` };
}

function replaceLoads(
  spec: ShaderSpec,
  read: ShaderBinding,
  { program, moved }: LoadFusion,
): ShaderSpec | null {
  const { name, access = 'read', width = 1, dtype } = read;
  if (access !== 'read' || read.atomic === true) return null;
  const prefix = nextPrefix(spec);
  const texts = replaceAccesses([spec.body, spec.declarations ?? ''], name, 'get', `${prefix}get`);
  if (texts === null) return null;
  const [body = '', declarations = ''] = texts;
  const own: Width = width === 4 ? programWidth(program) : 1;
  const code = programCode(program, { width: own, prefix });
  const others = spec.bindings.filter((binding) => binding !== read);
  const { bindings, names } = sharedBindings(others, code.inputs.map(moved));
  const type = vectorType(storageType(dtype), width);
  const definition = renamed(
    own === width ? wholeLoad(code, prefix, type) : laneLoads(code, prefix, type),
    names,
  );
  return {
    ...spec,
    bindings: [...others, ...bindings],
    elementwise: accessedAlone(spec.elementwise ?? [], new Set([name, ...names.values()])),
    declarations: [declarations, definition].filter((part) => part !== '').join('\n'),
    body,
  };
}

function wholeLoad({ compute, results }: ProgramCode, prefix: string, type: string): string {
  return `fn ${prefix}get(i: u32) -> ${type} {\n${compute}\nreturn ${results[0] ?? ''};\n}`;
}

/** Four scalar elements, for programs whose rows are not made of whole vectors. */
function laneLoads({ compute, results }: ProgramCode, prefix: string, type: string): string {
  const scalar = /<(\w+)>/.exec(type)?.[1] ?? type;
  const lanes = [0, 1, 2, 3].map((lane) => `${prefix}element(i * 4u + ${lane}u)`).join(', ');
  return [
    `fn ${prefix}element(i: u32) -> ${scalar} {\n${compute}\nreturn ${results[0] ?? ''};\n}`,
    `fn ${prefix}get(i: u32) -> ${type} {\nreturn ${type}(${lanes});\n}`,
  ].join('\n');
}
