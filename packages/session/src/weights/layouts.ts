/**
 * Layouts of other frameworks. PyTorch keeps filters as [out,in,height,width] and matrices as [out,in]; TensorFlow as
 * [height,width,in,out] and [in,out]. What a variable is, the op that uses it tells.
 */
import { InvalidArgumentError, type Operation, type Tensor, type Variable } from '@forerun/graph';
import type { WeightEntry } from '@forerun/formats';
import type { LayoutOf } from './match.js';

/**
 * How to rearrange tensors: `'pytorch'` moves the axes of filters and matrices from PyTorch's layout, told by the op that
 * uses the variable; orders of axes by the variable's key; or a function, which may give `undefined` to change nothing.
 */
export type Transpose =
  | 'pytorch'
  | Readonly<Record<string, readonly number[]>>
  | ((key: string, variable: Variable, entry: WeightEntry) => readonly number[] | undefined);

/** The function behind a `Transpose`. Throws `InvalidArgumentError` for a layout that is not known. */
export function layoutOf(transpose: Transpose | undefined): LayoutOf | undefined {
  if (transpose === undefined) return undefined;
  if (transpose === 'pytorch') return pytorchLayout();
  if (typeof transpose === 'string') {
    throw new InvalidArgumentError(`transpose: the layout "${String(transpose)}" is not known; "pytorch" is`);
  }
  return (key, variable, entry) => {
    const permutation = typeof transpose === 'function' ? transpose(key, variable, entry) : transpose[key];
    return permutation === undefined ? undefined : { permutation };
  };
}

/** Ops that hand a variable's value on. */
const PASSING: ReadonlySet<string> = new Set(['ReadVariableOp', 'Identity', 'Cast', 'ExpandDims']);
/** Ops whose input 1 is a filter: PyTorch's axes but for the last two, then those. */
const FILTERS: ReadonlySet<string> = new Set([
  'Conv2D',
  'Conv2DBackpropInput',
  'Conv3D',
  'Conv3DBackpropInputV2',
  '_FusedConv2D',
]);

type Use = 'filter' | 'depthwise' | 'matrix' | 'other';

function pytorchLayout(): LayoutOf {
  let consumers: ReadonlyMap<Tensor, readonly Operation[]> | undefined;
  return (_key, variable, entry) => {
    consumers ??= consumersOf(variable.graph.operations);
    const rank = entry.shape.length;
    switch (useOf(variable, consumers)) {
      case 'filter':
        return rank < 3 ? undefined : { permutation: [...range(2, rank), 1, 0] };
      case 'depthwise':
        // [channels * multiplier, 1, height, width]
        return rank === 4 ? { permutation: [2, 3, 0, 1], shape: variable.shape.toStatic() } : undefined;
      case 'matrix':
        return rank === 2 ? { permutation: [1, 0] } : undefined;
      case 'other':
        return undefined;
    }
  };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

function consumersOf(operations: readonly Operation[]): Map<Tensor, Operation[]> {
  const consumers = new Map<Tensor, Operation[]>();
  for (const op of operations) {
    for (const input of op.inputs) {
      const list = consumers.get(input);
      if (list === undefined) consumers.set(input, [op]);
      else list.push(op);
    }
  }
  return consumers;
}

/** What the first op that says so uses a variable as. */
function useOf(variable: Variable, consumers: ReadonlyMap<Tensor, readonly Operation[]>): Use {
  const queue: Tensor[] = [variable.handle];
  const seen = new Set<Tensor>();
  for (let tensor = queue.shift(); tensor !== undefined; tensor = queue.shift()) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    for (const op of consumers.get(tensor) ?? []) {
      const use = op.inputs[1] === tensor ? useBy(op) : undefined;
      if (use !== undefined) return use;
      if (PASSING.has(op.type)) queue.push(...op.outputs);
    }
  }
  return 'other';
}

function useBy(op: Operation): Use | undefined {
  if (FILTERS.has(op.type)) return 'filter';
  if (op.type === 'DepthwiseConv2dNative') return 'depthwise';
  if (op.type !== 'MatMul') return undefined;
  return op.attrs.bool('transpose_b') ? 'other' : 'matrix';
}
