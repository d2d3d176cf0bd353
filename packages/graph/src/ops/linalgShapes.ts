/** Shape rules of linear algebra. */
import { withRankAtLeast } from '../inferHelpers.js';
import type { InferContext } from '../opDef.js';
import type { TensorShape } from '../shape.js';

/** The shape of square matrices; rejects others. */
export function squareInput(c: InferContext, i: number, name: string): TensorShape {
  const x = withRankAtLeast(c, i, 2, name);
  if (x.rank === null) return x;
  const [rows, columns] = [x.dim(-2), x.dim(-1)];
  if (rows !== null && columns !== null && rows !== columns) {
    c.fail(`${name} must hold square matrices, got shape ${x.toString()}`);
  }
  const side = rows ?? columns;
  return x.slice(0, -2).concat([side, side]);
}
