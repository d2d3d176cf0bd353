/** Wrong input gives one clear error of the right class, and the session goes on working. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

let sess: Session;
let x: fr.Tensor;
let y: fr.Tensor;
const warnings: string[] = [];

beforeEach(async () => {
  fr.resetDefaultGraph();
  warnings.length = 0;
  x = fr.placeholder('float32', [null, 3], { name: 'x' });
  y = fr.mul(x, 2, { name: 'y' });
  sess = await Session.create({ config: { onWarning: (message) => warnings.push(message) } });
});

afterEach(async () => {
  // Whatever went wrong, the session still works.
  expect((await sess.run(y, [[x, [[1, 2, 3]]]])).toArray()).toEqual([[2, 4, 6]]);
  sess.close();
});

const cases: readonly [string, () => Promise<unknown>, new (message: string) => Error, RegExp][] = [
  [
    'a feed of the wrong shape',
    () => sess.run(y, { x: [[1, 2]] }),
    fr.InvalidArgumentError,
    /^feed for "x:0" has shape \[1,2\], the graph says \[\?,3\] \(created at badInput\.gpu\.test\.ts:\d+\)$/,
  ],
  [
    'a feed of the wrong dtype',
    () => sess.run(y, { x: new fr.TensorValue('int32', [1, 3], Int32Array.of(1, 2, 3)) }),
    fr.InvalidArgumentError,
    /^feed for "x:0" \(float32 \[\?,3\]\): expected dtype float32, got int32/,
  ],
  [
    'text for numbers',
    () => sess.run(y, { x: [['a', 'b', 'c']] }),
    fr.InvalidArgumentError,
    /^feed for "x:0" \(float32 \[\?,3\]\): expected float32, got the string a/,
  ],
  [
    'ragged arrays',
    () => sess.run(y, { x: [[1, 2, 3], [4]] }),
    fr.InvalidArgumentError,
    /"x:0".*nested arrays must be rectangular: found \[3\] beside \[1\]/,
  ],
  [
    'an unfed placeholder',
    () => sess.run(y),
    fr.InvalidArgumentError,
    /a placeholder that is not fed: "x" \(float32 \[\?,3\]\)/,
  ],
  [
    'a range for quantization that is upside down',
    () => sess.run(fr.quantizeAndDequantize(x, 5, -3, { rangeGiven: true, name: 'q' }), { x: [[1, 2, 3]] }),
    fr.InvalidArgumentError,
    /^QuantizeAndDequantizeV2 "q": input_min 5 is above input_max -3/,
  ],
  ['an unknown fetch', () => sess.run('z:0'), fr.NotFoundError, /^the graph has no tensor "z:0"/],
  [
    'an operation asked for by a near name',
    () => sess.run('yy'),
    fr.NotFoundError,
    /no operation "yy"\. Did you mean "y"\?/,
  ],
  [
    'an unknown feed',
    () => sess.run(y, { xx: [[1, 2, 3]] }),
    fr.NotFoundError,
    /^feed: the graph has no operation "xx"\. Did you mean "x"\?$/,
  ],
  [
    'an unknown feed that is near no name',
    () => sess.run(y, { images: [[1, 2, 3]] }),
    fr.NotFoundError,
    /^feed: the graph has no operation "images"; its placeholders are "x"$/,
  ],
  [
    'a tensor as the key of a record',
    () => sess.run(y, { [String(x)]: [[1, 2, 3]] }),
    fr.InvalidArgumentError,
    /^feed: the key Tensor\("x:0", .* is no name: .*Feed by tensor with a Map or an array of pairs$/,
  ],
  [
    'a feed that is not there',
    () => sess.run(y, JSON.parse('{ "x": null }') as Record<string, number>),
    fr.InvalidArgumentError,
    /^feed for "x:0" \(float32 \[\?,3\]\) is null \(created at badInput\.gpu\.test\.ts:\d+\)$/,
  ],
  [
    'a feed twice',
    () =>
      sess.run(y, [
        [x, [[1, 2, 3]]],
        ['x:0', [[1, 2, 3]]],
      ]),
    fr.InvalidArgumentError,
    /"x:0" is fed twice/,
  ],
  [
    'an output that the op has not',
    () => sess.run('y:3', { x: [[1, 2, 3]] }),
    fr.InvalidArgumentError,
    /"y" has no output 3/,
  ],
];

test.each(cases)('%s', async (_, run, kind, message) => {
  const failure = await run().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(kind);
  expect((failure as Error).message).toMatch(message);
});

test('uninitialized variables are named, all of them, with the remedy', async () => {
  const v = new fr.Variable(fr.constant(1), { name: 'layer/v' });
  const w = new fr.Variable(fr.constant(2), { name: 'layer/w' });
  const sum = fr.add(v, w);
  await expect(sess.run(sum)).rejects.toThrow(fr.FailedPreconditionError);
  await expect(sess.run(sum)).rejects.toThrow(
    /variables "layer\/v", "layer\/w" are not initialized\. Run the initializer first: .*globalVariablesInitializer/,
  );
  await sess.run(fr.variablesInitializer([v, w]));
  expect((await sess.run(sum)).item()).toBe(3);
});

test('a tensor of another graph is refused', async () => {
  const other = new fr.Graph();
  const foreign = other.asDefault(() => fr.constant(1, { name: 'foreign' }));
  await expect(sess.run(foreign)).rejects.toThrow(/cannot fetch "foreign:0": it belongs to another graph/);
});

test('a closed session says so', async () => {
  const closed = await Session.create();
  closed.close();
  closed.close();
  await expect(closed.run(y)).rejects.toThrow(fr.FailedPreconditionError);
  await expect(closed.run(y)).rejects.toThrow(/the session is closed/);
});

test('a failed run leaves the variables as they were', async () => {
  const v = new fr.Variable(fr.constant([1, 2, 3]), { name: 'v' });
  const update = v.assign(fr.reshape(x, [3]));
  await sess.run(v.initializer);
  await expect(sess.run(update.op, { x: new Float32Array(6) })).rejects.toThrow(/Reshape/);
  expect((await sess.run(v)).toArray()).toEqual([1, 2, 3]);
});

test('a graph that grows in the loop is reported once, naming the line', async () => {
  for (let i = 0; i < 6; i++) await sess.run(fr.add(y, i), { x: [[1, 2, 3]] });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(
    /the graph grows with every run: .* is new since the last run, .* \(created at badInput\.gpu\.test\.ts:\d+\)/,
  );
});

test('a finalized graph refuses new nodes', () => {
  const graph = new fr.Graph();
  graph.finalize();
  expect(() => graph.asDefault(() => fr.constant(1))).toThrow(/cannot add Const: the graph is finalized/);
});
