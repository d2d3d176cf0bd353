/** One decoder block with layer normalization in front of both halves, between a projection and a classifier. */
import * as fr from 'forerun';
import { TRANSFORMER } from './specs.js';

const { time, width, heads, hidden } = TRANSFORMER;

/** [batch, time, width] as [batch, heads, time, width / heads]. */
function splitHeads(x: fr.Tensor): fr.Tensor {
  return fr.transpose(fr.reshape(x, [-1, time, heads, width / heads]), { perm: [0, 2, 1, 3] });
}

/** What is added to the scores: 0 where a position may look, a large negative number elsewhere. */
function causalMask(): fr.Tensor {
  const mask = Float32Array.from({ length: time * time }, (_, i) =>
    i % time > Math.floor(i / time) ? -1e9 : 0,
  );
  return fr.constant(mask, { shape: [time, time] });
}

function attention(x: fr.Tensor): fr.Tensor {
  const project = (): fr.Tensor => splitHeads(fr.layers.dense(x, width, { useBias: false }));
  const [queries, keys, values] = [project(), project(), project()];
  const scores = fr.mul(fr.matMul(queries, keys, { transposeB: true }), 1 / Math.sqrt(width / heads));
  const weights = fr.nn.softmax(fr.add(scores, causalMask()));
  const joined = fr.transpose(fr.matMul(weights, values), { perm: [0, 2, 1, 3] });
  return fr.layers.dense(fr.reshape(joined, [-1, time, width]), width);
}

function feedForward(x: fr.Tensor): fr.Tensor {
  return fr.layers.dense(fr.layers.dense(x, hidden, { activation: fr.nn.relu }), width);
}

/** Logits [batch, time, 64] of sequences [batch, time, 64]. */
export function transformer(sequence: fr.Tensor): fr.Tensor {
  const x = fr.layers.dense(sequence, width);
  const attended = fr.add(x, attention(fr.layers.layerNormalization(x)));
  const y = fr.add(attended, feedForward(fr.layers.layerNormalization(attended)));
  return fr.layers.dense(fr.layers.layerNormalization(y), 64);
}
