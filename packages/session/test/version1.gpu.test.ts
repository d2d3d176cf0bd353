/** Loops and conditionals of version 1 files on the device. */
import { Graph, importGraphDef } from '@forerun/graph';
import { Session } from '../src/index.js';

const SCALAR = 'attr { key: "shape" value { shape { } } }';
const type = (name: string, dtype: string): string => `attr { key: "${name}" value { type: DT_${dtype} } }`;
const node = (name: string, op: string, inputs: string, attrs: string): string =>
  `node { name: "${name}" op: "${op}" ${inputs
    .split(' ')
    .filter((input) => input !== '')
    .map((input) => `input: "${input}"`)
    .join(' ')} ${attrs} }\n`;
const F = type('T', 'FLOAT');
const frame = 'attr { key: "frame_name" value { s: "w" } }';
const constant = 'attr { key: "is_constant" value { b: true } }';
const two = 'attr { key: "N" value { i: 2 } }';

/** x doubled until it is above the limit; then 1 / x where the flag holds, else -x. */
const GRAPH = [
  node('x', 'Placeholder', '', `${type('dtype', 'FLOAT')} ${SCALAR}`),
  node('limit', 'Placeholder', '', `${type('dtype', 'FLOAT')} ${SCALAR}`),
  node('flag', 'Placeholder', '', `${type('dtype', 'BOOL')} ${SCALAR}`),
  node('w/Enter', 'Enter', 'x', `${F} ${frame}`),
  node('w/limit', 'Enter', 'limit', `${F} ${frame} ${constant}`),
  node('w/Merge', 'Merge', 'w/Enter w/NextIteration', `${F} ${two}`),
  node('w/Less', 'LessEqual', 'w/Merge w/limit', F),
  node('w/LoopCond', 'LoopCond', 'w/Less', ''),
  node('w/Switch', 'Switch', 'w/Merge w/LoopCond', F),
  node('w/Identity', 'Identity', 'w/Switch:1', F),
  node('w/double', 'Add', 'w/Identity w/Identity', F),
  node('w/NextIteration', 'NextIteration', 'w/double', F),
  node('w/Exit', 'Exit', 'w/Switch', F),
  node('c/pred_id', 'Identity', 'flag', type('T', 'BOOL')),
  node('c/Switch', 'Switch', 'w/Exit c/pred_id', F),
  node('c/inverse', 'Reciprocal', 'c/Switch:1', F),
  node('c/negative', 'Neg', 'c/Switch', F),
  node('c/Merge', 'Merge', 'c/negative c/inverse', `${F} ${two}`),
].join('');

test('a session runs them, again and again, with other values', async () => {
  const graph = new Graph();
  importGraphDef(new TextEncoder().encode(GRAPH), { graph, name: '' });
  const sess = await Session.create({ graph });
  try {
    for (const [x, limit, flag, want] of [
      [1, 10, true, 1 / 16],
      [1, 10, false, -16],
      [3, 2, false, -3],
      [3, 20, true, 1 / 24],
    ] as const) {
      const [loop, result] = await sess.run(['w/Exit:0', 'c/Merge:0'], { x, limit, flag });
      expect(result.item()).toBeCloseTo(want, 6);
      expect(loop.item()).toBeCloseTo(flag ? 1 / want : -want, 4);
    }
    expect((await sess.run('x:0', { x: 2 })).item()).toBe(2);
  } finally {
    sess.close();
  }
});

/** A conditional as graph optimizers leave it: names with `_`, a node that waits for a placeholder, a merge that waits for a node of its branch. */
const OPTIMIZED = [
  node('x', 'Placeholder', '', `${type('dtype', 'FLOAT')} ${SCALAR}`),
  node('flag', 'Placeholder', '', `${type('dtype', 'BOOL')} ${SCALAR}`),
  node('_1', 'Identity', 'x ^flag', F),
  node('_2', 'Switch', '_1 flag', F),
  node('_on', 'Identity', '_2:1', F),
  node('_3', 'Switch', 'flag flag', type('T', 'BOOL')),
  node('_4', 'Identity', '_3', type('T', 'BOOL')),
  node('_5', 'Identity', '_3:1', type('T', 'BOOL')),
  node('half/_6', 'Const', '^_4', `${type('dtype', 'FLOAT')} attr { key: "value" value { tensor { dtype: DT_FLOAT tensor_shape { } float_val: 0.5 } } }`),
  node('_7', 'Mul', '_2 half/_6', F),
  node('_8', 'Merge', '_7 _on', `${F} ${two}`),
  node('executed/_9', 'Merge', '_5 _4 ^_7', `${type('T', 'BOOL')} ${two}`),
  node('y', 'Identity', '_8 ^executed/_9', F),
].join(''); // prettier-ignore

test('a conditional that graph optimizers changed runs', async () => {
  const graph = new Graph();
  importGraphDef(new TextEncoder().encode(OPTIMIZED), { graph, name: '' });
  await using sess = await Session.create({ graph });
  const results = [];
  for (const flag of [true, false, true]) results.push((await sess.run('y:0', { x: 3, flag })).item());
  expect(results).toEqual([3, 1.5, 3]);
});
