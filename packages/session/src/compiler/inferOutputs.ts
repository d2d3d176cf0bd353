/** Static dtypes, shapes and variables of the outputs of a program's nodes, and what is not known yet. */
import {
  InvalidArgumentError,
  RuleError,
  TensorShape,
  UnimplementedError,
  type OpDef,
  type Operation,
} from '@forerun/graph';
import { isHostStep } from '../run/hostOps.js';
import { isTable, tableRef } from '../tables.js';
import { variableRef } from '../variables.js';
import { requireDef } from './describe.js';
import { kernelOf, SESSION_OPS } from './fuse.js';
import type { HostValues } from './hostValues.js';
import type { IrNode, IrValue, OutputInit, VariableRef } from './ir.js';
import { StaticInferContext } from './staticInfer.js';
import { Deferral } from './values.js';

/** The outputs of an op. Throws `Deferral` when their shapes depend on values that only the run computes. */
export function inferOutputs(
  op: Operation,
  def: OpDef,
  inputs: readonly IrValue[],
  host: HostValues,
): OutputInit[] {
  const shapes = inferShapes(op, def, inputs, host);
  return op.outputs.map((output, i) => {
    const inferred = shapes[i] ?? TensorShape.UNKNOWN;
    // What the graph was not asked for yet says no more than a shape that is fully known.
    const declared = inferred.isFullyDefined ? (output.inferredShape ?? TensorShape.UNKNOWN) : output.shape;
    const shape = inferred.mergeWith(declared);
    if (shape === null) {
      throw new InvalidArgumentError(
        `${op.describe()}: output ${i} has shape ${inferred.toString()}, but the graph says ${declared.toString()}${op.creationSite()}`,
        { node: op.name },
      );
    }
    const variable = output.dtype === 'resource' ? variableOf(op, inputs) : null;
    return { dtype: output.dtype, shape: staticShape(op, shape, i), variable };
  });
}

/** Shapes from constants; from fed values where that is not enough; else the op waits for values. */
function inferShapes(
  op: Operation,
  def: OpDef,
  inputs: readonly IrValue[],
  host: HostValues,
): readonly TensorShape[] {
  try {
    const shapes = def.infer(new StaticInferContext(op, inputs, host, 'constants'));
    if (shapes.every((shape) => shape.isFullyDefined)) return shapes;
    if (isEvaluated(op)) throw new Deferral([]);
    const context = new StaticInferContext(op, inputs, host, 'feeds');
    const known = def.infer(context);
    if (!known.every((shape) => shape.isFullyDefined) && context.missing.size > 0) {
      throw new Deferral([...context.missing]);
    }
    if (isHostStep(op.type) && op.outputs.some(({ shape }) => !shape.isFullyDefined)) throw new Deferral([]);
    return known;
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    throw new InvalidArgumentError(`${op.describe()}: ${error.message}${op.creationSite()}`, {
      node: op.name,
    });
  }
}

function staticShape(op: Operation, shape: TensorShape, i: number): readonly number[] {
  if (shape.isFullyDefined) return shape.toStatic();
  throw new UnimplementedError(
    `${op.describe()}: the shape ${shape.toString()} of output ${i} depends on values computed on the device${op.creationSite()}`,
    { node: op.name },
  );
}

/** Outputs of the resource op that stands for an op on references. Throws when an update's shapes differ. */
export function resourceOutputs(
  op: Operation,
  type: string,
  inputs: readonly IrValue[],
  host: HostValues,
): OutputInit[] {
  if (type === 'VarHandleOp') return [{ dtype: 'resource', shape: [], variable: variableRef(op.output(0)) }];
  if (isTable(type)) return [{ dtype: 'resource', shape: [], variable: tableRef(op) }];
  if (op.def?.inputs[0]?.name === 'table_handle') return inferOutputs(op, op.def, inputs, host);
  if (type === 'VarIsInitializedOp') return [{ dtype: 'bool', shape: [], variable: null }];
  if (type.startsWith('ResourceScatter')) checkScatter(op, inputs, host);
  if (type.startsWith('Assign')) checkAssignment(op, inputs);
  return [];
}

/** Checks an update of rows by the rule of the op on references, for which the handle has the variable's shape. */
function checkScatter(op: Operation, [handle, ...rest]: readonly IrValue[], host: HostValues): void {
  if (handle === undefined) return;
  const known = handle.variable?.shape.isFullyDefined === true;
  const shape = known ? handle.variable.shape.toStatic() : handle.shape;
  inferShapes(op, requireDef(op), [{ ...handle, shape }, ...rest], host);
}

function checkAssignment(op: Operation, [handle, value]: readonly IrValue[]): void {
  const shape = handle?.variable?.shape;
  if (value === undefined || shape?.isCompatibleWith(new TensorShape(value.shape)) !== false) return;
  throw new InvalidArgumentError(
    `${op.describe()}: the value has shape [${value.shape.join(',')}], the variable has ${shape.toString()}${op.creationSite()}`,
    { node: op.name },
  );
}

/** The variable that a resource output stands for: declared here, or passed through from an input. */
function variableOf(op: Operation, inputs: readonly IrValue[]): VariableRef | null {
  const passed = inputs.find((input) => input.variable !== null)?.variable;
  if (passed !== undefined) return passed;
  if (isTable(op.type)) return tableRef(op);
  return op.type === 'VarHandleOp' ? variableRef(op.output(0)) : null;
}

/** Whether the run evaluates an op on the host, from values that it reads. */
function isEvaluated(op: Operation): boolean {
  if (op.def?.evaluate === undefined || op.def.stateful) return false;
  return kernelOf({ type: op.type }).kind === 'host' && !SESSION_OPS.has(op.type);
}

/** Whether a node is evaluated on the host and takes inputs that only the run computes. */
export function isUnknownHostValue(node: IrNode, host: HostValues): boolean {
  if (kernelOf(node).kind !== 'host' || node.literal !== null || node.def.evaluate === undefined)
    return false;
  if (SESSION_OPS.has(node.type) || isHostStep(node.type) || node.outputs.length === 0) return false;
  return node.outputs.some((output) => host.get(output, 'feeds') === null);
}
