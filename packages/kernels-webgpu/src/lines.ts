/** What kernels along one axis share: `[outer, n, inner]` around the axis, and how lines are cut into chunks. */
import { sizeOf } from '@forerun/graph';
import type { AdapterFacts, KernelContext } from './kernel.js';

/** `outer * inner` lines of `n` elements, which are `inner` apart. */
export interface Lines {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
}

/** The input around `axis`. */
export function linesAlong(c: KernelContext, axis: number): Lines {
  const { shape } = c.input(0);
  return { outer: sizeOf(shape.slice(0, axis)), n: shape[axis] ?? 1, inner: sizeOf(shape.slice(axis + 1)) };
}

/** Few long lines are spread over more workgroups. */
export function lineWorkgroup({ software }: AdapterFacts, items: number): number {
  return software && items < 4096 ? 8 : 64;
}

/** Elements that are worth an invocation of their own. */
const SHORTEST_CHUNK = 32;

/** Into how many chunks each line is cut: more where there are few lines to keep the device busy with. */
export function chunksPerLine({ outer, n, inner }: Lines, { software }: AdapterFacts): number {
  const wanted = Math.ceil((software ? 512 : 16384) / (outer * inner));
  return Math.max(1, Math.min(wanted, Math.floor(n / SHORTEST_CHUNK)));
}

/** Declares `base`, the index of the first element of line `line`, of `n` elements per line. */
export function lineBase({ inner }: Lines, n: number, name = 'base', line = 'line'): string {
  if (inner === 1) return `let ${name} = ${line} * ${n}u;`;
  return `let ${name} = (${line} / ${inner}u) * ${n * inner}u + ${line} % ${inner}u;`;
}

/**
 * Splits `item`, one of the chunks of all lines, into `line` and `chunk` so that neighbouring invocations
 * touch neighbouring elements: along the line where its elements lie side by side, else across lines.
 */
export function splitChunk({ inner }: Lines, chunks: number): string {
  if (chunks === 1) return 'let line = item;\nlet chunk = 0u;';
  if (inner === 1) return `let line = item / ${chunks}u;\nlet chunk = item % ${chunks}u;`;
  return `let chunk = (item / ${inner}u) % ${chunks}u;
let line = (item / ${inner * chunks}u) * ${inner}u + item % ${inner}u;`;
}
