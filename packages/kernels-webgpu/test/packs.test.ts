/** Packs: what a part declares gets names of its own, what is WGSL's keeps its name. */
import { packShaders } from '../src/index.js';

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
