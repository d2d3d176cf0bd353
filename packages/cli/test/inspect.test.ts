/** `forerun inspect` on every kind of file, its numbers against numbers counted by hand. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  constant,
  FuncGraph,
  Graph,
  matMul,
  placeholder,
  proto,
  TensorShape,
  type Tensor,
} from '@forerun/graph';
import type { CheckpointReport } from '../src/checkpointReport.js';
import type { GraphReport } from '../src/graphReport.js';
import { buildFrozen, Folder, forerun, forerunJson, GOLDEN, writeForms } from './support.js';
import { decodeGraphWith, writeFrozenForms } from './graphFiles.js';

const folder = new Folder();
const inspectGraph = (name: string, ...args: string[]): Promise<GraphReport> =>
  forerunJson<GraphReport>('inspect', folder.at(name), ...args);

beforeAll(() => {
  writeForms(folder);
  writeFrozenForms(folder, buildFrozen());
});
afterAll(() => folder.remove());

describe('kinds of files', () => {
  test.each([
    ['graph.pb', 'GraphDef', 'pb'],
    ['graph.pbtxt', 'GraphDef', 'pbtxt'],
    ['graph.json', 'GraphDef', 'json'],
    ['graph.meta', 'MetaGraphDef', 'pb'],
    ['model', 'SavedModel', 'pb'],
    ['model/saved_model.pb', 'SavedModel', 'pb'],
    ['textModel', 'SavedModel', 'pbtxt'],
  ])('%s is a %s in %s', async (name, format, encoding) => {
    const report = await inspectGraph(name);
    expect(report).toMatchObject({ kind: 'graph', format, encoding, producer: 134 });
    expect(report.parameters.total).toEqual({ count: 4, parameters: 365, bytes: 4 * 365 });
  });

  test.each([
    'checkpoints',
    'checkpoints/checkpoint',
    'checkpoints/model.ckpt-7',
    'checkpoints/model.ckpt-7.index',
  ])('%s is a checkpoint', async (name) => {
    const report = await forerunJson<CheckpointReport>('inspect', folder.at(name));
    expect(report).toMatchObject({
      kind: 'checkpoint',
      shards: 1,
      parameters: 9,
      slotParameters: 6,
      bytes: 64,
    });
    expect(report.file).toBe(folder.at('checkpoints/model.ckpt-7'));
  });

  test('a data file means its checkpoint', async () => {
    const { out } = await forerun(['inspect', folder.at('checkpoints/model.ckpt-7.data-00000-of-00001')]);
    expect(out).toContain('model.ckpt-7: checkpoint V2, 1 data shard');
    expect(out).toMatch(/fc\/kernel\s+float32\s+\[3,2\]\s+6\s+24 B/);
  });

  test('the golden files of version 1', async () => {
    for (const name of ['graph.pb', 'graph.pbtxt', 'graph.json', 'graph.meta']) {
      const report = await forerunJson<GraphReport>('inspect', `${GOLDEN}/${name}`);
      expect(report.inputs).toEqual([{ name: 'x', op: 'Placeholder', dtype: 'float32', shape: [null, 3] }]);
      expect(report.unsupported).toEqual([
        { type: 'Foreign', nodes: 1, supported: false, reason: 'the op is not known' },
      ]);
    }
  });

  test('of a SavedModel with two graphs the tags choose', async () => {
    const { code, err } = await forerun(['inspect', folder.at('twoGraphs')]);
    expect(code).toBe(1);
    expect(err).toContain('[serve], [train, gpu]');
    expect((await inspectGraph('twoGraphs', '--tags', 'gpu,train')).tags).toEqual(['train', 'gpu']);
  });
});

/** The graph of a program that TensorFlow wrote. */
function tensorflowGraph(name: string): Buffer {
  const file = new URL(`../../session/test/fixtures/tensorflow/${name}.json.gz`, import.meta.url);
  const { files } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as {
    files: Record<string, string>;
  };
  return Buffer.from(files['.meta'] ?? '', 'base64');
}

