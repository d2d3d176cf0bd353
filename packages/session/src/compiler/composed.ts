/** Ops that are made of other ops: inside a program these stand in their place, made for the shapes of the run. */
import { Graph, builders, composeContext, type Operation, type Tensor } from '@forerun/graph';
import { requireDef } from './describe.js';
import { inferOutputs } from './inferOutputs.js';
import type { IrValue } from './ir.js';
import { pruneGraph } from './prune.js';
import type { ProgramBuilder } from './programBuilder.js';
import { Deferral, type Frame, type Value } from './values.js';

export function isComposed({ def }: Operation): boolean {
  return def?.compose !== undefined;
}

/** Adds what an op is made of. Throws as the op's own shape rule does, and what its parts throw. */
export function buildComposed(builder: ProgramBuilder, op: Operation, frame: Frame): void {
  const waits = builder.waitsOf(op, frame);
  const { inputs, after } = builder.inputsOf(op, waits, frame);
  inferOutputs(op, requireDef(op), inputs, builder.host);
  const parts = partsOf(builder, op, inputs);
  const inner: Frame = {
    ...frame,
    values: new Map<Tensor, Value>(
      parts.inputs.flatMap((tensor, i) => (inputs[i] ? [[tensor, inputs[i]]] : [])),
    ),
    nodes: new Map(),
    path: `${frame.path}${op.name}/`,
    waits: [...new Set([...waits, ...after])],
  };
  for (const part of parts.operations) {
    try {
      builder.build(part, inner);
    } catch (error) {
      throw error instanceof Deferral ? new Deferral(behind(part, error.hostInputs, parts.inputs)) : error;
    }
  }
  const values = parts.outputs.map((output) => builder.value(output, inner));
  frame.nodes.set(op, [...new Set([...inner.nodes.values()].flat())]);
  builder.setOutputs(op, values, frame);
}

/** The inputs of an op that decide what one of its parts waits for. */
function behind(part: Operation, wanted: readonly number[], inputs: readonly Tensor[]): number[] {
  const found = new Set<number>();
  const stack = wanted.flatMap((i) => part.inputs[i] ?? []);
  const seen = new Set<Tensor>();
  for (let tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    const input = inputs.indexOf(tensor);
    if (input >= 0) found.add(input);
    else stack.push(...tensor.op.inputs);
  }
  return [...found].sort((a, b) => a - b);
}

interface Parts {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Inputs before users, without the placeholders of the inputs. */
  readonly operations: readonly Operation[];
}

function partsOf(builder: ProgramBuilder, op: Operation, values: readonly IrValue[]): Parts {
  const graph = new Graph();
  const inputs = values.map(({ dtype, shape }) =>
    graph.createOp({ type: 'Placeholder', attrs: { dtype, shape } }).output(0),
  );
  const constant = (i: number): ReturnType<typeof builder.host.get> =>
    values[i] === undefined ? null : builder.host.get(values[i]);
  const compose = requireDef(op).compose;
  const context = composeContext({ attrs: op.attrs, inputs, ops: builders }, constant);
  const outputs = graph.asDefault(() => compose?.(context) ?? []);
  const { operations } = pruneGraph(outputs, [], new Map(inputs.map((input, i) => [input, i])));
  return { inputs, outputs, operations };
}
