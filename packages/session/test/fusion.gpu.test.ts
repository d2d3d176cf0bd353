/**
 * Fusion against no fusion: training steps and awkward graphs, with every kind of fusion alone, all and none.
 * What is fused computes the same expressions in the same order, so the numbers must agree closely.
 */
import * as fr from 'forerun';
import { FUSION_NAMES } from '../src/compiler/fusion/index.js';
import type { PassSwitches } from '../src/index.js';
import { input, numbers, observe, type Built } from './support/observe.js';
import { NO_PASSES, ONE_ALONE } from './support/passes.js';

const OFF = Object.fromEntries(FUSION_NAMES.map((fusion) => [fusion, false])) as PassSwitches;

/** Rows with the mean 0 and the variance 1. */
function normalized(x: fr.Tensor): fr.Tensor {
  const centred = fr.sub(x, fr.reduceMean(x, { axis: 1, keepDims: true }));
  return fr.div(centred, fr.sqrt(fr.reduceMean(fr.square(centred), { axis: 1, keepDims: true })));
}

const layers = {
  dense(): Built {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const x = input([8, 12], feeds);
    const hidden = fr.layers.dense(x, 16, { activation: fr.nn.relu });
    const logits = fr.layers.dense(hidden, 6);
    const loss = fr.losses.sparseSoftmaxCrossEntropy(
      fr.constant([0, 1, 2, 3, 4, 5, 0, 1], { dtype: 'int32' }),
      logits,
    );
    return { fetches: [new fr.train.AdamOptimizer(0.01).minimize(loss), loss], feeds };
  },
  convolution(): Built {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const x = input([2, 8, 8, 3], feeds);
    const options = { padding: 'same', useBias: false } as const;
    let h = fr.layers.conv2d(x, 8, 3, options);
    h = fr.nn.relu(fr.layers.batchNormalization(h, { training: true }));
    const y = fr.layers.batchNormalization(fr.layers.conv2d(h, 8, 3, options), { training: true });
    h = fr.layers.maxPooling2d(fr.nn.relu(fr.add(h, y)), 2, 2);
    const loss = fr.reduceMean(fr.square(fr.layers.dense(fr.layers.flatten(h), 5)));
    const step = new fr.train.MomentumOptimizer(0.05, 0.9, { useNesterov: true }).minimize(loss);
    return { fetches: [step, loss], feeds };
  },
  attention(): Built {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const x = input([2, 6, 8], feeds);
    const heads = (value: fr.Tensor): fr.Tensor =>
      fr.transpose(fr.reshape(value, [2, 6, 2, 4]), { perm: [0, 2, 1, 3] });
    const project = (): fr.Tensor => heads(fr.layers.dense(fr.layers.layerNormalization(x), 8));
    const scores = fr.mul(fr.matMul(project(), project(), { transposeB: true }), 0.5);
    const mixed = fr.transpose(fr.matMul(fr.nn.softmax(scores), project()), { perm: [0, 2, 1, 3] });
    const y = fr.add(x, fr.layers.dense(fr.reshape(mixed, [2, 6, 8]), 8));
    const loss = fr.reduceMean(fr.square(fr.layers.layerNormalization(y)));
    return { fetches: [new fr.train.MomentumWOptimizer(0.01, 0.05, 0.9).minimize(loss), loss], feeds };
  },
  recurrent(): Built {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const x = input([3, 4, 5], feeds);
    const [outputs, state] = fr.nn.dynamicRnn(new fr.nn.rnnCell.LSTMCell(6), x, { dtype: 'float32' });
    const loss = fr.add(fr.reduceMean(fr.square(outputs)), fr.reduceSum(state.c));
    return { fetches: [new fr.train.AdagradOptimizer(0.1).minimize(loss), loss], feeds };
  },
  clippedAndDecayed(): Built {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const x = input([4, 8], feeds);
    const w = fr.getVariable('w', { shape: [8, 8], initializer: fr.constantInitializer(numbers(64, 3)) });
    const hidden = fr.nn.gelu(fr.matMul(x, w.value()));
    const loss = fr.add(fr.reduceSum(fr.square(hidden)), fr.mul(0.01, fr.nn.l2Loss(w.value())));
    const optimizer = new fr.train.RMSPropOptimizer(0.01, { momentum: 0.5, centered: true });
    const pairs = optimizer.computeGradients(loss);
    const gradients = pairs.map(([gradient]) => gradient);
    const [clipped] = fr.clipByGlobalNorm(gradients, 1);
    const step = optimizer.applyGradients(pairs.map(([, variable], i) => [clipped[i] ?? null, variable]));
    return { fetches: [step, loss], feeds };
  },
  averages(): Built {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const x = input([4, 6], feeds);
    const w = fr.getVariable('w', { shape: [6, 3], initializer: fr.constantInitializer(numbers(18, 5)) });
    const loss = fr.reduceMean(fr.nn.softplus(fr.matMul(x, w.value())));
    const step = new fr.train.GradientDescentOptimizer(0.1).minimize(loss);
    const average = new fr.train.ExponentialMovingAverage(0.9);
    const applied = fr.controlDependencies([step], () => average.apply([w]));
    return { fetches: [applied, loss, w.value()], feeds };
  },
};

