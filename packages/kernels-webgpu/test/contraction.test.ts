/** Contractions: which variant a shape gets on which adapter, the shaders of small ones, the grid. */
import { makeNode } from '@forerun/testing';
import type { AttrInputs, HostValue } from '@forerun/graph';
import {
  fuseStores,
  KERNELS,
  shader,
  type AdapterFacts,
  type Choice,
  type KernelContext,
  type Lowered,
} from '@forerun/kernels-webgpu';
import { candidates, signatureOf } from '../src/contraction/candidates.js';
import { variantName } from '../src/contraction/contraction.js';
import { inLoops } from '../src/contraction/loops.js';
import { foldGrid } from '../src/wgsl/foldedGrid.js';
import { chooseVariant } from '../src/contraction/variant.js';
import { lowerProduct, matrixProduct } from '../src/matrix.js';

const SOFTWARE: AdapterFacts = {
  subgroupSize: 8,
  software: true,
  shaderF16: false,
  maxBindings: 10,
  maxBindingBytes: 2 ** 27,
  maxWorkgroups: 65_535,
  maxInvocations: 1024,
};
const HARDWARE: AdapterFacts = { ...SOFTWARE, software: false, subgroupSize: 32 };

function zeros(...shape: number[]): HostValue {
  return { dtype: 'float32', shape, data: new Float64Array(shape.reduce((size, dim) => size * dim, 1)) };
}

function contextOf(
  type: 'MatMul' | 'Conv2D',
  inputs: HostValue[],
  attrs: AttrInputs,
  adapter: AdapterFacts,
): KernelContext {
  const op = makeNode(type, inputs, attrs);
  const output = { dtype: 'float32' as const, shape: op.output(0).shape.toStatic() };
  return {
    op: type,
    name: op.name,
    attrs: op.attrs,
    inputs,
    outputs: [output],
    adapter,
    input: (i) => inputs[i] ?? output,
    output: () => output,
    host: () => null,
    requireHost: (_, what) => {
      throw new Error(what);
    },
    unsupported: (why) => {
      throw new Error(why);
    },
  };
}

function lowered(
  type: 'MatMul' | 'Conv2D',
  inputs: HostValue[],
  attrs: AttrInputs = {},
  adapter = SOFTWARE,
): Lowered {
  const kernel = KERNELS[type];
  if (kernel.kind !== 'device') throw new Error(`${type} is no device kernel`);
  return kernel.lower(contextOf(type, inputs, attrs, adapter));
}

/** The shaders with max(x, 0 x) for every stored x. */
function withEpilogue({ dispatches }: Lowered): string[] {
  const target = { kind: 'output', index: 0 } as const;
  return dispatches.map(({ spec }) => {
    const fused = fuseStores(spec, {
      target,
      keep: false,
      label: 'max',
      effect: (width, prefix) => ({
        bindings: [{ name: `${prefix}out`, source: target, dtype: 'float32', width }],
        statements: `${prefix}out[i] = max(value, 0 * value);`,
      }),
    });
    if (fused === null) throw new Error(`${spec.label} takes no epilogue`);
    return shader(fused, SOFTWARE).wgsl;
  });
}

const labels = ({ dispatches }: Lowered): string[] => dispatches.map(({ label }) => label);