describe('what is told of a graph', () => {
  test('nodes whose type names a function can run', async () => {
    folder.write('functions.meta', tensorflowGraph('functions'));
    const report = await inspectGraph('functions.meta');
    expect(report.unsupported).toEqual([]);
    const calls = report.ops.filter(({ type }) => /^(network|square)_/.test(type));
    expect(calls.map(({ nodes }) => nodes)).toEqual([1, 1]);
    expect((await forerun(['validate', folder.at('functions.meta')])).code).toBe(0);
    // TensorFlow names such a node after its function.
    const type = calls[0]?.type ?? '';
    const { out } = await forerun(['node', folder.at('functions.meta'), type]);
    expect(out).toContain(`Calls the function "${type}".`);
  });

  test('inputs, outputs and targets', async () => {
    const report = await inspectGraph('graph.pb');
    expect(report.inputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['images', [null, 8, 8, 1]],
      ['labels', [null]],
      ['rate', []],
    ]);
    expect(report.inputs[2]?.default).toBe('0.5');
    expect(report.outputs.map(({ name }) => name)).toEqual([
      'sparse_softmax_cross_entropy_loss/value',
      'probabilities',
    ]);
    expect(report.targets.map(({ name }) => name)).toEqual(['train', 'init']);
  });

  test('variables by role, from the optimizer that changes them', async () => {
    const { parameters, variables } = await inspectGraph('graph.pb');
    expect(parameters.trained).toEqual({ count: 4, parameters: 365, bytes: 1460 });
    expect(parameters.slots).toEqual({ count: 8, parameters: 730, bytes: 2920 });
    // global_step and the two powers of Adam.
    expect(parameters.other.count).toBe(3);
    expect(variables.find(({ name }) => name === 'conv/kernel')).toEqual({
      name: 'conv/kernel',
      dtype: 'float32',
      shape: [3, 3, 1, 4],
      role: 'trained',
      parameters: 36,
      bytes: 144,
    });
  });

  test('collections and signatures of a MetaGraphDef', async () => {
    const report = await inspectGraph('graph.meta');
    expect(report.collections).toContainEqual({ key: 'trainable_variables', kind: 'messages', size: 4 });
    expect(report.signatures).toEqual([
      {
        name: 'serving_default',
        method: 'tensorflow/serving/predict',
        inputs: [{ key: 'pictures', tensor: 'images:0', dtype: 'float32', shape: [null, 8, 8, 1] }],
        outputs: [{ key: 'scores', tensor: 'probabilities:0', dtype: 'float32', shape: [null, 5] }],
      },
    ]);
  });

  test('constants in functions are parameters too, once for each function', async () => {
    const graph = new Graph();
    graph.asDefault(() => {
      const fn = new FuncGraph('layer', graph);
      const x = fn.addInput({ dtype: 'float32', shape: new TensorShape([null, 3]), name: 'x' });
      fn.outputs = fn.asDefault(() => [matMul(x, constant([[1, 2, 3], [4, 5, 6], [7, 8, 9]], { name: 'w' }))]); // prettier-ignore
      fn.asDefault(() => constant([[1, 2, 3, 4]], { name: 'unused' }));
      graph.addFunction(fn);
      const f = { kind: 'func', value: { name: 'layer', attrs: new Map() } } as const;
      const call = (input: Tensor): Tensor =>
        graph
          .createOp({ type: 'PartitionedCall', inputs: [input], attrs: { f, Tout: ['float32'] } })
          .output(0);
      call(call(placeholder('float32', [null, 3], { name: 'x' })));
    });
    writeFrozenForms(folder, graph, 'calls.pb');
    const { parameters } = await inspectGraph('calls.pb');
    expect(parameters.total).toEqual({ count: 1, parameters: 9, bytes: 36 });
    const { out } = await forerun(['weights', folder.at('calls.pb')]);
    expect(out).toMatch(/layer\/w\s+float32\s+\[3,3\]/);
  });

  test('constants are the parameters of a frozen graph', async () => {
    const { parameters, outputs } = await inspectGraph('frozen.pb');
    expect(parameters.total).toEqual({ count: 1, parameters: 6, bytes: 24 });
    expect(outputs).toEqual([{ name: 'product', op: 'MatMul', dtype: 'float32', shape: [null, 2] }]);
  });

  test('the op histogram counts every node', async () => {
    const { ops, nodes } = await inspectGraph('graph.pb');
    expect(ops.reduce((sum, op) => sum + op.nodes, 0)).toBe(nodes);
    expect(ops.find(({ type }) => type === 'Conv2D')).toEqual({ type: 'Conv2D', nodes: 1, supported: true });
  });
});

