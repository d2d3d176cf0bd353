/**
 * `CheckNumerics` inside a program. The value passes through; whether it is finite is found on the device, so that the
 * host reads one word, not the tensor. Users of the value need not wait for the check: the run fails either way.
 */
import {
  Attrs,
  InternalError,
  OPS,
  TensorValue,
  type AttrValue,
  type Operation,
  type OpName,
} from '@forerun/graph';
import { describeIn, requireDef } from './describe.js';
import { outputOf, type IrValue } from './ir.js';
import type { ProgramBuilder } from './programBuilder.js';
import type { Frame } from './values.js';

/** Adds the check of a value. */
export function buildCheck(builder: ProgramBuilder, op: Operation, frame: Frame): void {
  const [input] = op.inputs;
  if (input === undefined) throw new InternalError(`${op.describe()} has no input`);
  const value = builder.irValue(input, op, frame);
  const place = { builder, op, frame };
  const type: AttrValue = { kind: 'type', value: value.dtype };
  const finite = boolNode(place, 'IsFinite', [value], { T: type }, value.shape);
  const axes = allAxes(place, value.shape.length);
  const all = boolNode(place, 'All', [finite, axes], { keep_dims: { kind: 'bool', value: false } }, []);
  const check = builder.push(
    {
      ...describeIn(frame, op, requireDef(op)),
      inputs: [all],
      controls: builder.waitsOf(op, frame),
      literal: null,
      feed: null,
    },
    [],
  );
  builder.keep([check]);
  frame.nodes.set(op, [check]);
  builder.setOutputs(op, [value], frame);
}

/** The operation that nodes are made for, and where. */
interface Place {
  readonly builder: ProgramBuilder;
  readonly op: Operation;
  readonly frame: Frame;
}

function boolNode(
  { builder, op, frame }: Place,
  type: OpName,
  inputs: readonly IrValue[],
  attrs: Readonly<Record<string, AttrValue>>,
  shape: readonly number[],
): IrValue {
  const node = {
    ...describeIn(frame, op, OPS[type]),
    type,
    attrs: new Attrs(new Map(Object.entries(attrs)), op.name),
    inputs,
    controls: builder.waitsOf(op, frame),
    literal: null,
    feed: null,
  };
  return outputOf(builder.push(node, [{ dtype: 'bool', shape, variable: null }]));
}

/** All axes of a rank, as a constant. */
function allAxes({ builder, op, frame }: Place, rank: number): IrValue {
  const axes = Int32Array.from({ length: rank }, (_, i) => i);
  const literal = new TensorValue('int32', [rank], axes);
  const described = describeIn(frame, op, OPS.Const);
  return outputOf(
    builder.push({ ...described, type: 'Const', inputs: [], controls: [], literal, feed: null }, [
      { dtype: 'int32', shape: [rank], variable: null },
    ]),
  );
}
