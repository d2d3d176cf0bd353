/** Rows of a tensor updated "in place" (TensorFlow's `inplace_ops`): the result is another tensor, x stays as it is. */
import { throughParts } from '../composedOp.js';
import { op, type ComposeContext, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { withRank, withRankAtLeast } from '../inferHelpers.js';

function infer(c: InferContext): TensorShape[] {
  const x = withRankAtLeast(c, 0, 1, 'x');
  const rows = withRank(c, 1, 1, 'i');
  if (x.rank === null) return [c.shape(2).rank === null ? x : TensorShape.ofRank(c.shape(2).rank ?? 1)];
  const want = rows.concat(x.slice(1));
  if (!want.isCompatibleWith(c.shape(2))) {
    c.fail(`v must have shape ${want.toString()}, a row of x for each of i, got ${c.shape(2).toString()}`);
  }
  return [x];
}

function inplace(
  summary: string,
  update: (c: ComposeContext, x: Tensor, rows: Tensor, values: Tensor) => Tensor,
): OpDef {
  const compose = (c: ComposeContext): Tensor[] => [
    update(c, c.input(0), c.ops.expandDims(c.input(1), 1), c.input(2)),
  ];
  return op({
    summary,
    inputs: ['x: T', 'i: int32', 'v: T'],
    outputs: ['y: T'],
    attrs: ['T: type'],
    infer,
    grad: throughParts(compose),
    compose,
  });
}

export const INPLACE = {
  InplaceUpdate: inplace(
    'A tensor with the rows that i names replaced by those of v.',
    ({ ops }, x, rows, v) => ops.tensorScatterUpdate(x, rows, v),
  ),
  InplaceAdd: inplace('A tensor with the rows of v added to those that i names.', ({ ops }, x, rows, v) =>
    ops.tensorScatterAdd(x, rows, v),
  ),
  InplaceSub: inplace(
    'A tensor with the rows of v subtracted from those that i names.',
    ({ ops }, x, rows, v) => ops.tensorScatterSub(x, rows, v),
  ),
} satisfies Record<string, OpDef>;
