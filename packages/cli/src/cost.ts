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
  const activations = nodes.filter(holdsActivation).flatMap((op) => op.outputs.filter(isSized));
  const flops = nodes.map(flopsOf);
  const flopsByType = flopTotals(nodes, flops);
  return {
    name,
    fetches,
    nodes: nodes.length,
    flops: flopsByType.reduce((sum, total) => sum + total.flops, 0),
    flopsByType,
    activationBytes: activations.reduce((sum, tensor) => sum + bytesOf(tensor), 0),
    peakBytes: peakBytes(nodes, new Set(ops)),
    largestActivations: activations
      .sort((a, b) => bytesOf(b) - bytesOf(a))
      .slice(0, LARGEST)
      .map(sizeOfTensor),
    uncounted: nodes.filter((op, i) => flops[i] === null || hasUnknownOutput(op)).map((op) => op.name),
  };
}

const LARGEST = 10;

/** What is alive at the worst moment of a run; what a view shows lives as long as the view. */
function peakBytes(nodes: readonly Operation[], fetched: ReadonlySet<Operation>): number {
  // By position in `nodes`: whose memory a node's outputs are in, when that is last used, and what ends there.
  const place = new Map(nodes.map((op, i) => [op, i]));
  const owners = Int32Array.from(nodes, (_, i) => i);
  const lastUse = new Int32Array(nodes.length);
  const use = (i: number, at: number): void => {
    const owner = owners[i] ?? i;
    lastUse[owner] = Math.max(lastUse[owner] ?? 0, at);
  };
  nodes.forEach((op, i) => {
    const sources = op.inputs.map((input) => place.get(input.op) ?? i);
    const [first] = sources;
    if (first !== undefined && kernelOf(op.type)?.kind === 'view') owners[i] = owners[first] ?? first;
    for (const source of sources) use(source, i);
    use(i, fetched.has(op) ? nodes.length : i);
  });
  const freed = new Float64Array(nodes.length + 1);
  let [alive, peak] = [0, 0];
  nodes.forEach((op, i) => {
    if (holdsActivation(op)) {
      const bytes = op.outputs.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
      const last = lastUse[i] ?? i;
      alive += bytes;
      freed[last] = (freed[last] ?? 0) + bytes;
    }
    peak = Math.max(peak, alive);
    alive -= freed[i] ?? 0;
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

/** Bytes of a tensor's elements; 0 where its size is not known, or its dtype has none. */
function bytesOf({ shape, dtype }: Tensor): number {
  return (shape.size ?? 0) * dtypeBytes(dtype);
}

function isSized({ shape, dtype }: Tensor): boolean {
  return shape.size !== null && dtypeBytes(dtype) > 0;
}

function sizeOfTensor(tensor: Tensor): TensorSize {
  const { name, op, dtype, shape } = tensor;
  return { name, type: op.type, dtype: baseDType(dtype), shape: shape.dims, bytes: bytesOf(tensor) };
}

function flopTotals(nodes: readonly Operation[], flopsOfNodes: readonly (number | null)[]): TypeCost[] {
  const totals = new Map<string, { type: string; nodes: number; flops: number }>();
  nodes.forEach(({ type }, i) => {
    const flops = flopsOfNodes[i] ?? 0;
    if (flops === 0) return;
    const total = totals.get(type) ?? { type, nodes: 0, flops: 0 };
    if (total.nodes++ === 0) totals.set(type, total);
    total.flops += flops;
  });
  return [...totals.values()].sort((a, b) => b.flops - a.flops || (a.type < b.type ? -1 : 1));
}
