/** Assertions, printing, checks for NaN, functions of the host program. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

let sess: Session;
let printed: string[];

async function open(): Promise<void> {
  printed = [];
  const onPrint = (text: string, stream: string): void => void printed.push(`${stream}: ${text}`);
  sess = await Session.create({ config: { onPrint } });
}

beforeEach(() => fr.resetDefaultGraph());
afterEach(() => sess.close());

test('an assertion that fails shows its data and leaves variables as they were', async () => {
  const x = fr.placeholder('float32', [null], { name: 'x' });
  const v = new fr.Variable(1, { name: 'v', dtype: 'float32' });
  const positive = fr.assertThat(fr.reduceAll(fr.greater(x, 0)), ['x must be positive', x], {
    name: 'positive',
  });
  const update = fr.controlDependencies([positive], () => v.assign(fr.reduceSum(x)));
  await open();
  await sess.run(fr.globalVariablesInitializer());
  expect((await sess.run(update, { x: [1, 2] })).item()).toBe(3);
  await expect(sess.run(update, { x: [1, -2, 3, 4] })).rejects.toThrow(
    /Assert "positive": assertion failed: \[x must be positive\] \[\[1 -2 3\.\.\.\]\] \(created at .*debug\.gpu\.test\.ts/,
  );
  expect((await sess.run(v)).item()).toBe(3);
});

test('an assertion refuses a condition that is no scalar', async () => {
  await open();
  expect(() => fr.assertThat(fr.constant([true, false]), [1])).toThrow(
    /condition must be a scalar, got shape \[2\]/,
  );
});

test('prints as often as it may', async () => {
  const x = fr.placeholder('float32', [2], { name: 'x' });
  const y = fr.mul(fr.printTensor(x, [x, fr.reduceSum(x)], { message: 'x, sum: ', firstN: 2 }), 2);
  const [dx] = fr.gradients(y, x);
  if (!dx) throw new Error('no gradient');
  await open();
  for (let i = 0; i < 3; i++) {
    const result = await sess.run({ y, dx }, { x: [i, 1] });
    expect(result.y.toArray()).toEqual([2 * i, 2]);
    expect(result.dx.toArray()).toEqual([2, 2]);
  }
  expect(printed).toEqual(['stderr: x, sum: [[0 1]][1]', 'stderr: x, sum: [[1 1]][2]']);
});

test('formats and prints texts', async () => {
  const x = fr.placeholder('int32', [3], { name: 'x' });
  const text = fr.stringFormat('x is {}, its sum {}', [x, fr.reduceSum(x)]);
  const print = fr.printV2(text, { outputStream: 'stdout' });
  await open();
  await sess.run(print, { x: [1, 2, 3] });
  expect(printed).toEqual(['stdout: x is [1 2 3], its sum 6']);
  expect(() => fr.stringFormat('{} {}', [x])).toThrow(/has 2 placeholders "\{\}" for 1 inputs/);
});

test.each([
  ['NaN', NaN],
  ['infinity', Infinity],
  ['negative infinity', -Infinity],
])('checkNumerics finds %s', async (_, bad) => {
  const x = fr.placeholder('float32', [2, 2], { name: 'x' });
  const y = fr.mul(fr.checkNumerics(x, 'x is bad', { name: 'check' }), 3);
  const [dx] = fr.gradients(y, x);
  if (!dx) throw new Error('no gradient');
  await open();
  const good = await sess.run(
    { y, dx },
    {
      x: [
        [1, 2],
        [3, 4],
      ],
    },
  );
  expect(good.y.toArray()).toEqual([
    [3, 6],
    [9, 12],
  ]);
  expect(good.dx.toArray()).toEqual([
    [3, 3],
    [3, 3],
  ]);
  await expect(
    sess.run(y, {
      x: [
        [1, 2],
        [bad, 4],
      ],
    }),
  ).rejects.toThrow(/CheckNumerics "check": x is bad : /);
  expect(
    (
      await sess.run(y, {
        x: [
          [1, 2],
          [3, 4],
        ],
      })
    ).toArray(),
  ).toEqual([
    [3, 6],
    [9, 12],
  ]);
});

function numbers(value: fr.TensorValue): number[] {
  const list: number[] = [];
  for (const x of value.data) list.push(Number(x));
  return list;
}

function powers(value: fr.TensorValue, exponent: number): number[] {
  return numbers(value).map((x) => x ** exponent);
}

describe('jsFunc', () => {
  test('runs in the middle of a graph, waits for promises, and may give any shape', async () => {
    const x = fr.placeholder('float32', [null], { name: 'x' });
    const [odd, count] = fr.jsFunc(
      async (value) => {
        await Promise.resolve();
        const kept = numbers(value).filter((v) => v % 2 === 1);
        return [Float32Array.from(kept), Int32Array.of(kept.length)];
      },
      [fr.mul(x, 1)],
      ['float32', 'int32'],
    );
    if (odd === undefined || count === undefined) throw new Error('no results');
    const y = fr.mul(odd, 10);
    await open();
    const result = await sess.run({ y, count }, { x: [1, 2, 3, 4, 5] });
    expect(result.y.toArray()).toEqual([10, 30, 50]);
    expect(result.count.toArray()).toEqual([3]);
  });

  test('with known shapes is part of one plan', async () => {
    const x = fr.placeholder('float32', [2], { name: 'x' });
    const [y] = fr.jsFunc((value) => powers(value, 2), [x], 'float32', {
      outputShapes: [[2]],
    });
    if (y === undefined) throw new Error('no result');
    await open();
    expect((await sess.run(fr.add(y, 1), { x: [2, 3] })).toArray()).toEqual([5, 10]);
  });

  test('has the gradient that customGradient gives it', async () => {
    const cube = fr.customGradient((x: fr.Tensor) => {
      const [y] = fr.jsFunc((value) => powers(value, 3), [x], 'float32', {
        outputShapes: [[2]],
      });
      if (y === undefined) throw new Error('no result');
      return { value: y, grad: (dy: fr.Tensor) => fr.mul(dy, fr.mul(3, fr.square(x))) };
    });
    const x = fr.placeholder('float32', [2], { name: 'x' });
    const [dx] = fr.gradients(cube(x), x);
    if (!dx) throw new Error('no gradient');
    await open();
    expect((await sess.run(dx, { x: [2, 3] })).toArray()).toEqual([12, 27]);
    const [plain] = fr.jsFunc((v) => v, [x], 'float32');
    expect(() => fr.gradients(plain ?? x, x)).toThrow(/has no gradient: a host function has a gradient only/);
  });

  test('says what is wrong with a result, and with a function that is not here', async () => {
    const x = fr.placeholder('float32', [2], { name: 'x' });
    const [a] = fr.jsFunc(() => [1, 2, 3], [x], ['float32', 'float32'], { name: 'pair' });
    const [b] = fr.jsFunc(() => 'text', [x], 'float32', { name: 'text' });
    const foreign = x.graph.createOp({
      type: 'PyFunc',
      name: 'foreign',
      inputs: [x],
      attrs: { token: 'pyfunc_7', Tout: ['float32'] },
    });
    await open();
    const feed = { x: [1, 2] };
    await expect(sess.run(a ?? x, feed)).rejects.toThrow(
      /PyFunc "pair": the function returned 3 values, expected 2/,
    );
    await expect(sess.run(b ?? x, feed)).rejects.toThrow(
      /PyFunc "text": the function's result is no float32 tensor/,
    );
    await expect(sess.run(foreign.output(0), feed)).rejects.toThrow(
      /its function is not part of this program/,
    );
    expect((await sess.run(fr.add(x, 1), feed)).toArray()).toEqual([2, 3]);
  });
});
