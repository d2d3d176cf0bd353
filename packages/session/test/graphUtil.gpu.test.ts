/** Freezing and optimizing saved graphs: what is left, that it gives the same, and what is refused. */
import * as fr from '@forerun/graph';
import { graphUtil, Session } from '../src/index.js';

type GraphDef = fr.proto.Init<fr.proto.GraphDef>;

let sess: Session;
beforeEach(async () => {
  fr.resetDefaultGraph();
  sess = await Session.create();
});
afterEach(() => sess.close());

const ops = (def: GraphDef): string[] => (def.node ?? []).map(({ op = '' }) => op).sort();
const count = (def: GraphDef, op: string): number => ops(def).filter((other) => other === op).length;

/** Numbers between -1 and 1 that depend on the index. */
function numbers(shape: readonly number[], seed = 1): fr.TensorValue {
  const size = fr.sizeOf(shape);
  return new fr.TensorValue(
    'float32',
    shape,
    Float32Array.from({ length: size }, (_, i) => Math.sin(seed * 7 + i * 1.7)),
  );
}

async function variable(shape: readonly number[], name: string, seed = 1): Promise<fr.Variable> {
  const made = new fr.Variable(fr.constant(numbers(shape, seed)), { name });
  await sess.run(made.initializer);
  return made;
}

function graphOf(def: GraphDef): fr.Graph {
  const graph = new fr.Graph();
  fr.importGraphDef(fr.writeGraphDef(def), { graph, name: '' });
  return graph;
}

async function run(
  def: GraphDef,
  output: string,
  feeds: Record<string, fr.TensorValue>,
): Promise<fr.TensorValue> {
  const session = await Session.create({ graph: graphOf(def) });
  try {
    return await session.run(`${output}:0`, feeds);
  } finally {
    session.close();
  }
}

describe('convertVariablesToConstants', () => {
  test('puts values in place of variables; reads become identities', async () => {
    const x = fr.placeholder('float32', [null, 3], { name: 'x' });
    const w = await variable([3, 2], 'w');
    const y = fr.matMul(x, w, { name: 'y' });
    await sess.run(w.assignAdd(fr.ones([3, 2])).op);
    const frozen = await graphUtil.convertVariablesToConstants(sess, null, ['y']);
    expect(ops(frozen)).toEqual(['Const', 'Identity', 'MatMul', 'Placeholder']);
    const value = numbers([2, 3], 4);
    expect(await run(frozen, 'y', { x: value })).toEqual(await sess.run(y, { x: value }));
  });

  test('reaches variables that conditionals and loops read', async () => {
    const x = fr.placeholder('float32', [2], { name: 'x' });
    const p = fr.placeholder('bool', [], { name: 'p' });
    const w = await variable([2], 'w');
    const table = await variable([4, 2], 'table', 2);
    const chosen = fr.cond<fr.Tensor>(
      p,
      () => fr.mul(x, w),
      () => fr.gather(table, 3),
    );
    const [, looped] = fr.whileLoop<[fr.Tensor, fr.Tensor]>(
      (i) => fr.less(i, 3),
      (i, y) => [fr.add(i, 1), fr.add(fr.mul(y, w), x)],
      [fr.constant(0, { dtype: 'int32' }), chosen],
    );
    fr.identity(looped, { name: 'y' });
    const frozen = await graphUtil.convertVariablesToConstants(sess, null, ['y']);
    expect(ops(frozen).filter((op) => op.includes('Var'))).toEqual([]);
    for (const truth of [true, false]) {
      const feeds = { x: numbers([2], 3), p: fr.toTensorValue(truth) };
      expect(await run(frozen, 'y', feeds)).toEqual(await sess.run('y:0', feeds));
    }
  });

  test('freezes reference variables of older files', async () => {
    const graph = fr.getDefaultGraph();
    const attrs = { shape: [2], dtype: 'float32' as const };
    const ref = graph.createOp({ type: 'VariableV2', name: 'v', attrs }).output(0);
    const assign = graph.createOp({ type: 'Assign', name: 'v/Assign', inputs: [ref, fr.constant([3, 4])] });
    const read = graph.createOp({ type: 'Identity', name: 'v/read', inputs: [ref] }).output(0);
    fr.add(read, ref, { name: 'y' });
    await sess.run(assign);
    const frozen = await graphUtil.convertVariablesToConstants(sess, null, ['y']);
    expect(ops(frozen)).toEqual(['Add', 'Const', 'Identity']);
    expect((await run(frozen, 'y', {})).toArray()).toEqual([6, 8]);
  });

  test('leaves variables out that are asked to stay', async () => {
    const a = await variable([2], 'a');
    const b = await variable([2], 'b', 2);
    fr.add(a, b, { name: 'y' });
    const kept = { variableNamesBlacklist: ['a'] };
    const frozen = await graphUtil.convertVariablesToConstants(sess, null, ['y'], kept);
    expect(count(frozen, 'VarHandleOp')).toBe(1);
    const only = { variableNamesWhitelist: ['a'] };
    expect(count(await graphUtil.convertVariablesToConstants(sess, null, ['y'], only), 'VarHandleOp')).toBe(
      1,
    );
  });

  test('refuses nodes that change a variable, unknown outputs and random results', async () => {
    const w = await variable([2], 'w');
    const changed = w.assignAdd([1, 1]);
    fr.identity(changed, { name: 'changed' });
    await expect(graphUtil.convertVariablesToConstants(sess, null, ['changed'])).rejects.toThrow(
      /AssignAddVariableOp ".*" changes a variable that is to be frozen/,
    );
    await expect(graphUtil.convertVariablesToConstants(sess, null, ['chnged'])).rejects.toThrow(
      /no node "chnged". Did you mean "changed"/,
    );
    fr.add(w, fr.randomNormal([2]), { name: 'noisy' });
    await expect(
      graphUtil.convertVariablesToConstants(sess, null, ['noisy'], { verify: false }),
    ).resolves.toBeDefined();
  });

  test('refuses variables without a value', async () => {
    const w = new fr.Variable([1, 2], { name: 'w' });
    fr.add(w, 1, { name: 'y' });
    await expect(graphUtil.convertVariablesToConstants(sess, null, ['y'])).rejects.toThrow(/"w"/);
  });
});

