/** What one run of a graph costs: FLOPs by op type, and the memory of what flows through it. */
import { baseDType, dtypeBytes, type Dim, type Operation, type Tensor } from '@forerun/graph';
import { flopsOf } from './flops.js';
import { ancestorsOf, isUpdate, isVariable, outputsOf, targetsOf, type GraphView } from './graphView.js';
import { kernelOf } from './support.js';

export interface TypeCost {
  readonly type: string;
  readonly nodes: number;
  readonly flops: number;
}

export interface TensorSize {
  readonly name: string;
  readonly type: string;
  readonly dtype: string;
  readonly shape: readonly Dim[] | null;
  readonly bytes: number;
}

/** The cost of fetching some outputs, or of running one target. */
export interface RunCost {
  readonly name: string;
  readonly fetches: readonly string[];
  readonly nodes: number;
  readonly flops: number;
  readonly flopsByType: readonly TypeCost[];
  /** Sum over all tensors between inputs and fetches, as if each had its own memory. */
  readonly activationBytes: number;
  readonly largestActivations: readonly TensorSize[];
  /** Nodes whose shapes are not known, or whose op is not: they count nothing. */
  readonly uncounted: readonly string[];
}

/** The costs that matter: of all outputs together, and of each target that trains. */
export function runCosts(view: GraphView): RunCost[] {
  const outputs = outputsOf(view);
  const training = targetsOf(view).filter((target) => ancestorsOf([target]).some(isUpdate));
  const names = outputs.map((op) => op.name);
  const forward = outputs.length === 0 ? [] : [runCost('outputs', names, outputs)];
  return [...forward, ...training.map((target) => runCost(target.name, [target.name], [target]))];
}

function runCost(name: string, fetches: readonly string[], ops: readonly Operation[]): RunCost {
  const nodes = ancestorsOf(ops);
  const activations = nodes.filter(holdsActivation).flatMap((op) => op.outputs.flatMap(sizeOfTensor));
  const flopsByType = flopTotals(nodes);
  return {
    name,
    fetches,
    nodes: nodes.length,
    flops: flopsByType.reduce((sum, { flops }) => sum + flops, 0),
    flopsByType,
    activationBytes: activations.reduce((sum, { bytes }) => sum + bytes, 0),
    largestActivations: activations.sort((a, b) => b.bytes - a.bytes).slice(0, LARGEST),
    uncounted: nodes.filter((op) => flopsOf(op) === null || hasUnknownOutput(op)).map((op) => op.name),
  };
}

const LARGEST = 10;

/** Variables, constants and views of other tensors take no memory of their own in a run. */
function holdsActivation(op: Operation): boolean {
  return (
    !isVariable(op) &&
    op.type !== 'Const' &&
    op.type !== 'ReadVariableOp' &&
    kernelOf(op.type)?.kind !== 'view'
  );
}

function hasUnknownOutput(op: Operation): boolean {
  return (
    holdsActivation(op) &&
    op.outputs.some((tensor) => dtypeBytes(tensor.dtype) > 0 && tensor.shape.size === null)
  );
}

function sizeOfTensor(tensor: Tensor): TensorSize[] {
  const { size, dims: shape } = tensor.shape;
  const dtype = baseDType(tensor.dtype);
  if (size === null || dtypeBytes(dtype) === 0) return [];
  return [{ name: tensor.name, type: tensor.op.type, dtype, shape, bytes: size * dtypeBytes(dtype) }];
}

function flopTotals(nodes: readonly Operation[]): TypeCost[] {
  const totals = new Map<string, TypeCost>();
  for (const op of nodes) {
    const flops = flopsOf(op) ?? 0;
    if (flops === 0) continue;
    const known = totals.get(op.type) ?? { type: op.type, nodes: 0, flops: 0 };
    totals.set(op.type, { ...known, nodes: known.nodes + 1, flops: known.flops + flops });
  }
  return [...totals.values()].sort((a, b) => b.flops - a.flops || (a.type < b.type ? -1 : 1));
}
