/** Which results kernels say may lie in the place of which operands, also after fusion and in float16. */
import type { DType } from '@forerun/graph';
import {
  adapted,
  fuseLoads,
  fuseStores,
  lowerElementwise,
  programEffect,
  shader,
  type AdapterFacts,
  type Dispatch,
  type ElementwiseProgram,
  type ShaderSpec,
} from '@forerun/kernels-webgpu';

const ADAPTER: AdapterFacts = {
  subgroupSize: 0,
  software: false,
  shaderF16: false,
  maxBindings: 10,
  maxBindingBytes: 2 ** 27,
  maxWorkgroups: 65_535,
  maxInvocations: 256,
};

/** The sum of inputs of these shapes, as one or several results. */
function sumOf(
  shapes: readonly (readonly number[])[],
  { dtypes = [], outputs = 1 }: { dtypes?: readonly DType[]; outputs?: number } = {},
): ElementwiseProgram {
  const names = shapes.map((_, k) => `x${k}`);
  const step = {
    expression: names.map((name, k) => (dtypes[k] === 'int32' ? `f32(${name})` : name)).join(' + '),
    operands: Object.fromEntries(names.map((name, index) => [name, { kind: 'input', index } as const])),
    dtype: 'float32' as const,
  };
  return {
    label: 'sum',
    shape: shapes[0] ?? [],
    inputs: shapes.map((shape, k) => ({ dtype: dtypes[k] ?? 'float32', shape })),
    steps: Array.from({ length: outputs }, () => step),
    outputs: Array.from({ length: outputs }, (_, k) => k),
  };
}

function kernel(program: ElementwiseProgram, arrays?: readonly number[]): Dispatch {
  const [dispatch] = lowerElementwise(program, ADAPTER, arrays).dispatches;
  if (dispatch === undefined) throw new Error('the program has no kernel');
  return dispatch;
}

const pairs = (spec: ShaderSpec | null): Dispatch['inPlace'] =>
  spec === null ? [] : shader(spec, ADAPTER).inPlace;

const output = (index: number): ShaderSpec['bindings'][number]['source'] => ({ kind: 'output', index });
const input = (index: number): ShaderSpec['bindings'][number]['source'] => ({ kind: 'input', index });

describe('elementwise programs', () => {
  test('read each operand of the shape at the element that they store', () => {
    const both = [
      ['in0', 'out0'],
      ['in1', 'out0'],
    ];
    expect(kernel(sumOf([[2, 8], [2, 8]])).inPlace).toEqual(both); // prettier-ignore
    expect(kernel(sumOf([[5], [5]])).inPlace).toEqual(both); // prettier-ignore
    expect(kernel(sumOf([[6]], { outputs: 2 })).inPlace).toEqual([['in0', 'out0'], ['in0', 'out1']]); // prettier-ignore
  });

  test('read other elements of what they broadcast', () => {
    expect(kernel(sumOf([[2, 8], [8], [2, 1], [1]])).inPlace).toEqual([['in0', 'out0']]); // prettier-ignore
  });

  test('store no result in the place of another type', () => {
    const shapes = [[2, 8], [2, 8]]; // prettier-ignore
    expect(kernel(sumOf(shapes, { dtypes: ['int32'] })).inPlace).toEqual([['in1', 'out0']]);
  });

  test('that read an array in two ways keep it', () => {
    const rows = { dtype: 'float32' as const, shape: [4, 8] };
    const first = { ...rows, shape: [1, 8], part: { offset: 8, strides: [8, 1], elements: 32 } };
    const program = { ...sumOf([[4, 8], [1, 8]]), inputs: [rows, first] }; // prettier-ignore
    expect(kernel(program, [0, 1]).inPlace).toEqual([['in0', 'out0']]);
    expect(kernel(program, [0, 0]).inPlace).toEqual([]);
  });
});

describe('fusion', () => {
  const own = kernel(sumOf([[2, 8], [2, 8]])).spec; // prettier-ignore
  const epilogue = programEffect(sumOf([[2, 8], [2, 8], [8]]), [0]); // prettier-ignore
  const fused = (keep: boolean, sources: readonly number[]): ShaderSpec | null =>
    fuseStores(own, {
      target: output(0),
      keep,
      label: 'epilogue',
      effect: (width, prefix) => {
        const code = epilogue(width, prefix);
        const moved = code.bindings.map((one) => {
          const { source } = one;
          if (source.kind === 'output') return { ...one, source: output(1) };
          return source.kind === 'input' ? { ...one, source: input(sources[source.index] ?? 0) } : one;
        });
        return { ...code, bindings: moved };
      },
    });

  test('an epilogue stores in the place of what it reads itself', () => {
    expect(pairs(own)).toHaveLength(2);
    expect(pairs(fused(false, [0, 2, 3]))).toEqual([['f0_in1', 'f0_out0']]);
    expect(pairs(fused(true, [0, 2, 3]))).toEqual([['f0_in1', 'f0_out0']]);
  });

  test('not of what the kernel reads too, nor of what it also broadcasts', () => {
    expect(pairs(fused(false, [0, 1, 3]))).toEqual([]);
    expect(pairs(fused(false, [0, 2, 2]))).toEqual([]);
  });

  test('what a prologue reads stays, also where the kernel reads it', () => {
    const program = sumOf([[2, 8]]);
    const loads = (source: number): ShaderSpec | null =>
      fuseLoads(own, { target: input(0), program, moved: (one) => ({ ...one, source: input(source) }) });
    expect(pairs(loads(2))).toEqual([['in1', 'out0']]);
    expect(pairs(loads(1))).toEqual([]);
  });
});

test('single elements of float16 share words with their neighbours, vectors do not', () => {
  const half = (shape: readonly number[], facts: Partial<AdapterFacts>): Dispatch['inPlace'] | undefined => {
    const operand = (): { dtype: DType; shape: readonly number[] } => ({ dtype: 'float16', shape });
    const lowered = lowerElementwise(sumOf([shape]), ADAPTER);
    return adapted(lowered, { input: operand, output: operand }, { ...ADAPTER, ...facts }).dispatches[0]
      ?.inPlace;
  };
  expect(half([3, 5], {})).toEqual([]);
  expect(half([3, 5], { shaderF16: true })).toEqual([['in0', 'out0']]);
  expect(half([3, 8], {})).toEqual([['in0', 'out0']]);
});