/** Inference of a small network: convolution, normalization, activation, checks, duplicates. */
function network(): void {
  const x = fr.placeholder('float32', [1, 6, 6, 3], { name: 'x' });
  const conv = fr.conv2d(fr.identity(x), fr.constant(numbers([3, 3, 3, 4])), { padding: 'SAME' });
  const vectors = [1, 2, 3].map((seed) => fr.constant(numbers([4], seed)));
  const variance = fr.constant([0.5, 1, 1.5, 2]);
  const [gamma, beta, mean] = vectors as [fr.Tensor, fr.Tensor, fr.Tensor];
  const options = { mean, variance, isTraining: false, epsilon: 0.01 };
  const normal = fr.fusedBatchNorm(conv, gamma, beta, options)[0];
  const checked = fr.controlDependencies([fr.assertThat(fr.less(fr.reduceMax(x), 100), [x])], () =>
    fr.checkNumerics(fr.relu(normal), 'not finite'),
  );
  const flat = fr.reshape(checked, fr.stack([1, fr.mul(fr.constant(12, { dtype: 'int32' }), 12)]));
  const dense = fr.matMul(flat, fr.constant(numbers([144, 5], 4)));
  const scaled = fr.add(fr.mul(dense, fr.constant(numbers([5], 5))), fr.constant(numbers([5], 6)));
  fr.add(fr.tanh(scaled), fr.tanh(scaled), { name: 'y' });
}

