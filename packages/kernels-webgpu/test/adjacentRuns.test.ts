/** Loops over adjacent items on software adapters: which loops, and that they meet every item once. */
import type { AdapterFacts, Dispatch } from '@forerun/kernels-webgpu';
import { inAdjacentRuns } from '../src/wgsl/adjacentRuns.js';
import { gridFor, gridStride } from '../src/wgsl/indexing.js';
import { shader } from '../src/wgsl/shader.js';

const SOFTWARE: AdapterFacts = {
  subgroupSize: 8,
  software: true,
  shaderF16: false,
  maxBindings: 10,
  maxBindingBytes: 2 ** 27,
  maxWorkgroups: 65_535,
  maxInvocations: 1024,
};

function kernel(items: number, body: string, adapter = SOFTWARE): Dispatch {
  const grid = gridFor(items, 1, adapter);
  return shader(
    { label: 'test', bindings: [], workgroups: grid.workgroups, body: gridStride(grid, body) },
    adapter,
  );
}

/** How often each item is met when `invocations` run the loop of `wgsl`. */
function visits(wgsl: string, items: number, invocations: number): number[] {
  const [, length] = /\(run_of_i \+ 1u\) \* (\d+)u/.exec(wgsl) ?? [];
  const counts = new Array<number>(items).fill(0);
  for (let id = 0; id < invocations; id++) {
    const run = Math.floor(id / 8);
    const end = Math.min((run + 1) * Number(length), items);
    for (let i = run * Number(length) + (id % 8); i < end; i += 8) counts[i] = (counts[i] ?? 0) + 1;
  }
  return counts;
}

describe('loops over adjacent items', () => {
  it('take the place of grid strides', () => {
    const { wgsl } = inAdjacentRuns(kernel(10_000, 'touch(i);'), SOFTWARE);
    expect(wgsl).toContain(
      [
        'let run_of_i = global_id.x / 8u;',
        'let end_of_i = min((run_of_i + 1u) * 24u, 10000u);',
        'for (var i = run_of_i * 24u + global_id.x % 8u; i < end_of_i; i += 8u) {',
        'touch(i);',
      ].join('\n'),
    );
  });

  it.each([4097, 5000, 8191, 8192, 100_003])('meet each of %i items once', (items) => {
    const { wgsl } = inAdjacentRuns(kernel(items, 'touch(i);'), SOFTWARE);
    expect(new Set(visits(wgsl, items, 4096))).toEqual(new Set([1]));
  });

  it.each([
    [
      'on a GPU',
      kernel(10 ** 8, 'touch(i);', { ...SOFTWARE, software: false }),
      { ...SOFTWARE, software: false },
    ],
    ['without a loop', kernel(100, 'touch(i);'), SOFTWARE],
    ['where the number of the invocation is used otherwise', kernel(10_000, 'touch(global_id.x);'), SOFTWARE],
    ['where subgroups work together', kernel(10_000, 'touch(subgroupAdd(i));'), SOFTWARE],
  ])('are not made %s', (_, dispatch, adapter) => {
    expect(inAdjacentRuns(dispatch, adapter)).toBe(dispatch);
  });
});
