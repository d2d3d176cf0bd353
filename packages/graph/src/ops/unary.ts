/** Elementwise ops of one operand. Gradients hold element by element. */
import { apply, type NameOptions } from '../apply.js';
import { sameShape } from '../inferHelpers.js';
import { op, type OpDef, type OpSpec } from '../opDef.js';
import type { Tensor, TensorLike } from '../tensor.js';

/** A unary op over floating-point tensors. */
function unary(spec: Pick<OpSpec, 'summary' | 'grad' | 'evaluate'>): OpDef {
  return op({ inputs: ['x: T'], outputs: ['y: T'], attrs: ['T: floating'], infer: sameShape, ...spec });
}

export const UNARY = {
  Sqrt: unary({
    summary: 'Elementwise square root.',
    grad: ({ ops, output, dy }) => [ops.div(dy, ops.mul(output(0), 2))], // dx = dy / 2√x
  }),
};

/** Elementwise square root (`tf.sqrt`). Negative elements give NaN. */
export function sqrt(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Sqrt', [x], { name });
}
