/** Replaces nodes whose values are known when the plan is compiled by constants. */
import { fromHostValue, OPS } from '@forerun/graph';
import type { HostValues } from '../hostValues.js';
import { makeNode, outputOf, type IrNode, type IrValue, type Program } from '../ir.js';
import { rebuild } from '../rebuild.js';

/** Constant folding. Nodes with control inputs stay: something must happen before their value counts. */
export function foldConstants(program: Program, host: HostValues): Program {
  return rebuild(program, (node) => {
    if (node.literal !== null || node.feed !== null || node.def.stateful) return null;
    if (node.controls.length > 0 || node.outputs.length === 0) return null;
    const values = node.outputs.map((output) => host.get(output));
    const known = values.filter((value) => value !== null);
    if (known.length < values.length) return null;
    return known.map((value, i) => literalNode(node, i, fromHostValue(value)));
  });
}

function literalNode(node: IrNode, index: number, literal: NonNullable<IrNode['literal']>): IrValue {
  const { dtype, shape } = outputOf(node, index);
  const constant = makeNode({ ...node, type: 'Const', def: OPS.Const, inputs: [], controls: [], literal }, [
    { dtype, shape, variable: null },
  ]);
  return outputOf(constant);
}
