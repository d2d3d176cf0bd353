/** Where reductions are cut into chunks: only where that keeps more of the adapter busy and saves more than a dispatch. */
import type { AdapterFacts } from '../src/index.js';
import { planReduction } from '../src/reducePlan.js';

const SOFTWARE: AdapterFacts = {
  subgroupSize: 8,
  software: true,
  shaderF16: false,
  maxBindings: 16,
  maxBindingBytes: 2 ** 27,
  maxWorkgroups: 65_535,
  maxInvocations: 1024,
};
const GPU: AdapterFacts = { ...SOFTWARE, software: false, subgroupSize: 32 };

function chunks(shape: readonly number[], axes: readonly number[], adapter: AdapterFacts): number[] {
  return planReduction(shape, axes, adapter).map((pass) => pass.chunks);
}

test('short sums take one pass on a software adapter', () => {
  expect(chunks([512, 128], [0], SOFTWARE)).toEqual([1]);
  expect(chunks([64, 512], [0], SOFTWARE)).toEqual([1]);
  expect(chunks([8, 8192], [1], SOFTWARE)).toEqual([1]);
});

test('long sums with little beside them take two', () => {
  expect(chunks([8192, 64], [0], SOFTWARE)).toEqual([16, 1]);
  expect(chunks([1_000_000], [0], SOFTWARE)).toEqual([61, 1]);
  expect(chunks([8, 8192], [1], GPU)).toEqual([8, 1]);
  expect(chunks([512, 128], [0], GPU)).toEqual([16, 1]);
});

test('the chunks of a pass cover its elements', () => {
  for (const adapter of [SOFTWARE, GPU]) {
    const [first] = planReduction([100_003, 6], [0], adapter);
    expect(first?.n).toBe(100_003);
    expect((first?.chunks ?? 0) * (first?.length ?? 0)).toBeGreaterThanOrEqual(100_003);
    expect(((first?.chunks ?? 0) - 1) * (first?.length ?? 0)).toBeLessThan(100_003);
  }
});
