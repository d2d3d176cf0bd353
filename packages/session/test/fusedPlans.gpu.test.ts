/** What fusion makes of certain plans: which dispatches are left, what lies in whose place, and that the numbers stay. */
import * as fr from 'forerun';
import { input, numbers, observe, type Built } from './support/observe.js';
import { NO_PASSES } from './support/passes.js';

/** Gradients that are sums of products, of column sums and of filter gradients, and of what decays weights. */
function sharedWeights(): Built {
  const feeds = new Map<fr.Tensor, readonly number[]>();
  const start = (count: number, seed: number): fr.Initializer =>
    fr.constantInitializer(numbers(count, seed).map((value) => value / 8));
  const w = fr.getVariable('w', { shape: [144, 144], initializer: start(144 * 144, 3) });
  const b = fr.getVariable('b', { shape: [144], initializer: start(144, 4) });
  const filter = fr.getVariable('filter', { shape: [3, 3, 8, 8], initializer: start(576, 5) });
  let h = input([128, 144], feeds);
  let image = input([4, 16, 16, 8], feeds);
  for (let step = 0; step < 3; step++) {
    h = fr.tanh(fr.add(fr.matMul(h, w), b));
    image = fr.tanh(fr.nn.conv2d(image, filter, { strides: 1, padding: 'SAME' }));
  }
  const decay = fr.mul(0.01, fr.nn.l2Loss(w.value()));
  const squares = fr.add(fr.reduceSum(fr.square(h)), fr.reduceSum(fr.square(image)));
  const loss = fr.add(fr.mul(0.01, squares), decay);
  return { fetches: [new fr.train.GradientDescentOptimizer(0.1).minimize(loss), loss], feeds };
}

/** The most temporaries of a size that are alive at once. */
function mostAlive({ temporaries }: fr.PlanReport, bytes: number): number {
  const own = temporaries.filter((one) => one.bytes === bytes);
  return Math.max(...own.map(({ from }) => own.filter((one) => one.from <= from && one.to >= from).length));
}

test('gradients of shared weights are added up as they are computed', async () => {
  const plain = await observe(sharedWeights, NO_PASSES);
  const { seen, report } = await observe(sharedWeights, {});
  seen.forEach((values, i) => {
    values.forEach((value, k) => {
      const want = plain.seen[i]?.[k] ?? NaN;
      expect(Math.abs(value - want)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(want)));
    });
  });
  const { report: added } = await observe(sharedWeights, { beside: false }, 0);
  const { report: apart } = await observe(sharedWeights, { beside: false, sums: false }, 0);
  const reductions = (kernels: fr.PlanReport): number =>
    kernels.dispatchList.filter(({ label }) => /[sS]um|biasAddGrad/.test(label)).length;
  // One column sum in place of three.
  expect(reductions(apart) - reductions(added)).toBe(2);
  expect(apart.dispatches - added.dispatches).toBeGreaterThanOrEqual(2);
  expect(mostAlive(apart, 144 * 144 * 4)).toBe(3);
  expect(mostAlive(report, 144 * 144 * 4)).toBe(2);
  // The second sum is computed in the place of the first.
  const sums = report.temporaries.filter(({ bytes }) => bytes === 144 * 144 * 4);
  const inPlace = sums.filter((one) =>
    sums.some((other) => other !== one && other.from === one.to && other.buffer === one.buffer),
  );
  expect(inPlace).toHaveLength(1);
});

test('small kernels that bind one value twice keep to the number of bindings together', async () => {
  const inputs = Array.from({ length: 20 }, (_, i) => fr.placeholder('float32', [2, 3], { name: `x${i}` }));
  const outputs = inputs.map((x) => fr.concat([x, x], 1));
  await using sess = await fr.Session.create();
  const feeds = Object.fromEntries(inputs.map((_, i) => [`x${i}`, [[i, 1, 2], [3, 4, 5]]])); // prettier-ignore
  const results = await sess.run(outputs, feeds);
  results.forEach((value, i) => {
    expect([...value.data]).toEqual([i, 1, 2, i, 1, 2, 3, 4, 5, 3, 4, 5]);
  });
});

test('the gradient of a bias is computed beside that of its weights', async () => {
  const build = (): Built => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const dense = fr.layers.dense(input([128, 784], feeds), 128, { activation: fr.nn.relu });
    const image = fr.layers.conv2d(input([4, 16, 16, 8], feeds), 8, 3, { padding: 'same' });
    const loss = fr.add(fr.reduceSum(fr.square(dense)), fr.reduceSum(fr.square(image)));
    return { fetches: [new fr.train.MomentumOptimizer(1e-4, 0.9).minimize(loss), loss], feeds };
  };
  const plain = await observe(build, NO_PASSES);
  const { seen, report } = await observe(build, {});
  seen.forEach((values, i) => {
    values.forEach((value, k) => {
      const want = plain.seen[i]?.[k] ?? NaN;
      expect(Math.abs(value - want)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(want)));
    });
  });
  const { report: apart } = await observe(build, { beside: false }, 0);
  const joined = report.fusions.find(({ fusion }) => fusion === 'beside')?.joined ?? 0;
  expect(joined).toBe(2);
  // A reduction of two passes beside a product of two saves both.
  expect(apart.dispatches - report.dispatches).toBeGreaterThanOrEqual(joined);
});

