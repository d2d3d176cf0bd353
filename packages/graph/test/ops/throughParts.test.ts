/** Gradients that go through what an op stands for, when some of its inputs are made from others. */
import {
  Graph,
  apply,
  cholesky,
  matrixBandPart,
  mul,
  placeholder,
  relu,
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