describe('what a run costs', () => {
  test('a batch of 1 is assumed and said so', async () => {
    const report = await inspectGraph('frozen.pb');
    expect(report.cost.inputs).toEqual([{ name: 'x', shape: [1, 3], source: 'assumed' }]);
    // One dot product of 3 for each of 2 elements.
    expect(report.cost.runs).toMatchObject([
      { name: 'outputs', fetches: ['product'], flops: 12, activationBytes: 20, peakBytes: 20 },
    ]);
    const { out } = await forerun(['inspect', folder.at('frozen.pb')]);
    expect(out).toContain('with x=[1,3] (a batch of 1 is assumed)');
    expect(out).toContain('--shape x=32,3');
  });

  test('--shape gives the batch', async () => {
    const report = await inspectGraph('frozen.pb', '--shape', 'x=10,3');
    expect(report.cost.inputs).toEqual([{ name: 'x', shape: [10, 3], source: 'given' }]);
    expect(report.cost.runs[0]).toMatchObject({ flops: 120, activationBytes: 10 * 3 * 4 + 10 * 2 * 4 });
    // The file itself stays as it is.
    expect(report.inputs[0]?.shape).toEqual([null, 3]);
  });

  test('the forward and the training run of a network', async () => {
    const { cost } = await inspectGraph('graph.pb', '--shape', 'images=2,8,8,1', '--shape', 'labels=2');
    expect(cost.runs.map(({ name }) => name)).toEqual(['outputs', 'train']);
    const [forward, step] = cost.runs;
    const flops = (run: typeof forward, type: string): number | undefined =>
      run?.flopsByType.find((item) => item.type === type)?.flops;
    expect(flops(forward, 'Conv2D')).toBe(2 * (2 * 8 * 8 * 4) * (3 * 3 * 1));
    expect(flops(forward, 'MatMul')).toBe(2 * (2 * 5) * 64);
    expect(flops(forward, 'MaxPool')).toBe(2 * 4 * 4 * 4 * (2 * 2));
    expect(flops(step, 'ResourceApplyAdam')).toBe(12 * 365);
    // Forward, and both gradients of the layer of classes.
    expect(flops(step, 'MatMul')).toBe(3 * 2 * (2 * 5) * 64);
    expect(forward?.uncounted).toEqual([]);
    expect(forward?.largestActivations[0]).toMatchObject({
      name: 'conv/Conv2D:0',
      shape: [2, 8, 8, 4],
      bytes: 2048,
    });
  });

  test('what cannot be counted is named', async () => {
    const report = await forerunJson<GraphReport>('inspect', `${GOLDEN}/graph.pb`);
    expect(report.cost.runs[0]?.uncounted).toEqual(['foreign']);
  });

  test('a graph that a batch of 1 does not fit keeps its unknown shapes', async () => {
    folder.write('baked.pb', decodeGraphWith('baked'));
    const report = await inspectGraph('baked.pb');
    expect(report.cost.problem).toContain('baked');
    expect(report.cost.inputs).toEqual([{ name: 'x', shape: [null, 3], source: 'unknown' }]);
    expect((await inspectGraph('baked.pb', '--shape', 'x=2,3')).cost.problem).toBeUndefined();
  });
});

describe('text', () => {
  test('reads like a page and has no decoration in a pipe', async () => {
    const { out, err, code } = await forerun(['inspect', folder.at('graph.pb')]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`${folder.at('graph.pb')}: GraphDef, binary, `);
    expect(out).toContain('Parameters  365 in 4 trained variables, 1.4 KiB');
    expect(out).toContain('Targets  train, init');
    expect(out).toMatch(/\n {2}images {2}float32 {2}\[\?,8,8,1\]/);
    expect(/[^\n\x20-\x7e]/.test(out)).toBe(false);
  });

  test('long lists are cut unless --all is given', async () => {
    const short = (await forerun(['inspect', folder.at('graph.pb')])).out;
    const long = (await forerun(['inspect', folder.at('graph.pb'), '--all'])).out;
    expect(short).toMatch(/\.\.\. \d+ more types: --all/);
    expect(long).not.toContain('more types');
    expect(long).toContain('conv/kernel/Adam_1');
  });

  test('the JSON of a file tells its size', async () => {
    expect((await inspectGraph('graph.pb')).fileBytes).toBe(readFileSync(folder.at('graph.pb')).length);
  });
});

test('ops in functions that cannot run are told of, those of functions that nothing calls are not', async () => {
  const type = (name: string) => ({ name, type: 1 });
  const body = (name: string, op: string) => ({
    signature: { name, inputArg: [type('x')], outputArg: [type('y')] },
    nodeDef: [{ name: 'inner', op, input: ['x'] }],
    ret: new Map([['y', 'inner:y:0']]),
  });
  const attr = new Map<string, object>([
    ['dtype', { type: 1 }],
    ['shape', { shape: { dim: [{ size: 2n }] } }],
  ]);
  const def = {
    node: [
      { name: 'x', op: 'Placeholder', attr },
      { name: 'y', op: 'strange', input: ['x'] },
    ],
    library: { function: [body('strange', 'Mystery'), body('unused', 'Riddle')] },
  };
  const path = folder.write('strange.pb', proto.encode('GraphDef', def));
  const { unsupported } = await forerunJson<{ unsupported: object[] }>('inspect', path);
  expect(unsupported).toEqual([
    { type: 'Mystery', nodes: 1, supported: false, reason: 'the op is not known, in a function' },
  ]);
  const { out } = await forerun(['inspect', path]);
  expect(out).toContain('2 nodes of 2 types; functions need 1 type that cannot run');
});
