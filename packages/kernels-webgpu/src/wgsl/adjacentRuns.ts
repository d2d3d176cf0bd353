/**
 * On software adapters, grid-stride loops become loops over runs of adjacent items. With the stride of the whole grid, a
 * subgroup jumps by 64 KiB from one step to the next, which costs a CPU its prefetching and a page of its
 * address cache each time: elementwise kernels ran at a quarter of the speed. A GPU wants the stride.
 */
import type { AdapterFacts, Dispatch } from '../kernel.js';

/** Invocations that work side by side on one run: a subgroup of usual width. */
const SIDE_BY_SIDE = 8;
/** The loop of `gridStride`. */
const GRID_LOOP = /for \(var (\w+) = global_id\.x; \1 < (\d+)u; \1 \+= (\d+)u\) \{/;

/**
 * `dispatch` with its grid-stride loop over runs, on a software adapter. A kernel stays as it is whose invocations use their
 * number otherwise too, or work together.
 */
export function inAdjacentRuns(dispatch: Dispatch, adapter: AdapterFacts): Dispatch {
  const { wgsl } = dispatch;
  const [loop, index, items, stride] = GRID_LOOP.exec(wgsl) ?? [];
  if (!adapter.software || loop === undefined || index === undefined) return dispatch;
  // Once as a parameter of `main`, once in the loop.
  const alone = wgsl.match(/\bglobal_id\b/g)?.length === 2 && !/\bsubgroup[A-Z]|Barrier\b/.test(wgsl);
  if (!alone || Number(stride) % SIDE_BY_SIDE !== 0) return dispatch;
  const runs = Number(stride) / SIDE_BY_SIDE;
  const length = Math.ceil(Number(items) / runs / SIDE_BY_SIDE) * SIDE_BY_SIDE;
  const text = [
    `let run_of_${index} = global_id.x / ${SIDE_BY_SIDE}u;`,
    `let end_of_${index} = min((run_of_${index} + 1u) * ${length}u, ${items}u);`,
    `for (var ${index} = run_of_${index} * ${length}u + global_id.x % ${SIDE_BY_SIDE}u; ${index} < end_of_${index}; ${index} += ${SIDE_BY_SIDE}u) {`,
  ].join('\n');
  return { ...dispatch, wgsl: wgsl.replace(loop, text) };
}