describe('the choice of a variant', () => {
  it.each([
    [
      { kind: 'product', rows: 1024, columns: 1024, depth: 1024, batch: 1 },
      { rows: 16, columns: 4, unroll: 4, splits: 1 },
    ],
    [
      { kind: 'product', rows: 128, columns: 10, depth: 10, batch: 1 },
      { rows: 16, columns: 2, unroll: 5 },
    ],
    [
      { kind: 'product', rows: 3, columns: 8, depth: 5, batch: 1 },
      { rows: 4, columns: 1, unroll: 5 },
    ],
    [
      { kind: 'product', rows: 1, columns: 1024, depth: 512, batch: 1, splits: (wanted: number) => wanted },
      { rows: 1, columns: 8, unroll: 4, splits: 4 },
    ],
    [
      { kind: 'product', rows: 800, columns: 64, depth: 14, turns: 1792, batch: 1 },
      { rows: 32, columns: 4, unroll: 2 },
    ],
    [
      { kind: 'product', rows: 800, columns: 64, depth: 13, turns: 1792, batch: 1 },
      { rows: 32, columns: 4, unroll: 1 },
    ],
  ])('for %j on a software adapter', (shape, want) => {
    expect(chooseVariant(shape, SOFTWARE)).toMatchObject({ form: 'fragment', lanes: 8, ...want });
  });

  it('keeps bodies small for narrow subgroups and shares nothing without subgroups', () => {
    const shape = { kind: 'product', rows: 256, columns: 256, depth: 64, batch: 1 };
    expect(chooseVariant(shape, { ...SOFTWARE, subgroupSize: 4 })).toMatchObject({ lanes: 4, rows: 8 });
    expect(chooseVariant(shape, { ...SOFTWARE, subgroupSize: 0 })).toMatchObject({ lanes: 1, rows: 4 });
  });

  it('splits long sums with few results, into parts that the sum allows', () => {
    const shape = { kind: 'product', rows: 25, columns: 32, depth: 28, turns: 3584, batch: 1 };
    expect(chooseVariant(shape, SOFTWARE).splits).toBe(1);
    expect(chooseVariant({ ...shape, splits: (wanted) => wanted }, SOFTWARE).splits).toBe(8);
    expect(chooseVariant({ ...shape, splits: () => 3 }, HARDWARE)).toMatchObject({ form: 'tile', splits: 3 });
  });

  it('uses workgroup memory on hardware', () => {
    const shape = { kind: 'product', rows: 2048, columns: 2048, depth: 64, batch: 1 };
    expect(chooseVariant(shape, HARDWARE)).toEqual({
      form: 'tile',
      threads: 16,
      rows: 4,
      columns: 4,
      depth: 16,
      splits: 1,
    });
    expect(chooseVariant({ ...shape, rows: 20 }, HARDWARE)).toMatchObject({ threads: 8 });
  });
});

describe('the candidates', () => {
  const shapes = [
    { kind: 'product', rows: 1024, columns: 1024, depth: 1024, batch: 1 },
    { kind: 'product', rows: 1, columns: 3136, depth: 1024, batch: 1, splits: (wanted: number) => wanted },
    { kind: 'product', rows: 128, columns: 10, depth: 1024, batch: 1, splits: (wanted: number) => wanted },
    { kind: 'product', rows: 1, columns: 1, depth: 1, batch: 1 },
    { kind: 'Conv2D', rows: 6272, columns: 64, depth: 192, turns: 3, batch: 1 },
    { kind: 'Conv2DBackpropFilter', rows: 27, columns: 32, depth: 32, turns: 2048, batch: 4 },
  ];
  const adapters = [0, 4, 8, 16, 32, 64, 128].flatMap((subgroupSize) => [
    { ...SOFTWARE, subgroupSize },
    { ...HARDWARE, subgroupSize },
  ]);

  it.each(shapes)('for %j begin with the default and are few and different', (shape) => {
    for (const adapter of adapters) {
      const variants = candidates(shape, adapter);
      const names = variants.map(variantName);
      expect(variants[0]).toEqual(chooseVariant(shape, adapter));
      expect(names.length).toBeLessThanOrEqual(12);
      expect(new Set(names).size).toBe(names.length);
      for (const v of variants) {
        if (v.form === 'fragment') expect([1, adapter.subgroupSize]).toContain(v.lanes);
        else expect(v.threads ** 2).toBeLessThanOrEqual(adapter.maxInvocations);
      }
    }
  });

  it('have every form somewhere', () => {
    const names = shapes.flatMap((shape) =>
      adapters.flatMap((adapter) => candidates(shape, adapter).map(variantName)),
    );
    const forms = new Set(
      names.map((name) => `${name.replace(/\d.*/, '')}${/s\d+$/.test(name) ? ' split' : ''}`),
    );
    expect([...forms].sort()).toEqual(
      ['register', 'subgroup', 'tile', 'turned'].flatMap((form) => [form, `${form} split`]).sort(),
    );
  });

  it('are told apart by signatures that name what kernels depend on', () => {
    const shape = { kind: 'Conv2D', rows: 8, columns: 4, depth: 3, turns: 2, batch: 5, detail: '7k3p1' };
    expect(signatureOf(shape, 'float32')).toBe('Conv2D float32 8x4x3*2 b5 7k3p1');
  });

  it('are taken as the adapter says', () => {
    const asked: string[] = [];
    const choose = (choice: Choice): number => {
      asked.push(choice.signature, choice.candidates[1]?.name ?? '');
      return 1;
    };
    const text = labels(lowered('MatMul', [zeros(64, 32), zeros(32, 64)], {}, { ...SOFTWARE, choose }));
    expect(asked).toEqual(['product float32 64x64x32 NN', 'subgroup32x4k4']);
    expect(text).toEqual(['MatMul.subgroup32x4k4']);
    const none = { ...SOFTWARE, choose: () => 99 };
    expect(() => lowered('MatMul', [zeros(64, 32), zeros(32, 64)], {}, none)).toThrow(
      'there is no candidate 99',
    );
  });
});

