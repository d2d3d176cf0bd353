/** An LSTM that reads an image row by row and names it after the last one. */
import * as fr from 'forerun';
import { LSTM } from './specs.js';

/** Logits [batch, 10] of sequences [batch, 28, 28]. */
export function lstm(rows: fr.Tensor): fr.Tensor {
  const [, state] = fr.nn.dynamicRnn(new fr.nn.rnnCell.BasicLSTMCell(LSTM.units), rows, { dtype: 'float32' });
  return fr.layers.dense(state.h, 10);
}
