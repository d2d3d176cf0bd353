/** Decoding what the device computed: the session reads the logits, decodes and goes on. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

test('labels are decoded in the middle of a run, also of other sizes and after an error', async () => {
  fr.resetDefaultGraph();
  const x = fr.placeholder('float32', [null, null, 3]);
  const lengths = fr.placeholder('int32', [null]);
  const [[greedy], scores] = fr.ctcGreedyDecoder(fr.mul(x, 2), lengths);
  const [[, second], chances] = fr.ctcBeamSearchDecoder(fr.mul(x, 2), lengths, { topPaths: 2 });
  if (greedy === undefined || second === undefined) throw new Error('sequences are wanted');
  const dense = fr.mul(fr.sparseTensorToDense(greedy, { defaultValue: -1 }), 10);
  const sess = await Session.create();
  const row = (k: number): number[] => [0, 1, 2].map((c) => (c === k ? 1 : 0));
  const feed = (...best: number[]): (readonly [fr.Tensor, fr.TensorValue | fr.NestedArray])[] => [
    [x, new fr.TensorValue('float32', [best.length, 1, 3], Float32Array.from(best.flatMap(row)))],
    [lengths, [best.length]],
  ];
  const got = await sess.run({ dense, scores, chances, second }, feed(0, 2, 1));
  expect(got.dense.toArray()).toEqual([[0, 10]]);
  expect(got.scores.toArray()).toEqual([[-6]]);
  expect(got.second.denseShape.toArray()).toEqual([1, 1]);
  await expect(sess.run(chances, feed())).rejects.toThrow(
    'item 0 has 1 label sequences, top_paths asks for 2',
  );
  expect((await sess.run(dense, feed(1, 1, 2, 1, 0))).toArray()).toEqual([[10, 10, 0]]);
  sess.close();
});
