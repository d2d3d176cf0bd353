/**
 * `CountUpTo` inside a program: the variable is read, the host compares it with the limit, and only then it grows. A
 * run that has reached the limit ends before the update.
 */
import { Attrs, InternalError, OPS, TensorValue, type AttrValue, type Operation } from '@forerun/graph';
import { describeIn, requireDef } from './describe.js';
import { outputOf, type IrNode } from './ir.js';
import type { ProgramBuilder } from './programBuilder.js';
import type { Frame } from './values.js';

export function isCounter(type: string): boolean {
  return type === 'CountUpTo' || type === 'ResourceCountUpTo';
}

/** Adds the read, the comparison and the update. */
export function buildCounter(builder: ProgramBuilder, op: Operation, frame: Frame): void {
  const waits = builder.waitsOf(op, frame);
  const { inputs, after } = builder.inputsOf(op, waits, frame);
  const [handle] = inputs;
  if (handle === undefined) throw new InternalError(`${op.describe()} has no input`);
  const controls = [...new Set([...waits, ...after])];
  const type: AttrValue = { kind: 'type', value: op.attrs.type('T') };
  const attrs = new Attrs(new Map([['dtype', type]]), op.name);
  const scalar = { dtype: op.attrs.type('T'), shape: [], variable: null };
  const plain = { literal: null, feed: null };
  const read = builder.push(
    {
      ...describeIn(frame, op, OPS.ReadVariableOp),
      ...plain,
      type: 'ReadVariableOp',
      attrs,
      inputs: [handle],
      controls,
    },
    [scalar],
  );
  const value = outputOf(read);
  const check = builder.push(
    { ...describeIn(frame, op, requireDef(op)), ...plain, inputs: [value], controls },
    [],
  );
  const update = builder.push(
    {
      ...describeIn(frame, op, OPS.AssignAddVariableOp),
      ...plain,
      type: 'AssignAddVariableOp',
      attrs,
      inputs: [handle, outputOf(one(builder, op, frame))],
      controls: [check],
    },
    [],
  );
  builder.keep([check, update]);
  frame.nodes.set(op, [check, update]);
  builder.setOutputs(op, [value], frame);
}

function one(builder: ProgramBuilder, op: Operation, frame: Frame): IrNode {
  const dtype = op.attrs.type('T');
  const literal = new TensorValue(dtype, [], dtype === 'int64' ? BigInt64Array.of(1n) : Int32Array.of(1));
  const described = describeIn(frame, op, OPS.Const);
  return builder.push({ ...described, type: 'Const', inputs: [], controls: [], literal, feed: null }, [
    { dtype, shape: [], variable: null },
  ]);
}
