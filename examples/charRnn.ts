/**
 * A recurrent network that learns to write: an LSTM reads a text letter by letter, is trained to guess the
 * next one, and then goes on by itself. The text is a nursery rhyme, "The House That Jack Built"; any will do.
 *
 *   node examples/dist/charRnn.js
 *   node examples/dist/charRnn.js --text LICENSE --steps 2000 --units 128 --layers 2
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as fr from 'forerun';

const RHYME = new URL('../texts/houseThatJackBuilt.txt', import.meta.url);

const { values: given } = parseArgs({
  options: {
    text: { type: 'string' }, // a file to learn
    steps: { type: 'string', default: '300' },
    units: { type: 'string', default: '64' }, // of every layer
    layers: { type: 'string', default: '1' },
    batch: { type: 'string', default: '16' }, // windows of the text per step
    unroll: { type: 'string', default: '24' }, // letters per window
    rate: { type: 'string', default: '0.01' },
    temperature: { type: 'string', default: '0.5' }, // how daring the writing is
    write: { type: 'string', default: '300' }, // letters to write at the end
    seed: { type: 'string', default: '1' },
  },
});

/** An option that is a positive number; `parseArgs` gives text. */
function positive(name: Exclude<keyof typeof given, 'text'>, whole = true): number {
  const value = Number(given[name]);
  if (value > 0 && (!whole || Number.isInteger(value))) return value;
  throw new fr.errors.InvalidArgumentError(`--${name} must be a positive number, got ${given[name]}`);
}

const [steps, units, layers] = [positive('steps'), positive('units'), positive('layers')];
const [batch, unroll] = [positive('batch'), positive('unroll')];

// The letters that occur are the vocabulary; the text becomes their numbers.
const text = readFileSync(given.text ?? RHYME, 'utf8').replaceAll('\r\n', '\n');
const letters = [...new Set(text)].sort();
const numbers = Int32Array.from(text, (letter) => letters.indexOf(letter));
const windows = numbers.length - unroll;
if (windows < 1) throw new fr.errors.InvalidArgumentError(`the text is shorter than ${unroll + 1} letters`);

// The cell and the layer are used twice, to learn and to write: one object has one set of variables.
fr.setRandomSeed(positive('seed'));
const cells = Array.from({ length: layers }, () => new fr.nn.rnnCell.BasicLSTMCell(units));
const cell = new fr.nn.rnnCell.MultiRNNCell(cells);
const dense = new fr.layers.Dense(letters.length, { name: 'logits' });

// Learning: windows of the text, each read from a state of zeros, and the letters that follow each letter.
const x = fr.placeholder('int32', [batch, unroll], { name: 'x' });
const following = fr.placeholder('int32', [batch, unroll], { name: 'following' });
const inputs = fr.unstack(fr.oneHot(x, letters.length), { axis: 1 });
const [outputs] = fr.nn.staticRnn(cell, inputs, { dtype: 'float32' });
const logits = dense.apply(fr.reshape(fr.stack(outputs, { axis: 1 }), [-1, units]));
const loss = fr.losses.sparseSoftmaxCrossEntropy(fr.reshape(following, [-1]), logits);
const train = new fr.train.AdamOptimizer(positive('rate', false)).minimize(loss);

// Writing: a letter and a state give the next of both. The largest logit with Gumbel noise is a draw from the softmax.
const last = fr.placeholder('int32', [1], { name: 'last' });
const state = cell.zeroState(1, 'float32');
const [y, newState] = cell.apply(fr.oneHot(last, letters.length), state);
const noise = fr.neg(fr.log(fr.neg(fr.log(fr.random.uniform([1, letters.length], { minval: 1e-6 })))));
const scores = fr.add(fr.div(dense.apply(y), positive('temperature', false)), noise);
const drawn = fr.argMax(scores, { axis: 1, outputType: 'int32' });

const init = fr.globalVariablesInitializer();
const weights = fr.trainableVariables().reduce((sum, { shape }) => sum + (shape.size ?? 0), 0);
const sess = await fr.Session.create();
await sess.run(init);

/** What the network writes after a beginning: the state goes from run to run. */
async function write(beginning: string, length: number): Promise<string> {
  let written = beginning;
  let next = [letters.indexOf(beginning)];
  let memory = await sess.run(state);
  for (let i = 0; i < length; i++) {
    const result: { drawn: fr.TensorValue; memory: typeof memory } = await sess.run(
      { drawn, memory: newState },
      [
        [last, next],
        [state, memory],
      ],
    );
    memory = result.memory;
    next = [result.drawn.item()];
    written += letters[result.drawn.item()] ?? '';
  }
  return written;
}

console.log(`${numbers.length} letters, ${letters.length} different; ${weights} weights`);
const first = letters[numbers[0] ?? 0] ?? '';
const reportEvery = Math.max(1, Math.floor(steps / 6));
const started = performance.now();
for (let step = 1; step <= steps; step++) {
  // Steps of a constant that has no factor in common with most lengths: every window comes, in no order.
  const places = Array.from({ length: batch }, (_, i) => ((step * batch + i) * 7919) % windows);
  const result = await sess.run(
    { loss, train },
    {
      x: places.map((at) => [...numbers.subarray(at, at + unroll)]),
      following: places.map((at) => [...numbers.subarray(at + 1, at + unroll + 1)]),
    },
  );
  if (step % reportEvery !== 0) continue;
  const sample = JSON.stringify(await write(first, 40));
  console.log(`step ${String(step).padStart(4)}  loss ${result.loss.item().toFixed(3)}  ${sample}`);
}
console.log(`trained in ${((performance.now() - started) / 1000).toFixed(0)} s; now it writes:\n`);
console.log(await write(first, positive('write')));
sess.close();
