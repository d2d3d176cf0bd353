/** Gradients that go through what an op stands for, when some of its inputs are made from others. */
import {
  Graph,
  apply,
  blockLstm,
  cast,
  cholesky,
  gather,
  gradients,
  matrixBandPart,
  mul,
  placeholder,
  relu,
  shape,
  zeros,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { checkGrad } from '@forerun/testing';
import { floats } from './floats.js';

function check(build: (x: Tensor) => Tensor, point: HostValue, order: 1 | 2): void {
  new Graph().asDefault(() => {
    const x = placeholder('float32', point.shape);
    const y = build(x);
    expect(() => checkGrad([y], new Map([[x, point]]), { order })).not.toThrow();
  });
}

it('a residual that is made from the factors counts once', () => {
  const build = (x: Tensor): Tensor =>
    apply('_FusedMatMul', [x, mul(x, 2), [relu(x)]], { attrs: { fused_ops: ['Add'], num_args: 1 } });
  check(build, floats([3, 3]), 2);
});

it('a gradient that is made from the factor counts once', () => {
  const definite = { ...floats([2, 2]), data: Float64Array.of(3, 0.5, 0.5, 2) };
  check((x) => apply('CholeskyGrad', [matrixBandPart(x, -1, 0), mul(x, x)]), definite, 1);
  check((x) => cholesky(mul(cholesky(x), 2)), definite, 2);
});

it('the second order of a sequence of LSTM steps names what it needs to know', () => {
  new Graph().asDefault(() => {
    const x = placeholder('float32', [null, 1, 2]);
    const [w, b, state] = [zeros([3, 4]), zeros([4]), zeros([1, 1])];
    const steps = cast(gather(shape(x), 0), 'int64');
    const { h } = blockLstm(steps, x, state, state, { w, b });
    const [dx] = gradients(h, x);
    if (!dx) throw new Error('there is no gradient');
    expect(() => gradients(dx, x)).toThrow(/need the number of steps, x has shape \[\?,1,2\]/);
  });
});
