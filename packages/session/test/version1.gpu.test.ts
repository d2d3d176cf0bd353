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
