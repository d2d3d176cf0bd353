/**
 * Training in mixed precision: variables are float32, products and activations float16. Small gradients would become 0 in
 * float16, so the loss is multiplied by a scale and the gradients are divided by it. A step whose gradients have
 * overflowed changes nothing and halves the scale; after 100 good ones it is doubled.
 *
 *   node examples/dist/mixedPrecision.js [steps]
 */
import * as fr from 'forerun';

const steps = Number(process.argv[2] ?? 400);
const [batch, inputs, hidden, classes] = [128, 64, 128, 10];
fr.setRandomSeed(1);

/** A float32 variable as the layers see it. */
function weight(name: string, shape: number[]): fr.Tensor {
  const initializer = fr.initializers.glorotUniform({ seed: 2 });
  return fr.cast(fr.getVariable(name, { shape, initializer }), 'float16');
}

// A fixed linear function of random points says their classes.
const x = fr.random.normal([batch, inputs]);
const teacher = new fr.Variable(fr.random.normal([inputs, classes]), { name: 'teacher', trainable: false });
const labels = fr.argMax(fr.matMul(x, teacher), { axis: 1, outputType: 'int32' });

const h = fr.nn.relu(fr.matMul(fr.cast(x, 'float16'), weight('w1', [inputs, hidden])));
const logits = fr.cast(fr.matMul(h, weight('w2', [hidden, classes])), 'float32');
const loss = fr.losses.sparseSoftmaxCrossEntropy(labels, logits);
const correct = fr.equal(fr.argMax(logits, { axis: 1, outputType: 'int32' }), labels);
const accuracy = fr.reduceMean(fr.cast(correct, 'float32'));

const scale = fr.placeholder('float32', [], { name: 'scale' });
const optimizer = new fr.train.GradientDescentOptimizer(0.3);
const scaled = optimizer.computeGradients(fr.mul(loss, scale));
const gradients = scaled.map(([gradient]) => fr.div(fr.convertToTensor(gradient as fr.Tensor), scale));
const finite = fr.reduceAll(fr.stack(gradients.map((gradient) => fr.reduceAll(fr.isFinite(gradient)))));
const train = optimizer.applyGradients(
  scaled.map(([, variable], i) => {
    const gradient = gradients[i] ?? fr.zerosLike(variable);
    return [fr.where(finite, gradient, fr.zerosLike(gradient)), variable];
  }),
);
const init = fr.globalVariablesInitializer();

const sess = await fr.Session.create();
await sess.run(init);
let [factor, good] = [2 ** 20, 0];
for (let step = 1; step <= steps; step++) {
  const result = await sess.run({ loss, accuracy, finite, train }, { scale: factor });
  good = result.finite.item() === 1 ? good + 1 : 0;
  if (good === 0) factor /= 2;
  else if (good % 100 === 0) factor *= 2;
  if (step % 50 === 0) {
    const share = (100 * result.accuracy.item()).toFixed(1);
    console.log(`step ${step}  loss ${result.loss.item().toFixed(3)}  accuracy ${share}%  scale ${factor}`);
  }
}
sess.close();
