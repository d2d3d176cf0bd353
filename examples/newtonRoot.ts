/**
 * Gradients through a loop whose number of iterations is not known beforehand: Newton's iteration for the square root
 * stops by itself when it is close enough, and its result is differentiated twice. It then finds, by gradient descent
 * through the loop, the number whose square root is 3.
 *
 *   node examples/dist/newtonRoot.js
 */
import * as fr from 'forerun';

/** √a by Newton's iteration x ← (x + a / x) / 2 from x = max(a, 1), until x² is within 1e-5 of a. */
function newtonRoot(a: fr.Tensor): { root: fr.Tensor; iterations: fr.Tensor } {
  const [iterations, root] = fr.whileLoop(
    (_, x) => fr.greater(fr.abs(fr.sub(fr.square(x), a)), fr.mul(1e-5, a)),
    (i, x) => [fr.add(i, 1), fr.mul(0.5, fr.add(x, fr.div(a, x)))],
    [fr.constant(0, { dtype: 'int32' }), fr.maximum(a, 1)],
    { maximumIterations: 50 },
  );
  return { root, iterations };
}

const a = fr.placeholder('float32', [], { name: 'a' });
const { root, iterations } = newtonRoot(a);
const slope = fr.gradients(root, a)[0] ?? fr.zerosLike(a);
const bend = fr.gradients(slope, a)[0] ?? fr.zerosLike(a);

const guess = new fr.Variable(20, { name: 'guess', dtype: 'float32' });
const loss = fr.square(fr.sub(newtonRoot(guess.value()).root, 3));
const train = new fr.train.GradientDescentOptimizer(8).minimize(loss);
const init = fr.globalVariablesInitializer();

const sess = await fr.Session.create();
console.log('      a   iterations        root       slope     1/(2√a)      second  -1/(4√a³)');
for (const value of [0.25, 2, 100, 1e4]) {
  const r = await sess.run({ iterations, root, slope, bend }, { a: value });
  const numbers = [
    r.root.item(),
    r.slope.item(),
    0.5 / Math.sqrt(value),
    r.bend.item(),
    -0.25 * value ** -1.5,
  ];
  const cells = numbers.map((number) => number.toPrecision(4).padStart(12)).join('');
  console.log(`${String(value).padStart(7)}   ${String(r.iterations.item()).padStart(5)}   ${cells}`);
}
await sess.run(init);
for (let i = 0; i < 25; i++) await sess.run(train);
console.log(`the square root of ${(await sess.run(guess)).item().toFixed(3)} is 3`);
sess.close();
