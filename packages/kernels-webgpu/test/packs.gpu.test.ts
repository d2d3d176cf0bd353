/** Packs: what a part declares gets names of its own, what is WGSL's keeps its name; every part has its own grid. */
import type { HostValue } from '@forerun/graph';
import { expectClose, lowerOp, Random, runDispatchesOnGpu, runReference, makeNode } from '@forerun/testing';
import {
  interleaveShaders,
  isWidenable,
  packShaders,
  shader,
  workgroupWidth,
  type AdapterFacts,
  type Choice,
  type ShaderSpec,
} from '../src/index.js';

test('a local variable does not take the name of a function of WGSL', () => {
  const part = {
    bindings: [{ name: 'out', source: { kind: 'output', index: 0 }, dtype: 'float32' }],
    workgroups: [1, 1, 1],
    declarations: `var<workgroup> shared_sum: f32;
fn turned(x: f32) -> f32 {
  var round = 0.0;
  for (round = 0.0; round < 3.0; round += 1.0) { }
  return x + round;
}
fn nearest(x: f32) -> f32 { return round(x); }`,
    body: 'shared_sum = turned(nearest(1.5)); out[0] = shared_sum;',
  } as const;
  const { declarations = '' } = packShaders([part, part], 'pack');
  expect(declarations).toContain('var<workgroup> part1_shared_sum: f32;');
  expect(declarations).toContain('fn part1_nearest(x: f32) -> f32 { return round(x); }');
  expect(declarations).toContain('part1_shared_sum = part1_turned(part1_nearest(1.5));');
});

/** The first dispatch of an op, its bindings those of the pack's `inputs` and of output `output`. */
async function part(
  type: string,
  operands: readonly HostValue[],
  inputs: readonly number[],
  output: number,
  options: Parameters<typeof lowerOp>[3],
): Promise<ShaderSpec> {
  const attrs = type === 'MatMul' ? { transpose_a: true } : {};
  const lowered = await lowerOp(type, operands, attrs, options);
  const spec = lowered?.dispatches[0]?.spec;
  if (spec === undefined || lowered?.dispatches.length !== 1) throw new Error(`${type} is not one dispatch`);
  const bindings = spec.bindings.map((binding) => {
    const { source } = binding;
    if (source.kind === 'input')
      return { ...binding, source: { ...source, index: inputs[source.index] ?? 0 } };
    return source.kind === 'output' ? { ...binding, source: { ...source, index: output } } : binding;
  });
  return { ...spec, bindings };
}

// Products have grids of two dimensions; on hardware their workgroups are wider than those of column sums.
/** The first candidate with tiles in workgroup memory, of 16 x 16 invocations. */
const tiled = ({ candidates }: Choice): number => candidates.findIndex(({ name }) => /^tile.*t16/.test(name));

test.each<[string, Partial<AdapterFacts>, boolean]>([
  ['this adapter', {}, false],
  ['a hardware adapter', { software: false, choose: tiled }, true],
])('column sums beside a product, as %s has them', async (_, adapterOverrides, widened) => {
  const random = new Random(5);
  const values = (shape: readonly number[]): HostValue => ({
    dtype: 'float32',
    shape,
    data: random
      .array(
        shape.reduce((size, dim) => size * dim, 1),
        -1,
        1,
      )
      .map(Math.fround),
  });
  const [x, dy] = [values([40, 90]), values([40, 300])];
  const options = { adapterOverrides };
  const sums = await part('BiasAddGrad', [dy], [1], 0, options);
  const product = await part('MatMul', [x, dy], [0, 1], 1, options);
  expect(workgroupWidth(sums) !== workgroupWidth(product)).toBe(widened);
  expect(isWidenable(sums)).toBe(true);
  const want = [
    ...runReference(makeNode('BiasAddGrad', [dy], {}), [dy]),
    ...runReference(makeNode('MatMul', [x, dy], { transpose_a: true }), [x, dy]),
  ];
  const packs = [
    packShaders(widened ? [product, sums] : [sums, product], 'pack'),
    interleaveShaders(sums, product, 'few of the sums'),
    interleaveShaders(product, sums, 'few of the product'),
  ];
  for (const pack of packs) {
    const got = await runDispatchesOnGpu(
      (adapter) => ({ dispatches: [shader(pack, adapter)] }),
      [x, dy],
      want,
      options,
    );
    want.forEach((value, i) => {
      const result = got[i];
      if (result === undefined) throw new Error(`output ${i} is missing`);
      expectClose(result, value, { rtol: 1e-5, atol: 1e-5 }, `output ${i} of ${pack.label}`);
    });
  }
});

test.each([
  [3, 7],
  [7, 3],
  [1, 1],
  [5, 4096],
  [20_000, 45_535],
])('of %i workgroups and %i others any run has its share', (some, others) => {
  const all = some + others;
  const part = (workgroups: number) => ({ bindings: [], workgroups: [workgroups, 1, 1], body: '' }) as const;
  const { body, workgroups } = interleaveShaders(part(some), part(others), 'pack');
  expect(workgroups).toEqual([all, 1, 1]);
  expect(body).toContain(`let turn = group_id.x * ${some}u / ${all}u;`);
  expect(body).toContain(`if ((group_id.x + 1u) * ${some}u / ${all}u > turn) {`);
  expect(all * some).toBeLessThan(2 ** 32);
  // As the text counts, in 32 bits.
  const turn = (group: number): number => Math.floor(((group * some) >>> 0) / all);
  const taken = Array.from({ length: all }, (_, group) => (turn(group + 1) > turn(group) ? turn(group) : -1));
  expect(taken.filter((one) => one >= 0)).toEqual(Array.from({ length: some }, (_, one) => one));
  const half = taken.slice(0, Math.ceil(all / 2)).filter((one) => one >= 0);
  expect(Math.abs(half.length - some / 2)).toBeLessThanOrEqual(1);
});
