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
  /** The most bytes of them that are needed at one time, when nodes run in their order and each tensor goes after its last use. */
  readonly peakBytes: number;
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
    peakBytes: peakBytes(nodes, new Set(ops)),
    largestActivations: activations.sort((a, b) => b.bytes - a.bytes).slice(0, LARGEST),
    uncounted: nodes.filter((op) => flopsOf(op) === null || hasUnknownOutput(op)).map((op) => op.name),
  };
}

const LARGEST = 10;

/** What is alive at the worst moment of a run; what a view shows lives as long as the view. */
function peakBytes(nodes: readonly Operation[], fetched: ReadonlySet<Operation>): number {
  const owners = new Map<Operation, Operation>();
  const lastUse = new Map<Operation, number>();
  const use = (op: Operation, at: number): void => {
    const owner = owners.get(op) ?? op;
    lastUse.set(owner, Math.max(lastUse.get(owner) ?? 0, at));
  };
  nodes.forEach((op, i) => {
    const [input] = op.inputs;
    const isView = kernelOf(op.type)?.kind === 'view' && input !== undefined;
    owners.set(op, isView ? (owners.get(input.op) ?? input.op) : op);
    for (const { op: source } of op.inputs) use(source, i);
    use(op, fetched.has(op) ? nodes.length : i);
  });
  const freed = new Map<number, number>();
  let [alive, peak] = [0, 0];
  nodes.forEach((op, i) => {
    if (holdsActivation(op)) {
      const bytes = op.outputs.flatMap(sizeOfTensor).reduce((sum, tensor) => sum + tensor.bytes, 0);
      const last = lastUse.get(op) ?? i;
      alive += bytes;
      freed.set(last, (freed.get(last) ?? 0) + bytes);
    }
    peak = Math.max(peak, alive);
    alive -= freed.get(i) ?? 0;
  });
  return peak;
}

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
  const totals = new Map<string, { type: string; nodes: number; flops: number }>();
  for (const op of nodes) {
    const flops = flopsOf(op) ?? 0;
    if (flops === 0) continue;
    const total = totals.get(op.type) ?? { type: op.type, nodes: 0, flops: 0 };
    if (total.nodes++ === 0) totals.set(op.type, total);
    total.flops += flops;
  }
  return [...totals.values()].sort((a, b) => b.flops - a.flops || (a.type < b.type ? -1 : 1));
}
