/** Sizes as parameters: what may become one, the operands of divisions, and divisions exact for all numbers. */
import { Random, runDispatchesOnGpu } from '@forerun/testing';
import {
  shader,
  shaderTemplate,
  withParameters,
  type AdapterFacts,
  type Lowered,
  type ShaderSpec,
} from '../src/index.js';

const HEAD = '@group(0) @binding(0) var<storage, read_write> out: array<u32>;\n';

/** The body of `main` with every constant as a parameter, without the lines that load them. */
function allParameters(body: string, declarations = ''): string {
  const wgsl = `${HEAD}${declarations}@compute @workgroup_size(64)\nfn main() {\n${body}\n}\n`;
  const numbers = [...shaderTemplate(wgsl).constants.keys()];
  const text = withParameters(wgsl, numbers, 1);
  return text
    .slice(text.indexOf('fn main'))
    .split('\n')
    .filter((line) => !line.startsWith('let parameter_'))
    .slice(1, -2)
    .join('\n');
}

describe('the text of a shader', () => {
  it('has constants where nothing else is asked for', () => {
    const wgsl = `${HEAD}const TABLE = array<u32, 2>(5u,\n6u);
var<workgroup> shared_rows: array<f32, 64>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global_id: vec3<u32>) {
switch (global_id.x) { case 1u, 2u: { out[3] = 0x10u; } default: { out[4u] = 7u; } }
out[global_id.x] = subgroupBroadcast(lane_value, 3u) + 1.5 + x5u;
}
`;
    expect(shaderTemplate(wgsl).constants).toEqual([4, 7]);
  });

  it('is the same where only sizes differ', () => {
    const [a, b] = [28, 56].map((size) =>
      shaderTemplate(`${HEAD}fn main() {\nout[x / ${size}u] = y * ${size}u;\n}`),
    );
    expect(a?.skeleton).toBe(b?.skeleton);
    expect(a?.constants).toEqual([28, 28]);
    const product = shaderTemplate(`${HEAD}fn main() {\nout[x * 28u] = y * 28u;\n}`);
    expect(product.skeleton).not.toBe(a?.skeleton);
  });

  it.each([
    ['let a = i / 3u;', 'let a = parameter_quotient(i, parameter_0);'],
    [
      'let a = b + i / 3u % 5u;',
      'let a = b + parameter_remainder(parameter_quotient(i, parameter_0), parameter_1);',
    ],
    ['let a = b * group_id.x / 3u;', 'let a = parameter_quotient(b * group_id.x, parameter_0);'],
    [
      'let a = (i / 3u) % 5u;',
      'let a = parameter_remainder((parameter_quotient(i, parameter_0)), parameter_1);',
    ],
    ['let a = f(i, 2u)[k].x / 3u;', 'let a = parameter_quotient(f(i, parameter_0.x)[k].x, parameter_1);'],
    ['let a = (b + 2u) * c / 3u;', 'let a = parameter_quotient((b + parameter_0.x) * c, parameter_1);'],
    ['let a = b - i % 3u * 4u;', 'let a = b - parameter_remainder(i, parameter_0) * parameter_1.x;'],
    ['return u32(x) / 3u;', 'return parameter_quotient(u32(x), parameter_0);'],
    ['if (i % 3u == 0u) { }', 'if (parameter_remainder(i, parameter_0) == parameter_1.x) { }'],
  ])('%s', (statement, want) => expect(allParameters(statement)).toBe(want));

  it('reads parameters from the buffer outside of main', () => {
    const wgsl = `${HEAD}fn at(i: u32) -> u32 { return i * 9u; }\nfn main() {\nout[0] = at(9u);\n}`;
    const text = withParameters(wgsl, [0, 0], 1);
    expect(text).toContain('@binding(1) var<uniform> parameters: array<vec4<u32>, 1>;');
    expect(text).toContain('return i * parameters[0].x;');
    expect(text).toContain('let parameter_0 = parameters[0];');
    expect(text).toContain('out[0] = at(parameter_0.x);');
  });

  it('keeps the constants that are no parameters', () => {
    const wgsl = `${HEAD}fn main() {\nout[i / 3u] = i * 4u;\n}`;
    expect(withParameters(wgsl, [null, 0], 1)).toContain('out[i / 3u] = i * parameter_0.x;');
  });
});

const DIVISORS = [
  1,
  2,
  3,
  5,
  7,
  10,
  28,
  641,
  65_535,
  65_536,
  65_537,
  6_700_417,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 31 + 1,
  2 ** 32 - 1,
];

test('division by a parameter is exact for all numbers', async () => {
  const random = new Random(3);
  const edges = DIVISORS.flatMap((d) => [d - 1, d, d + 1, 2 * d - 1, 2 * d].filter((x) => x < 2 ** 32));
  const anywhere = Array.from({ length: 200 }, () => random.integer(0, 2 ** 32));
  const numbers = [...edges, ...anywhere, 0, 2 ** 32 - 2, 2 ** 32 - 1];
  const x = { dtype: 'uint32', shape: [numbers.length], data: Float64Array.from(numbers) } as const;
  const out = { dtype: 'uint32', shape: [numbers.length, 2 * DIVISORS.length] } as const;
  const stores = DIVISORS.map((d, k) => {
    const at = `i * ROW + ${2 * k}`;
    return `out[${at}] = x[i] / ${d}u;\nout[${at} + 1] = x[i] % ${d}u;`;
  });
  const lower = (adapter: AdapterFacts): Lowered => {
    const spec: ShaderSpec = {
      label: 'divisions',
      bindings: [
        { name: 'x', source: { kind: 'input', index: 0 }, dtype: 'uint32' },
        { name: 'out', source: { kind: 'output', index: 0 }, dtype: 'uint32' },
      ],
      workgroups: [Math.ceil(numbers.length / 64), 1, 1],
      declarations: `const ROW = ${2 * DIVISORS.length}u;`,
      body: `let i = global_id.x;\nif (i < ${numbers.length}u) {\n${stores.join('\n')}\n}`,
    };
    return { dispatches: [shader(spec, adapter)] };
  };
  const [got] = await runDispatchesOnGpu(lower, [x], [out], { parameters: true });
  const want = numbers.flatMap((n) => DIVISORS.flatMap((d) => [Math.floor(n / d), n % d]));
  expect(Array.from(got?.data ?? [])).toEqual(want);
});