const graphs: Record<string, () => Built> = {
  ...layers,
  'an intermediate value that is fetched': () => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const z = fr.matMul(input([5, 6], feeds), input([6, 7], feeds));
    const y = fr.tanh(fr.add(z, 1));
    return { fetches: [z, y, fr.mul(z, y)], feeds };
  },
  'two outputs of one kernel that meet again': () => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const [mean, variance] = fr.nn.moments(input([6, 5], feeds), [0]);
    const [first, second] = fr.split(input([4, 6], feeds), 2, { axis: 1 });
    return { fetches: [fr.add(mean, variance), fr.mul(first ?? mean, second ?? mean)], feeds };
  },
  'views between producers and users': () => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const product = fr.reshape(fr.matMul(input([4, 6], feeds), input([6, 6], feeds)), [2, 2, 6]);
    const moved = fr.transpose(fr.exp(product), { perm: [2, 0, 1] });
    return {
      fetches: [
        fr.reduceSum(fr.reshape(fr.neg(moved), [6, 4]), { axis: 1 }),
        fr.expandDims(fr.abs(product), 0),
      ],
      feeds,
    };
  },
  'rows that are no whole vectors': () => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const x = input([4, 6], feeds);
    const scaled = fr.mul(x, input([6], feeds));
    return {
      fetches: [
        fr.reduceSum(scaled),
        fr.reduceMax(fr.add(scaled, 1), { axis: 0 }),
        fr.nn.softmax(fr.mul(2, fr.add(x, input([4, 1], feeds)))),
      ],
      feeds,
    };
  },
  'what is computed and put side by side': () => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const [x, y] = [input([4, 6], feeds), input([4, 8], feeds)];
    const [sine, folded] = [fr.sin(x), fr.nn.relu(y)];
    const signs = fr.concat([fr.greater(x, 0), fr.less(x, 0.5)], 1);
    const stacked = fr.stack([fr.cos(y), y], { axis: 1 });
    return {
      fetches: [
        ...[fr.concat([x, fr.exp(x), sine], 1), sine, fr.concat([fr.tanh(y), fr.neg(y)], 1)],
        ...[fr.reduceSum(fr.concat([fr.square(y), input([2, 8], feeds)], 0)), fr.neg(stacked)],
        ...[fr.concat([folded, folded], 1), fr.cast(signs, 'float32')],
        fr.mul(
          2,
          fr.concat(
            [fr.reshape(fr.abs(y), [8, 4]), fr.reshape(fr.matMul(x, input([6, 8], feeds)), [8, 4])],
            0,
          ),
        ),
        fr.concat([fr.exp(x), fr.concat([fr.square(x), sine], 1)], 1),
      ],
      feeds,
    };
  },
  'parts of what is computed': () => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const [x, y] = [input([6, 8], feeds), input([4, 5, 3], feeds)];
    const product = fr.matMul(x, input([8, 16], feeds));
    const [i = product, j = product, f = product, o = product] = fr.split(product, 4, { axis: 1 });
    const cell = fr.add(fr.mul(fr.sigmoid(f), x.shape.dim(0) ?? 1), fr.mul(fr.sigmoid(i), fr.tanh(j)));
    const [narrow = product, wide = product] = fr.split(product, [6, 10], { axis: 1 });
    const rows = fr.unstack(y, { axis: 1 }).map((row, k) => fr.mul(row, k));
    const every = fr.stridedSlice(x, [4, 6], [0, 0], { strides: [-2, -3] });
    const column = fr.stridedSlice(y, [0, 2, 1], [4, 3, 3], { shrinkAxisMask: 2 });
    const first = fr.slice(x, [0, 0], [1, 8]);
    return {
      fetches: [
        ...[cell, fr.mul(fr.tanh(cell), fr.sigmoid(o)), o, fr.reduceSum(narrow, { axis: 1 })],
        ...[fr.nn.softmax(fr.mul(wide, 2)), fr.addN(rows), fr.exp(every), fr.square(column)],
        ...[fr.sub(x, first), fr.reduceMax(fr.slice(fr.exp(x), [1, 1], [3, 5]), { axis: 0 })],
        ...[fr.nn.relu(fr.slice(x, [2, 4], [3, 4])), fr.concat([fr.slice(x, [0, 4], [6, 4]), fr.neg(i)], 1)],
        fr.sub(fr.slice(x, [1, 0], [5, 8]), fr.slice(x, [0, 0], [5, 8])),
        fr.cast(fr.logicalNot(fr.slice(fr.greater(x, 0), [0, 1], [6, 7])), 'float32'),
        normalized(fr.slice(product, [0, 4], [6, 8])),
      ],
      feeds,
    };
  },
  'parts of a variable that is updated': () => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const v = fr.getVariable('v', { shape: [6, 8], initializer: fr.constantInitializer(numbers(48, 9)) });
    const old = v.value();
    const first = fr.assignSub(
      v,
      fr.mul(fr.slice(old, [0, 0], [1, 1]), fr.add(old, fr.slice(old, [0, 0], [1, 8]))),
    );
    const scaled = fr.controlDependencies([first], () =>
      fr.mul(v.readValue(), fr.slice(old, [0, 3], [6, 1])),
    );
    const second = fr.assign(v, fr.tanh(scaled));
    const half = fr.getVariable('half', { shape: [3, 8], initializer: fr.zerosInitializer() });
    const assigned = fr.assign(half, fr.slice(second, [3, 0], [3, 8]));
    const sums = fr.getVariable('sums', { shape: [511], initializer: fr.onesInitializer() });
    const terms = fr.mul(input([5, 511], feeds), fr.slice(sums.value(), [0], [1]));
    const summed = fr.assign(sums, fr.reduceSum(terms, { axis: 0 }));
    return { fetches: [fr.square(fr.slice(old, [1, 2], [2, 4])), assigned, scaled, summed], feeds };
  },
  'what is computed and transposed': () => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const [x, w] = [input([10, 8], feeds), input([8, 24], feeds)];
    const heads = (value: fr.Tensor, size: number): fr.Tensor =>
      fr.transpose(fr.reshape(value, [2, 5, 24 / size, size]), { perm: [0, 2, 1, 3] });
    const product = fr.matMul(x, w);
    const scaled = fr.mul(fr.matMul(x, fr.neg(w)), 2);
    const batched = fr.matMul(heads(fr.matMul(fr.sin(x), w), 8), heads(fr.matMul(fr.cos(x), w), 8), {
      transposeB: true,
    });
    return {
      fetches: [
        ...[heads(product, 4), product, fr.tanh(heads(scaled, 12)), heads(fr.matMul(fr.abs(x), w), 3)],
        ...[fr.nn.softmax(batched), heads(fr.exp(product), 4)],
        fr.concat([heads(fr.matMul(fr.tanh(x), w), 8), heads(scaled, 8)], 3),
      ],
      feeds,
    };
  },
  'small kernels side by side': () => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const [a, b] = [input([4, 6], feeds), input([6, 3], feeds)];
    const step = fr.getVariable('step', { shape: [], initializer: fr.constantInitializer(2) });
    const rows = fr.getVariable('rows', {
      shape: [4, 6],
      initializer: fr.constantInitializer(numbers(24, 4)),
    });
    const [top] = fr.nn.topK(a, { k: 2 });
    return {
      fetches: [
        ...[fr.matMul(a, b), fr.nn.softmax(b), fr.cumsum(a, { axis: 1 }), fr.transpose(b), top],
        ...[fr.reduceMax(a, { axis: 0 }), fr.reduceSum(b), fr.reverse(a, [1])],
        ...[fr.assignAdd(step, 1), fr.assignSub(rows, fr.mul(a, step.value())), fr.mul(rows.value(), 2)],
      ],
      feeds,
    };
  },
  'old and new values of a variable': () => {
    const feeds = new Map<fr.Tensor, readonly number[]>();
    const v = fr.getVariable('v', { shape: [4, 4], initializer: fr.constantInitializer(numbers(16, 9)) });
    const old = v.value();
    const first = fr.assign(v, fr.matMul(input([4, 4], feeds), old));
    const second = fr.controlDependencies([first], () => fr.assignAdd(v, fr.cos(old)));
    const after = fr.controlDependencies([second], () => fr.identity(v.readValue()));
    return { fetches: [old, after, fr.add(old, after)], feeds };
  },
};

