/**
 * The reference variables of TensorFlow before resource variables: `VariableV2` gives a reference
 * that `Assign` and its kin pass on. Only older files have them; the session runs them as resource variables.
 */
import { sameShape, scalarShape, withRank } from '../inferHelpers.js';
import { gradientMissing, notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';

const shapeAttr = (c: InferContext): TensorShape[] => [c.attrs.shape('shape')];

function variable(summary: string): OpDef {
  return op({
    summary,
    outputs: ['ref: Ref(dtype)'],
    attrs: ['shape: shape', 'dtype: type', 'container: string = ""', 'shared_name: string = ""'],
    infer: shapeAttr,
    grad: () => [],
    stateful: true,
  });
}

function update(summary: string): OpDef {
  return op({
    summary,
    inputs: ['ref: Ref(T)', 'value: T'],
    outputs: ['output_ref: Ref(T)'],
    attrs: ['T: numeric', 'use_locking: bool = false'],
    infer: (c) => [checkSameShape(c)],
    grad: notDifferentiable('it changes a variable'),
    stateful: true,
  });
}

/** What is known of the variable from its own shape and that of the value, which must agree. */
function checkSameShape(c: InferContext): TensorShape {
  const [variable, value] = [c.shape(0), c.shape(1)];
  const merged = variable.mergeWith(value);
  return merged ?? c.fail(`the value has shape ${value.toString()}, the variable has ${variable.toString()}`);
}

export const REFERENCES = {
  Variable: variable('A variable by reference, in files of the oldest form.'),
  VariableV2: variable('A variable by reference.'),

  TemporaryVariable: op({
    summary: 'A variable by reference that lives until its value is taken.',
    outputs: ['ref: Ref(dtype)'],
    attrs: ['shape: shape', 'dtype: type', 'var_name: string = ""'],
    infer: shapeAttr,
    grad: () => [],
    stateful: true,
  }),

  DestroyTemporaryVariable: op({
    summary: 'The last value of a temporary variable.',
    inputs: ['ref: Ref(T)'],
    outputs: ['value: T'],
    attrs: ['T: type', 'var_name: string'],
    infer: sameShape,
    grad: notDifferentiable('it reads a variable by reference'),
    stateful: true,
  }),

  Assign: op({
    summary: 'Sets a reference variable.',
    inputs: ['ref: Ref(T)', 'value: T'],
    outputs: ['output_ref: Ref(T)'],
    attrs: ['T: type', 'validate_shape: bool = true', 'use_locking: bool = true'],
    infer: (c) => {
      if (!c.attrs.bool('validate_shape')) return [c.shape(1)];
      return [checkSameShape(c)];
    },
    grad: notDifferentiable('it changes a variable'),
    stateful: true,
  }),
  AssignAdd: update('Adds to a reference variable.'),
  AssignSub: update('Subtracts from a reference variable.'),

  RefIdentity: op({
    summary: 'The same reference.',
    inputs: ['input: Ref(T)'],
    outputs: ['output: Ref(T)'],
    attrs: ['T: type'],
    infer: sameShape,
    grad: ({ dy }) => [dy],
  }),

  RefSelect: op({
    summary: 'One of several references, by its number.',
    inputs: ['index: int32', 'inputs: N * Ref(T)'],
    outputs: ['output: Ref(T)'],
    attrs: ['T: type', 'N: int >= 1'],
    infer: (c) => {
      withRank(c, 0, 0, 'index');
      const index = c.constant(0)?.data[0] ?? NaN;
      const count = c.shapes.length - 1;
      if (index < 0 || index >= count) c.fail(`index must be from 0 to ${count - 1}, got ${index}`);
      if (!Number.isNaN(index)) return [c.shape(1 + index)];
      const [first = TensorShape.UNKNOWN, ...rest] = c.shapes.slice(1);
      const same = rest.every((shape) => shape.toString() === first.toString());
      return [same ? first : TensorShape.UNKNOWN];
    },
    grad: gradientMissing('TensorFlow defines none'),
  }),

  IsVariableInitialized: op({
    summary: 'Whether a reference variable has a value.',
    inputs: ['ref: Ref(dtype)'],
    outputs: ['is_initialized: bool'],
    attrs: ['dtype: type'],
    infer: scalarShape,
    grad: notDifferentiable('its output is a bool'),
    stateful: true,
  }),
};
