/** Chooses how much is computed again (rematerialize.ts), so that a plan keeps to the memory that it may take. */
import { ResourceExhaustedError } from '@forerun/graph';
import { arrange, type ArrangeOptions, type Arrangement } from './arrange.js';
import type { FusionReport } from './fusion/index.js';
import type { IrNode, Program } from './ir.js';
import type { LoweredUnit } from './lower.js';
import { prune, validate } from './rebuild.js';
import { rematerialize, type Recompute } from './rematerialize.js';

/** `minimize`: as little as possible; or the bytes that the temporaries of a plan may take. */
export type MemoryWish = 'minimize' | number;

/** What the stages up to fusion make of a program. */
export interface LoweredProgram {
  readonly lowered: readonly LoweredUnit[];
  readonly fusions: readonly FusionReport[];
}

/** A program that is ready to be built. */
export interface Fitted extends LoweredProgram, Arrangement {
  readonly program: Program;
  /** Nodes that are computed a second time to save memory. */
  readonly recomputed: number;
}

/** From little to much that is computed again. */
const LEVELS: readonly Recompute[] = [
  { kind: 'elementwise' },
  { kind: 'cheap' },
  ...[2, 4, 8, 16].map((count) => ({ kind: 'segments', count }) as const),
];

/**
 * Arranges a program; with a wish computes more and more again until it is met. Throws
 * `ResourceExhaustedError` naming the least that was reached when a number of bytes is not enough.
 */
export function fit(
  program: Program,
  wish: MemoryWish | undefined,
  options: ArrangeOptions,
  lowerProgram: (program: Program) => LoweredProgram,
): Fitted {
  const finish = (each: Program, recomputed: number): Fitted => {
    const made = lowerProgram(each);
    return { program: each, recomputed, ...made, ...arrange(made.lowered, each, options) };
  };
  let best = finish(program, 0);
  if (wish === undefined) return best;
  const budget = wish === 'minimize' ? 0 : wish;
  const ordered = inOrder(program, best);
  for (const level of LEVELS) {
    if (best.memory.peakBytes <= budget) break;
    const { program: next, recomputed } = rematerialize(ordered, level);
    if (recomputed === 0) continue;
    const candidate = finish(prune(validate(next, 'rematerialize', ordered)), recomputed);
    if (candidate.memory.peakBytes < best.memory.peakBytes) best = candidate;
  }
  if (wish !== 'minimize' && best.memory.peakBytes > wish) {
    throw new ResourceExhaustedError(
      `config.memory allows ${wish} bytes of temporaries, the plan needs at least ${best.memory.peakBytes}`,
    );
  }
  return best;
}

/** The program in the order in which it would run: what is alive when follows from that. */
function inOrder(program: Program, { scheduled }: Arrangement): Program {
  const nodes: IrNode[] = [];
  const known = new Set<IrNode>();
  const stack: IrNode[] = [];
  for (const { unit } of scheduled.order) {
    stack.push(...[...unit.nodes].reverse());
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      const missing = known.has(node)
        ? []
        : [...node.inputs.map((input) => input.node), ...node.controls].filter((each) => !known.has(each));
      if (missing.length > 0) {
        stack.push(...missing);
        continue;
      }
      stack.pop();
      if (!known.has(node)) nodes.push(node);
      known.add(node);
    }
  }
  return { ...program, nodes };
}
