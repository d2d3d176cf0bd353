/** Exported loops over rows, choices among branches and ops that ONNX has no operator for: ONNX Runtime gives our values. */
import * as fr from '@forerun/graph';
import { layers, nn, rnnCell } from '@forerun/layers';
import { exportOnnx, readOnnxModel } from '@forerun/formats';
import { check, values } from './exported.js';

const int = (value: number): fr.Tensor => fr.constant(value, { dtype: 'int32' });

test('rows that loops read and stack', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault((): Record<string, fr.Tensor> => {
    const x = fr.placeholder('float32', [null, 3], { name: 'x' });
    const w = fr.constant(values([3, 3]));
    const limit = fr.cast(fr.reduceSum(fr.abs(x)), 'int32');
    const early = fr.whileLoop(
      (i, sum) => fr.logicalAnd(fr.less(i, 5), fr.less(sum, 2)),
      (i, sum, rows) => [fr.add(i, 1), fr.add(sum, 0.75), rows.write(i, fr.stack([sum, fr.neg(sum)]))],
      [int(0), fr.constant(0), new fr.TensorArray('float32', { size: 5, elementShape: [2] })],
    );
    const growing = fr.whileLoop(
      (i) => fr.less(i, fr.minimum(limit, 4)),
      (i, rows) => [fr.add(i, 1), rows.write(i, fr.mul(x, fr.cast(i, 'float32')))],
      [int(0), new fr.TensorArray('float32', { size: 0, dynamicSize: true })],
    );
    return {
      sums: fr.scan((sum, row) => fr.add(fr.mul(sum, 0.5), row), x, { initializer: fr.zeros([3]) }),
      running: fr.scan((sum, row) => fr.mul(fr.add(sum, row), 0.5), x),
      back: fr.scan((sum, row) => fr.add(fr.mul(sum, 0.5), row), x, { initializer: fr.ones([3]), reverse: true }),
      mapped: fr.mapFn((row) => fr.reduceSum(fr.matMul(fr.expandDims(row, 0), w)), x),
      pairs: fr.mapFn(({ a, b }) => fr.add(a, b), { a: x, b: fr.neg(fr.square(x)) }, { dtype: 'float32' }),
      folded: fr.foldl((a, row) => fr.add(fr.mul(a, 0.9), row), x, { initializer: fr.constant(values([3])) }),
      early: early[2].stack(), steps: early[0],
      growing: growing[1].stack(),
    };
  });
  await check(graph, outputs, { x: values([4, 3]) });
  await check(graph, outputs, { x: values([2, 3]) });
  const model = readOnnxModel(exportOnnx({ outputs: { y: outputs.sums ?? fail() } }));
  const loop = model.graph?.node.find(({ opType }) => opType === 'Loop');
  // The condition, the counter, the sum; the rows are stacked, what is read lies outside.
  expect(loop?.attribute.find(({ name }) => name === 'body')?.g?.output.length).toBe(4);
}, 120_000); // prettier-ignore

const fail = (): never => {
  throw new Error('there is no such output');
};

test('lists outside of loops, and in the order of a stack', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault((): Record<string, fr.Tensor> => {
    const x = fr.placeholder('float32', [2, 3], { name: 'x' });
    const shape = [2, 3];
    const list = fr.tensorListPushBack(fr.tensorListPushBack(fr.emptyTensorList({ dtype: 'float32', shape }), x), fr.neg(x));
    const popped = fr.tensorListPopBack(list, { dtype: 'float32', shape });
    const reserved = fr.tensorListSetItem(fr.tensorListReserve({ dtype: 'float32', shape }, 3), 1, fr.square(x));
    const both = fr.tensorListConcatLists(list, reserved, 'float32');
    const rows = fr.tensorListFromTensor(x, [3]);
    const [, pushed] = fr.whileLoop(
      (i) => fr.less(i, 4),
      (i, stack) => [fr.add(i, 1), fr.tensorListPushBack(stack, fr.mul(x, fr.cast(i, 'float32')))],
      [int(0), fr.emptyTensorList({ dtype: 'float32', shape: -1 })],
    );
    const scattered = fr.tensorListScatterIntoExistingList(reserved, fr.stack([x, x]), [2, 0]);
    return {
      last: popped.tensor, rest: fr.tensorListStack(popped.list, shape, 'float32'), all: fr.tensorListStack(both, shape, 'float32'),
      length: fr.tensorListLength(both), some: fr.tensorListGather(both, [3, 0], shape, 'float32'),
      item: fr.tensorListGetItem(rows, 1, { dtype: 'float32', shape: [3] }), pushed: fr.tensorListStack(pushed, shape, 'float32'),
      joined: fr.tensorListConcat(list, 'float32', { shape }).tensor, scattered: fr.tensorListStack(scattered, shape, 'float32'),
      longer: fr.tensorListStack(fr.tensorListResize(list, 3), shape, 'float32'),
    };
  });
  await check(graph, outputs, { x: values([2, 3]) });
}, 120_000); // prettier-ignore

