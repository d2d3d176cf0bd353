/**
 * Cases of ops on reference variables, made from those of the same ops on resource variables: the session runs the
 * former as the latter, so that values and tolerances are theirs.
 */
import { OPS, type OpName } from '@forerun/graph';
import type { ErrorCase, OpCases, OpSamples, ShapeCase } from '../sample.js';

/** Where references are run as resource variables. */
export const RUN_AS_RESOURCES =
  'session/test/references.gpu.test.ts runs reference variables as resource variables';

/** What the reference that such an op passes on has for a shape, from the text of the inputs; default: that of the variable. */
type Passed = (inputs: readonly string[]) => string;

/** Cases of `type`, which does to a reference what `resourceType` does to a resource variable. */
export function byReference(
  type: OpName,
  [resourceType, samples]: readonly [OpName, OpSamples],
  passed: Passed = ([variable = '?']) => variable,
): OpCases {
  const shapes = samples.shapes.map((shape) => ({
    ...withoutDtype(shape),
    outputs: passed(shape.inputs.split(';')),
  }));
  const errors = samples.errors.filter(({ message }) => !message.source.includes(', attribute '));
  return {
    testedElsewhere: `${RUN_AS_RESOURCES}; it is ${resourceType} there`,
    tolerance: `as \`${resourceType}\``,
    shapes,
    errors: [...errors.map(withoutDtype), ...ofSignature(type, shapes)],
  };
}

/** The dtype of a reference is that of the variable: an attribute need not say it. */
function withoutDtype<C extends ShapeCase | ErrorCase>({
  attrs = {},
  ...rest
}: C): Omit<C, 'attrs'> & Pick<C, 'attrs'> {
  const others = Object.fromEntries(Object.entries(attrs).filter(([name]) => name !== 'dtype'));
  return { ...rest, attrs: others };
}

/** What the signature refuses: a tensor that is no reference, and values of another dtype than the variable. */
function ofSignature(type: OpName, shapes: readonly ShapeCase[]): ErrorCase[] {
  const [{ inputs, dtypes = [], attrs } = { inputs: '' }] = shapes;
  const args = OPS[type].inputs;
  const [variable] = args;
  const value = args.findLastIndex(({ typeAttr, isRef }) => typeAttr === 'T' && !isRef);
  const noReference: ErrorCase = {
    inputs: `tensor${inputs}`,
    dtypes,
    attrs: attrs ?? {},
    message: new RegExp(`input "${variable?.name ?? ''}" must be a reference variable, `),
  };
  if (value < 0) return [noReference];
  const given = args.map(({ typeAttr, name }, i) => {
    if (i === value) return 'int32' as const;
    return (
      dtypes[i] ??
      (typeAttr === 'Tindices' || typeAttr === 'Index'
        ? 'int32'
        : name === 'global_step'
          ? 'int64'
          : 'float32')
    );
  });
  const otherDtype: ErrorCase = {
    inputs,
    dtypes: given,
    attrs: attrs ?? {},
    message: new RegExp(`input "${args[value]?.name ?? ''}" must be float32 \\(T\\), .* is int32`),
  };
  return [noReference, otherDtype];
}
