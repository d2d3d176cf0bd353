/** Optional arguments given by position, as in Python, are refused and not ignored. */
import * as fr from '@forerun/graph';

beforeEach(() => fr.resetDefaultGraph());

/** Calls a builder as plain JavaScript can, without the types. */
function call(builder: unknown, ...args: readonly unknown[]): () => unknown {
  return () => (builder as (...args: readonly unknown[]) => unknown)(...args);
}

const matrix = [
  [1, 2],
  [3, 4],
];

test.each<[string, () => unknown, string]>([
  ['argMax', call(fr.argMax, matrix, 1), 'argMax: options must be an object such as { axis: 1 }, got 1'],
  ['argMin', call(fr.argMin, matrix, 1), 'argMin: options must be an object such as { axis: 1 }, got 1'],
  [
    'reduceMean',
    call(fr.reduceMean, matrix, [0, 1]),
    'Mean: options must be an object such as { axis: 1 }, got [0,1]',
  ],
  [
    'reduceStd',
    call(fr.reduceStd, matrix, 0),
    'reduceStd: options must be an object such as { axis: 1 }, got 0',
  ],
  ['cumsum', call(fr.cumsum, matrix, 1), 'cumsum: options must be an object such as { axis: 1 }, got 1'],
  ['cumprod', call(fr.cumprod, matrix, 1), 'cumprod: options must be an object such as { axis: 1 }, got 1'],
  ['softmax', call(fr.softmax, matrix, 0), 'softmax: options must be an object such as { axis: 1 }, got 0'],
  [
    'logSoftmax',
    call(fr.logSoftmax, matrix, 0),
    'logSoftmax: options must be an object such as { axis: 1 }, got 0',
  ],
  [
    'transpose',
    call(fr.transpose, matrix, [0, 1]),
    'transpose: options must be an object such as { perm: [1, 0] }, got [0,1]',
  ],
  [
    'squeeze',
    call(fr.squeeze, [[1]], Int32Array.of(0)),
    'squeeze: options must be an object such as { axis: [1] }, got Int32Array',
  ],
  ['stack', call(fr.stack, [1, 2], null), 'stack: options must be an object such as { axis: 1 }, got null'],
  [
    'zeros',
    call(fr.zeros, [2], 'int32'),
    `zeros: options must be an object such as { dtype: 'int32' }, got "int32"`,
  ],
  [
    'ones',
    call(fr.ones, [2], 'int32'),
    `ones: options must be an object such as { dtype: 'int32' }, got "int32"`,
  ],
  [
    'placeholder',
    call(fr.placeholder, 'float32', [2], 'x'),
    `placeholder: options must be an object such as { name: 'x' }, got "x"`,
  ],
])('%s refuses options by position', (_, build, message) => {
  expect(build).toThrow(fr.InvalidArgumentError);
  expect(build).toThrow(message);
});

test('a tensor and a function are no options', () => {
  const axis = fr.constant(1, { dtype: 'int32' });
  expect(call(fr.argMax, matrix, axis)).toThrow('got Tensor("Const:0", shape=[], dtype=int32)');
  expect(call(fr.softmax, matrix, () => 0)).toThrow('got a function');
});

test('a graph file is its bytes', () => {
  expect(call(fr.importGraphDef, 'model/graph.pb')).toThrow(
    'a graph file is given as its bytes, a Uint8Array; got the string "model/graph.pb". For a path use fr.io.readGraph(path)',
  );
  expect(call(fr.readGraphDef, new ArrayBuffer(2))).toThrow('got [object ArrayBuffer]');
});

test('customGradient says what the function must return', () => {
  const pair = call(fr.customGradient, (x: fr.Tensor) => [x, (dy: fr.Tensor) => dy]) as () => () => unknown;
  expect(() => (pair() as (x: number) => unknown)(1)).toThrow(
    'customGradient: the function must return { value, grad }',
  );
});