test('one of several branches, gathers along other axes', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault((): Record<string, fr.Tensor> => {
    const x = fr.placeholder('float32', [2, 3], { name: 'x' });
    const which = fr.placeholder('int32', [], { name: 'which' });
    const w = new fr.Variable(values([3, 3]), { name: 'w' });
    const [y, s] = fr.switchCase(which, [
      () => [fr.matMul(x, w), fr.constant(1)],
      () => [fr.neg(x), fr.reduceMax(x)],
      () => [fr.add(x, 1), fr.reduceMin(x)],
    ]);
    const volume = fr.constant(values([2, 4, 3, 2]));
    const ids = fr.cast(fr.abs(fr.floorMod(fr.cast(fr.mul(x, 10), 'int32'), 3)), 'int32');
    return {
      y, s,
      picked: fr.gather(volume, ids, { axis: 2, batchDims: 1 }),
      last: fr.gather(volume, fr.reshape(fr.minimum(ids, 1), [2, 3]), { axis: 3, batchDims: 1 }),
    };
  });
  const init = graph.asDefault(() => fr.globalVariablesInitializer());
  for (const which of [0, 1, 2, 7])
    await check(graph, outputs, { x: values([2, 3]), which: new fr.TensorValue('int32', [], Int32Array.of(which)) }, init);
}, 120_000); // prettier-ignore

test('embeddings, recurrent layers and dilated convolutions', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault((): Record<string, fr.Tensor> => {
    const ids = fr.placeholder('int32', [2, 4], { name: 'ids' });
    const image = fr.placeholder('float32', [1, 6, 8, 2], { name: 'image' });
    const table = new fr.Variable(values([7, 3]), { name: 'table' });
    const words = fr.gather(table, ids);
    const cell = new fr.Variable(values([8, 20]), { name: 'lstm' });
    const { h } = fr.blockLstm(fr.constant(3, { dtype: 'int64' }), fr.transpose(words, { perm: [1, 0, 2] }), fr.zeros([2, 5]), fr.zeros([2, 5]), { w: cell, b: fr.zeros([20]) });
    const blocks = fr.spaceToBatchNd(image, [2, 2], [[0, 0], [1, 1]]);
    return {
      words, twice: fr.gather(table, [1, 1]), h,
      blocks, back: fr.batchToSpaceNd(fr.mul(blocks, 2), [2, 2], [[0, 1], [1, 1]]),
      dense: layers.dense(layers.flatten(words), 3, { name: 'fc' }),
      steps: nn.dynamicRnn(new rnnCell.GRUCell(4), words, { dtype: 'float32', sequenceLength: fr.constant([2, 4], { dtype: 'int32' }) })[0],
    };
  });
  const init = graph.asDefault(() => fr.globalVariablesInitializer());
  const ids = new fr.TensorValue('int32', [2, 4], Int32Array.of(0, 6, 3, 3, 1, 2, 5, 0));
  await check(graph, outputs, { ids, image: values([1, 6, 8, 2]) }, init);
}, 120_000); // prettier-ignore

