/** Version 1 control flow with state on the device: references that go through it, and effects that must happen once. */
import { Graph, importGraphDef } from '@forerun/graph';
import { Session } from '../src/index.js';

const FLOAT = 'attr { key: "T" value { type: DT_FLOAT } }';
const DTYPE = 'attr { key: "dtype" value { type: DT_FLOAT } }';
const BOOL = 'attr { key: "T" value { type: DT_BOOL } }';
const SCALAR = 'attr { key: "shape" value { shape { } } }';
const N = 'attr { key: "N" value { i: 2 } }';
const frame = 'attr { key: "frame_name" value { s: "f" } }';
const node = (name: string, op: string, inputs: string, attrs = FLOAT): string =>
  `node { name: "${name}" op: "${op}" ${inputs
    .split(' ')
    .filter((input) => input !== '')
    .map((input) => `input: "${input}"`)
    .join(' ')} ${attrs} }\n`;
const number = (name: string, value: number): string =>
  node(
    name,
    'Const',
    '',
    `${DTYPE} attr { key: "value" value { tensor { dtype: DT_FLOAT tensor_shape { } float_val: ${value} } } }`,
  );

const VARIABLE = [
  node('v', 'VariableV2', '', `${DTYPE} ${SCALAR}`),
  number('start', 1),
  number('ten', 10),
  node('init', 'Assign', 'v start'),
  node('flag', 'Placeholder', '', `attr { key: "dtype" value { type: DT_BOOL } } ${SCALAR}`),
].join('');

async function open(text: string): Promise<{ sess: Session; graph: Graph }> {
  const graph = new Graph();
  importGraphDef(new TextEncoder().encode(text), { graph, name: '' });
  const sess = await Session.create({ graph });
  await sess.run(graph.getOperationByName('init'));
  return { sess, graph };
}

describe('references', () => {
  test.each([
    [true, 11],
    [false, -9],
  ])('are assigned in the branch for %s', async (flag, want) => {
    const { sess } = await open(
      [
        VARIABLE,
        node('c/v', 'RefSwitch', 'v flag'),
        node('c/ten', 'Switch', 'ten flag'),
        node('c/add', 'AssignAdd', 'c/v:1 c/ten:1'),
        node('c/sub', 'AssignSub', 'c/v c/ten'),
        node('c/Merge', 'RefMerge', 'c/sub c/add', `${FLOAT} ${N}`),
        node('y', 'Identity', 'c/Merge'),
      ].join(''),
    );
    try {
      expect((await sess.run('y:0', { flag })).item()).toBe(want);
      expect((await sess.run('v:0')).item()).toBe(want);
    } finally {
      sess.close();
    }
  });

  test('do not go round a loop', async () => {
    const { sess } = await open(
      [
        VARIABLE,
        number('limit', 45),
        node('w/Enter', 'RefEnter', 'v', `${FLOAT} ${frame}`),
        node('w/Merge', 'RefMerge', 'w/Enter w/NextIteration', `${FLOAT} ${N}`),
        node('w/limit', 'Enter', 'limit', `${FLOAT} ${frame} attr { key: "is_constant" value { b: true } }`),
        node('w/ten', 'Enter', 'ten', `${FLOAT} ${frame} attr { key: "is_constant" value { b: true } }`),
        node('w/Less', 'Less', 'w/Merge w/limit'),
        node('w/LoopCond', 'LoopCond', 'w/Less', ''),
        node('w/Switch', 'RefSwitch', 'w/Merge w/LoopCond'),
        node('w/add', 'AssignAdd', 'w/Switch:1 w/ten'),
        node('w/NextIteration', 'RefNextIteration', 'w/add'),
        node('w/Exit', 'RefExit', 'w/Switch'),
        node('y', 'Identity', 'w/Exit'),
      ].join(''),
    );
    try {
      await expect(sess.run('y:0')).rejects.toThrow(
        'RefMerge "w/Merge" carries a reference round a loop, which has no functional form',
      );
    } finally {
      sess.close();
    }
  });
});

/** Two conditionals on one predicate of which the second uses the first: an effect that both need, and a draw. */
const SHARED = [
  VARIABLE,
  node('c/v', 'RefSwitch', 'v flag'),
  node('c/ten', 'Switch', 'ten flag'),
  node('c/add', 'AssignAdd', 'c/v:1 c/ten:1'),
  node('c/sum', 'Add', 'c/add c/ten:1'),
  node('c/Merge', 'Merge', 'c/ten c/sum', `${FLOAT} ${N}`),
  node('twice', 'Add', 'c/Merge c/Merge'),
  node('c/twice', 'Switch', 'twice flag'),
  node('c/both', 'Add', 'c/twice:1 c/add'),
  node('c/Merge_1', 'Merge', 'c/twice c/both', `${FLOAT} ${N}`),
].join('');

test.each([
  [true, [21, 42 + 11, 11]],
  [false, [10, 20, 1]],
])('an effect that two conditionals need happens once (%s)', async (flag, want) => {
  const { sess } = await open(SHARED);
  try {
    const values = await sess.run(['c/Merge:0', 'c/Merge_1:0'], { flag });
    const after = await sess.run('v:0');
    expect([...values, after].map((value) => value.item())).toEqual(want);
  } finally {
    sess.close();
  }
});

test('numbers that two conditionals need are drawn once', async () => {
  const shape = `node { name: "size" op: "Const" attr { key: "dtype" value { type: DT_INT32 } } attr { key: "value" value { tensor { dtype: DT_INT32 tensor_shape { dim { size: 1 } } int_val: 3 } } } }\n`;
  const draw = `${DTYPE} attr { key: "T" value { type: DT_INT32 } } attr { key: "seed" value { i: 5 } } attr { key: "seed2" value { i: 7 } }`;
  const { sess } = await open(
    [
      VARIABLE,
      shape,
      node('c/ten', 'Switch', 'ten flag'),
      node('c/Switch', 'Switch', 'flag flag', BOOL),
      node('c/switch_t', 'Identity', 'c/Switch:1', BOOL),
      node('c/size', 'Switch', 'size flag', 'attr { key: "T" value { type: DT_INT32 } }'),
      node('c/draw', 'RandomUniform', 'c/size:1', draw),
      node('c/Merge', 'Merge', 'c/ten c/draw', `${FLOAT} ${N}`),
      node('negative', 'Neg', 'c/Merge'),
      node('c/negative', 'Switch', 'negative flag'),
      node('c/difference', 'Add', 'c/negative:1 c/draw'),
      node('c/Merge_1', 'Merge', 'c/negative c/difference', `${FLOAT} ${N}`),
    ].join(''),
  );
  try {
    const [drawn, difference] = await sess.run(['c/Merge:0', 'c/Merge_1:0'], { flag: true });
    expect(new Set(drawn.toArray() as number[]).size).toBe(3);
    expect(difference.toArray()).toEqual([0, 0, 0]);
  } finally {
    sess.close();
  }
});
