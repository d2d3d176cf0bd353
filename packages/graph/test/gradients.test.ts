import {
  Graph,
  InvalidArgumentError,
  UnimplementedError,
  add,
  constant,
  exp,
  getDefaultGraph,
  gradients,
  identity,
  isDifferentiable,
  mul,
  neg,
  placeholder,
  reduceSum,
  resetDefaultGraph,
  shape,
  split,
  square,
  stopGradient,
  unstack,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { interpret } from '@forerun/testing';

let x: Tensor;
const point: HostValue = { dtype: 'float32', shape: [2], data: Float64Array.of(2, -3) };

beforeEach(() => {
  resetDefaultGraph();
  x = placeholder('float32', [2], { name: 'x' });
});

/** The value of a tensor at `x = point`. */
function valueOf(tensor: Tensor | null | undefined): number[] {
  if (tensor === null || tensor === undefined) throw new Error('there is no gradient');
  return [...(interpret([tensor], new Map([[x, point]]))[0]?.data ?? [])];
}

describe('gradients', () => {
  it('adds up what flows along several paths', () => {
    const y = add(mul(x, x), mul(x, 3));
    expect(valueOf(gradients(y, x)[0])).toEqual([7, -3]);
  });

  it('treats several ys as their sum', () => {
    expect(valueOf(gradients([square(x), neg(x)], [x])[0])).toEqual([3, -7]);
  });

  it('is one for y with respect to itself, and for inner tensors leaves out what is before them', () => {
    const y = square(x);
    const z = mul(y, y);
    expect(valueOf(gradients(y, y)[0])).toEqual([1, 1]);
    expect(valueOf(gradients(z, y)[0])).toEqual([8, 18]);
    expect(gradients(z, [y, x]).map(valueOf)).toEqual([
      [8, 18],
      [32, -108],
    ]);
  });

  it('gives null for what cannot be reached', () => {
    const other = placeholder('float32', [2]);
    expect(gradients(square(x), [other, x])[0]).toBeNull();
    expect(gradients([], [x])).toEqual([null]);
    expect(gradients(mul(stopGradient(x), 2), x)).toEqual([null]);
    const sizes = shape(placeholder('float32', [null]), { optimize: false });
    expect(gradients(mul(reduceSum(x), 2), [sizes])).toEqual([null]);
  });

  it('stops at stopGradients', () => {
    const y = square(x);
    const z = mul(y, x);
    expect(valueOf(gradients(z, x, { stopGradients: [y] })[0])).toEqual([4, 9]);
    expect(valueOf(gradients(z, y, { stopGradients: [y] })[0])).toEqual([2, -3]);
  });

  it('lets only part of a product through stopGradient', () => {
    expect(valueOf(gradients(mul(x, stopGradient(x)), x)[0])).toEqual([2, -3]);
  });

  it('starts from gradYs', () => {
    expect(valueOf(gradients(square(x), x, { gradYs: [[10, 100]] })[0])).toEqual([40, -600]);
    expect(() => gradients(square(x), x, { gradYs: [[1, 2, 3]] })).toThrow(
      /the gradient for .* has shape \[3\], not \[2\]/,
    );
  });

  it('takes gradients of gradients', () => {
    const [dx] = gradients(mul(square(x), x), x);
    const [ddx] = gradients(dx ?? x, x);
    expect(valueOf(ddx)).toEqual([12, -18]);
    const [dddx] = gradients(ddx ?? x, x);
    expect(valueOf(dddx)).toEqual([6, 6]);
  });

  it('fills in zeros for outputs that nothing flows into', () => {
    const [first] = unstack(x);
    expect(valueOf(gradients(first ?? x, x)[0])).toEqual([1, 0]);
    const [, second] = split(x, 2);
    expect(valueOf(gradients(second ?? x, x)[0])).toEqual([0, 1]);
  });

  it('refuses integers and ops without a gradient', () => {
    expect(() => gradients(placeholder('int32', []), x)).toThrow(InvalidArgumentError);
    expect(() => gradients(placeholder('int32', [], { name: 'n' }), x)).toThrow(
      /n:0 is int32; only floating-point/,
    );
    const graph = getDefaultGraph();
    const op = graph.createOp({ type: 'Mystery', name: 'odd', inputs: [x], outputDTypes: ['float32'] });
    expect(() => gradients(op.output(0), x)).toThrow(UnimplementedError);
    expect(() => gradients(op.output(0), x)).toThrow(
      /Mystery "odd" has no gradient: the op type is not registered/,
    );
    expect(isDifferentiable('Mystery')).toBe(false);
    expect(isDifferentiable('Square')).toBe(true);
  });

  it('does not ask ops that lead nowhere', () => {
    const graph = getDefaultGraph();
    const op = graph.createOp({ type: 'Mystery', inputs: [constant([1, 2])], outputDTypes: ['float32'] });
    op.output(0).setShape([2]);
    expect(valueOf(gradients(mul(exp(x), 0), x)[0])).toHaveLength(2);
    expect(gradients(add(op.output(0), mul(x, 1)), x)[0]).not.toBeNull();
  });

  it('builds in the graph of y, in a scope of its own, without touching the default graph', () => {
    const other = new Graph();
    const y = other.asDefault(() => square(placeholder('float32', [], { name: 'p' })));
    const before = getDefaultGraph().operations.length;
    const [dx] = gradients(y, y.op.inputs[0] ?? y);
    expect(dx?.graph).toBe(other);
    expect(dx?.op.name).toMatch(/^gradients\/Square_grad\//);
    expect(getDefaultGraph().operations).toHaveLength(before);
  });

  it('walks long chains without recursion', () => {
    let y = x;
    for (let i = 0; i < 3000; i++) y = identity(y);
    expect(valueOf(gradients(y, x)[0])).toEqual([1, 1]);
  });
});
