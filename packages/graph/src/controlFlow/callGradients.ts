/**
 * Gradients of conditionals and calls: the same op over functions made by differentiating the forward ones. What they need of
 * the forward pass is handed over: the forward op gets more outputs. That these are ordinary nodes makes them differentiable again.
 */
import { InternalError } from '../errors.js';
import type { FuncGraph } from '../funcGraph.js';
import { withGraph } from '../graphStack.js';
import type { GradContext } from '../opDef.js';
import type { Operation } from '../operation.js';
import type { Ops } from '../ops/index.js';
import { elementDims } from '../ops/list.js';
import { getDefaultGraph } from '../scopes.js';
import { TensorShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { BackwardGraph, carriesGradient, privateFunctions, reservedName, zeroGradient } from './backward.js';
import { funcAttr, isStateful, register, shareCaptures } from './functions.js';

/** Names of the function attributes of each op, and how many inputs come before the arguments. */
function branchesOf(op: Operation): { names: string[]; selectors: number } {
  if (op.type.endsWith('If'))
    return { names: [op.attrs.func('then_branch').name, op.attrs.func('else_branch').name], selectors: 1 };
  if (op.type.endsWith('Case'))
    return { names: op.attrs.funcs('branches').map(({ name }) => name), selectors: 1 };
  return { names: [op.attrs.func('f').name], selectors: 0 };
}

function branchAttrs(
  type: string,
  branches: readonly FuncGraph[],
): Record<
  string,
  ReturnType<typeof funcAttr> | { kind: 'list(func)'; value: ReturnType<typeof funcAttr>['value'][] }
> {
  const [first, second] = branches;
  if (first === undefined) throw new InternalError(`${type} has no function`);
  if (type.endsWith('If')) return { then_branch: funcAttr(first), else_branch: funcAttr(second ?? first) };
  if (type.endsWith('Case'))
    return { branches: { kind: 'list(func)', value: branches.map((fn) => funcAttr(fn).value) } };
  return { f: funcAttr(first) };
}

/** What flows back into a result of the op, and which. */
interface Flow {
  readonly i: number;
  readonly dy: Tensor;
}

/** The gradient of `If`, `Case` and calls: the same op over the functions that go backward. */
export function callGrad(c: GradContext): readonly (Tensor | null)[] {
  const { op, ops, dys } = c;
  const { names, selectors } = branchesOf(op);
  const branches = privateFunctions(op, names);
  const flows = dys.flatMap((dy, i) => (dy === null ? [] : [{ i, dy }]));
  const inputs = op.inputs.slice(selectors);
  const wanted = inputs.flatMap((x, i) => (carriesGradient(x) || x.dtype === 'resource' ? [i] : []));
  const forward = new ForwardCall(op, ops, branches, selectors);
  const backward = branches.map((_, b) => backwardBranch(c, forward, b, flows, wanted));
  const shapes = wanted.map((i) => gradientShape(inputs[i]));
  const made = backwardCall(op, backward, op.inputs.slice(0, selectors), flows, shapes);
  return op.inputs.map((_, j) => made.outputs[wanted.indexOf(j - selectors)] ?? null);
}

/** The function that goes backward through branch `b`, from what flows into its results to its `wanted` arguments. */
function backwardBranch(
  { ops, backpropagate }: GradContext,
  forward: ForwardCall,
  b: number,
  flows: readonly Flow[],
  wanted: readonly number[],
): FuncGraph {
  const branch = forward.branch(b);
  const handOver = (tensor: Tensor): Tensor => forward.handOver(b, tensor, fn);
  const fn: BackwardGraph = new BackwardGraph(
    reservedName(branch, 'grad'),
    getDefaultGraph(),
    branch,
    handOver,
  );
  const seeds = flows.map(({ dy, i }) =>
    fn.addInput({ dtype: dy.dtype, shape: dy.shape, name: `dy_${i}`, handle: dy.handle }),
  );
  withGraph(fn, () => {
    const ys = flows.flatMap(({ i }) => branch.outputs[i] ?? []);
    const xs = wanted.flatMap((i) => branch.inputs[i] ?? []);
    const dxs = backpropagate(ys, xs, seeds);
    fn.outputs = xs.map((x, k) => fn.capture(dxs[k] ?? zeroGradient(ops, x)));
  });
  return fn;
}

/** The node that runs the functions which go backward; its results have `shapes`. */
function backwardCall(
  op: Operation,
  backward: readonly FuncGraph[],
  selector: readonly Tensor[],
  flows: readonly Flow[],
  shapes: readonly TensorShape[],
): Operation {
  const captured = shareCaptures(backward);
  const waits = register(backward);
  const graph = getDefaultGraph();
  const made = graph.createOp({
    type: op.type.replace('Stateless', backward.some(isStateful) ? '' : 'Stateless'),
    name: 'backward',
    inputs: [...selector, ...flows.map(({ dy }) => dy), ...captured],
    controlInputs: waits.filter((wait) => wait.graph === graph),
    attrs: {
      ...branchAttrs(op.type, backward),
      Tout: { kind: 'list(type)', value: (backward[0]?.outputs ?? []).map(({ dtype }) => dtype) },
      ...(op.attrs.has('output_shapes') ? { output_shapes: shapes } : {}),
    },
  });
  shapes.forEach((shape, k) => made.output(k).setShape(shape));
  return made;
}

function gradientShape(x: Tensor | undefined): TensorShape {
  if (x === undefined) return TensorShape.UNKNOWN;
  return x.dtype === 'resource' ? (x.handle?.shape ?? TensorShape.UNKNOWN) : x.shape;
}

/** Gives the forward op an output for each value that a backward function needs. */
export class ForwardCall {
  constructor(
    private readonly op: Operation,
    private readonly ops: Ops,
    private readonly branches: readonly FuncGraph[],
    private readonly selectors: number,
  ) {}

  branch(index: number): FuncGraph {
    const branch = this.branches[index];
    if (branch === undefined) throw new InternalError(`${this.op.describe()} has no branch ${index}`);
    return branch;
  }

  /** In `fn`, which goes backward through a branch, the tensor that a tensor of the branch is. */
  handOver(branch: number, tensor: Tensor, fn: FuncGraph): Tensor {
    const position = this.branch(branch).inputs.indexOf(tensor);
    if (position >= 0) {
      const outer = this.op.inputs[position + this.selectors];
      if (outer === undefined) throw new InternalError(`${this.op.describe()} lacks input ${position}`);
      return fn.capture(outer);
    }
    const inner = fn.capture(this.output(branch, tensor));
    if (tensor.dtype !== 'variant') inner.setShape(tensor.shape);
    return inner;
  }

  /** A result of the op for `tensor`, a tensor of one branch; where another branch runs it means nothing. */
  output(branch: number, tensor: Tensor): Tensor {
    const index = this.op.outputs.length;
    this.branches.forEach((other, b) => {
      other.outputs = [...other.outputs, b === branch ? tensor : this.stand(other, tensor)];
    });
    const { attrs } = this.op;
    const shapes = attrs.has('output_shapes')
      ? {
          output_shapes: [
            ...this.op.outputs.map(({ shape }) => shape),
            this.branches.length === 1 ? tensor.shape : TensorShape.UNKNOWN,
          ],
        }
      : {};
    this.op.graph.extendOp(this.op, [], {
      Tout: { kind: 'list(type)', value: [...attrs.types('Tout'), tensor.dtype] },
      ...branchAttrs(this.op.type, this.branches),
      ...shapes,
    });
    return this.op.output(index);
  }

  /** What the branches return that do not compute the value; it is never used. */
  private stand(branch: FuncGraph, { dtype, shape, handle }: Tensor): Tensor {
    return withGraph(branch, () => {
      if (dtype === 'variant') {
        return this.ops.emptyTensorList({
          dtype: handle?.dtype ?? 'float32',
          shape: elementDims(handle?.shape ?? TensorShape.UNKNOWN),
        });
      }
      return this.ops.zeros(
        (shape.dims ?? []).map((dim) => dim ?? 0),
        { dtype },
      );
    });
  }
}
