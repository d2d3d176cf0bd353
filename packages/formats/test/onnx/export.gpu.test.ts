/** Exported graphs run in ONNX Runtime with the values of ours, and can be imported again. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fr from '@forerun/graph';
import { loadOnnx, saveOnnx, Session } from '@forerun/session';
import { layers } from '@forerun/layers';
import { exportOnnx, importOnnx } from '@forerun/formats';
import { check, compare, values } from './exported.js';
import { reference } from './models.js';

test('a convolutional network with its variables', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault(() => {
    const x = fr.placeholder('float32', [null, 8, 8, 3], { name: 'x' });
    let y = layers.conv2d(x, 4, 3, { padding: 'same', strides: 2, activation: fr.relu, name: 'conv1' });
    y = layers.batchNormalization(y, { name: 'norm' });
    y = layers.maxPooling2d(y, 2, 2, { name: 'pool' });
    const depthwise = fr.depthwiseConv2d(y, fr.constant(values([3, 3, 4, 2])), {
      strides: 1,
      padding: 'SAME',
    });
    const logits = layers.dense(layers.flatten(depthwise), 5, { name: 'logits' });
    return { logits, probabilities: fr.softmax(logits) };
  });
  const init = graph.asDefault(() => fr.globalVariablesInitializer());
  await check(graph, outputs, { x: values([2, 8, 8, 3]) }, init);
}, 120_000);

test('ops one by one', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault((): Record<string, fr.Tensor> => {
    const x = fr.placeholder('float32', [2, 3, 4], { name: 'x' });
    const image = fr.placeholder('float32', [1, 4, 5, 6], { name: 'image' });
    const scale = fr.constant(values([5]));
    return {
      sum: fr.reduceSum(x, { axis: [1, 2] }),
      mean: fr.reduceMean(x, { axis: 1, keepDims: true }),
      transposed: fr.transpose(x, { perm: [2, 0, 1] }),
      reshaped: fr.reshape(x, [4, -1]),
      joined: fr.concat([x, fr.neg(x)], 2),
      padded: fr.pad(x, [[0, 1], [2, 0], [0, 0]]), // prettier-ignore
      largest: fr.argMax(x, { axis: 2 }),
      squeezed: fr.squeeze(fr.expandDims(x, 1), { axis: [1] }),
      picked: fr.gather(x, fr.constant([2, 0], { dtype: 'int32' }), { axis: 1 }),
      clipped: fr.relu6(fr.mul(x, 10)),
      inverse: fr.rsqrt(fr.add(fr.square(x), 1)),
      apart: fr.squaredDifference(x, 0.5),
      wide: fr.matMul(x, fr.constant(values([2, 4, 5]))),
      turned: fr.matMul(fr.reshape(x, [6, 4]), fr.constant(values([5, 4])), { transposeB: true }),
      first: fr.conv2d(image, fr.constant(values([3, 3, 4, 2])), { strides: 1, padding: [[0, 0], [0, 0], [1, 0], [1, 1]], dataFormat: 'NCHW' }), // prettier-ignore
      average: fr.avgPool2d(fr.transpose(image, { perm: [0, 2, 3, 1] }), {
        ksize: 3,
        strides: 2,
        padding: 'SAME',
      }),
      frozen: fr.fusedBatchNorm(fr.transpose(image, { perm: [0, 3, 1, 2] }), scale, scale, {
        isTraining: false,
        mean: scale,
        variance: fr.constant(values([5], 1, 2)),
      })[0],
      smooth: fr.leakyRelu(fr.tanh(x), { alpha: 0.1 }),
    };
  });
  await check(graph, outputs, { x: values([2, 3, 4]), image: values([1, 4, 5, 6]) });
}, 120_000);

test('random numbers, of which nothing is left in the result', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault((): Record<string, fr.Tensor> => {
    const x = fr.placeholder('float32', [null, 5], { name: 'x' });
    const drawn = fr.randomUniform(fr.shape(x), { seed: 1 });
    return {
      kept: fr.mul(x, fr.floor(fr.add(drawn, 1))),
      inRange: fr.cast(fr.less(fr.abs(fr.sub(drawn, 0.5)), 0.6), 'float32'),
      finite: fr.mul(0, fr.randomNormal(fr.shape(x), { seed: 1 })),
    };
  });
  await check(graph, outputs, { x: values([3, 5]) });
}, 120_000);

test('slices, splits, joins and choices', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault((): Record<string, fr.Tensor> => {
    const x = fr.placeholder('float32', [2, 3, 4], { name: 'x' });
    const ids = fr.constant([[1, 7], [-1, 2]], { dtype: 'int32' }); // prettier-ignore
    const [first, , third] = fr.split(x, 4, { axis: 2 });
    const [left, right] = fr.split(x, [1, 3], { axis: -1 });
    const [row, other] = fr.unstack(x, { axis: 1, num: 3 });
    const [values, indices] = fr.topK(x, { k: 2 });
    const whole = fr.cast(fr.mul(x, 10), 'int32');
    const strided = (begin: number[], end: number[], options: Parameters<typeof fr.stridedSlice>[3]): fr.Tensor =>
      fr.stridedSlice(x, begin, end, options);
    return {
      first: fr.identity(first ?? x), third: fr.neg(third ?? x), left: fr.identity(left ?? x), right: fr.identity(right ?? x),
      row: fr.identity(row ?? x), other: fr.identity(other ?? x), values, indices,
      stacked: fr.stack([x, fr.neg(x)], { axis: -1 }),
      part: fr.slice(x, [0, 1, 2], [2, -1, 1]),
      stepped: strided([0, 2], [2, 0], { strides: [1, -1] }),
      open: strided([0, 0, 3], [0, 0, 0], { strides: [1, 1, -2], beginMask: 3, endMask: 7 }),
      shrunk: strided([0, -1, 1], [0, 0, 0], { shrinkAxisMask: 2, ellipsisMask: 1, endMask: 4 }),
      added: strided([0, 0, 1], [0, 0, 3], { newAxisMask: 1, ellipsisMask: 2 }),
      same: strided([0, 0], [0, 0], { beginMask: 3, endMask: 3 }),
      tiled: fr.tile(x, [1, 2, 1]),
      wide: fr.broadcastTo(fr.reduceSum(x, { axis: 1, keepDims: true }), [2, 3, 4]),
      filled: fr.add(x, fr.fill(fr.shape(x), fr.constant(2.5))),
      zeros: fr.zerosLike(x), ones: fr.onesLike(whole),
      size: fr.size(x), shape: fr.shape(x, { outType: 'int64' }),
      hot: fr.oneHot(ids, 3, { onValue: 2, offValue: -1, axis: 1 }),
      chosen: fr.whereV2(fr.greater(x, 0), x, fr.constant(0.5)),
      rows: fr.where(fr.constant([true, false]), fr.identity(x), fr.neg(x)),
      reversed: fr.reverse(x, [0, 2]),
      mirrored: fr.mirrorPad(x, [[0, 1], [1, 0], [0, 0]], 'REFLECT'), // prettier-ignore
      sums: fr.cumsum(x, { axis: 1, exclusive: true }),
      all: fr.reduceAll(fr.greater(x, -0.9), { axis: 2 }), any: fr.reduceAny(fr.greater(x, 0.5), { axis: [1], keepDims: true }),
      floorDiv: fr.floorDiv(whole, 3), floorMod: fr.floorMod(whole, -3), floatMod: fr.floorMod(x, 0.3), floatDiv: fr.floorDiv(x, 0.3),
      clipped: fr.clipByValue(x, -0.5, 0.25),
      points: fr.gatherNd(x, fr.constant([[0, 2], [1, 0]], { dtype: 'int32' })), // prettier-ignore
      differ: fr.notEqual(whole, 3),
      range: fr.range(1, 10, { delta: 3 }),
      product: fr.einsum('abc,dc->adb', x, fr.constant(values_)),
      leaky: fr.prelu(x, fr.constant(0.2)),
      many: fr.addN([x, x, fr.neg(fr.square(x))]),
      angles: fr.atan(fr.sinh(x)),
    };
  });
  await check(graph, outputs, { x: values([2, 3, 4]) });
}, 120_000); // prettier-ignore

const values_ = values([5, 4]);

test('windows over images and volumes', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault((): Record<string, fr.Tensor> => {
    const image = fr.placeholder('float32', [1, 6, 5, 4], { name: 'image' });
    const volume = fr.placeholder('float32', [1, 4, 5, 4, 2], { name: 'volume' });
    const size = fr.constant([9, 4], { dtype: 'int32' });
    const fused = (type: string, [x, w, bias]: [fr.Tensor, fr.Tensor, fr.Tensor], attrs: fr.AttrInputs): fr.Tensor => fr.apply(type, [x, w, [bias]], { attrs });
    return {
      volume1: fr.conv3d(volume, fr.constant(values([2, 3, 2, 2, 3])), { strides: [1, 2, 1], padding: 'SAME' }),
      largest: fr.maxPool3d(volume, { ksize: 2, strides: 2, padding: 'SAME' }),
      mean: fr.avgPool3d(volume, { ksize: [2, 3, 1], strides: 1, padding: 'VALID' }),
      grown: fr.conv2dTranspose(image, fr.constant(values([3, 3, 2, 4])), [1, 12, 10, 2], { strides: 2, padding: 'SAME' }),
      valid: fr.conv2dTranspose(image, fr.constant(values([3, 2, 2, 4])), [1, 14, 10, 2], { strides: 2, padding: 'VALID' }),
      grown3: fr.conv3dTranspose(volume, fr.constant(values([2, 2, 3, 3, 2])), [1, 8, 10, 4, 3], { strides: [2, 2, 1], padding: 'SAME' }),
      grouped: fr.conv2d(image, fr.constant(values([3, 3, 2, 6])), { padding: 'SAME' }),
      linear: fr.resizeBilinear(image, size), halves: fr.resizeBilinear(image, size, { halfPixelCenters: true }), corners: fr.resizeBilinear(image, size, { alignCorners: true }),
      nearest: fr.resizeNearestNeighbor(image, size), nearHalves: fr.resizeNearestNeighbor(image, size, { halfPixelCenters: true }), nearCorners: fr.resizeNearestNeighbor(image, size, { alignCorners: true }),
      across: fr.lrn(image, { depthRadius: 1, alpha: 0.4, beta: 0.6 }),
      blocks: fr.depthToSpace(image, 2), depths: fr.spaceToDepth(fr.slice(image, [0, 0, 0, 0], [1, 6, 4, 4]), 2),
      fused: fused('_FusedConv2D', [image, fr.constant(values([3, 3, 4, 2])), fr.constant(values([2]))], { strides: [1, 1, 1, 1], padding: 'SAME', fused_ops: ['BiasAdd', 'Relu6'] }),
      slopes: fr.apply('_FusedConv2D', [image, fr.constant(values([3, 3, 4, 2])), [fr.constant(values([2])), fr.constant(values([1, 1, 2]))]], { attrs: { strides: [1, 1, 1, 1], padding: 'SAME', fused_ops: ['BiasAdd', 'Prelu'] } }),
      product: fused('_FusedMatMul', [fr.reshape(image, [6, 20]), fr.constant(values([20, 3])), fr.constant(values([3]))], { fused_ops: ['BiasAdd', 'Elu'] }),
    };
  });
  await check(graph, outputs, { image: values([1, 6, 5, 4]), volume: values([1, 4, 5, 4, 2]) });
}, 120_000); // prettier-ignore

test('names of a graph that look as if they had been made, and dense tensors of sparse ones', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault((): Record<string, fr.Tensor> => {
    const x = fr.placeholder('float32', [2, 3], { name: 'x' });
    const rows = fr.constant([[0, 2], [3, 1]], { dtype: 'int32' }); // prettier-ignore
    const picked = fr.sparseToDense(rows, [4, 3], fr.reshape(fr.slice(x, [0, 0], [1, 2]), [2]), {
      defaultValue: -1,
    });
    const list = fr.sparseToDense(fr.constant([4, 1], { dtype: 'int32' }), [6], 2.5);
    // Every name that an exporter may count up to.
    const named = Array.from({ length: 12 }, (_, i) =>
      fr.add(fr.square(x, { name: `Mul_${i}` }), i, { name: `Add_${i}` }),
    );
    // Sizes that only a run knows.
    const open = fr.placeholder('float32', [null, 3], { name: 'open' });
    const shape = fr.broadcastDynamicShape(fr.shape(open), fr.constant([2, 1, 1], { dtype: 'int32' }));
    return {
      grown: fr.broadcastTo(open, shape),
      picked,
      list,
      sum: fr.addN(named),
      turned: fr.resizeBilinear(fr.reshape(x, [1, 2, 3, 1]), [4, 6]),
    };
  });
  await check(graph, outputs, { x: values([2, 3]), open: values([4, 3]) });
}, 120_000);

test('conditionals, loops, calls of functions, gathers in batches', async () => {
  const graph = new fr.Graph();
  const outputs = graph.asDefault((): Record<string, fr.Tensor> => {
    const x = fr.placeholder('float32', [2, 3], { name: 'x' });
    const w = new fr.Variable(values([3, 3]), { name: 'w' });
    const large = fr.greater(fr.reduceSum(x), 0);
    const chosen = fr.cond(large, () => [fr.matMul(x, w), fr.constant(1)], () => [fr.neg(x), fr.reduceMax(x)]);
    const limit = fr.cast(fr.reduceSum(fr.abs(x)), 'int32');
    const [count, grown] = fr.whileLoop(
      (i, y) => fr.logicalAnd(fr.less(i, limit), fr.less(fr.reduceSum(fr.abs(y)), 100)),
      (i, y) => [fr.add(i, 1), fr.cond(fr.equal(fr.floorMod(i, 2), 0), () => fr.mul(y, 1.5), () => fr.add(fr.matMul(y, w), x))],
      [fr.constant(0, { dtype: 'int32' }), x],
    );
    const ids = fr.constant([[2, 0], [1, 1]], { dtype: 'int32' });
    return { product: chosen[0], scalar: chosen[1], count, grown, picked: fr.gather(x, ids, { batchDims: 1, axis: 1 }) };
  });
  const init = graph.asDefault(() => fr.globalVariablesInitializer());
  await check(graph, outputs, { x: values([2, 3]) }, init);
  await check(graph, outputs, { x: values([2, 3], 0.5, 1) }, init);
}, 120_000); // prettier-ignore

test('values beside the model', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'forerun-onnx-'));
  try {
    const graph = new fr.Graph();
    const outputs = graph.asDefault(() => {
      const x = fr.placeholder('float32', [2, 40], { name: 'x' });
      return { y: layers.dense(fr.mul(x, fr.constant(values([40]))), 30, { name: 'fc' }) };
    });
    await using sess = await Session.create({ graph });
    await sess.run(graph.asDefault(() => fr.globalVariablesInitializer()));
    const path = join(directory, 'model.onnx');
    await saveOnnx(sess, path, { outputs, externalData: true });
    expect(readdirSync(directory).sort()).toEqual(['model.onnx', 'model.onnx.data']);
    expect(readFileSync(`${path}.data`).length).toBe(40 * 30 * 4);
    const feeds = { x: values([2, 40]) };
    const got = await sess.run(outputs, feeds);
    const [whole = { outputs: {} }] = reference([{ path, feeds }]);
    compare(got, whole);
    const again = new fr.Graph();
    const imported = await loadOnnx(path, { graph: again });
    await using second = await Session.create({ graph: again });
    expect(await second.run(imported.outputs, feeds)).toEqual(got);

    const bytes = new Uint8Array(readFileSync(path));
    expect(() => importOnnx(bytes, { graph: new fr.Graph() })).toThrow(/its value lies in a file beside the model.*loadOnnx/);
    const rewritten = async (fields: Record<string, string>): Promise<unknown> => {
      const model = fr.proto.decode('onnx.ModelProto', bytes);
      for (const tensor of model.graph?.initializer ?? [])
        for (const entry of tensor.externalData) entry.value = fields[entry.key] ?? entry.value;
      writeFileSync(path, fr.proto.encode('onnx.ModelProto', model));
      return loadOnnx(path, { graph: new fr.Graph() });
    };
    await expect(rewritten({ location: '../model.onnx.data' })).rejects.toThrow(/has the path "..\/model.onnx.data": it must be a relative/);
    await expect(rewritten({ location: '/etc/passwd' })).rejects.toThrow(fr.InvalidArgumentError);
    await expect(rewritten({ location: 'other.data' })).rejects.toThrow(fr.NotFoundError);
    await expect(rewritten({ offset: '8' })).rejects.toThrow(/"model.onnx.data" holds 4792 of 4800 bytes from 8 on/);
    await expect(rewritten({ length: '1152921504606846976' })).rejects.toThrow(/length of its external data is|bytes, its shape takes/);
    await expect(rewritten({ offset: '-8' })).rejects.toThrow(/the offset of its external data is "-8"/);
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 120_000); // prettier-ignore

test('what cannot be exported is said, all at once', () => {
  const graph = new fr.Graph();
  graph.asDefault(() => {
    const x = fr.placeholder('float32', [4], { name: 'x' });
    const odd = fr.cumprod(x, { name: 'sums' });
    const w = new fr.Variable(fr.zeros([4]), { name: 'w' });
    expect(() => exportOnnx({ outputs: { y: fr.sort(odd) } })).toThrow(fr.UnimplementedError);
    const large = fr.mul(
      x,
      fr.constant(new fr.TensorValue('float32', [4], new Float32Array(4)), { name: 'big' }),
    );
    expect(() => exportOnnx({ outputs: { y: large }, maxBytes: 100 })).toThrow(
      /the model would take \d+ bytes, such a file can hold 100\. Largest values: "big" \(16 bytes\).*externalData: true/,
    );
    expect(() => exportOnnx({ outputs: { y: odd } })).toThrow(
      'ops that have no form in ONNX here:\n  Cumprod: sums',
    );
    expect(() => exportOnnx({ outputs: { y: fr.add(x, w) } })).toThrow(
      'the variable "w" has no value: give the option variables, or freeze the graph',
    );
  });
});
