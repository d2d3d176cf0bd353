/** The number of training steps so far, as a number. */
import type { Tensor, Variable } from '@forerun/graph';
import type { Session } from './session.js';

/** The value of the global step in a session (`tf.train.global_step`), from a variable such as `getGlobalStep` gives. */
export async function globalStep(sess: Session, globalStepTensor: Tensor | Variable): Promise<number> {
  const value = await sess.run(globalStepTensor);
  return Number(value.data[0] ?? NaN);
}