test('elementwise functions, losses, scatters and what is found', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault((): Record<string, fr.Tensor> => {
    const x = fr.placeholder('float32', [3, 4], { name: 'x' });
    const whole = fr.cast(fr.mul(x, 10), 'int32');
    const zeroed = fr.relu(x);
    const rows = fr.placeholder('float32', [2, 4], { name: 'rows' });
    const at = fr.constant([[2], [0]], { dtype: 'int32' });
    const labels = fr.constant([[0, 1, 0, 0], [0.5, 0, 0, 0.5], [0, 0, 1, 0]]);
    const [distinct, places, counts] = fr.uniqueWithCounts(fr.round(fr.mul(fr.reshape(x, [-1]), 2)));
    const boxes = fr.constant([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [2, 2, 3, 3], [2.1, 2, 3, 3.1]]);
    return {
      expm1: fr.expm1(x), log1p: fr.log1p(fr.abs(x)), erfc: fr.erfc(x), finite: fr.isFinite(fr.div(x, zeroed)),
      safe: fr.divNoNan(x, zeroed), xlogy: fr.xlogy(zeroed, fr.abs(x)), xdivy: fr.xdivy(zeroed, x), towards: fr.truncateDiv(whole, 3), left: fr.truncateMod(x, 0.3),
      near: fr.approximateEqual(x, fr.add(x, 0.01), { tolerance: 0.1 }), bits: fr.bitwiseXor(whole, 5), loss: fr.l2Loss(x), norm: fr.reduceEuclideanNorm(x, { axis: 1 }),
      band: fr.matrixBandPart(x, 1, 0), line: fr.linspace(fr.reduceMin(x), 2, 5), rank: fr.rank(x),
      entropy: fr.softmaxCrossEntropyWithLogits({ labels, logits: x }), sparse: fr.sparseSoftmaxCrossEntropyWithLogits({ labels: fr.constant([1, 3, 0], { dtype: 'int32' }), logits: x }),
      updated: fr.tensorScatterUpdate(x, at, rows), added: fr.tensorScatterAdd(x, [[1], [1]], rows), less: fr.tensorScatterSub(x, at, rows), most: fr.tensorScatterMax(x, at, rows),
      scattered: fr.scatterNd(at, rows, [4, 4]), where: fr.where(fr.greater(x, 0)), distinct, places, counts,
      rolled: fr.roll(x, [1, -2], [0, 1]), reversed: fr.reverseSequence(x, [2, 4, 1], { seqAxis: 1, batchAxis: 0 }), turned: fr.reverseSequence(x, [2, 3, 1, 0], { seqAxis: 0, batchAxis: 1 }),
      inverse: fr.invertPermutation(fr.constant([2, 0, 3, 1], { dtype: 'int32' })),
      angles: fr.atan2(x, fr.stack([fr.neg(x), x, zeroed], { axis: 0 })), one: fr.apply('Select', [fr.greater(fr.reduceSum(x), 0), fr.reduceMax(x), fr.constant(0)]), mirrored: fr.mirrorPad(x, [[1, 2], [0, 3]], 'SYMMETRIC'), diagonals: fr.matrixDiag(x),
      levels: fr.fakeQuantWithMinMaxArgs(x, { min: -0.4, max: 0.7, numBits: 4 }), perChannel: fr.fakeQuantWithMinMaxVarsPerChannel(x, [-0.3, -1, 0, -0.2], [0.2, 1, 0.5, 0.4], { narrowRange: true }),
      segments: fr.segmentSum(x, [0, 2, 2]), places2: fr.unsortedSegmentSum(x, [1, -1, 1], 3), largest: fr.unsortedSegmentMax(x, [1, 0, 1], 2), product: fr.unsortedSegmentProd(x, [2, 0, 2], 3),
      kept: fr.nonMaxSuppression(boxes, fr.reshape(fr.slice(x, [0, 0], [1, 4]), [4]), 3, { iouThreshold: 0.4 }),
    };
  });
  await check(graph, outputs, { x: values([3, 4]), rows: values([2, 4]) });
}, 120_000); // prettier-ignore

test('a list of elements whose sizes are not known has no form but in a loop that fills it', () => {
  const graph = new fr.Graph();
  graph.asDefault(() => {
    const x = fr.placeholder('float32', [null], { name: 'x' });
    const list = fr.tensorListSetItem(fr.tensorListReserve({ dtype: 'float32', shape: -1 }, 2), 0, x);
    const y = fr.tensorListStack(list, -1, 'float32');
    expect(() => exportOnnx({ outputs: { y } })).toThrow(/the sizes of the elements of "TensorListReserve" must be known/);
    const odd = fr.tensorListSetItem(fr.tensorListReserve({ dtype: 'float32', shape: [] }, 0), 3, 1, { resize: true });
    expect(() => exportOnnx({ outputs: { y: fr.tensorListStack(odd, [], 'float32') } })).toThrow(/a list that grows where it is written has no form/);
  });
}); // prettier-ignore
