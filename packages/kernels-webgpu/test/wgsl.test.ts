/** The pieces from which all kernels are written: constants, indices, the function library, the module. */
import {
  lowerElementwise,
  libraryFor,
  literal,
  widen,
  type AdapterFacts,
  type ElementwiseProgram,
} from '@forerun/kernels-webgpu';
import { broadcastIndex, collapse, gridFor, gridStride, unflatten } from '../src/wgsl/indexing.js';
import { shader } from '../src/wgsl/shader.js';

const ADAPTER: AdapterFacts = {
  subgroupSize: 0,
  software: false,
  shaderF16: false,
  maxBindings: 8,
  maxBindingBytes: 2 ** 27,
  maxWorkgroups: 65535,
  maxInvocations: 256,
};
const SOFTWARE: AdapterFacts = { ...ADAPTER, software: true };

describe('literal', () => {
  it('writes ordinary numbers as they are', () => {
    expect(literal(0.5, 'float32')).toBe('f32(0.5)');
    expect(literal(3, 'float32')).toBe('f32(3.0)');
    expect(literal(1e20, 'float32')).toBe('f32(100000002004087730000.0)');
    expect(literal(-7, 'int32')).toBe('i32(-7)');
    expect(literal(255, 'uint8')).toBe('u32(255u)');
    expect(literal(1, 'bool')).toBe('bool(true)');
  });

  it('passes what WGSL refuses or changes through its bits', () => {
    expect(literal(NaN, 'float32')).toBe('float_bits(u32(0x7fc00000u))');
    expect(literal(-Infinity, 'float32')).toBe('float_bits(u32(0xff800000u))');
    expect(literal(1e39, 'float32')).toBe('float_bits(u32(0x7f800000u))');
    expect(literal(-0, 'float32')).toBe('float_bits(u32(0x80000000u))');
    expect(literal(1e-40, 'float32')).toBe('float_bits(u32(0x116c2u))');
  });

  it('keeps the whole range of integers', () => {
    expect(literal(-(2 ** 31), 'int32')).toBe('i32(-2147483648)');
    expect(literal(2 ** 32 - 1, 'uint32')).toBe('u32(4294967295u)');
  });
});

describe('the library', () => {
  it('widens types and library functions, but no other names', () => {
    expect(widen('select(erf(x), f32(0.0), x < f32(1.0))', 4)).toBe(
      'select(erf_v4(x), vec4<f32>(0.0), x < vec4<f32>(1.0))',
    );
    expect(widen('sqrt(v.f32)', 4)).toBe('sqrt(v.f32)');
    expect(widen('erf(x)', 1)).toBe('erf(x)');
  });

  it('includes what a text needs, callees first, and nothing else', () => {
    const text = libraryFor('let y = softplus(x);');
    const names = [...text.matchAll(/fn (\w+)/g)].map(([, name]) => name);
    expect(names.at(-1)).toBe('softplus');
    expect(names).toContain('log1p');
    expect(names.indexOf('log1p')).toBeLessThan(names.indexOf('softplus'));
    expect(names).not.toContain('erf');
    expect(new Set(names).size).toBe(names.length);
    expect(libraryFor('let y = sqrt(x);')).toBe('');
  });

  it('calls functions that branch once per lane', () => {
    expect(libraryFor('int_pow_v4(x, y)')).toContain(
      'return vec4<i32>(int_pow(x.x, y.x), int_pow(x.y, y.y), int_pow(x.z, y.z), int_pow(x.w, y.w));',
    );
  });
});

