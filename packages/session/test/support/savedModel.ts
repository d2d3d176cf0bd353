/** What the tests of checkpoints save. */
import * as fr from '@forerun/graph';
import type { Session } from '../../src/index.js';

/** Two variables with values: `layer/w`, [[1, 2], [3, 4]] in float32, and `n`, 7 in int64. */
export async function savedModel(sess: Session): Promise<{ w: fr.Variable; n: fr.Variable }> {
  const w = new fr.Variable(
    fr.constant([
      [1, 2],
      [3, 4],
    ]),
    { name: 'layer/w' },
  );
  const n = new fr.Variable(fr.constant(7, { dtype: 'int64' }), { name: 'n' });
  await sess.run([w.initializer, n.initializer]);
  return { w, n };
}
