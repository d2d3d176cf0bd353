/** `config.memory`: models whose plain plan takes too much train, with the same bits. */
import * as fr from '@forerun/graph';
import { Session, type SessionConfig } from '../src/index.js';

interface Model {
  readonly graph: fr.Graph;
  readonly x: fr.Tensor;
  readonly loss: fr.Tensor;
  readonly train: fr.Operation;
  readonly variables: readonly fr.Variable[];
}

type Block = (x: fr.Tensor, weights: fr.Variable) => fr.Tensor;

/** A stack of blocks of width 16, trained by gradient descent on batches of any size. */
function stack(blocks: number, block: Block): Model {
  const graph = new fr.Graph();
  return graph.asDefault(() => {
    const x = fr.placeholder('float32', [null, 16], { name: 'x' });
    const variables = Array.from({ length: blocks }, (_, i) => {
      const start = Float32Array.from({ length: 256 }, (__, k) => Math.sin(k + i) / 4);
      return new fr.Variable(fr.constant(start, { shape: [16, 16] }), { name: `w${i}` });
    });
    const y = variables.reduce<fr.Tensor>((h, weights) => block(h, weights), x);
    const loss = fr.reduceMean(fr.square(y));
    const updates = fr.gradients(loss, variables).map((gradient, i) => {
      if (!(gradient instanceof fr.Tensor)) throw new Error('the loss depends on all weights');
      return variables[i]?.assignSub(fr.mul(gradient, 0.1));
    });
    const train = fr.group(updates.flatMap((update) => update ?? []));
    return { graph, x, loss, train, variables };
  });
}

const BATCH = 64;

/** What three training steps leave behind. */
async function trainWith({ graph, x, loss, train, variables }: Model, config: SessionConfig) {
  await using sess = await Session.create({ graph, config });
  const { memory } = await sess.compile([train, loss], new Map([[x, [BATCH, 16]]]));
  await sess.run(variables.map((variable) => variable.initializer));
  const step = sess.makeCallable([train, loss], [x]);
  const losses: number[] = [];
  for (let i = 0; i < 3; i++) {
    const batch = Float32Array.from({ length: BATCH * 16 }, (_, k) => Math.cos(k * (i + 1)));
    losses.push((await step(batch))[1].item());
  }
  const values = await sess.run(variables);
  return { memory, losses, weights: values.map(({ data }) => [...(data as Float32Array)]) };
}

/** Many elementwise values per product: gates of a recurrent kind. */
const gated: Block = (h, weights) => {
  const z = fr.matMul(h, weights);
  return fr.add(fr.mul(fr.sigmoid(z), fr.tanh(z)), fr.mul(fr.softplus(z), fr.square(fr.tanh(h))));
};

/** Nothing but a product and its activation: only whole layers can be computed again. */
const plain: Block = (h, weights) => fr.tanh(fr.matMul(h, weights));

describe.each([
  ['gates, whose elementwise values are cheap', gated, 4, 0.8],
  ['a deep stack of dense layers', plain, 12, 0.8],
])('%s', (_, block, blocks, share) => {
  test('a byte budget below the plain plan is kept to, and every bit is the same', async () => {
    const model = stack(blocks, block);
    const usual = await trainWith(model, {});
    expect(usual.memory.recomputed).toBe(0);
    const budget = Math.floor(usual.memory.peakBytes * share);
    const frugal = await trainWith(model, { memory: budget });
    expect(frugal.memory.peakBytes).toBeLessThanOrEqual(budget);
    expect(frugal.memory.recomputed).toBeGreaterThan(0);
    expect(frugal.losses).toEqual(usual.losses);
    expect(frugal.weights).toEqual(usual.weights);
  });
});

test('minimize needs less than the plain plan', async () => {
  const { graph, x, loss, train } = stack(4, gated);
  const peak = async (config: SessionConfig): Promise<number> => {
    await using sess = await Session.create({ graph, config });
    return (await sess.compile([train, loss], new Map([[x, [BATCH, 16]]]))).memory.peakBytes;
  };
  expect(await peak({ memory: 'minimize' })).toBeLessThan(await peak({}));
});

test('a budget that the plain plan keeps to changes nothing', async () => {
  const { memory } = await trainWith(stack(2, plain), { memory: 2 ** 30 });
  expect(memory.recomputed).toBe(0);
});

test('a budget that cannot be met names what the plan needs, and the session stays usable', async () => {
  const { graph, x, loss, train, variables } = stack(4, plain);
  await using sess = await Session.create({ graph, config: { memory: 5000 } });
  await sess.run(variables.map((variable) => variable.initializer));
  const feeds = new Map([[x, new Float32Array(BATCH * 16)]]);
  await expect(sess.run([train, loss], feeds)).rejects.toThrow(fr.ResourceExhaustedError);
  await expect(sess.run([train, loss], feeds)).rejects.toThrow(
    /config\.memory allows 5000 bytes of temporaries, the plan needs at least \d+/,
  );
  expect((await sess.run(fr.reduceSum(variables[0] ?? x))).shape).toEqual([]);
});

test('a budget that is no number of bytes is refused', async () => {
  await expect(Session.create({ config: { memory: -1 } })).rejects.toThrow(
    /config\.memory must be 'minimize' or a number of bytes above 0, got -1/,
  );
});
