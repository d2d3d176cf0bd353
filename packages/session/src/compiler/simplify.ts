/**
 * Stage 3: passes from program to program, each with a switch, each checked afterwards, each
 * reporting how many nodes it removed.
 */
import { FUSION_NAMES, type Fusion } from './fusion/index.js';
import type { HostValues } from './hostValues.js';
import type { Program } from './ir.js';
import { reduceStrength } from './passes/arithmetic.js';
import { mergeCommon } from './passes/cse.js';
import { foldConstants } from './passes/fold.js';
import { removeIdentities } from './passes/identities.js';
import { moveTransposes } from './passes/layout.js';
import { readThroughCasts } from './passes/widening.js';
import { accumulateSums } from './passes/sums.js';
import { prune, validate } from './rebuild.js';

const PASSES = {
  fold: foldConstants,
  identities: removeIdentities,
  arithmetic: reduceStrength,
  layout: moveTransposes,
  cse: mergeCommon,
  widening: readThroughCasts,
  sums: accumulateSums,
} as const satisfies Record<string, (program: Program, host: HostValues) => Program>;

/** Fusions without which a pass would only make more dispatches. */
const NEEDED: Readonly<Partial<Record<SimplifyPass, readonly ('fuse' | Fusion)[]>>> = {
  sums: ['fuse', 'epilogues'],
};

export type SimplifyPass = keyof typeof PASSES;

/**
 * The names of all passes and fusions in their order, of storing results in the place of operands, and of the sharing of
 * shaders at the end.
 */
export const COMPILER_PASSES: readonly (keyof PassSwitches)[] = [
  ...(Object.keys(PASSES) as SimplifyPass[]),
  'fuse',
  ...FUSION_NAMES,
  'inPlace',
  'parameters',
];

/** Other stages that have a switch. */
type SwitchedStage = 'fuse' | 'inPlace' | 'parameters';

/** Which passes run; all do unless switched off. */
export type PassSwitches = Readonly<Partial<Record<SimplifyPass | Fusion | SwitchedStage, boolean>>>;

export interface PassReport {
  readonly pass: SimplifyPass;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
}

/** Runs the passes in order. Throws `InternalError` when one breaks the program. */
export function simplify(
  program: Program,
  host: HostValues,
  switches: PassSwitches,
): { program: Program; reports: PassReport[] } {
  const reports: PassReport[] = [];
  let current = prune(program);
  for (const pass of Object.keys(PASSES) as SimplifyPass[]) {
    if (switches[pass] === false || NEEDED[pass]?.some((fusion) => switches[fusion] === false) === true)
      continue;
    const next = PASSES[pass](current, host);
    if (next !== current) validate(next, pass, current);
    reports.push({ pass, nodesBefore: current.nodes.length, nodesAfter: next.nodes.length });
    current = next;
  }
  return { program: current, reports };
}