describe('transform', () => {
  test('folds, fuses, merges and prunes, and says what it did', async () => {
    network();
    const before = fr.getDefaultGraph().toGraphDef();
    const { graphDef, report } = await graphUtil.transform(before, ['x'], ['y']);
    const constants = new Array<string>(5).fill('Const');
    const rest = ['Add', 'Placeholder', 'Reshape', 'Tanh', '_FusedConv2D', '_FusedMatMul'];
    expect(ops(graphDef)).toEqual([...constants, ...rest].sort());
    const changes = report.flatMap(({ pass, changes: lines }) => lines.map((line) => `${pass}: ${line}`));
    expect(changes).toContain('foldBatchNorms: folded 1 FusedBatchNormV3 into the product before');
    expect(changes).toContain('foldBatchNorms: folded 1 Mul into the product before');
    expect(changes).toContain('fuseConvolutions: fused 1 Conv2D with BiasAdd and Relu');
    expect(changes).toContain('fuseConvolutions: fused 1 MatMul with BiasAdd');
    expect(changes).toContain('mergeDuplicateNodes: merged 2 nodes into equal ones');
    for (const { difference } of report) expect(difference ?? 0).toBeLessThan(1e-4);
    const again = await graphUtil.transform(graphDef, ['x'], ['y']);
    expect(again.report.flatMap(({ changes: lines }) => lines)).toEqual([]);
  });

  test.each([
    ['Conv2D', [1, 4, 4, 2], [2, 2, 2, 3], 3, 'NHWC'],
    ['Conv2D', [1, 2, 4, 4], [2, 2, 2, 3], 3, 'NCHW'],
    ['DepthwiseConv2dNative', [1, 4, 4, 2], [2, 2, 2, 3], 6, 'NHWC'],
  ] as const)(
    'folds normalizations after %s of %j by %j in %s',
    async (type, input, filter, channels, format) => {
      const x = fr.placeholder('float32', input, { name: 'x' });
      const attrs = { strides: [1, 1, 1, 1], padding: 'VALID', data_format: format };
      const product = fr.apply(type, [x, fr.constant(numbers(filter))], { attrs });
      const shape = format === 'NCHW' ? [channels, 1, 1] : [channels];
      const scaled = fr.mul(fr.constant(numbers(shape, 2)), product);
      const biased = fr.biasAdd(scaled, fr.constant(numbers([channels], 3)), { dataFormat: format });
      const [normal] = fr.fusedBatchNorm(
        biased,
        fr.constant(numbers([channels], 4)),
        fr.constant(numbers([channels], 5)),
        {
          mean: fr.constant(numbers([channels], 6)),
          variance: fr.constant(new Float32Array(channels).fill(0.7)),
          isTraining: false,
          dataFormat: format,
        },
      );
      fr.sub(normal, fr.constant(numbers(shape, 7)), { name: 'y' });
      const { graphDef } = await graphUtil.transform(
        fr.getDefaultGraph().toGraphDef(),
        ['x'],
        ['y'],
        ['fold_batch_norms', 'strip_unused_nodes'],
      );
      expect(ops(graphDef)).toEqual(['BiasAdd', 'Const', 'Const', type, 'Placeholder'].sort());
    },
  );

  test.each([
    ['a normalization in training', (x: fr.Tensor) => fr.fusedBatchNorm(x, fr.ones([3]), fr.zeros([3]))[0]],
    [
      'a factor that is no vector of channels',
      (x: fr.Tensor) => fr.mul(x, fr.constant(numbers([1, 3, 3, 1]))),
    ],
    ['a factor that is fed', (x: fr.Tensor) => fr.mul(x, fr.placeholder('float32', [3], { name: 'k' }))],
    ['a constant minus the product', (x: fr.Tensor) => fr.sub(fr.constant([1, 2, 3]), x)],
    ['a product that others use too', (x: fr.Tensor) => fr.add(fr.mul(x, fr.constant([1, 2, 3])), x)],
  ])('does not fold %s', async (_, next) => {
    const x = fr.placeholder('float32', [1, 3, 3, 2], { name: 'x' });
    const product = fr.conv2d(x, fr.constant(numbers([1, 1, 2, 3])), { padding: 'SAME' });
    fr.identity(next(product), { name: 'y' });
    const before = fr.getDefaultGraph().toGraphDef();
    const { report } = await graphUtil.transform(before, ['x'], ['y'], ['foldBatchNorms']);
    expect(report[0]?.changes).toEqual([]);
  });

  test('does not merge random ops, and keeps outputs under their names', async () => {
    const x = fr.placeholder('float32', [2], { name: 'x' });
    fr.add(fr.exp(x), 0, { name: 'a' });
    fr.add(fr.exp(x), 0, { name: 'b' });
    const draws = [1, 2].map(() => fr.randomUniform([2], { seed: 1 }));
    fr.identity(fr.addN(draws), { name: 'noise' });
    const before = fr.getDefaultGraph().toGraphDef();
    const outputs = ['a', 'b', 'noise'];
    const { graphDef } = await graphUtil.transform(before, ['x'], outputs, ['mergeDuplicateNodes'], {
      verify: false,
    });
    expect(count(graphDef, 'RandomUniform')).toBe(2);
    expect(count(graphDef, 'Exp')).toBe(1);
    const names = (graphDef.node ?? []).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(outputs));
  });

  test.each([
    ['float16', 2, 1e-3],
    ['uint8', 4, 0.05],
  ] as const)('stores weights as %s, which still run', async (to, factor, bound) => {
    const x = fr.placeholder('float32', [2, 100], { name: 'x' });
    fr.matMul(x, fr.constant(numbers([100, 50])), { name: 'y' });
    const before = fr.getDefaultGraph().toGraphDef();
    const transforms = [{ pass: 'quantizeWeights', to } as const];
    const { graphDef, report } = await graphUtil.transform(before, ['x'], ['y'], transforms);
    const [size, was] = [fr.writeGraphDef(graphDef).length, fr.writeGraphDef(before).length];
    expect(size).toBeLessThan(was / factor + 1000);
    expect(report[0]?.changes[0]).toMatch(
      new RegExp(`stored 1 constants as ${to}: 20000 bytes became ${20000 / factor}`),
    );
    expect(report[0]?.difference).toBeGreaterThan(0);
    expect(report[0]?.difference).toBeLessThan(bound);
    const strict = [{ pass: 'quantizeWeights', to, tolerance: 1e-6 } as const];
    await expect(graphUtil.transform(before, ['x'], ['y'], strict)).rejects.toThrow(
      /after quantizeWeights the outputs differ by .* 0\.000001 is allowed/,
    );
  });

  test('refuses unknown passes and names, graphs with variables, and values that cannot be made up', async () => {
    const text = fr.placeholder('string', [], { name: 'text' });
    fr.identity(text, { name: 'same' });
    fr.identity(fr.placeholder('float32', null, { name: 'open' }), { name: 'openToo' });
    const w = await variable([2], 'w');
    fr.add(w, 1, { name: 'y' });
    const def = fr.getDefaultGraph().toGraphDef();
    await expect(graphUtil.transform(def, [], ['y'], ['obfuscate'])).rejects.toThrow(
      /no pass "obfuscate"; there are strip/,
    );
    await expect(graphUtil.transform(def, [], ['z'])).rejects.toThrow(/no node "z"/);
    await expect(graphUtil.transform(def, [], [])).rejects.toThrow(/no outputs/);
    await expect(graphUtil.transform(def, [], ['y'])).rejects.toThrow(
      /has the variables "w".*freeze it first/,
    );
    await expect(graphUtil.transform(def, ['open'], ['openToo'])).rejects.toThrow(
      /"open:0" .* has no value to compare/,
    );
    // Texts are made up of words.
    expect((await graphUtil.transform(def, ['text'], ['same'])).report[0]?.difference).toBe(0);
  });
});

