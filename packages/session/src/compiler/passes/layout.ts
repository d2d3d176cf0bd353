/**
 * Transposes are moved, joined and cancelled. Where a transpose reads what was computed element by element from another
 * transpose that it undoes, the elements are computed in the first order; products take transposed factors as they are;
 * reductions reduce other axes. Only sums over transposed axes may add in another order.
 */
import { sizeOf, type OpName } from '@forerun/graph';
import { KERNELS } from '@forerun/kernels-webgpu';
import { isElementwise, workOf } from '../fuse.js';
import type { HostValues } from '../hostValues.js';
import { elements, inputOf, makeNode, outputOf, type IrNode, type IrValue, type Program } from '../ir.js';
import { rebuild } from '../rebuild.js';
import { intsFor, reshapedFor, withAttrs } from './newNodes.js';

/** How many elementwise ops are looked through, one behind the other. */
const MAX_DEPTH = 24;

/** Applies to nodes without control inputs only. */
export function moveTransposes(program: Program, host: HostValues): Program {
  const layout = new Layout(host);
  return rebuild(program, (node) => {
    if (node.controls.length > 0 || node.feed !== null || node.literal !== null) return null;
    const found = layout.visit(node);
    return found === null ? null : [found];
  });
}

class Layout {
  /** What `transposed` found, by permutation and value; `null` where it would cost a transpose. */
  readonly #found = new Map<string, Map<IrValue, IrValue | null>>();

  constructor(private readonly host: HostValues) {}

  visit(node: IrNode): IrValue | null {
    if (node.type === 'Transpose') return this.transpose(node);
    const flags = factorFlags(node);
    if (flags !== null) return this.product(node, flags);
    return reducesAxes(node) ? this.reduction(node) : null;
  }

  private transpose(node: IrNode): IrValue | null {
    const perm = this.axes(node);
    const input = inputOf(node, 0);
    if (perm === null) return null;
    const free = this.transposed(input, perm, node, MAX_DEPTH);
    if (free !== null) return free;
    const inner = this.transposeAt(input);
    if (inner === null) return null;
    const both = intsFor(
      node,
      perm.map((axis) => inner.perm[axis] ?? axis),
    );
    return outputOf(makeNode({ ...node, inputs: [inner.input, both] }, node.outputs));
  }

  /** `value` with its axes in the order of `perm`, where that needs no transpose; else `null`. */
  private transposed(value: IrValue, perm: readonly number[], asker: IrNode, depth: number): IrValue | null {
    const key = perm.join();
    const known = this.#found.get(key) ?? new Map<IrValue, IrValue | null>();
    this.#found.set(key, known);
    let found = known.get(value);
    if (found === undefined) {
      found = this.findTransposed(value, perm, asker, depth);
      known.set(value, found);
    }
    return found;
  }

  private findTransposed(
    value: IrValue,
    perm: readonly number[],
    asker: IrNode,
    depth: number,
  ): IrValue | null {
    const shape = perm.map((axis) => value.shape[axis] ?? 1);
    if (keepsOrder(value.shape, perm)) return reshapedFor(asker, value, shape);
    const inner = this.transposeAt(value);
    if (inner !== null && perm.every((axis, i) => inner.perm[axis] === i)) return inner.input;
    const { node } = value;
    if (depth === 0 || !isPointwise(node)) return null;
    const inputs: IrValue[] = [];
    for (const input of node.inputs) {
      const moved = this.operand(input, perm, asker, depth - 1);
      if (moved === null) return null;
      inputs.push(moved);
    }
    const { dtype, variable } = value;
    return outputOf(makeNode({ ...node, inputs }, [{ dtype, shape, variable }]));
  }

  /** An operand that broadcasts to a value whose axes are permuted. */
  private operand(value: IrValue, perm: readonly number[], asker: IrNode, depth: number): IrValue | null {
    if (elements(value) === 1) return value;
    const missing = perm.length - value.shape.length;
    if (missing === 0) return this.transposed(value, perm, asker, depth);
    const padded = [...Array.from({ length: missing }, () => 1), ...value.shape];
    if (!keepsOrder(padded, perm)) return null;
    const shape = perm.map((axis) => padded[axis] ?? 1);
    return reshapedFor(asker, value, shape);
  }

