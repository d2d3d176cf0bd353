/** Ops inside a program that hand on a reference or end it: `RefIdentity`, `RefSelect`, `DestroyTemporaryVariable`. */
import { InvalidArgumentError, type Operation } from '@forerun/graph';
import type { ProgramBuilder } from './programBuilder.js';
import { Deferral, type Frame } from './values.js';

export function isPassedOn({ type }: Operation): boolean {
  return type === 'RefIdentity' || type === 'RefSelect';
}

/** Adds an op whose output is one of its inputs, a reference or what was fed for it. */
export function buildPassedOn(builder: ProgramBuilder, op: Operation, frame: Frame): void {
  const chosen = op.type === 'RefSelect' ? 1 + selected(builder, op, frame) : 0;
  const input = op.inputs[chosen];
  if (input === undefined) {
    throw new InvalidArgumentError(
      `${op.describe()}: index ${chosen - 1} is not below ${op.inputs.length - 1}${op.creationSite()}`,
      { node: op.name },
    );
  }
  builder.references.pass(input, op.output(0), builder.waitsOf(op, frame));
  frame.nodes.set(op, frame.nodes.get(input.op) ?? []);
  builder.setOutputs(op, [builder.value(input, frame)], frame);
}

/** The number of the reference that `RefSelect` chooses. Throws `Deferral` until it is known. */
function selected(builder: ProgramBuilder, op: Operation, frame: Frame): number {
  const index = op.inputs[0] === undefined ? null : builder.irValue(op.inputs[0], op, frame);
  const known = index === null ? null : builder.host.get(index, 'feeds');
  if (known === null) throw new Deferral([0]);
  return known.data[0] ?? NaN;
}

/** Adds the read with which a temporary variable ends; its buffer serves the next run. */
export function buildLastRead(builder: ProgramBuilder, op: Operation, frame: Frame): void {
  const reference = op.inputs[0] === undefined ? undefined : builder.references.get(op.inputs[0]);
  if (reference === undefined) {
    builder.buildNode(op, frame);
    return;
  }
  const value = builder.read(reference, op, builder.waitsOf(op, frame));
  frame.nodes.set(op, [value.node]);
  builder.setOutputs(op, [value], frame);
}
