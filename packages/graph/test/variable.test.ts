/** Variables: their nodes and names, collections, reads in order, gradients, the fields that files keep. */
import {
  Graph,
  GraphKeys,
  Variable,
  addToCollection,
  assign,
  assignAdd,
  assignSub,
  constant,
  controlDependencies,
  destroyVariable,
  getCollection,
  getCollectionRef,
  globalVariables,
  globalVariablesInitializer,
  gradients,
  group,
  isVariableInitialized,
  localVariables,
  localVariablesInitializer,
  movingAverageVariables,
  mul,
  nameScope,
  placeholder,
  reduceSum,
  square,
  trainableVariables,
  variableFromDef,
  variableToDef,
  variablesInitializer,
} from '@forerun/graph';

/** Runs `build` with a new default graph. */
function inGraph<R>(build: (graph: Graph) => R): R {
  const graph = new Graph();
  return graph.asDefault(() => build(graph));
}

describe('a variable', () => {
  it('has the nodes and names of a resource variable in TensorFlow', () => {
    inGraph((graph) => {
      const w = new Variable([1, 2, 3], { name: 'w' });
      expect(graph.operations.map((op) => `${op.name} ${op.type}`)).toEqual([
        'w/Initializer/initial_value Const',
        'w VarHandleOp',
        'w/IsInitialized/VarIsInitializedOp VarIsInitializedOp',
        'w/Assign AssignVariableOp',
        'w/Read/ReadVariableOp ReadVariableOp',
      ]);
      expect([w.name, w.op.name, w.dtype, w.shape.dims, w.trainable]).toEqual([
        'w:0',
        'w',
        'float32',
        [3],
        true,
      ]);
      expect(w.op.attrs.string('shared_name')).toBe('w');
      expect(w.initializer.name).toBe('w/Assign');
      expect(w.initialValue?.name).toBe('w/Initializer/initial_value:0');
      expect(w.isResource).toBe(true);
      expect(w.toString()).toBe('<Variable "w:0" shape=[3] dtype=float32>');
    });
  });

  it('makes its name unique and follows name scopes', () => {
    inGraph(() => {
      const [a, b] = [new Variable(1), new Variable(1)];
      const c = nameScope('tower', () => new Variable(1, { name: 'w' }));
      expect([a.op.name, b.op.name, c.op.name]).toEqual(['Variable', 'Variable_1', 'tower/w']);
    });
  });

  it('makes the initial value by a function, outside control dependencies', () => {
    inGraph((graph) => {
      const first = new Variable(0, { name: 'first' });
      const second = controlDependencies(
        [first.initializer],
        () => new Variable(() => [1, 2], { name: 'second' }),
      );
      expect(second.shape.dims).toEqual([2]);
      expect(
        graph.operations.filter((op) => op.name.startsWith('second') && op.controlInputs.length > 0),
      ).toEqual([]);
    });
  });

  it('joins its collections', () => {
    inGraph(() => {
      const w = new Variable(1, { name: 'w' });
      const frozen = new Variable(1, { name: 'frozen', trainable: false });
      const local = new Variable(1, {
        name: 'local',
        trainable: false,
        collections: [GraphKeys.LOCAL_VARIABLES],
      });
      const count = new Variable(0, { name: 'count', dtype: 'int64' });
      expect(globalVariables()).toEqual([w, frozen, count]);
      expect(trainableVariables()).toEqual([w]);
      expect(localVariables()).toEqual([local]);
      expect(globalVariables('fro')).toEqual([frozen]);
      addToCollection('mine', w);
      expect(getCollection('mine')).toEqual([w]);
    });
  });

  it('is in a collection that a program may change', () => {
    inGraph(() => {
      const w = new Variable(1, { name: 'w' });
      getCollectionRef(GraphKeys.MOVING_AVERAGE_VARIABLES).push(w);
      expect(movingAverageVariables()).toEqual([w]);
      const [typed] = getCollection(GraphKeys.TRAINABLE_VARIABLES);
      expect(typed?.dtype).toBe('float32');
      getCollectionRef(GraphKeys.TRAINABLE_VARIABLES).pop();
      expect(trainableVariables()).toEqual([]);
    });
  });

  it('is initialized by groups of initializers', () => {
    inGraph(() => {
      const [v, w] = [
        new Variable(1),
        new Variable(2, { trainable: false, collections: ['local_variables'] }),
      ];
      expect(globalVariablesInitializer().controlInputs).toEqual([v.initializer]);
      expect(localVariablesInitializer({ name: 'reset' }).controlInputs).toEqual([w.initializer]);
      expect(variablesInitializer([]).type).toBe('NoOp');
      expect(variablesInitializer([v]).name).toBe('init_2');
    });
  });

  it('is read anew under control dependencies only', () => {
    inGraph(() => {
      const w = new Variable(1, { name: 'w' });
      expect(w.value()).toBe(w.snapshot);
      expect(mul(w, 2).op.inputs[0]).toBe(w.snapshot);
      const update = w.assignAdd(1, { readValue: false });
      const after = controlDependencies([update], () => w.value());
      expect(after).not.toBe(w.snapshot);
      expect(after.op.controlInputs).toEqual([update]);
      expect(w.readValue().op.name).toBe('Read/ReadVariableOp');
    });
  });

  it('gives the assigned value from an assignment', () => {
    inGraph(() => {
      const w = new Variable([1, 2], { name: 'w' });
      for (const read of [w.assign([3, 4]), w.assignAdd([1, 1]), w.assignSub([1, 1])]) {
        expect(read.op.type).toBe('ReadVariableOp');
        expect(read.shape.dims).toEqual([2]);
      }
      expect(assign(w, [0, 0], { readValue: false, name: 'reset' }).name).toBe('reset');
      expect(assignAdd(w, [0, 0], { readValue: false }).type).toBe('AssignAddVariableOp');
      expect(assignSub(w.handle, [0, 0], { readValue: false }).type).toBe('AssignSubVariableOp');
      expect(isVariableInitialized(w).dtype).toBe('bool');
      expect(w.isInitialized().op.inputs).toEqual([w.handle]);
      expect(destroyVariable(w).type).toBe('DestroyResourceOp');
      expect(group([w.assign([1, 1])]).controlInputs[0]?.type).toBe('ReadVariableOp');
    });
  });

  it('is differentiated at its handle, over all reads', () => {
    inGraph(() => {
      const w = new Variable([1, 2], { name: 'w' });
      const other = new Variable([1, 2], { name: 'other' });
      const y = reduceSum(mul(square(w), w.readValue()));
      const [dw, dOther] = gradients(y, [w, other]);
      expect(dw?.shape.dims).toEqual([2]);
      expect(dw?.op.type).toBe('AddN');
      expect(dOther).toBeNull();
    });
  });

  it('keeps the fields of a VariableDef', () => {
    inGraph((graph) => {
      const w = new Variable([1, 2], { name: 'w', trainable: false });
      const def = variableToDef(w);
      expect(def).toEqual({
        variableName: 'w:0',
        initializerName: 'w/Assign',
        snapshotName: 'w/Read/ReadVariableOp:0',
        initialValueName: 'w/Initializer/initial_value:0',
        isResource: true,
        trainable: false,
      });
      const again = variableFromDef(graph, def);
      expect(variableToDef(again)).toEqual(def);
      expect(globalVariables()).toEqual([w]);
      expect(() => variableFromDef(graph, { ...def, initializerName: 'w/Asign' })).toThrow(
        'the graph has no operation "w/Asign". Did you mean "w/Assign"?',
      );
    });
  });

  it('stands for a reference variable of an older file', () => {
    inGraph((graph) => {
      const shape = { dtype: 'float32', shape: [2] };
      const ref = graph.createOp({ type: 'VariableV2', name: 'w', attrs: shape }).output(0);
      const value = constant([1, 2]);
      const init = graph.createOp({ type: 'Assign', name: 'w/Assign', inputs: [ref, value] });
      const read = graph.createOp({ type: 'Identity', name: 'w/read', inputs: [ref] }).output(0);
      const w = variableFromDef(graph, {
        variableName: 'w:0',
        initializerName: init.name,
        snapshotName: read.name,
        initialValueName: '',
        isResource: false,
        trainable: true,
      });
      expect([w.dtype, w.isResource, w.initialValue]).toEqual(['float32', false, null]);
      expect(w.assignAdd([1, 1]).op.type).toBe('AssignAdd');
      expect(w.readValue().op.type).toBe('Identity');
      expect(w.isInitialized().op.type).toBe('IsVariableInitialized');
    });
  });
});

