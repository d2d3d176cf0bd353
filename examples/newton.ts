/**
 * Newton's method with a Hessian from second-order gradients: finds the minimum of Rosenbrock's
 * function f(x, y) = (1 - x)² + 100 (y - x²)² in a handful of steps where gradient descent needs thousands.
 *
 *   node examples/dist/newton.js
 */
import * as fr from 'forerun';

const position = new fr.Variable(fr.constant([-1.2, 1]), { name: 'position' });
const [x, y] = fr.unstack(position) as [fr.Tensor, fr.Tensor];
const f = fr.add(fr.square(fr.sub(1, x)), fr.mul(100, fr.square(fr.sub(y, fr.square(x)))));

/** The derivatives of a scalar with respect to both coordinates. */
function partials(value: fr.Tensor): [fr.Tensor, fr.Tensor] {
  const [dx, dy] = fr.gradients(value, [x, y]);
  return [dx ?? fr.zerosLike(value), dy ?? fr.zerosLike(value)];
}

const [fx, fy] = partials(f);
const [fxx, fxy] = partials(fx);
const [, fyy] = partials(fy);
// The inverse of a symmetric 2x2 matrix, written out.
const determinant = fr.sub(fr.mul(fxx, fyy), fr.square(fxy));
const stepX = fr.div(fr.sub(fr.mul(fyy, fx), fr.mul(fxy, fy)), determinant);
const stepY = fr.div(fr.sub(fr.mul(fxx, fy), fr.mul(fxy, fx)), determinant);
const newtonStep = position.assignSub(fr.stack([stepX, stepY]));
const init = fr.globalVariablesInitializer();

const sess = await fr.Session.create();
await sess.run(init);
for (let i = 0; i <= 7; i++) {
  const [value, at] = await sess.run([f, position]);
  console.log(`step ${i}  f = ${value.item().toExponential(3)}  at (${at.toArray().toString()})`);
  await sess.run(newtonStep.op);
}
sess.close();
