/** Numbers, sizes and tables as text; FLOP rules one by one. */
import { builders, Graph, placeholder, TensorShape, TensorValue, type Tensor } from '@forerun/graph';
import { createColors } from 'picocolors';
import { flopsOf } from '../src/flops.js';
import { formatBytes, formatCount, formatFlops, formatShape, plural, table } from '../src/format.js';
import { parseShape } from '../src/inputShapes.js';
import { quote } from '../src/renderDot.js';
import type { Terminal } from '../src/terminal.js';
import { formatAttr, summarizeValue } from '../src/values.js';

const terminal: Terminal = {
  colors: createColors(false),
  unicode: true,
  width: Infinity,
  print: () => undefined,
  warn: () => undefined,
  progress: undefined,
  env: {},
};

test('counts, bytes and FLOPs', () => {
  expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
  expect([0, 1023, 1024, 1536, 2 ** 20, 2 ** 20 - 1, 411e6].map(formatBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '1.0 MiB',
    '1.0 MiB',
    '392.0 MiB',
  ]);
  expect([7, 27_900_000, 4.1e9].map(formatFlops)).toEqual(['7', '27.9 M', '4.1 G']);
  expect([plural(1, 'node'), plural(2000, 'node')]).toEqual(['1 node', '2,000 nodes']);
});

test('shapes', () => {
  expect(formatShape(TensorShape.of([null, 3]))).toBe('[?,3]');
  expect(formatShape(null)).toBe('?');
  expect(formatShape([])).toBe('[]');
});

test('tables are aligned, and cut at the flexible column', () => {
  const columns = [
    { title: 'name', flexible: true },
    { title: 'n', right: true },
  ];
  const rows = [
    ['a/very/long/name/of/a/node', '12'],
    ['b', '3'],
  ];
  expect(table(columns, rows, terminal)).toEqual([
    '  name                         n',
    '  a/very/long/name/of/a/node  12',
    '  b                            3',
  ]);
  expect(table(columns, rows, { ...terminal, width: 20 })).toEqual([
    '  name             n',
    '  a/very/long/n…  12',
    '  b                3',
  ]);
  const narrow = table(columns, rows, { ...terminal, width: 10, unicode: false });
  expect(Math.max(...narrow.map((line) => line.length))).toBeLessThanOrEqual(10);
});

test('values and attributes', () => {
  const floats = new TensorValue('float32', [7], new Float32Array([0.1, 1, NaN, 4, 5, 6, 7]));
  expect(summarizeValue(floats)).toBe('[0.1, 1, "NaN", 4, 5, 6, ...]');
  expect(summarizeValue(new TensorValue('int64', [], new BigInt64Array([2n ** 62n])))).toBe(
    '"4611686018427387904"',
  );
  expect(summarizeValue(new TensorValue('bool', [2], new Uint8Array([1, 0])))).toBe('[true, false]');
  expect(formatAttr({ kind: 'list(int)', value: [1, 2n ** 60n] })).toBe('[1, "1152921504606846976"]');
  expect(formatAttr({ kind: 'float', value: Math.fround(0.9) })).toBe('0.9');
  expect(formatAttr({ kind: 'shape', value: TensorShape.of([null, 2]) })).toBe('[?,2]');
  expect(formatAttr({ kind: 'type', value: 'int32' })).toBe('int32');
});

test('shapes on the command line', () => {
  expect([...parseShape('x=1,2,3')]).toEqual([['x', [1, 2, 3]]]);
  expect([...parseShape('a/b:0=[4, 5]')]).toEqual([['a/b', [4, 5]]]);
  expect([...parseShape('s=', new Map([['x', [1]]]))]).toEqual([
    ['x', [1]],
    ['s', []],
  ]);
  expect([...parseShape('x=8x3')]).toEqual([['x', [8, 3]]]);
});

test('strings of Graphviz', () => {
  expect(quote('a"b\\c\nd')).toBe('"a\\"b\\\\c\\nd"');
});

describe('FLOPs', () => {
  /** FLOPs of the last node that `build` makes of placeholders with these shapes. */
  function flops(shapes: (number | null)[][], build: (...inputs: Tensor[]) => Tensor): number | null {
    const graph = new Graph();
    return graph.asDefault(() => flopsOf(build(...shapes.map((shape) => placeholder('float32', shape))).op));
  }

  const {
    add,
    avgPool,
    batchMatMul,
    biasAdd,
    cast,
    conv2d,
    exp,
    matMul,
    maxPool,
    reduceSum,
    reshape,
    softmax,
  } = builders;
  const at = (inputs: Tensor[], i: number): Tensor => {
    const input = inputs[i];
    if (input === undefined) throw new Error(`no input ${i}`);
    return input;
  };

  test.each<[string, number | null, number[][], (...inputs: Tensor[]) => Tensor]>([
    [
      'matMul',
      2 * 4 * 5 * 3,
      [
        [4, 3],
        [3, 5],
      ],
      (...t) => matMul(at(t, 0), at(t, 1)),
    ],
    [
      'matMul, transposed',
      2 * 4 * 5 * 3,
      [
        [3, 4],
        [5, 3],
      ],
      (...t) => matMul(at(t, 0), at(t, 1), { transposeA: true, transposeB: true }),
    ],
    [
      'batchMatMul',
      2 * 7 * 4 * 5 * 3,
      [
        [7, 4, 3],
        [7, 3, 5],
      ],
      (...t) => batchMatMul(at(t, 0), at(t, 1)),
    ],
    [
      'conv2d',
      2 * (2 * 4 * 4 * 8) * (3 * 3 * 5),
      [
        [2, 8, 8, 5],
        [3, 3, 5, 8],
      ],
      (...t) => conv2d(at(t, 0), at(t, 1), { strides: 2, padding: 'SAME' }),
    ],
    ['biasAdd', 12, [[3, 4], [4]], (...t) => biasAdd(at(t, 0), at(t, 1))],
    ['add, broadcast', 12, [[3, 1], [4]], (...t) => add(at(t, 0), at(t, 1))],
    ['exp', 12, [[3, 4]], (...t) => exp(at(t, 0))],
    ['reduceSum', 12, [[3, 4]], (...t) => reduceSum(at(t, 0), { axis: 1 })],
    ['softmax', 60, [[3, 4]], (...t) => softmax(at(t, 0))],
    [
      'maxPool',
      2 * 2 * 4,
      [[1, 4, 4, 1]],
      (...t) => maxPool(at(t, 0), { ksize: 2, strides: 2, padding: 'VALID' }),
    ],
    [
      'avgPool',
      2 * 2 * 4,
      [[1, 4, 4, 1]],
      (...t) => avgPool(at(t, 0), { ksize: 2, strides: 2, padding: 'VALID' }),
    ],
    ['reshape moves nothing', 0, [[3, 4]], (...t) => reshape(at(t, 0), [12])],
    ['cast converts', 0, [[3, 4]], (...t) => cast(at(t, 0), 'int32')],
  ])('%s', (_, expected, shapes, build) => {
    expect(flops(shapes, build)).toBe(expected);
  });

  test('unknown shapes give nothing', () => {
    expect(flops([[null, 3]], (x) => exp(x))).toBeNull();
  });
});
