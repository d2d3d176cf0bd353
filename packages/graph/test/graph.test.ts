import {
  FailedPreconditionError,
  Graph,
  InvalidArgumentError,
  NotFoundError,
  add,
  addN,
  constant,
  controlDependencies,
  device,
  getDefaultGraph,
  group,
  identity,
  nameScope,
  nearestNames,
  noOp,
  placeholder,
  resetDefaultGraph,
  tuple,
} from '@forerun/graph';

let graph: Graph;

beforeEach(() => {
  resetDefaultGraph();
  graph = getDefaultGraph();
});

const names = (): string[] => graph.operations.map((op) => op.name);

describe('names and scopes', () => {
  it('makes names unique as TensorFlow does', () => {
    [1, 2, 3].forEach((x) => constant(x));
    constant(4, { name: 'Const_1' });
    expect(names()).toEqual(['Const', 'Const_1', 'Const_2', 'Const_1_1']);
  });

  it('ignores case when it looks for a free name', () => {
    constant(1, { name: 'x' });
    constant(1, { name: 'X' });
    expect(names()).toEqual(['x', 'X_1']);
  });

  it('nests scopes, makes them unique and re-enters one by its trailing slash', () => {
    const outer = nameScope('a', (scope) => {
      constant(1, { name: 'x' });
      nameScope('b', () => constant(1, { name: 'x' }));
      return scope;
    });
    nameScope('a', () => constant(1, { name: 'x' }));
    nameScope(outer, () => constant(1, { name: 'y' }));
    nameScope(null, () => constant(1, { name: 'root' }));
    expect(names()).toEqual(['a/x', 'a/b/x', 'a_1/x', 'a/y', 'root']);
    expect(outer).toBe('a/');
  });

  it('restores the scope when the callback throws, and refuses promises', () => {
    const fail = (): void =>
      nameScope('a', () => {
        throw new Error('stop');
      });
    expect(fail).toThrow('stop');
    expect(graph.currentScope).toBe('');
    expect(() => nameScope('a', async () => Promise.resolve())).toThrow(
      /nameScope\(\) takes a synchronous callback/,
    );
  });

  it('rejects names outside of the grammar', () => {
    expect(() => constant(1, { name: 'a b' })).toThrow(/"a b" is not a valid node name/);
    expect(() => constant(1, { name: '_x' })).toThrow(InvalidArgumentError);
  });

  it('rejects an exact name that is taken', () => {
    constant(1, { name: 'x' });
    expect(() => graph.createOp({ type: 'NoOp', name: 'x/' })).toThrow(/two nodes with the name "x"/);
  });

  it('suggests the nearest names', () => {
    constant(1, { name: 'logits' });
    nameScope('deep', () => constant(1, { name: 'loss' }));
    expect(() => graph.getOperationByName('logit')).toThrow(/no operation "logit". Did you mean "logits"\?/);
    expect(() => graph.getTensorByName('loss:0')).toThrow(/Did you mean "deep\/loss"\?/);
    expect(nearestNames('zzz', ['loss'])).toEqual([]);
  });

  it('finds elements by name', () => {
    const x = constant(1, { name: 'x' });
    expect(graph.asGraphElement('x:0')).toBe(x);
    expect(graph.asGraphElement('x')).toBe(x.op);
    expect(() => graph.getTensorByName('x')).toThrow(/its output is "x:0"/);
    expect(() => graph.getTensorByName('y:0')).toThrow(NotFoundError);
    expect(() => graph.getTensorByName('x:1')).toThrow(/x/);
  });
});

describe('control dependencies', () => {
  it('collects outer and inner dependencies, without those that are inputs', () => {
    const [a, b] = [noOp({ name: 'a' }), constant(1, { name: 'b' })];
    const [x, y] = controlDependencies([a], () => [
      constant(2, { name: 'x' }),
      controlDependencies([b], () => identity(b, { name: 'y' })),
    ]);
    expect(x.op.controlInputs).toEqual([a]);
    expect(y.op.controlInputs).toEqual([a]);
  });

  it('is cleared by null', () => {
    const a = noOp();
    const x = controlDependencies([a], () => controlDependencies(null, () => constant(1)));
    expect(x.op.controlInputs).toEqual([]);
  });

  it('makes groups and tuples wait for everything', () => {
    const [a, b] = [constant(1), constant(2)];
    expect(group([a, b]).controlInputs).toEqual([a.op, b.op]);
    const [x] = tuple([a, b]);
    expect(x?.op.controlInputs[0]?.controlInputs).toEqual([a.op, b.op]);
    expect(() => tuple([])).toThrow(/at least one tensor/);
  });
});

