/** Parts of a graph below one scope: written by relative names, put elsewhere with other inputs. */
import * as fr from '../../src/index.js';

/** An input and a scope "hidden" with a variable, which is trained, and a branch of a name that begins alike. */
function sample(): fr.Graph {
  const graph = new fr.Graph();
  graph.asDefault(() => {
    const x = fr.placeholder('float32', [null, 2], { name: 'x' });
    const ready = fr.noOp({ name: 'ready' });
    graph.nameScope('hidden', () => {
      const w = new fr.Variable(fr.ones([2, 3]), { name: 'w' });
      const y = graph.controlDependencies([ready], () => fr.relu(fr.matMul(x, w), { name: 'y' }));
      graph.addToCollection('activations', y);
    });
    graph.nameScope('hidden2', () => graph.addToCollection('activations', fr.neg(x, { name: 'z' })));
    graph.addToCollection('sizes', 3);
    graph.createOp({ type: 'Identity', name: 'hidden/copy', inputs: [x], device: '/device:GPU:0' });
  });
  return graph;
}

const exported = (options: fr.ExportMetaGraphOptions = {}): Uint8Array =>
  fr.writeMetaGraph(fr.exportMetaGraph({ graph: sample(), exportScope: 'hidden', ...options }));

test('only what is below the scope is written, by relative names', () => {
  const meta = fr.readMetaGraph(exported());
  const names = meta.graphDef?.node.map(({ name }) => name) ?? [];
  expect(names).toContain('w');
  expect(names).toContain('y');
  expect(names.some((name) => name.includes('hidden') || name === 'x' || name === 'z')).toBe(false);
  expect(meta.collectionDef.get('activations')?.nodeList?.value).toEqual(['y:0']);
  const unbound = meta.collectionDef.get('unbound_inputs')?.bytesList?.value ?? [];
  expect(unbound.map((bytes) => new TextDecoder().decode(bytes))).toEqual([
    '$unbound_inputs_x',
    '^$unbound_inputs_ready',
  ]);
  expect(meta.graphDef?.node.find(({ name }) => name === 'y')?.input).toContain('^$unbound_inputs_ready');
  const ops = meta.metaInfoDef?.strippedOpList?.op.map(({ name }) => name) ?? [];
  expect(ops).toContain('MatMul');
  expect(ops).not.toContain('Neg');
});

test('it is put twice under scopes of another graph, with inputs and variables of its own', () => {
  const graph = new fr.Graph();
  graph.asDefault(() => {
    const images = fr.placeholder('float32', [null, 2], { name: 'images' });
    const go = fr.noOp({ name: 'go' });
    for (const importScope of ['first', 'second']) {
      fr.importMetaGraph(exported(), {
        importScope,
        clearDevices: importScope === 'second',
        inputMap: { x: images, '^ready': go },
      });
    }
    for (const scope of ['first', 'second']) {
      const y = graph.getOperationByName(`${scope}/y`);
      expect(y.controlInputs).toEqual([go]);
      expect(y.inputs[0]?.op.inputs[0]).toBe(images);
    }
    expect(graph.getOperationByName('first/copy').device).toBe('/device:GPU:0');
    expect(graph.getOperationByName('second/copy').device).toBe('');
    const variables = graph.getCollection(fr.GraphKeys.TRAINABLE_VARIABLES) as fr.Variable[];
    expect(variables.map(({ name }) => name)).toEqual(['first/w:0', 'second/w:0']);
    const shared = variables.map(({ op }) => op.attrs.string('shared_name') || op.name);
    expect(shared).toEqual(['first/w', 'second/w']);
    expect(graph.getCollection('activations').map((y) => (y as fr.Tensor).name)).toEqual(['first/y:0', 'second/y:0']);
    expect(graph.getCollection('sizes')).toEqual([3, 3]);
    expect(graph.collectionKeys).not.toContain('unbound_inputs');
  });
}); // prettier-ignore

test('inputs may be named as in the file; missing ones are listed', () => {
  const graph = new fr.Graph();
  graph.asDefault(() => {
    const x = fr.placeholder('float32', [null, 2]);
    const go = fr.noOp();
    fr.importMetaGraph(exported(), {
      importScope: 'a',
      inputMap: new Map<string, fr.Tensor | fr.Operation>([
        ['$unbound_inputs_x:0', x],
        ['^$unbound_inputs_ready', go],
      ]),
    });
    expect(() => fr.importMetaGraph(exported(), { importScope: 'b', inputMap: { '^ready': go } })).toThrow(
      'the graph takes "x" from outside of the scope that was exported: give tensors for them with inputMap',
    );
  });
});

test('what cannot be exported with a scope', () => {
  expect(() => exported({ exportScope: 'hid' })).toThrow('exportScope: no node of the graph is below "hid"');
  expect(() => exported({ signatureDefs: new Map() })).toThrow(/belong to the whole graph/);
});