describe('indexing', () => {
  it('divides by constants and drops dimensions of size 1', () => {
    expect(unflatten('i', [2, 1, 3])).toEqual({
      code: 'let c0 = i / 3u;\nlet c2 = (i) % 3u;',
      names: ['c0', '0u', 'c2'],
    });
    expect(broadcastIndex(['c0', 'c1', 'c2'], [4, 1], [2, 4, 3])).toBe('c1');
    expect(broadcastIndex(['c0', 'c1'], [], [2, 3])).toBe('0u');
  });

  it('merges dimensions that no operand tells apart', () => {
    expect(collapse([8, 32, 64], [[8, 32, 64], [64]])).toEqual({
      shape: [256, 64],
      strides: [
        [64, 1],
        [0, 1],
      ],
    });
    expect(
      collapse(
        [2, 3, 4],
        [
          [2, 3, 4],
          [2, 3, 4],
        ],
      ),
    ).toEqual({ shape: [24], strides: [[1], [1]] });
    expect(collapse([2, 3, 4], [[2, 1, 4], []])).toEqual({
      shape: [2, 3, 4],
      strides: [
        [4, 0, 1],
        [0, 0, 0],
      ],
    });
    expect(collapse([1, 1], [[1, 1]])).toEqual({ shape: [], strides: [[]] });
  });

  it('never dispatches more workgroups than the adapter takes', () => {
    expect(gridFor(2 ** 26, 4, ADAPTER)).toEqual({
      workgroups: [65535, 1, 1],
      stride: 65535 * 64,
      items: 2 ** 24,
    });
    expect(gridFor(2 ** 26, 4, SOFTWARE).workgroups).toEqual([64, 1, 1]);
    expect(gridFor(5, 4, SOFTWARE)).toEqual({ workgroups: [1, 1, 1], stride: 64, items: 2 });
    expect(gridStride(gridFor(2 ** 20, 1, SOFTWARE), 'f();')).toContain('i += 4096u');
    expect(gridStride(gridFor(10, 1, SOFTWARE), 'f();')).toBe(
      'let i = global_id.x;\nif (i < 10u) {\nf();\n}',
    );
  });
});

describe('shader', () => {
  const bindings = [
    { name: 'x', source: { kind: 'input', index: 0 }, dtype: 'float32', width: 4 },
    { name: 'counts', source: { kind: 'scratch', index: 0 }, dtype: 'uint32', atomic: true },
  ] as const;

  it('declares bindings and just the parameters that the body names', () => {
    const { wgsl, bindings: bound } = shader(
      {
        label: 'test',
        bindings,
        workgroups: [1, 1, 1],
        workgroupSize: [8, 8, 1],
        body: 'let a = local_id.x;',
      },
      ADAPTER,
    );
    expect(wgsl).toMatchInlineSnapshot(`
"@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>>;
@compute @workgroup_size(8, 8, 1)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>) {
let a = local_id.x;
}
"
`);
    expect(bound.map(({ access }) => access)).toEqual(['read', 'read_write']);
  });

  it('enables subgroups where they are used', () => {
    const body = 'let a = subgroupAdd(x[lane].x);';
    const { wgsl } = shader({ label: 'test', bindings, workgroups: [1, 1, 1], body }, ADAPTER);
    expect(wgsl.startsWith('enable subgroups;\n')).toBe(true);
    expect(wgsl).toContain('@builtin(subgroup_invocation_id) lane: u32');
  });

  it('folds a grid of more workgroups than one dimension takes', () => {
    const spec = { label: 'test', bindings, body: 'let at = global_id.x;' };
    const { workgroups, wgsl } = shader({ ...spec, workgroups: [70000, 1, 1] }, ADAPTER);
    expect(workgroups).toEqual([265, 265, 1]);
    expect(wgsl).toContain('if (group_number >= 70000u) { return; }');
  });

  it('refuses what the adapter cannot run', () => {
    const spec = { label: 'test', bindings, body: '' };
    expect(() => shader({ ...spec, workgroups: [65, 1, 1] }, { ...ADAPTER, maxWorkgroups: 4 })).toThrow(
      'kernel test needs 65 workgroups, the adapter takes 4 in each of three dimensions',
    );
    expect(() => shader({ ...spec, workgroups: [1, 1, 1] }, { ...ADAPTER, maxBindings: 1 })).toThrow(
      'kernel test needs 2 storage bindings, the adapter has 1',
    );
  });
});

