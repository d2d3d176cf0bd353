/**
 * From a trained network to a small file for inference: freezing, optimizing, storing the weights in half precision, reading the
 * file again. The network learns to tell points inside a circle from others.
 *
 *   node examples/dist/freeze.js [steps]
 */
import * as fr from 'forerun';

const steps = Number(process.argv[2] ?? 300);
const directory = 'out/freeze';

fr.setRandomSeed(1);
const points = fr.placeholder('float32', [null, 2], { name: 'points' });
const first = fr.layers.dense(points, 64, { activation: fr.nn.relu, name: 'first' });
const second = fr.layers.dense(first, 32, { activation: fr.nn.relu, name: 'second' });
const logits = fr.layers.dense(second, 1, { name: 'logits' });
fr.sigmoid(logits, { name: 'inside' });

const distance = fr.reduceSum(fr.square(points), { axis: 1, keepDims: true });
const labels = fr.cast(fr.less(distance, 0.64), 'float32');
const loss = fr.losses.sigmoidCrossEntropy(labels, logits);
const train = new fr.train.AdamOptimizer(0.02).minimize(loss);

const sess = await fr.Session.create();
await sess.run(fr.globalVariablesInitializer());
// Points that fill a square evenly (R2, a quasirandom sequence of Roberts).
const batch = Float32Array.from({ length: 1024 }, (_, i) => {
  const step = i % 2 === 0 ? 0.7548776662466927 : 0.5698402909980532;
  return 2.6 * ((Math.floor(i / 2) * step) % 1) - 1.3;
});
const feeds = { points: new fr.TensorValue('float32', [512, 2], batch) };
let last = NaN;
for (let step = 0; step < steps; step++) last = (await sess.run({ loss, train }, feeds)).loss.item();
console.log(`loss ${last.toFixed(3)} after ${steps} steps`);

// The part that gives `inside`, with the values of the variables, for inference.
const frozen = await fr.graphUtil.convertVariablesToConstants(sess, null, ['inside']);
const { graphDef, report } = await fr.graphUtil.transform(
  frozen,
  ['points'],
  ['inside'],
  [...fr.graphUtil.DEFAULT_TRANSFORMS, { pass: 'quantizeWeights', minElements: 64 }],
);
for (const { pass, nodesBefore, nodesAfter, changes } of report) {
  if (changes.length > 0)
    console.log(`${pass}: ${nodesBefore} -> ${nodesAfter} nodes, ${changes.join('; ')}`);
}
const path = await fr.io.writeGraph(graphDef, directory, 'inside.pb', { asText: false });
console.log(`wrote ${path} with ${graphDef.node?.length ?? 0} nodes`);

// Somewhere else: nothing but the file.
const graph = new fr.Graph();
await fr.io.readGraph(path, { graph, name: '' });
const inference = await fr.Session.create({ graph });
const tests = [
  [0, 0],
  [0.5, 0],
  [0, -1.1],
  [1.2, 1.2],
];
const answers = (await inference.run('inside:0', { points: tests })).toArray() as number[][];
tests.forEach(([x, y], i) => console.log(`(${x}, ${y}) inside: ${answers[i]?.[0]?.toFixed(2)}`));
inference.close();
sess.close();
