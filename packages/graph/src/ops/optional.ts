/**
 * Optionals: a value or none. TensorFlow hands the intermediate values of the branch that ran from a conditional
 * to its gradient in them, so files with such gradients have them.
 */
import { apply, applyOp, type NameOptions } from '../apply.js';
import type { DType } from '../dtype.js';
import { scalarShape, withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type GradContext, type OpDef } from '../opDef.js';
import { TensorShape, type ShapeLike } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

/** The gradients of all outputs: zeros where nothing flows. */
function everyGradient({ dys, ops, output }: GradContext): Tensor[] {
  return dys.map((dy, i) => dy ?? ops.zerosLike(output(i)));
}

export const OPTIONAL = {
  OptionalFromValue: op({
    summary: 'Tensors as a value that may be missing.',
    inputs: ['components: Toutput_types'],
    outputs: ['optional: variant'],
    attrs: ['Toutput_types: list(type) >= 1'],
    infer: scalarShape,
    grad: ({ dy, ops, inputs }) =>
      ops.optionalGetValue(
        dy,
        inputs.map(({ dtype, shape }) => ({ dtype, shape })),
      ),
  }),
  OptionalNone: op({
    summary: 'No value.',
    outputs: ['optional: variant'],
    infer: () => [TensorShape.SCALAR],
    grad: notDifferentiable('it has no inputs'),
  }),
  OptionalHasValue: op({
    summary: 'Whether there is a value.',
    inputs: ['optional: variant'],
    outputs: ['has_value: bool'],
    infer: (c) => {
      withRank(c, 0, 0, 'optional');
      return scalarShape();
    },
    grad: notDifferentiable('its output is a bool'),
  }),
  OptionalGetValue: op({
    summary: 'The tensors of a value; fails where there is none.',
    inputs: ['optional: variant'],
    outputs: ['components: output_types'],
    attrs: ['output_types: list(type) >= 1', 'output_shapes: list(shape) >= 1'],
    infer: (c) => {
      withRank(c, 0, 0, 'optional');
      const [types, shapes] = [c.attrs.types('output_types'), c.attrs.shapes('output_shapes')];
      if (types.length === shapes.length) return shapes;
      return c.fail(`output_types has ${types.length} entries, output_shapes has ${shapes.length}`);
    },
    grad: (c) => [c.ops.optionalFromValue(everyGradient(c))],
  }),
} satisfies Record<string, OpDef>;

/** What a component of an optional is. */
export interface ComponentSpec {
  readonly dtype: DType;
  readonly shape: ShapeLike;
}

/** Tensors as a value that may be missing (`OptionalFromValue`). */
export function optionalFromValue(components: readonly TensorLike[], { name }: NameOptions = {}): Tensor {
  return apply('OptionalFromValue', [components], { name });
}

/** No value (`OptionalNone`). */
export function optionalNone({ name }: NameOptions = {}): Tensor {
  return apply('OptionalNone', [], { name });
}

/** Whether `optional` has a value, a bool scalar (`OptionalHasValue`). */
export function optionalHasValue(optional: Tensor, { name }: NameOptions = {}): Tensor {
  return apply('OptionalHasValue', [optional], { name });
}

/** The tensors in `optional` (`OptionalGetValue`). The run fails where there is none. */
export function optionalGetValue(
  optional: Tensor,
  components: readonly ComponentSpec[],
  { name }: NameOptions = {},
): readonly Tensor[] {
  const attrs = {
    output_types: { kind: 'list(type)', value: components.map(({ dtype }) => dtype) },
    output_shapes: { kind: 'list(shape)', value: components.map(({ shape }) => TensorShape.of(shape)) },
  } as const;
  return applyOp('OptionalGetValue', [optional], { name, attrs }).outputs;
}
