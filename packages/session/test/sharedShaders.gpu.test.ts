/** Kernels that differ in sizes alone share a shader in plans that do not train, and give the same bits. */
import * as fr from '@forerun/graph';
import { Session, type PassSwitches } from '../src/index.js';
import { plainDevice } from './support/plainDevice.js';

const POOL = { ksize: 2, strides: 2, padding: 'SAME' } as const;

/** Convolutions of several sizes. */
function convolutions(x: fr.Tensor): fr.Tensor {
  let out = x;
  for (const filters of [8, 12]) {
    const channels = out.shape.dims?.[3] ?? 0;
    const weights = Float32Array.from({ length: channels * filters }, (_, i) => ((i * 37) % 19) / 19 - 0.5);
    const filter = fr.constant(new fr.TensorValue('float32', [1, 1, channels, filters], weights));
    out = fr.maxPool(fr.relu(fr.conv2d(out, filter, { strides: 1, padding: 'SAME' })), POOL);
  }
  return out;
}

/** Pools of several sizes. */
function pools(x: fr.Tensor): fr.Tensor {
  return fr.maxPool(fr.maxPool(fr.maxPool(x, POOL), POOL), POOL);
}

function images(batch: number): fr.TensorValue {
  const data = Float32Array.from({ length: batch * 36 * 28 * 4 }, (_, i) => ((i * 31) % 101) / 101);
  return new fr.TensorValue('float32', [batch, 36, 28, 4], data);
}

beforeEach(() => fr.resetDefaultGraph());

/** A session on a device of its own, whose pipelines are counted. */
async function withSession<T>(passes: PassSwitches, use: (sess: Session) => Promise<T>): Promise<T> {
  const sess = await Session.create({ device: await plainDevice(), config: { passes } });
  try {
    return await use(sess);
  } finally {
    sess.close();
  }
}

/** The fetched value, and how many pipelines were made for it. */
async function run(
  sess: Session,
  fetch: fr.Tensor,
  feeds: ReadonlyMap<fr.Tensor, fr.TensorValue>,
): Promise<[number[], number]> {
  const before = sess.stats.created.pipelines;
  const { data } = await sess.run(fetch, feeds);
  return [Array.from(data as ArrayLike<number>), sess.stats.created.pipelines - before];
}

test('layers of different sizes share shaders and compute the same bits', async () => {
  const x = fr.placeholder('float32', [2, 36, 28, 4]);
  const out = convolutions(x);
  const feeds = new Map([[x, images(2)]]);
  const [plain, plainPipelines] = await withSession({ parameters: false }, (sess) => run(sess, out, feeds));
  const [shared, pipelines] = await withSession({}, (sess) => run(sess, out, feeds));
  expect(shared).toEqual(plain);
  expect(pipelines).toBeLessThan(plainPipelines);
});

test('a plan for another batch size takes parameters where the first has constants, and from then on no shader is new', async () => {
  const x = fr.placeholder('float32', [null, 36, 28, 4]);
  const out = pools(x);
  const counts: number[] = [];
  await withSession({}, async (sess) => {
    for (const batch of [33, 34, 35, 36]) {
      const feeds = new Map([[x, images(batch)]]);
      const [data, pipelines] = await run(sess, out, feeds);
      counts.push(pipelines);
      if (batch !== 36) continue;
      const [plain] = await withSession({ parameters: false }, (other) => run(other, out, feeds));
      expect(data).toEqual(plain);
    }
  });
  expect(counts[0]).toBeGreaterThan(0);
  expect(counts.slice(2)).toEqual([0, 0]);
});

test('a training step keeps its constants', async () => {
  const x = fr.placeholder('float32', [2, 36, 28, 4]);
  const scale = new fr.Variable(fr.constant([1, 2, 3, 4]), { name: 'scale' });
  const loss = fr.reduceMean(fr.square(pools(fr.mul(x, scale))));
  const [gradient] = fr.gradients(loss, [scale]);
  if (!gradient) throw new Error('the loss depends on the scale');
  const train = scale.assignSub(fr.mul(gradient, 0.1));
  const feeds = new Map([[x, images(2)]]);
  const fetches = [train, loss];
  const made = async (passes: PassSwitches): Promise<number> =>
    withSession(passes, async (sess) => {
      await sess.run(scale.initializer);
      const before = sess.stats.created.pipelines;
      await sess.run(fetches, feeds);
      return sess.stats.created.pipelines - before;
    });
  expect(await made({})).toBe(await made({ parameters: false }));
});