describe('parts of graphs', () => {
  test('extractSubGraph keeps what nodes need', () => {
    const x = fr.placeholder('float32', [2], { name: 'x' });
    fr.exp(x, { name: 'wanted' });
    fr.log(x, { name: 'other' });
    const part = graphUtil.extractSubGraph(fr.getDefaultGraph().toGraphDef(), ['wanted']);
    expect((part.node ?? []).map(({ name }) => name)).toEqual(['x', 'wanted']);
    expect(() => graphUtil.extractSubGraph(part, ['other'])).toThrow(/no node "other"/);
  });

  test('removeTrainingNodes removes identities and checks, but not those that order something', () => {
    const x = fr.placeholder('float32', [2], { name: 'x' });
    const passed = fr.checkNumerics(fr.identity(x, { name: 'passing' }), 'bad');
    const pivot = fr.identity(x, { name: 'pivot' });
    fr.controlDependencies([pivot], () => fr.exp(passed, { name: 'y' }));
    fr.identity(x, { name: 'out' });
    const def = graphUtil.removeTrainingNodes(fr.getDefaultGraph().toGraphDef(), { protectedNodes: ['out'] });
    expect((def.node ?? []).map(({ name }) => name)).toEqual(['x', 'pivot', 'y', 'out']);
    expect(def.node?.find(({ name }) => name === 'y')?.input).toEqual(['x', '^pivot']);
  });

  test('tensorShapeFromNodeDefName gives static shapes', () => {
    fr.placeholder('float32', [null, 3], { name: 'x' });
    expect(graphUtil.tensorShapeFromNodeDefName(fr.getDefaultGraph(), 'x')).toEqual([null, 3]);
  });
});
