/** Weights of other frameworks in variables: a residual network with torchvision's names, layouts, what is said when they do not fit. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as fr from 'forerun';

const FIXTURES = resolve(import.meta.dirname, '../packages/formats/test/fixtures');
let directory: string;
let sess: fr.Session;

beforeEach(async () => {
  fr.resetDefaultGraph();
  directory = mkdtempSync(join(tmpdir(), 'forerun-weights-'));
  sess = await fr.Session.create();
});

afterEach(() => {
  sess.close();
  rmSync(directory, { recursive: true });
});

interface ConvOptions {
  readonly size: number;
  readonly stride?: number;
  readonly name: string;
}

/** A convolution padded as PyTorch pads, and a normalization, named `<conv>` and `<norm>`. */
function convNorm(
  x: fr.Tensor,
  filters: number,
  { size, stride = 1, name }: ConvOptions,
  norm: string,
): fr.Tensor {
  const pad = (size - 1) / 2;
  const padded = pad === 0 ? x : fr.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]]); // prettier-ignore
  const y = fr.layers.conv2d(padded, filters, size, {
    strides: stride,
    padding: 'valid',
    useBias: false,
    name,
  });
  return fr.layers.batchNormalization(y, { epsilon: 1e-5, name: norm });
}

/** The network of the fixture's script: a stem, two basic blocks, a dense layer. */
function buildSmallResnet(): fr.Tensor {
  const x = fr.placeholder('float32', [null, 8, 8, 3], { name: 'x' });
  let y = fr.nn.relu(convNorm(x, 4, { size: 3, name: 'conv1' }, 'bn1'));
  for (const [layer, width] of [
    [1, 4],
    [2, 8],
  ] as const) {
    // prettier-ignore
    const stride = layer;
    const root = `layer${layer}.0`;
    const first = fr.nn.relu(convNorm(y, width, { size: 3, stride, name: `${root}.conv1` }, `${root}.bn1`));
    const second = convNorm(first, width, { size: 3, name: `${root}.conv2` }, `${root}.bn2`);
    const shortcut =
      layer === 1
        ? y
        : convNorm(y, width, { size: 1, stride, name: `${root}.downsample.0` }, `${root}.downsample.1`);
    y = fr.nn.relu(fr.add(second, shortcut));
  }
  return fr.layers.dense(fr.reduceMean(y, { axis: [1, 2] }), 5, { name: 'fc' });
}

/** PyTorch's name of a variable: `layer1.0.bn1/gamma` is `layer1.0.bn1.weight`. */
function torchName(key: string): string {
  const words: Readonly<Record<string, string>> = {
    kernel: 'weight',
    gamma: 'weight',
    beta: 'bias',
    moving_mean: 'running_mean',
    moving_variance: 'running_var',
  };
  const [scope = '', variable = ''] = key.split('/');
  return `${scope}.${words[variable] ?? variable}`;
}

describe('a residual network of PyTorch', () => {
  test.each(['smallResnet.pth', 'smallResnet.safetensors'])('%s, by names and layouts', async (file) => {
    const logits = buildSmallResnet();
    const report = await fr.train.loadWeights(sess, `${FIXTURES}/${file}`, {
      map: torchName,
      transpose: 'pytorch',
    });
    expect(report).toMatchObject({ missing: [], shapeMismatch: [], skipped: [], converted: [] });
    expect(report.restored).toHaveLength(32);
    expect(report.transposed).toEqual([
      'conv1/kernel', 'layer1.0.conv1/kernel', 'layer1.0.conv2/kernel', 'layer2.0.conv1/kernel', 'layer2.0.conv2/kernel',
      'layer2.0.downsample.0/kernel', 'fc/kernel',
    ]); // prettier-ignore
    expect(report.unused.every((name) => name.endsWith('num_batches_tracked'))).toBe(true);
    const { reader, close } = await fr.io.openWeights(`${FIXTURES}/smallResnet.npz`);
    const [x, expected] = [await reader.read('x'), await reader.read('logits')];
    await close();
    const got = await sess.run(logits, { x });
    // The reference is NumPy's in float64.
    [...expected.data].forEach((value, i) =>
      expect(Math.abs(Number(got.data[i]) - Number(value))).toBeLessThan(2e-6),
    );
  });
});

test('filters that are not like others: depthwise, transposed and one-dimensional', async () => {
  const x = fr.placeholder('float32', [1, 4, 4, 2], { name: 'x' });
  const depthwise = fr.getVariable('depthwise', { shape: [3, 3, 2, 2] });
  fr.nn.depthwiseConv2d(x, depthwise, { strides: 1, padding: 'SAME' });
  fr.layers.conv2dTranspose(x, 5, 3, { name: 'up', useBias: false });
  fr.layers.conv1d(fr.reshape(x, [1, 16, 2]), 5, 3, { name: 'line', useBias: false });
  const table = fr.getVariable('table', { shape: [3, 3] });
  fr.gather(table, [1]);
  const counted = (shape: number[]): fr.TensorValue =>
    new fr.TensorValue(
      'float32',
      shape,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    );
  const weights = {
    depthwise: counted([4, 1, 3, 3]),
    'up/kernel': counted([2, 5, 3, 3]),
    'line/kernel': counted([5, 2, 3]),
    table: counted([3, 3]),
  };
  const { transposed } = await fr.train.loadWeights(sess, weights, { transpose: 'pytorch' });
  expect(transposed).toEqual(['depthwise', 'up/kernel', 'line/kernel']);
  const variables = new Map(fr.globalVariables().map((variable) => [variable.op.name, variable]));
  const at = async (name: string, index: number): Promise<unknown> => {
    const [value] = await sess.run([variables.get(name)?.snapshot ?? name]);
    return value?.data[index];
  };
  // [h,w,c,m] = [1,2,1,0] is filter 1 * 2 + 0 at [1,2]: 2 * 9 + 5
  expect(await at('depthwise', ((1 * 3 + 2) * 2 + 1) * 2)).toBe(23);
  // [h,w,out,in] = [1,2,4,1] is [in 1, out 4, 1, 2]
  expect(await at('up/kernel', ((1 * 3 + 2) * 5 + 4) * 2 + 1)).toBe(45 + 36 + 5);
  // [w,in,out] = [2,1,3] is [out 3, in 1, 2]
  expect(await at('line/kernel', (2 * 2 + 1) * 5 + 3)).toBe(18 + 3 + 2);
  expect(await at('table', 1)).toBe(1);
});