  /** Factors whose last two axes are swapped are read so by the product itself. */
  private product(node: IrNode, flags: readonly [string, string]): IrValue | null {
    if (outputOf(node).dtype.startsWith('complex')) return null;
    const factors = [0, 1].map((i) => {
      const inner = this.transposeAt(inputOf(node, i));
      return inner !== null && swapsLastTwo(inner.perm) ? inner.input : null;
    });
    if (factors.every((factor) => factor === null)) return null;
    const inputs = node.inputs.map((input, i) => factors[i] ?? input);
    const changes = flags.flatMap((flag, i) => {
      const value = node.attrs.bool(flag) !== (factors[i] !== null);
      return [[flag, { kind: 'bool', value }] as const];
    });
    const attrs = withAttrs(node.attrs, Object.fromEntries(changes));
    return outputOf(makeNode({ ...node, inputs, attrs }, node.outputs));
  }

  /** A reduction of transposed values reduces the axes that they came from, where the order of the rest is the same. */
  private reduction(node: IrNode): IrValue | null {
    const inner = this.transposeAt(inputOf(node, 0));
    const axes = this.axes(node);
    if (inner === null || axes === null) return null;
    const reduced = new Set(axes.map((axis) => inner.perm[axis] ?? axis));
    const rest = inner.perm.filter((axis) => !reduced.has(axis) && inner.input.shape[axis] !== 1);
    if (rest.some((axis, i) => axis < (rest[i - 1] ?? -1))) return null;
    const keep = node.attrs.bool('keep_dims');
    const all = inner.input.shape.map((size, axis) => (reduced.has(axis) ? 1 : size));
    const shape = keep ? all : all.filter((_, axis) => !reduced.has(axis));
    const inputs = [inner.input, intsFor(node, [...reduced])];
    const { dtype } = outputOf(node);
    const moved = outputOf(makeNode({ ...node, inputs }, [{ dtype, shape, variable: null }]));
    return reshapedFor(node, moved, outputOf(node).shape);
  }

  /** The transpose that makes a value, when its permutation is known and nothing orders it. */
  private transposeAt({ node }: IrValue): { input: IrValue; perm: readonly number[] } | null {
    if (node.type !== 'Transpose' || node.controls.length > 0 || node.feed !== null) return null;
    const perm = this.axes(node);
    return perm === null ? null : { input: inputOf(node, 0), perm };
  }

  /** The axes in input 1 of a node, counted from the first. */
  private axes(node: IrNode): readonly number[] | null {
    const known = this.host.get(inputOf(node, 1));
    if (known === null) return null;
    const rank = inputOf(node, 0).shape.length;
    return Array.from(known.data, (axis) => (axis < 0 ? axis + rank : axis));
  }
}

/** The attributes by which a matrix product reads its factors transposed; `null` where there are none. */
function factorFlags(node: IrNode): readonly [string, string] | null {
  if (workOf(node) !== 'contraction') return null;
  const flags = [['transpose_a', 'transpose_b'] as const, ['adj_x', 'adj_y'] as const];
  return flags.find((pair) => pair.every((flag) => node.attrs.has(flag))) ?? null;
}

/** Whether a node reduces the axes in its input 1. */
function reducesAxes(node: IrNode): boolean {
  return workOf(node) === 'reduction' && node.attrs.has('keep_dims');
}

/** Whether only axes of size 1 change their places, so that the elements keep theirs. */
function keepsOrder(shape: readonly number[], perm: readonly number[]): boolean {
  if (sizeOf(shape) === 0) return true;
  const moved = perm.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => axis > (moved[i - 1] ?? -1));
}

function swapsLastTwo(perm: readonly number[]): boolean {
  const last = perm.length - 1;
  return last > 0 && perm.every((axis, i) => axis === (i === last ? last - 1 : i === last - 1 ? last : i));
}

/** Ops whose every element depends on the elements at its place alone, wherever the axes are. */
function isPointwise(node: IrNode): boolean {
  if (node.controls.length > 0 || node.def.stateful || node.outputs.length !== 1) return false;
  if (!isElementwise(node)) return false;
  const kernel = KERNELS[node.type as OpName];
  return kernel.kind === 'elementwise' && kernel.operandShape === undefined && kernel.alignLeading !== true;
}