describe.each(Object.entries(graphs))('%s', (_, build) => {
  test('is the same with every pass and fusion, with each alone and with none', async () => {
    const plain = await observe(build, NO_PASSES);
    for (const passes of [{}, ...ONE_ALONE]) {
      const { seen, dispatches } = await observe(build, passes);
      expect(dispatches).toBeLessThanOrEqual(plain.dispatches);
      expect(seen.length).toBe(plain.seen.length);
      seen.forEach((values, i) => {
        values.forEach((value, k) => {
          const want = plain.seen[i]?.[k] ?? NaN;
          expect(Math.abs(value - want)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(want)));
        });
      });
    }
  });
});

test('updates that belong to no kernel share dispatches, and a plan says so', async () => {
  const graph = new fr.Graph();
  const { step, init, read } = graph.asDefault(() => {
    const added = [5, 6, 7].map((n) => {
      const v = fr.getVariable(`v${n}`, { shape: [n], initializer: fr.onesInitializer() });
      return fr.assignAdd(v, fr.fill([n], 0.5));
    });
    const read = fr.globalVariables().map((v) => v.readValue());
    return { step: fr.group(added), init: fr.globalVariablesInitializer(), read };
  });
  const sess = await fr.Session.create({ graph });
  try {
    await sess.run(init);
    const report = await sess.compile([step]);
    expect(report.dispatches).toBe(1);
    expect(report.fusions.find(({ fusion }) => fusion === 'packs')?.joined).toBe(2);
    await sess.run(step);
    for (const { data } of await sess.run(read)) {
      expect([...(data as Float32Array)].every((value) => value === 1.5)).toBe(true);
    }
  } finally {
    sess.close();
  }
});

test('a dense training step takes the dispatches that its contractions need', async () => {
  const { dispatches } = await observe(layers.dense, {});
  const plain = await observe(layers.dense, OFF);
  // Forward 2, loss 2, gradients with their updates 5, and 2 powers of beta; split sums may add some.
  expect(dispatches).toBeLessThanOrEqual(15);
  expect(plain.dispatches - dispatches).toBeGreaterThanOrEqual(8);
});