describe('the methods of tensors', () => {
  it('take the value of a variable', () => {
    inGraph(() => {
      const x = placeholder('float32', [null, 2]);
      const w = new Variable([[1], [2]], { name: 'w' });
      const y = w.mul(2).add(w);
      expect([y.op.type, y.op.inputs[1]?.op.type]).toEqual(['Add', 'ReadVariableOp']);
      expect(x.matMul(w).shape.dims).toEqual([null, 1]);
      expect(w.transpose().shape.dims).toEqual([1, 2]);
      expect(gradients(w.square().sum(), [w])[0]?.shape.dims).toEqual([2, 1]);
    });
  });
});

describe('a wrong variable', () => {
  it('is rejected with names and values', () => {
    inGraph(() => {
      const x = placeholder('float32', [null, 2]);
      expect(() => new Variable(x, { name: 'w' })).toThrow(
        'variable "w": the shape [?,2] of the initial value is not fully known; give the option "shape"',
      );
      expect(() => new Variable([1, 2], { name: 'v', shape: [3] })).toThrow(
        'variable "v": the initial value has shape [2], the variable [3]',
      );
      expect(() => new Variable(constant(1), { dtype: 'int32' })).toThrow(/is float32, expected int32/);
      const w = new Variable([1, 2], { name: 'u' });
      expect(() => w.assign([1, 2, 3])).toThrow(
        /AssignVariableOp "Assign.*": the value has shape \[3\], the variable has \[2\]/,
      );
      expect(() => w.assign(constant([true, false]))).toThrow(/is bool, expected float32/);
      expect(() => assign(constant([1]), [2])).toThrow(/"ref" must be a reference variable/);
    });
  });
});