describe('lowerElementwise', () => {
  const program: ElementwiseProgram = {
    label: 'BiasAdd+Relu',
    shape: [3, 8],
    inputs: [
      { dtype: 'float32', shape: [3, 8] },
      { dtype: 'float32', shape: [8] },
    ],
    steps: [
      {
        expression: 'x + y',
        operands: { x: { kind: 'input', index: 0 }, y: { kind: 'input', index: 1 } },
        dtype: 'float32',
      },
      {
        expression: 'max(x, zero)',
        operands: { x: { kind: 'step', index: 0 }, zero: { kind: 'literal', value: 0, dtype: 'float32' } },
        dtype: 'float32',
      },
    ],
    outputs: [1],
  };

  it('writes one loop over vec4s when the last dimension allows it', () => {
    expect(lowerElementwise(program, ADAPTER).dispatches.map(({ wgsl }) => wgsl)).toMatchInlineSnapshot(`
[
  "@group(0) @binding(0) var<storage, read> in0: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> in1: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out0: array<vec4<f32>>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global_id: vec3<u32>) {
let i = global_id.x;
if (i < 6u) {
let c0 = i / 2u;
let c1 = (i) % 2u;
let x0 = in0[i];
let x1 = in1[c1];
let s0 = x0 + x1;
let s1 = max(s0, vec4<f32>(0.0));
out0[i] = s1;
}
}
",
]
`);
  });

  it('writes scalars otherwise, and nothing for no elements', () => {
    const odd = {
      ...program,
      shape: [3, 7],
      inputs: [
        { dtype: 'float32', shape: [3, 7] },
        { dtype: 'float32', shape: [] },
      ],
    } as const;
    const [dispatch] = lowerElementwise(odd, ADAPTER).dispatches;
    expect(dispatch?.wgsl).toContain('let x1 = in1[0u];');
    expect(dispatch?.wgsl).not.toContain('vec4');
    expect(lowerElementwise({ ...program, shape: [0, 8] }, ADAPTER)).toEqual({ dispatches: [] });
  });

  it('splits programs with too many buffers, handing values on through scratch', () => {
    const inputs = Array.from({ length: 9 }, () => ({ dtype: 'float32', shape: [6] }) as const);
    const steps = Array.from({ length: 8 }, (_, i) => ({
      expression: 'x + y',
      operands: {
        x: i === 0 ? ({ kind: 'input', index: 0 } as const) : ({ kind: 'step', index: i - 1 } as const),
        y: { kind: 'input', index: i + 1 } as const,
      },
      dtype: 'float32' as const,
    }));
    const sum = { label: 'AddN', shape: [6], inputs, steps, outputs: [7] };
    const { dispatches, scratch } = lowerElementwise(sum, { ...ADAPTER, maxBindings: 4 });
    expect(dispatches.every(({ bindings }) => bindings.length <= 4)).toBe(true);
    expect(scratch).toEqual(new Array(dispatches.length - 1).fill(24));
    expect(dispatches.at(-1)?.bindings.at(-1)?.source).toEqual({ kind: 'output', index: 0 });
    const reads = dispatches.flatMap(({ bindings }) =>
      bindings.flatMap(({ source }) => (source.kind === 'input' ? [source.index] : [])),
    );
    expect(reads.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('refuses a step that no dispatch can hold and unknown dtypes', () => {
    expect(() => lowerElementwise(program, { ...ADAPTER, maxBindings: 2 })).toThrow(
      'kernel BiasAdd+Relu needs 3 storage bindings in one step, the adapter has 2',
    );
    const complex = {
      ...program,
      inputs: program.inputs.map(({ shape }) => ({ dtype: 'complex64', shape }) as const),
    };
    expect(() => lowerElementwise(complex, ADAPTER)).toThrow(
      'dtype complex64 is not computed with on the device',
    );
  });
});