test('what a kernel computes goes to its place in a concatenation', async () => {
  const build = (): Built => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const [x, other] = [input([5, 8], feeds), input([5, 4], feeds)];
    const y = fr.tanh(x);
    return { fetches: [y, fr.concat([fr.square(y), other, y], 1)], feeds };
  };
  const { report, seen } = await observe(build, {}, 1);
  const { report: apart, seen: want } = await observe(build, { joins: false }, 1);
  expect([report.dispatches, apart.dispatches]).toEqual([1, 2]);
  expect(seen).toEqual(want);
});

test('the last reader of an element stores its result in the place of it', async () => {
  const chain = (use: (product: fr.Tensor) => fr.Tensor[]) => (): Built => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    return { fetches: use(fr.matMul(input([6, 8], feeds), input([8, 8], feeds))), feeds };
  };
  // Results in place, and the buffers with and without.
  const cases: readonly (readonly [use: (product: fr.Tensor) => fr.Tensor[], ...expected: number[]])[] = [
    [(product) => [fr.sin(fr.exp(product))], 2, 1, 2],
    [(product) => [fr.sin(fr.exp(product)), product], 1, 2, 3],
    // The vectors of float16 are stored where they were read, though not in the place of float32.
    [(product) => [fr.cast(fr.sin(fr.exp(fr.cast(product, 'float16'))), 'float32')], 2, 2, 2],
    // Others than the element that is stored are read.
    [(product) => [fr.transpose(fr.nn.softmax(product))], 0, 2, 2],
  ];
  for (const [use, ...expected] of cases) {
    const { report, seen } = await observe(chain(use), { ...NO_PASSES, inPlace: true }, 1);
    const { report: plain, seen: want } = await observe(chain(use), NO_PASSES, 1);
    expect(seen).toEqual(want);
    expect([report.memory.inPlace, report.memory.buffers, plain.memory.buffers]).toEqual(expected);
    expect(plain.memory.inPlace).toBe(0);
  }
});

test('a product goes to its place in a transposition', async () => {
  const build = (): Built => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const product = fr.matMul(input([10, 8], feeds), input([8, 24], feeds));
    return {
      fetches: [fr.transpose(fr.reshape(product, [2, 5, 3, 8]), { perm: [0, 2, 1, 3] })],
      feeds,
    };
  };
  const { report, seen } = await observe(build, {}, 1);
  const { report: apart, seen: want } = await observe(build, { joins: false }, 1);
  expect([report.dispatches, apart.dispatches]).toEqual([1, 2]);
  expect(seen).toEqual(want);
});

test('what is computed of an old value beside its update reads it before it is overwritten', async () => {
  const graph = new fr.Graph();
  const { init, sum, update } = graph.asDefault(() => {
    const v = new fr.Variable(fr.constant([1, 0, -1, 2]), { name: 'v' });
    const old = v.value();
    const step = fr.sigmoid(old);
    return { init: v.initializer, sum: fr.add(old, step), update: v.assignSub(step) };
  });
  await using sess = await fr.Session.create({ graph });
  await sess.run(init);
  const [values] = await sess.run([sum, update]);
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  expect([...values.data]).toEqual([1, 0, -1, 2].map((x) => expect.closeTo(x + sigmoid(x), 6) as number));
  const left = await sess.run(graph.getTensorByName('v/Read/ReadVariableOp:0'));
  expect([...left.data]).toEqual([1, 0, -1, 2].map((x) => expect.closeTo(x - sigmoid(x), 6) as number));
});

test('what is cut out of a product is read where it lies', async () => {
  const build = (): Built => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const gates = fr.matMul(input([5, 8], feeds), input([8, 16], feeds));
    const [i = gates, j = gates, f = gates] = fr.split(gates, 4, { axis: 1 });
    const [gate, change] = [fr.sigmoid(i), fr.tanh(j)];
    return { fetches: [gate, change, fr.add(fr.mul(gate, change), fr.sigmoid(f))], feeds };
  };
  const { report, seen } = await observe(build, {}, 1);
  const { report: apart, seen: want } = await observe(build, NO_PASSES, 1);
  // The product, and all that is computed of the parts; split, 5 elementwise ops and the product.
  expect([report.dispatches, apart.dispatches]).toEqual([2, 7]);
  seen.forEach((values, k) => expect(values).toEqual(want[k]?.map((x) => expect.closeTo(x, 5) as number)));
});