describe('devices, collections, default graphs', () => {
  it('labels ops with devices', () => {
    const x = device('/gpu:0', () => constant(1));
    const y = device('/gpu:0', () => device(null, () => constant(1)));
    expect([x.op.device, y.op.device, constant(1).op.device]).toEqual(['/gpu:0', '', '']);
  });

  it('keeps collections in order and filters them by scope', () => {
    const [x, y] = [constant(1, { name: 'a/x' }), constant(1, { name: 'b/y' })];
    graph.addToCollections(['k', 'm'], x);
    graph.addToCollection('k', y);
    graph.addToCollection('k', 3);
    expect(graph.getCollection('k')).toEqual([x, y, 3]);
    expect(graph.getCollection('k', 'b/')).toEqual([y]);
    expect(graph.collectionKeys).toEqual(['k', 'm']);
    graph.getCollectionRef('k').pop();
    expect(graph.getCollection('k')).toHaveLength(2);
    graph.clearCollection('k');
    expect(graph.getCollection('k')).toEqual([]);
  });

  it('builds in the graph of asDefault', () => {
    const other = new Graph();
    const x = other.asDefault(() => constant(1));
    expect(x.graph).toBe(other);
    expect(getDefaultGraph()).toBe(graph);
    expect(() => other.asDefault(() => resetDefaultGraph())).toThrow(/inside asDefault/);
  });

  it('builds in the graph of the inputs', () => {
    const x = new Graph().asDefault(() => constant(1));
    expect(add(x, 2).graph).toBe(x.graph);
    expect(() => add(x, constant(2))).toThrow(/Const:0 belongs to another graph/);
  });
});

describe('createOp', () => {
  it('names type, node, rule and the caller in its errors', () => {
    const x = placeholder('float32', [2]);
    const build = (): unknown => add(x, constant([1, 2, 3]), { name: 'total' });
    expect(build).toThrow(
      /^Add(V2)? "total": shapes do not broadcast: \[2\] and \[3\] \(created at .*graph\.test\.ts:\d+/,
    );
  });

  it('leaves the graph as it was when a node is rejected', () => {
    const before = graph.operations.length;
    expect(() => graph.createOp({ type: 'Reshape', name: 'r' })).toThrow(
      /Reshape "r": input "tensor" is missing/,
    );
    expect(graph.operations).toHaveLength(before);
    expect(graph.createOp({ type: 'NoOp', name: 'r' }).name).toBe('r');
  });

  it('checks attributes', () => {
    const x = constant([1]);
    const make = (attrs: Record<string, string | number | number[]>): unknown =>
      graph.createOp({ type: 'Squeeze', inputs: [x], attrs });
    expect(() => make({ squeeze_dims: 1 })).toThrow(/attribute "squeeze_dims" must be a list/);
    expect(() => make({ squeeze_dims: [1.5] })).toThrow(/must be of kind int, got 1.5/);
    expect(() => make({ axis: [0] })).toThrow(/there is no attribute "axis"/);
    expect(() => make({ T: 'int32' })).toThrow(/input "input" must be int32 \(T\), Const:0 is float32/);
    expect(() => graph.createOp({ type: 'Placeholder' })).toThrow(/attribute "dtype" is missing/);
  });

  it('takes ops of unknown type with tagged attributes', () => {
    const x = constant([1]);
    const op = graph.createOp({
      type: 'Mystery',
      inputs: [x],
      attrs: { k: { kind: 'int', value: 3 } },
      outputDTypes: ['float32', 'int32'],
    });
    expect(op.outputs.map(({ dtype, shape }) => [dtype, shape.rank])).toEqual([
      ['float32', null],
      ['int32', null],
    ]);
    expect(op.attrs.int('k')).toBe(3);
    expect(() => graph.createOp({ type: 'Mystery', attrs: { k: 3 } })).toThrow(/needs a tagged value/);
  });

  it('counts versions and refuses growth when it is finalized', () => {
    const before = graph.version;
    constant(1);
    expect(graph.version).toBe(before + 1);
    graph.finalize();
    expect(graph.finalized).toBe(true);
    expect(() => constant(1)).toThrow(FailedPreconditionError);
    expect(() => constant(1)).toThrow(/cannot add Const: the graph is finalized/);
  });

  it('converts literals to the dtype of the other inputs', () => {
    const x = placeholder('int32', [2]);
    expect(add(x, 1).dtype).toBe('int32');
    expect(() => add(x, 1.5)).toThrow(/1\.5 does not fit int32/);
    expect(addN([x, [1, 2]]).dtype).toBe('int32');
  });
});
