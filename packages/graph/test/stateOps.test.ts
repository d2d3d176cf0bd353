/** Shape rules of the ops that only files and savers bring: reference variables, saving and restoring. */
import { Graph, constant, type AttrInputs, type Operation, type Tensor } from '@forerun/graph';

/** Creates a node of `type` in the default graph of `inputs`. */
function node(type: string, inputs: readonly Tensor[], attrs: AttrInputs = {}): Operation {
  const [first] = inputs;
  if (first === undefined) throw new Error('there are no inputs');
  return first.graph.createOp({ type, name: 'node', inputs, attrs });
}

function inGraph(build: (variable: (shape: readonly number[]) => Tensor) => void): void {
  const graph = new Graph();
  const variable = (shape: readonly number[]): Tensor =>
    graph.createOp({ type: 'VariableV2', attrs: { dtype: 'float32', shape } }).output(0);
  graph.asDefault(() => {
    build(variable);
  });
}

describe('reference variables', () => {
  it('are passed on by assignments and updates', () => {
    inGraph((variable) => {
      const w = variable([2]);
      const results = [
        node('Assign', [w, constant([1, 2])]),
        node('AssignAdd', [w, constant([1, 2])]),
        node('AssignSub', [w, constant([1, 2])]),
        node('ApplyGradientDescent', [w, constant(0.1), constant([1, 2])]),
        node('ApplyMomentum', [w, variable([2]), constant(0.1), constant([1, 2]), constant(0.9)]),
      ].map((op) => op.output(0));
      expect(results.map((out) => `${out.dtype} ${out.shape.toString()}`)).toEqual(
        results.map(() => 'float32_ref [2]'),
      );
      const other = node('Assign', [w, constant([1, 2, 3])], { validate_shape: false });
      expect(other.output(0).shape.dims).toEqual([3]);
      expect(node('IsVariableInitialized', [w]).output(0).shape.dims).toEqual([]);
    });
  });

  it('refuse values, slots and gradients of other shapes, and what is no reference', () => {
    inGraph((variable) => {
      const w = variable([2]);
      const wrong = /the value has shape \[3\], the variable has \[2\]/;
      expect(() => node('Assign', [w, constant([1, 2, 3])])).toThrow(wrong);
      expect(() => node('AssignAdd', [w, constant([1, 2, 3])])).toThrow(wrong);
      expect(() => node('Assign', [constant([1]), constant([1])])).toThrow(
        /input "ref" must be a reference variable, Const_\d:0 is float32/,
      );
      const scalars = Array.from({ length: 6 }, () => constant(0.5));
      expect(() =>
        node('ApplyAdam', [w, variable([2]), variable([3]), ...scalars, constant([1, 2])]),
      ).toThrow(/ApplyAdam "node": v has shape \[3\], the variable has \[2\]/);
      expect(() => node('ApplyGradientDescent', [w, constant([1]), constant([1, 2])])).toThrow(
        /alpha must be a scalar, got shape \[1\]/,
      );
    });
  });
});

describe('ops of checkpoints', () => {
  const names = (...list: string[]): Tensor => constant(list);

  it('count names and tensors', () => {
    inGraph(() => {
      const prefix = constant('model');
      const restored = node('RestoreV2', [prefix, names('a', 'b'), names('', '')], {
        dtypes: ['float32', 'int64'],
      });
      expect(restored.outputs.map((out) => [out.dtype, out.shape.rank])).toEqual([
        ['float32', null],
        ['int64', null],
      ]);
      expect(node('SaveV2', [prefix, names('a'), names(''), constant([1, 2])]).attrs.types('dtypes')).toEqual(
        ['float32'],
      );
      const zero = constant(0, { dtype: 'int32' });
      expect(node('ShardedFilename', [prefix, zero, zero]).output(0).dtype).toBe('string');
      expect(node('MergeV2Checkpoints', [names('a', 'b'), prefix]).outputs).toEqual([]);
    });
  });

  it('refuse lists that do not fit', () => {
    inGraph(() => {
      const prefix = constant('model');
      expect(() => node('SaveV2', [prefix, names('a', 'b'), names('', ''), constant(1)])).toThrow(
        /SaveV2 "node": tensor_names has 2 elements for 1 tensors/,
      );
      expect(() => node('RestoreV2', [prefix, names('a'), names('', '')], { dtypes: ['float32'] })).toThrow(
        /shape_and_slices has 2 elements for 1 tensors/,
      );
      expect(() => node('SaveV2', [names('a'), names('a'), names(''), constant(1)])).toThrow(
        /prefix must be a scalar, got shape \[1\]/,
      );
      expect(() => node('MergeV2Checkpoints', [prefix, prefix])).toThrow(
        /checkpoint_prefixes must have rank 1/,
      );
    });
  });
});