describe('what fits and what does not', () => {
  function model(): { a: fr.Variable; b: fr.Variable } {
    return {
      a: fr.getVariable('layer/a', { shape: [2, 3] }),
      b: fr.getVariable('b', { shape: [], dtype: 'int32' }),
    };
  }

  const six = Float32Array.of(1, 2, 3, 4, 5, 6);

  test('halves, doubles and bfloat16 become float32; orders of axes by name', async () => {
    const { a } = model();
    const path = join(directory, 'w.safetensors');
    const halves = new fr.TensorValue(
      'float16',
      [3, 2],
      Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600),
    );
    writeFileSync(path, fr.io.writeSafetensors([['x', halves], ['b', new fr.TensorValue('int32', [], Int32Array.of(3))]])); // prettier-ignore
    const report = await fr.train.loadWeights(sess, path, {
      map: { 'layer/a': 'x' },
      transpose: { 'layer/a': [1, 0] },
    });
    expect(report).toMatchObject({
      restored: ['layer/a', 'b'],
      converted: ['layer/a'],
      transposed: ['layer/a'],
      unused: [],
    });
    expect((await sess.run(a)).toArray()).toEqual([[1, 3, 5], [2, 4, 6]]); // prettier-ignore
  });

  test('names, skipped variables and a report', async () => {
    const { a, b } = model();
    await sess.run(b.initializer);
    const weights = { 'layer/A': [[1, 2, 3], [4, 5, 6]], other: 1 }; // prettier-ignore
    await expect(fr.train.loadWeights(sess, weights)).rejects.toThrow(
      /the record of weights lacks 2 of 2 variables:\n {2}"layer\/a" \(nearest: "layer\/A"\)\n {2}"b"/,
    );
    const report = await fr.train.loadWeights(sess, weights, { map: new Map([['layer/a', 'layer/A'], ['b', null]]) }); // prettier-ignore
    expect(report).toMatchObject({ restored: ['layer/a'], missing: [], skipped: ['b'], unused: ['other'] });
    expect((await sess.run(a)).data).toEqual(six);
    const again = await fr.train.loadWeights(sess, weights, { ignoreMissing: true });
    expect(again).toMatchObject({ restored: [], missing: ['layer/a', 'b'], unused: ['layer/A', 'other'] });
  });

  test('shapes and dtypes that differ are all listed, and nothing is assigned', async () => {
    model();
    await sess.run(fr.globalVariablesInitializer());
    const weights = { 'layer/a': new fr.TensorValue('float32', [3, 2], six), b: 1.5 };
    await expect(fr.train.loadWeights(sess, weights)).rejects.toThrow(
      '"layer/a": stored float32 [3,2], variable float32 [2,3]\n  "b": stored float32 [], variable int32 []',
    );
    await expect(
      fr.train.loadWeights(sess, weights, { transpose: { 'layer/a': [0, 1, 2] } }),
    ).rejects.toThrow('"layer/a": stored float32 [3,2] in the order [0,1,2], variable float32 [2,3]');
    const report = await fr.train.loadWeights(sess, weights, {
      transpose: { 'layer/a': [1, 0] },
      ignoreShapeMismatch: true,
    });
    expect(report).toMatchObject({ restored: ['layer/a'], shapeMismatch: ['b'] });
  });

  test('files that are not there or not weights are named', async () => {
    model();
    await expect(fr.train.loadWeights(sess, join(directory, 'none'))).rejects.toThrow(
      /there is no file or checkpoint ".*none"/,
    );
    const path = join(directory, 'text.safetensors');
    writeFileSync(path, 'hello');
    await expect(fr.train.loadWeights(sess, path)).rejects.toThrow(
      `"${path}": the file holds no weights of a known format`,
    );
    // @ts-expect-error -- a layout that there is not
    await expect(fr.train.loadWeights(sess, {}, { transpose: 'jax' })).rejects.toThrow(
      'the layout "jax" is not known',
    );
  });

  test('a checkpoint is weights too', async () => {
    const { a } = model();
    await sess.run(fr.globalVariablesInitializer());
    const before = await sess.run(a);
    const prefix = await new fr.train.Saver().save(sess, join(directory, 'model.ckpt'));
    await sess.run(a.assign(fr.zeros([2, 3])).op);
    const report = await fr.train.loadWeights(sess, `${prefix}.index`, { varList: [a] });
    expect(report).toMatchObject({ restored: ['layer/a'], unused: ['b', 'forerun/random_step'] });
    expect(await sess.run(a)).toEqual(before);
  });
});
