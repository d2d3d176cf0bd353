/** The shape rule of gradient helpers: a gradient and a value of one shape. */
import type { InferContext } from '../opDef.js';
import type { TensorShape } from '../shape.js';

/** Inputs 0 and 1 have one shape, which is also the output's. */
export function pairShape(c: InferContext): TensorShape[] {
  const [a, b] = [c.shape(0), c.shape(1)];
  return [
    a.mergeWith(b) ?? c.fail(`gradient and value differ in shape: ${a.toString()} and ${b.toString()}`),
  ];
}