describe('the shaders', () => {
  it('loads a row-major factor and broadcasts it from lane to lane', () => {
    const { dispatches } = lowered('MatMul', [zeros(2, 2), zeros(2, 3)]);
    expect(dispatches[0]?.wgsl).toMatchSnapshot();
  });

  it('keeps addresses of a padded convolution in the image by one comparison', () => {
    const inputs = [zeros(1, 4, 4, 1), zeros(3, 3, 1, 2)];
    const { dispatches } = lowered(
      'Conv2D',
      inputs,
      { strides: [1, 1, 1, 1], padding: 'SAME' },
      {
        ...SOFTWARE,
        subgroupSize: 0,
      },
    );
    expect(dispatches[0]?.wgsl).toMatchSnapshot();
  });

  it('shares tiles in workgroup memory on hardware', () => {
    const { dispatches } = lowered('MatMul', [zeros(20, 24), zeros(24, 12)], {}, HARDWARE);
    expect(dispatches[0]?.wgsl).toMatchSnapshot();
  });

  it('takes vectors along whichever axis is contiguous', () => {
    const text = (ta: boolean, tb: boolean): string => {
      const [a, b] = [ta ? zeros(32, 64) : zeros(64, 32), tb ? zeros(128, 32) : zeros(32, 128)];
      return lowered('MatMul', [a, b], { transpose_a: ta, transpose_b: tb }).dispatches[0]?.wgsl ?? '';
    };
    for (const ta of [false, true]) {
      for (const tb of [false, true]) expect(text(ta, tb).match(/array<vec4<f32>>/g)).toHaveLength(3);
    }
  });

  it('adds the parts of a split sum in a second dispatch, where the epilogue goes', () => {
    const c = contextOf('MatMul', [zeros(1, 640), zeros(640, 40)], {}, SOFTWARE);
    const product = matrixProduct(c, false, false);
    const variant = { form: 'fragment', lanes: 8, rows: 1, columns: 4, unroll: 4, splits: 4 } as const;
    const split = lowerProduct(c, product, variant);
    expect(labels(split)).toEqual(['MatMul.subgroup1x4k4', 'MatMul.addParts4']);
    expect(split.scratch).toEqual([4 * 40 * 4]);
    expect(withEpilogue(split).map((text) => text.includes('max('))).toEqual([false, true]);
    const whole = lowerProduct(c, product, { ...variant, splits: 1 });
    expect(withEpilogue(whole).map((text) => text.includes('max('))).toEqual([true]);
  });

  it('does nothing for empty results and writes zeros for empty sums', () => {
    expect(lowered('MatMul', [zeros(0, 3), zeros(3, 2)]).dispatches).toEqual([]);
    expect(labels(lowered('MatMul', [zeros(2, 0), zeros(0, 2)]))).toEqual(['MatMul.empty']);
  });
});

describe('grids and loops', () => {
  it('folds grids above the limit and covers them exactly', () => {
    const adapter = { ...SOFTWARE, maxWorkgroups: 4 };
    expect(foldGrid('product', [4, 4, 4], [8, 1, 1], adapter)).toBeNull();
    const folded = foldGrid('product', [5, 3, 1], [8, 1, 1], adapter);
    expect(folded?.workgroups).toEqual([4, 4, 1]);
    expect(folded?.code).toContain('if (group_number >= 15u) { return; }');
    expect(folded?.code).toContain(
      'vec3<u32>(group_number % 5u, group_number / 5u % 3u, group_number / 15u)',
    );
  });

  it('cuts only the outermost loop into parts', () => {
    const loops = [
      { variable: 'i', count: 6 },
      { variable: 'j', count: 'n' },
    ];
    expect(inLoops(loops, { variable: 'split', parts: 2 }, 'body').split('\n')).toEqual([
      'for (var i = split * 6u / 2u; i < (split + 1u) * 6u / 2u; i++) {',
      'for (var j = 0u; j < n; j++) {',
      'body',
      '}',
      '}',
    ]);
  });
});
