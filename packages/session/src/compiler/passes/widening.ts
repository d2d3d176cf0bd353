/**
 * Casts of float16 to float32 that cost nothing: kernels load float16 elements as float32 in any case, so the user of such a cast
 * may as well read its operand. Weights that a file stores in float16 stay so on the device.
 */
import { isView, kernelOf } from '../fuse.js';
import { makeNode, type IrNode, type IrValue, type Program } from '../ir.js';
import { rebuild } from '../rebuild.js';

/** Lets kernels read the float16 operands of casts. What is fetched, read on the host or shown by a view is still cast. */
export function readThroughCasts(program: Program): Program {
  return rebuild(program, (node) => {
    if (!loadsElements(node)) return null;
    const inputs = node.inputs.map(stored);
    if (inputs.every((input, i) => input === node.inputs[i])) return null;
    return makeNode({ ...node, inputs }, node.outputs).outputs;
  });
}

/** Whether a kernel of the node's own loads its inputs. */
function loadsElements(node: IrNode): boolean {
  const { kind } = kernelOf(node);
  if (node.feed !== null || node.literal !== null || isView(node)) return false;
  return kind === 'device' || kind === 'elementwise';
}

/** What a value was cast from. */
function stored(value: IrValue): IrValue {
  const { type, inputs, controls, literal, feed } = value.node;
  const [source] = inputs;
  const isCast = type === 'Cast' && literal === null && feed === null && controls.length === 0;
  return isCast && value.dtype === 'float32' && source?.dtype === 'float16' ? source : value;
}
