/** Checks for NaN and infinities: of one tensor, or of all that a graph computes. */
import { convertToTensor, type NameOptions } from './apply.js';
import { InvalidArgumentError } from './errors.js';
import type { Graph } from './graph.js';
import type { Operation } from './operation.js';
import { checkNumerics } from './ops/debug.js';
import { group, identity } from './ops/source.js';
import { controlDependencies, getDefaultGraph, nameScope } from './scopes.js';
import type { Tensor, TensorLike } from './tensor.js';

const FLOATS: readonly string[] = ['float16', 'float32', 'float64'];
const CONTROL_FLOW = /^(Stateless)?(If|While|Case)$|^(Ref)?(Switch|Merge|Enter|Exit|NextIteration)$/;

/**
 * `x`, once all its elements are known to be finite (`tf.verify_tensor_all_finite`): a run in which they are not
 * throws `InvalidArgumentError` with `message`.
 */
export function verifyTensorAllFinite(
  x: TensorLike,
  message: string,
  { name = 'VerifyFinite' }: NameOptions = {},
): Tensor {
  return nameScope(name, () => {
    const tensor = convertToTensor(x);
    return controlDependencies([checkNumerics(tensor, message)], () => identity(tensor));
  });
}

/**
 * An operation that checks every floating-point tensor of the graph, in the order in which they were made
 * (`tf.add_check_numerics_ops`). A run that includes it throws `InvalidArgumentError` at the first tensor with a
 * NaN or an infinity, saying `<operation>:<output>`; it needs all that the graph computes, so all placeholders. Throws
 * `InvalidArgumentError` for graphs with control flow, in which not everything runs.
 */
export function addCheckNumericsOps({
  graph = getDefaultGraph(),
}: { readonly graph?: Graph } = {}): Operation {
  const operations = [...graph.operations];
  const branching = operations.find(({ type }) => CONTROL_FLOW.test(type));
  if (branching !== undefined) {
    throw new InvalidArgumentError(
      `addCheckNumericsOps: the graph has control flow, ${branching.describe()}, of which not everything runs`,
    );
  }
  const outputs = operations.flatMap((op) => op.outputs).filter(({ dtype }) => FLOATS.includes(dtype));
  return graph.asDefault(() => {
    let before: Tensor[] = [];
    for (const output of outputs) {
      const message = `${output.op.name}:${output.index}`;
      before = controlDependencies(before, () => [checkNumerics(output, message)]);
    }
    return group(before.map(({ op }) => op));
  });
}
