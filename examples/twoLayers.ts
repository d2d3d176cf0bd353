/**
 * A two-layer network on raw ops: the beginners' example of PyTorch and TensorFlow, fitting random
 * data. Weights are variables; the gradients come from `fr.gradients` and the update is written by hand.
 *
 *   node examples/dist/twoLayers.js [steps]
 */
import * as fr from 'forerun';

const steps = Number(process.argv[2] ?? 500);
const [batch, inputs, hidden, outputs] = [64, 1000, 100, 10];
const learningRate = 1e-6;

fr.setRandomSeed(1);
// The data are drawn once, when the variables are initialized.
const x = new fr.Variable(fr.random.normal([batch, inputs]), { name: 'x', trainable: false });
const y = new fr.Variable(fr.random.normal([batch, outputs]), { name: 'y', trainable: false });
const w1 = new fr.Variable(fr.random.normal([inputs, hidden]), { name: 'w1' });
const w2 = new fr.Variable(fr.random.normal([hidden, outputs]), { name: 'w2' });

const h = fr.matMul(x, w1);
const yPred = fr.matMul(fr.maximum(h, 0), w2);
const loss = fr.reduceSum(fr.square(fr.sub(yPred, y)), { name: 'loss' });

const [gradW1, gradW2] = fr.gradients(loss, [w1, w2]);
if (!gradW1 || !gradW2) throw new Error('the loss depends on both weights');
const train = fr.group([
  w1.assignSub(fr.mul(gradW1, learningRate)),
  w2.assignSub(fr.mul(gradW2, learningRate)),
]);
const init = fr.globalVariablesInitializer();

const sess = await fr.Session.create();
await sess.run(init);
for (let step = 0; step < steps; step++) {
  const [, value] = await sess.run([train, loss]);
  if (step % 100 === 99) console.log(`step ${step + 1}  loss ${value.item().toPrecision(5)}`);
}
sess.close();
