/** The process's device given back: what was open on it fails clearly, and the next session works. */
import { AbortedError, add, constant, Graph, mul, placeholder } from '@forerun/graph';
import { releaseDevice, Session } from '@forerun/session';

function doubled(): { graph: Graph; run: (sess: Session) => Promise<unknown> } {
  const graph = new Graph();
  const [x, y] = graph.asDefault(() => {
    const input = placeholder('float32', [2], { name: 'x' });
    return [input, add(mul(input, constant(2)), constant(1))];
  });
  const run = async (sess: Session): Promise<unknown> => {
    const [value] = await sess.run([y], new Map([[x, [1, 2]]]));
    return value.toArray();
  };
  return { graph, run };
}

test('sessions that were open fail by name, a new one computes on a new device', async () => {
  const { graph, run } = doubled();
  const before = await Session.create({ graph });
  expect(await run(before)).toEqual([3, 5]);
  await releaseDevice();
  await expect(run(before)).rejects.toThrow(AbortedError);
  await expect(run(before)).rejects.toThrow('create a new session');
  before.close();
  const after = await Session.create({ graph });
  expect(await run(after)).toEqual([3, 5]);
  after.close();
});

test('twice, at once, and where no session was made, it does nothing more', async () => {
  await Promise.all([releaseDevice(), releaseDevice()]);
  await releaseDevice();
  const { graph, run } = doubled();
  const sess = await Session.create({ graph });
  expect(await run(sess)).toEqual([3, 5]);
  sess.close();
});
