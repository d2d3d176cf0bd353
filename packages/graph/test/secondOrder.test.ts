/** Hessians and their products with vectors, by hand. */
import {
  Graph,
  constant,
  hessianVectorProduct,
  hessians,
  mul,
  placeholder,
  pow,
  reduceSum,
  square,
  type Tensor,
} from '@forerun/graph';
import { interpret } from '@forerun/testing';

const valueOf = (tensor: Tensor | null | undefined): number[] =>
  tensor === null || tensor === undefined ? [] : Array.from(interpret([tensor])[0]?.data ?? []);

function inGraph(build: (x: Tensor) => void): void {
  new Graph().asDefault(() => build(constant([[1, 2]])));
}

test('hessians have the shape of x twice', () => {
  inGraph((x) => {
    const product = mul(x, constant([[3, 5]]));
    const [h] = hessians(square(reduceSum(product)), x);
    expect(h?.shape.dims).toEqual([1, 2, 1, 2]);
    expect(valueOf(h)).toEqual([18, 30, 30, 50]);
    expect(valueOf(hessians(reduceSum(pow(x, 3)), [x])[0])).toEqual([6, 0, 0, 12]);
    expect(valueOf(hessians(product, x)[0])).toEqual([0, 0, 0, 0]);
  });
});

test('hessian-vector products take all variables together', () => {
  inGraph((x) => {
    const y = constant(4);
    const loss = mul(reduceSum(square(x)), square(y));
    const [hx, hy] = hessianVectorProduct(loss, [x, y], [[[1, 0]], 2]);
    // d/dx: 2 y^2 v + 4 x y w; d/dy: 4 y x.v + 2 |x|^2 w
    expect(valueOf(hx)).toEqual([32 + 32, 64]);
    expect(valueOf(hy)).toEqual([16 + 20]);
    expect(() => hessianVectorProduct(loss, [x, y], [1])).toThrow('1 parts of v for 2 xs');
  });
});

test('hessians refuse unknown shapes and independent tensors', () => {
  inGraph((x) => {
    const open = placeholder('float32', [null], { name: 'open' });
    expect(() => hessians(reduceSum(open), open)).toThrow(/the shape \[\?\] of open:0 must be known/);
    expect(() => hessians(reduceSum(open), x)).toThrow(/ys do not depend on Const:0/);
  });
});
