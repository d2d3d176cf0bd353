/** Gradients of gathers whose axis or ranks are known only when the graph runs. */
import {
  Graph,
  TensorShape,
  constant,
  gather,
  gradients,
  placeholder,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { interpret } from '@forerun/testing';

const value = (dtype: HostValue['dtype'], shape: readonly number[], ...data: number[]): HostValue => ({
  dtype,
  shape,
  data: Float64Array.from(data),
});
const X = value('float32', [2, 3, 2], ...Array.from({ length: 12 }, (_, i) => i + 1));
const INDICES = value('int32', [2, 2], 1, 0, 1, 1);

/** The gradient of the sum of y², which tells elements apart. */
function slope(y: Tensor, x: Tensor, feeds: ReadonlyMap<Tensor, HostValue>): number[] {
  const [dx] = gradients(y, x, { gradYs: [y] });
  if (dx === null || dx === undefined) throw new Error('there is no gradient');
  return interpret([dx], feeds).flatMap(({ data }) => Array.from(data));
}

test.each([0, 1, 2, -1, -2, -3])('axis %i, fed', (axis) => {
  const [open, known] = [true, false].map((isOpen) =>
    new Graph().asDefault(() => {
      const x = placeholder('float32', isOpen ? TensorShape.UNKNOWN : [2, 3, 2]);
      const indices = placeholder('int32', isOpen ? TensorShape.UNKNOWN : [2, 2]);
      const at = isOpen ? placeholder('int32', []) : constant(axis, { dtype: 'int32' });
      const y = gather(x, indices, { axis: at });
      return slope(
        y,
        x,
        new Map([[x, X], [indices, INDICES], ...(isOpen ? ([[at, value('int32', [], axis)]] as const) : [])]),
      );
    }),
  );
  expect(open).toEqual(known);
});

test('batches need to be known', () => {
  new Graph().asDefault(() => {
    const [x, axis] = [placeholder('float32', [2, 3, 2]), placeholder('int32', [])];
    const y = gather(x, constant([[0], [1]], { dtype: 'int32' }), { axis, batchDims: 1 });
    expect(() => gradients(y, x)).toThrow(/with batch_dims needs a constant axis and known ranks/);
  });
});
