/** Tensors that take more than one storage binding (128 MiB on most adapters), in all that is done with them. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

const ROWS = 8200;
const COLUMNS = 4096;
const SIZE = ROWS * COLUMNS;

let sess: Session;

beforeEach(() => fr.resetDefaultGraph());
afterEach(() => sess.close());

/** Element `i` of the large matrix: small whole numbers, so that sums of rows are exact. */
const element = (i: number): number => i % 7;
const at = (row: number, column: number): number => element(row * COLUMNS + column);

/** The matrix, made on the device from a fed number so that it is not folded. */
function matrix(): fr.Tensor {
  const seven = fr.placeholder('int32', [], { name: 'seven' });
  return fr.reshape(fr.cast(fr.floorMod(fr.range(SIZE), seven), 'float32'), [ROWS, COLUMNS]);
}

async function runWith<T extends Record<string, fr.Tensor>>(fetches: T): Promise<Record<keyof T, number[]>> {
  sess = await Session.create();
  const values = await sess.run(fetches, { seven: 7 });
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Array.from(value.data, Number)]),
  ) as Record<keyof T, number[]>;
}

const rowsNearEnds = [0, 8191, 8192, ROWS - 1];

test('elementwise with a broadcast row, and gathered rows', async () => {
  const y = fr.add(fr.mul(matrix(), 2), fr.cast(fr.range(COLUMNS), 'float32'));
  const rows = fr.gather(y, fr.constant(rowsNearEnds, { dtype: 'int32' }));
  const got = await runWith({ part: fr.slice(rows, [0, COLUMNS - 3], [4, 3]) });
  expect(got.part).toEqual(
    rowsNearEnds.flatMap((row) => [3, 2, 1].map((k) => 2 * at(row, COLUMNS - k) + COLUMNS - k)),
  );
}, 60_000);

test('reduced along either axis and in all', async () => {
  const x = matrix();
  const got = await runWith({
    rows: fr.slice(fr.reduceSum(x, { axis: 1 }), [ROWS - 2], [2]),
    columns: fr.slice(fr.reduceMax(x, { axis: 0 }), [COLUMNS - 2], [2]),
    best: fr.slice(fr.argMax(x, { axis: 1 }), [8191], [2]),
    all: fr.reduceSum(fr.cast(x, 'int32')),
  });
  const row = (r: number): number =>
    Array.from({ length: COLUMNS }, (_, c) => at(r, c)).reduce((a, b) => a + b, 0);
  expect(got.rows).toEqual([row(ROWS - 2), row(ROWS - 1)]);
  expect(got.columns).toEqual([6, 6]);
  const first = (r: number): number => (7 + 6 - at(r, 0)) % 7;
  expect(got.best).toEqual([first(8191), first(8192)]);
  const last = SIZE % 7;
  expect(got.all).toEqual([((SIZE - last) / 7) * 21 + (last * (last - 1)) / 2]);
}, 60_000);

test('transposed, joined and cut', async () => {
  const x = matrix();
  const turned = fr.slice(fr.transpose(x), [COLUMNS - 1, ROWS - 2], [1, 2]);
  const joined = fr.slice(fr.concat([fr.slice(x, [0, 0], [2, COLUMNS]), x], 0), [ROWS, COLUMNS - 2], [2, 2]);
  const got = await runWith({ turned, joined });
  const end = COLUMNS - 1;
  expect(got.turned).toEqual([at(ROWS - 2, end), at(ROWS - 1, end)]);
  expect(got.joined).toEqual([ROWS - 2, ROWS - 1].flatMap((r) => [at(r, end - 1), at(r, end)]));
}, 60_000);

test('fed and fetched whole', async () => {
  const x = fr.placeholder('float32', [ROWS, COLUMNS], { name: 'x' });
  const y = fr.neg(x);
  sess = await Session.create();
  const value = Float32Array.from({ length: SIZE }, (_, i) => i % 1001);
  const { data } = await sess.run(y, { x: new fr.TensorValue('float32', [ROWS, COLUMNS], value) });
  expect(data.length).toBe(SIZE);
  let wrong = 0;
  for (let i = 0; i < SIZE; i++) if (data[i] !== 0 - (value[i] ?? NaN) && value[i] !== 0) wrong++;
  expect(wrong).toBe(0);
}, 60_000);

test('a large weight matrix trains: forward, both gradients, update', async () => {
  const x = fr.placeholder('float32', [2, ROWS], { name: 'x' });
  const w = new fr.Variable(fr.fill([ROWS, COLUMNS], fr.constant(0.5)), { name: 'w' });
  const y = fr.matMul(x, w);
  const [dx, dw] = fr.gradients(fr.reduceSum(y), [x, w]);
  if (!dx || !dw) throw new Error('no gradient');
  const update = w.assignSub(fr.convertToTensor(dw));
  sess = await Session.create();
  await sess.run(fr.globalVariablesInitializer());
  const ones = Float32Array.from({ length: 2 * ROWS }, (_, i) => (i % ROWS) % 3);
  const feeds = { x: new fr.TensorValue('float32', [2, ROWS], ones) };
  const ends = { y: fr.slice(y, [1, COLUMNS - 2], [1, 2]), dx: fr.slice(dx, [1, ROWS - 2], [1, 2]) };
  const before = await sess.run(ends, feeds);
  const total = ones.slice(0, ROWS).reduce((a, b) => a + b, 0);
  expect(before.y.toArray()).toEqual([[total / 2, total / 2]]);
  expect(before.dx.toArray()).toEqual([[COLUMNS / 2, COLUMNS / 2]]);
  await sess.run(update, feeds);
  const rows = fr.gather(w.value(), fr.constant(rowsNearEnds, { dtype: 'int32' }));
  const after = await sess.run(fr.slice(rows, [0, COLUMNS - 1], [4, 1]));
  expect(Array.from(after.data, Number)).toEqual(rowsNearEnds.map((row) => 0.5 - 2 * (row % 3)));
}, 60_000);
