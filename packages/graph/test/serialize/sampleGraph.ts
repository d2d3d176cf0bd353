/** A small model with variables, control inputs, strings, collections and a name scope. */
import {
  constant,
  exportMetaGraph,
  Graph,
  GraphKeys,
  matMul,
  add,
  nameScope,
  placeholder,
  savedModelSignatures,
  TensorShape,
  Variable,
  type AttrValue,
  type proto,
  type Tensor,
} from '../../src/index.js';

export interface SampleGraph {
  readonly graph: Graph;
  readonly x: Tensor;
  readonly y: Tensor;
  readonly kernel: Variable;
  readonly step: Variable;
}

const FOREIGN: ReadonlyMap<string, AttrValue> = new Map<string, AttrValue>([
  ['T', { kind: 'type', value: 'float32' }],
  ['big', { kind: 'int', value: 2n ** 62n + 1n }],
  ['raw', { kind: 'string', value: Uint8Array.of(255, 0, 1) }],
  ['shapes', { kind: 'list(shape)', value: [TensorShape.UNKNOWN, TensorShape.of([null, 3])] }],
  ['f', { kind: 'func', value: { name: 'g', attrs: new Map([['n', { kind: 'int', value: 1 }]]) } }],
  ['none', { kind: 'list()', value: [] }],
]);

/** y = x W + b; a Foreign node consumes y and runs after the step's initializer. */
export function sampleGraph(): SampleGraph {
  const graph = new Graph();
  return graph.asDefault(() => {
    const x = placeholder('float32', [null, 3], { name: 'x' });
    const kernel = new Variable(
      constant([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      { name: 'dense/kernel' },
    );
    const step = new Variable(constant(0n, { dtype: 'int64' }), { name: 'global_step', trainable: false });
    const y = nameScope('dense', () =>
      add(matMul(x, kernel), constant([0.5, -0.5], { name: 'bias' }), { name: 'out' }),
    );
    constant(['a', 'ü'], { name: 'labels' });
    graph.createOp({
      type: 'Foreign',
      name: 'foreign',
      inputs: [y],
      attrs: FOREIGN,
      controlInputs: [step.initializer],
      device: '/device:GPU:0',
      outputDTypes: ['float32', 'int32'],
    });
    graph.addToCollection(GraphKeys.LOSSES, y);
    graph.addToCollection(GraphKeys.TRAIN_OP, kernel.initializer);
    graph.addToCollection('sizes', 3);
    graph.addToCollection('sizes', 2n ** 60n);
    graph.addToCollection('note', 'text');
    return { graph, x, y, kernel, step };
  });
}

/** The sample graph as a SavedModel with one signature and one asset. */
export function sampleSavedModel(): proto.Init<proto.SavedModel> {
  const { graph, x, y } = sampleGraph();
  const signature = savedModelSignatures.predictSignatureDef({ x }, { out: y });
  const metaGraph = exportMetaGraph({
    graph,
    metaInfo: { tags: ['serve'] },
    signatureDefs: new Map([['serving_default', signature]]),
    assetFileDefs: [{ tensorInfo: { name: 'dense/bias:0' }, filename: 'labels.txt' }],
  });
  return { savedModelSchemaVersion: 1, metaGraphs: [metaGraph] };
}

/** x W + b with constants of several dtypes. */
export function frozenGraph(): Graph {
  const graph = new Graph();
  graph.asDefault(() => {
    const x = placeholder('float32', [null, 3], { name: 'x' });
    const w = constant(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      { name: 'w' },
    );
    add(matMul(x, w), constant([0.5, -0.5], { name: 'b' }), { name: 'y' });
    constant(['a', 'ü'], { name: 'labels' });
    constant([7n, -7n], { dtype: 'int64', name: 'counts' });
  });
  return graph;
}
