/** The saver's nodes: names and wiring as TensorFlow's saver has them. */
import { Graph, Variable, buildSaverNodes } from '@forerun/graph';

describe('buildSaverNodes', () => {
  it('makes the nodes that TensorFlow makes', () => {
    const graph = new Graph();
    graph.asDefault(() => {
      const variables = [new Variable([1, 2], { name: 'w' }), new Variable(0, { name: 'b', dtype: 'int64' })];
      const before = graph.operations.length;
      const { saverDef, save, restore, filename, variables: saved } = buildSaverNodes(variables);
      expect(graph.operations.slice(before).map((op) => `${op.name} ${op.type}`)).toEqual([
        'save/filename/input Const',
        'save/filename PlaceholderWithDefault',
        'save/Const PlaceholderWithDefault',
        'save/SaveV2/tensor_names Const',
        'save/SaveV2/shape_and_slices Const',
        'save/SaveV2 SaveV2',
        'save/control_dependency Identity',
        'save/RestoreV2/tensor_names Const',
        'save/RestoreV2/shape_and_slices Const',
        'save/RestoreV2 RestoreV2',
        'save/Identity Identity',
        'save/AssignVariableOp AssignVariableOp',
        'save/Identity_1 Identity',
        'save/AssignVariableOp_1 AssignVariableOp',
        'save/restore_all NoOp',
      ]);
      expect([...saved.keys()]).toEqual(['b', 'w']);
      const node = graph.getOperationByName('save/SaveV2');
      expect(node.attrs.types('dtypes')).toEqual(['int64', 'float32']);
      expect(node.inputs[0]).toBe(filename);
      expect(node.inputs[1]?.op.attrs.tensor('value').toArray()).toEqual(['b', 'w']);
      expect(save.op.controlInputs).toEqual([node]);
      expect(restore.controlInputs.map((op) => op.name)).toEqual([
        'save/AssignVariableOp',
        'save/AssignVariableOp_1',
      ]);
      expect(graph.getTensorByName('save/Identity_1:0').shape.dims).toEqual([2]);
      expect(saverDef).toEqual({
        filenameTensorName: 'save/Const:0',
        saveTensorName: 'save/control_dependency:0',
        restoreOpName: 'save/restore_all',
        maxToKeep: 5,
        sharded: false,
        keepCheckpointEveryNHours: 10_000,
        version: 2,
      });
      expect(buildSaverNodes(variables, { maxToKeep: 0 }).saverDef.restoreOpName).toBe('save_1/restore_all');
    });
  });

  it('saves under the keys of a record or map', () => {
    new Graph().asDefault(() => {
      const w = new Variable(1, { name: 'w' });
      expect([...buildSaverNodes({ weights: w }).variables]).toEqual([['weights', w]]);
      expect([...buildSaverNodes(new Map([['v', w]])).variables]).toEqual([['v', w]]);
    });
  });

  it('rejects nothing to save and one key for two', () => {
    new Graph().asDefault(() => {
      expect(() => buildSaverNodes([])).toThrow('Saver: there are no variables to save');
    });
    const [a, b] = [new Graph(), new Graph()].map((graph) =>
      graph.asDefault(() => new Variable(1, { name: 'w' })),
    );
    if (a === undefined || b === undefined) throw new Error('no variables');
    expect(() => buildSaverNodes([a, b])).toThrow('Saver: two variables would be saved as "w"');
  });
});
