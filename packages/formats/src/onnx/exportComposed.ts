/** Ops that are made of other ops, as the parts that they are made of. */
import { builders, composeContext, constantValue, Graph, type Operation } from '@forerun/graph';
import { fail, type FunctionBody } from './exportWriter.js';

export function isComposed({ def }: Operation): boolean {
  return def?.compose !== undefined;
}

/** The parts of an op, in a graph of their own, with placeholders for its inputs. */
export function partsOf(op: Operation): FunctionBody {
  const graph = new Graph();
  const inputs = op.inputs.map(({ dtype, shape }) =>
    graph.createOp({ type: 'Placeholder', attrs: { dtype, shape } }).output(0),
  );
  const constant = (i: number): ReturnType<typeof constantValue> => {
    const given = op.inputs[i];
    return given === undefined ? null : constantValue(given);
  };
  const context = composeContext({ attrs: op.attrs, inputs, ops: builders }, constant);
  try {
    const outputs = graph.asDefault(() => op.def?.compose?.(context) ?? []);
    return { inputs, outputs: [...outputs] };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return fail(op, `its parts cannot be made: ${error.message}`);
  }
}
