/** Ops that are made of other ops: their parts in a graph, and the gradient that goes through these. */
import { constantValue } from './constantValue.js';
import { InternalError } from './errors.js';
import type { ComposeContext, ComposeFn, GradContext, GradFn } from './opDef.js';
import type { Tensor } from './tensor.js';

/** The context of a `compose` function; `constant` tells of values that the inputs' graph does not. */
export function composeContext(
  { attrs, inputs, ops }: Pick<ComposeContext, 'attrs' | 'inputs' | 'ops'>,
  constant: ComposeContext['constant'] = (i) => valueOf(inputs[i]),
): ComposeContext {
  return {
    attrs,
    inputs,
    ops,
    constant,
    input: (i) => {
      const input = inputs[i];
      if (input === undefined) throw new InternalError(`an op is made of its input ${i}, which it has not`);
      return input;
    },
  };
}

function valueOf(tensor: Tensor | undefined): ReturnType<typeof constantValue> {
  return tensor === undefined ? null : constantValue(tensor);
}

/** The gradient of an op that goes through the ops that it is made of, computed anew. */
export function throughParts(compose: ComposeFn): GradFn {
  return (c: GradContext) => {
    const flows = compose(composeContext(c)).flatMap((y, i) => {
      const dy = c.dys[i] ?? null;
      return dy === null ? [] : [{ y, dy }];
    });
    return c.backpropagate(
      flows.map(({ y }) => y),
      c.inputs,
      flows.map(({ dy }) => dy),
    );
  };
}

/**
 * TensorFlow's gradient `grad` of what flows into the outputs `main`, through which programs use the op. Its own gradient
 * needs more: where something flows into another output, everything goes through the ops that the op is made of.
 */
export function mainGradient(compose: ComposeFn, main: readonly number[], grad: GradFn): GradFn {
  const exact = throughParts(compose);
  return (c) => {
    const others = c.dys.some((dy, i) => dy !== null && !main.includes(i));
    return others ? exact(c) : grad(c);
  };
}
