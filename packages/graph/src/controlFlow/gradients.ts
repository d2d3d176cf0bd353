/**
 * Gradients of control flow: the gradient of a loop is a loop, that of a conditional a conditional, of a call
 * a call. Their functions are made by differentiating the forward functions. What they need of the forward
 * pass is handed over: the forward op gets more outputs, which in a loop are lists with an element per
 * iteration. That these are ordinary nodes makes them differentiable again.
 */
import { InternalError } from '../errors.js';
import { isFloating } from '../dtype.js';
import { FuncGraph } from '../funcGraph.js';
import type { Graph } from '../graph.js';
import { withGraph } from '../graphStack.js';
import type { GradContext } from '../opDef.js';
import type { Operation } from '../operation.js';
import type { Ops } from '../ops/index.js';
import { elementDims } from '../ops/list.js';
import { getDefaultGraph } from '../scopes.js';
import { TensorShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { cloneFunction, funcAttr, isStateful, newFunction, register, shareCaptures } from './functions.js';

/** Function that goes backward through `forward`: what it uses of it is asked from `handOver`. */
class BackwardGraph extends FuncGraph {
  readonly #known = new Map<Tensor, Tensor>();

  constructor(
    name: string,
    outer: Graph,
    private readonly forward: FuncGraph,
    private readonly handOver: (tensor: Tensor) => Tensor,
  ) {
    super(name, outer);
  }

  override capture(tensor: Tensor): Tensor {
    if (tensor.graph !== this.forward || tensor.op.type === 'Const') return super.capture(tensor);
    const known = this.#known.get(tensor) ?? this.handOver(tensor);
    this.#known.set(tensor, known);
    return known;
  }
}

/** Whether something can flow into a tensor: floats, lists of floats, lists of lists. */
function carriesGradient(tensor: Tensor): boolean {
  if (tensor.dtype !== 'variant') return isFloating(tensor.dtype);
  const element = tensor.handle?.dtype ?? 'float32';
  return isFloating(element) || element === 'variant';
}

/** A gradient of zeros for a tensor or for the variable behind a handle. */
export function zeroGradient(ops: Ops, tensor: Tensor): Tensor {
  if (tensor.dtype !== 'resource') return ops.zerosLike(tensor);
  const { dtype, shape } = tensor.handle ?? { dtype: 'float32', shape: TensorShape.UNKNOWN };
  return shape.isFullyDefined ? ops.zeros(shape, { dtype }) : ops.zerosLike(ops.readVariable(tensor));
}

// ---------------------------------------------------------------------------------------- conditionals and calls

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

/** Functions of which the op is the only user, so that they can be changed. */
const ownFunctions = new WeakMap<Operation, readonly FuncGraph[]>();

function privateFunctions(op: Operation, names: readonly string[]): readonly FuncGraph[] {
  const known = ownFunctions.get(op);
  if (known !== undefined) return known;
  const clones = names.map((name) => cloneFunction(op.graph.getFunction(name)));
  register(clones);
  ownFunctions.set(op, clones);
  return clones;
}

/** The gradient of `If`, `Case` and calls: the same op over the functions that go backward. */
export function callGrad(c: GradContext): readonly (Tensor | null)[] {
  const { op, ops, dys, backpropagate } = c;
  const { names, selectors } = branchesOf(op);
  const branches = privateFunctions(op, names);
  const inputs = op.inputs.slice(selectors);
  const flowing = dys.flatMap((dy, i) => (dy === null ? [] : [{ dy, i }]));
  const wanted = inputs.flatMap((x, i) => (carriesGradient(x) || x.dtype === 'resource' ? [i] : []));
  const forward = new ForwardCall(op, ops, branches, selectors);
  const backward = branches.map((branch, b) => {
    const fn: BackwardGraph = new BackwardGraph(
      reservedName(branch, 'grad'),
      getDefaultGraph(),
      branch,
      (tensor) => forward.handOver(b, tensor, fn),
    );
    const seeds = flowing.map(({ dy, i }) =>
      fn.addInput({ dtype: dy.dtype, shape: dy.shape, name: `dy_${i}`, handle: dy.handle }),
    );
    withGraph(fn, () => {
      const ys = flowing.flatMap(({ i }) => branch.outputs[i] ?? []);
      const xs = wanted.flatMap((i) => branch.inputs[i] ?? []);
      const dxs = backpropagate(ys, xs, seeds);
      fn.outputs = xs.map((x, k) => fn.capture(dxs[k] ?? zeroGradient(ops, x)));
    });
    return fn;
  });
  const captured = shareCaptures(backward);
  const waits = register(backward);
  const selector = op.inputs.slice(0, selectors);
  const outputs = backward[0]?.outputs ?? [];
  const made = getDefaultGraph().createOp({
    type: op.type.replace('Stateless', backward.some(isStateful) ? '' : 'Stateless'),
    name: 'backward',
    inputs: [...selector, ...flowing.map(({ dy }) => dy), ...captured],
    controlInputs: waits.filter((wait) => wait.graph === getDefaultGraph()),
    attrs: {
      ...branchAttrs(op.type, backward),
      Tout: { kind: 'list(type)', value: outputs.map(({ dtype }) => dtype) },
      ...(op.attrs.has('output_shapes')
        ? { output_shapes: wanted.map((i) => gradientShape(inputs[i])) }
        : {}),
    },
  });
  wanted.forEach((i, k) => made.output(k).setShape(gradientShape(inputs[i])));
  const dxs = wanted.map((i, k) => [i, made.output(k)] as const);
  return op.inputs.map((_, j) => dxs.find(([i]) => i + selectors === j)?.[1] ?? null);
}

function gradientShape(x: Tensor | undefined): TensorShape {
  if (x === undefined) return TensorShape.UNKNOWN;
  return x.dtype === 'resource' ? (x.handle?.shape ?? TensorShape.UNKNOWN) : x.shape;
}

function reservedName(fn: FuncGraph, suffix: string): string {
  return newFunction(`${fn.functionName}_${suffix}`, fn.outer).functionName;
}

/** Gives the forward op an output for each value that a backward function needs. */
export class ForwardCall {
  constructor(
    private readonly op: Operation,
    private readonly ops: Ops,
    private readonly branches: readonly FuncGraph[],
    private readonly selectors: number,
  ) {}

  handOver(branch: number, tensor: Tensor, fn: FuncGraph): Tensor {
    const position = this.branches[branch]?.inputs.indexOf(tensor) ?? -1;
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

// ---------------------------------------------------------------------------------------------------------- loops

/** The gradient of `While`: a loop of as many iterations, from the last to the first. */
export function whileGrad(c: GradContext): readonly (Tensor | null)[] {
  const { op, ops, dys, backpropagate } = c;
  const [cond, body] = privateFunctions(op, [op.attrs.func('cond').name, op.attrs.func('body').name]);
  if (cond === undefined || body === undefined) throw new InternalError(`${op.describe()} lacks a function`);
  const inputs = [...op.inputs];
  const wanted = inputs.flatMap((x, i) => (carriesGradient(x) || x.dtype === 'resource' ? [i] : []));
  const forward = new ForwardLoop(op, ops, cond, body);
  const backward = new BackwardLoop(op, ops, body, forward);
  const sums = wanted.map((i) => {
    const [x, y] = [body.inputs[i], op.output(i)];
    if (x === undefined) throw new InternalError(`${op.describe()} lacks argument ${i}`);
    return { x, y: body.outputs[i], variable: backward.add(`d_${i}`, dys[i] ?? zeroGradient(ops, y)) };
  });
  withGraph(backward.fn, () => {
    const flowing = sums.filter(({ x }) => x.dtype !== 'resource');
    const dxs = backpropagate(
      flowing.flatMap(({ y }) => y ?? []),
      sums.map(({ x }) => x),
      flowing.map(({ variable }) => variable.inside),
    );
    sums.forEach(({ x, variable }, k) => {
      const dx = dxs[k] ?? null;
      if (x.dtype === 'resource')
        variable.next = dx === null ? variable.inside : ops.add(variable.inside, dx);
      else variable.next = backward.fn.capture(dx ?? zeroGradient(ops, x));
    });
  });
  const outputs = backward.finish(forward.count());
  return op.inputs.map((_, j) => outputs[wanted.indexOf(j)] ?? null);
}

/** Makes the forward loop count its iterations and keep values of each. */
class ForwardLoop {
  #count: Tensor | null = null;

  constructor(
    private readonly op: Operation,
    private readonly ops: Ops,
    private readonly cond: FuncGraph,
    private readonly body: FuncGraph,
  ) {}

  /** The number of iterations. */
  count(): Tensor {
    this.#count ??= this.addVariable(
      'iterations',
      this.outside(() => this.ops.constant(0, { dtype: 'int32' })),
      (counter) => this.ops.add(counter, this.ops.constant(1, { dtype: 'int32' })),
    );
    return this.#count;
  }

  /** The loop's result that lists the values of `tensor`, a tensor of the body, over the iterations. */
  history(tensor: Tensor): Tensor {
    const shape = elementDims(tensor.dtype === 'variant' ? TensorShape.SCALAR : tensor.shape);
    const empty = this.outside(() => this.ops.emptyTensorList({ dtype: tensor.dtype, shape }));
    return this.addVariable('history', empty, (list) => this.ops.tensorListPushBack(list, tensor));
  }

  private outside<R>(build: () => R): R {
    const { graph } = this.op;
    return withGraph(graph, () =>
      graph.controlDependencies(null, () => graph.nameScope(`${this.op.name}_saved/`, build)),
    );
  }

  private addVariable(name: string, initial: Tensor, step: (value: Tensor) => Tensor): Tensor {
    const spec = { dtype: initial.dtype, shape: initial.shape, name, handle: initial.handle };
    this.cond.addInput(spec);
    const inside = this.body.addInput(spec);
    this.body.outputs = [...this.body.outputs, withGraph(this.body, () => step(inside))];
    const index = this.op.outputs.length;
    this.op.graph.extendOp(this.op, [initial], {
      cond: funcAttr(this.cond),
      body: funcAttr(this.body),
      output_shapes: [...this.op.outputs.map(({ shape }) => shape), initial.shape],
    });
    return this.op.output(index);
  }

  /** The tensor outside that an argument of the body equals in every iteration, or `null`. */
  invariant(tensor: Tensor): Tensor | null {
    const position = this.body.inputs.indexOf(tensor);
    if (position < 0 || this.body.outputs[position] !== tensor) return null;
    return this.op.inputs[position] ?? null;
  }
}

interface LoopVariable {
  readonly inside: Tensor;
  readonly initial: Tensor;
  next: Tensor;
}

/** Collects the variables of the loop that goes backward. */
class BackwardLoop {
  readonly fn: BackwardGraph;
  readonly #variables: LoopVariable[] = [];
  readonly #step: LoopVariable;

  constructor(
    private readonly op: Operation,
    private readonly ops: Ops,
    body: FuncGraph,
    private readonly forward: ForwardLoop,
  ) {
    this.fn = new BackwardGraph(reservedName(body, 'grad'), getDefaultGraph(), body, (t) => this.handOver(t));
    this.#step = this.add('step', ops.constant(0, { dtype: 'int32' }));
    this.#step.next = withGraph(this.fn, () =>
      ops.add(this.#step.inside, ops.constant(1, { dtype: 'int32' })),
    );
  }

  add(name: string, initial: Tensor): LoopVariable {
    const inside = this.fn.addInput({
      dtype: initial.dtype,
      shape: initial.shape,
      name,
      handle: initial.handle,
    });
    const variable = { inside, initial, next: inside };
    this.#variables.push(variable);
    return variable;
  }

  private handOver(tensor: Tensor): Tensor {
    const invariant = this.forward.invariant(tensor);
    if (invariant !== null) return this.fn.capture(invariant);
    const saved = this.forward.history(tensor);
    const list = this.add('saved', this.outer(saved));
    const element = {
      dtype: tensor.dtype,
      shape: tensor.dtype === 'variant' ? [] : elementDims(tensor.shape),
    };
    const pop = withGraph(this.fn, () => this.ops.tensorListPopBack(list.inside, element));
    list.next = pop.list;
    return pop.tensor;
  }

  /** A result of the forward op as a tensor of the graph that the backward loop stands in. */
  private outer(tensor: Tensor): Tensor {
    const { outer } = this.fn;
    return outer instanceof FuncGraph ? outer.capture(tensor) : tensor;
  }

  /** Makes the loop; the results of the variables that the caller added first, in order. */
  finish(count: Tensor): Tensor[] {
    const limit = this.add('limit', this.outer(count));
    const captured = [...this.fn.captures];
    const loopVars = [
      ...this.#variables,
      ...captured.map(([initial, inside]) => ({ inside, initial, next: inside })),
    ];
    this.fn.inputs = loopVars.map(({ inside }) => inside);
    this.fn.outputs = loopVars.map(({ next }) => next);
    const cond = newFunction(`${this.fn.functionName}_cond`, this.fn.outer);
    const args = loopVars.map(({ inside }, i) =>
      cond.addInput({ dtype: inside.dtype, shape: inside.shape, name: `arg_${i}`, handle: inside.handle }),
    );
    const [step, bound] = [args[this.#variables.indexOf(this.#step)], args[this.#variables.indexOf(limit)]];
    if (step === undefined || bound === undefined)
      throw new InternalError('the backward loop lost its counter');
    cond.outputs = [withGraph(cond, () => this.ops.less(step, bound))];
    const waits = register([cond, this.fn]);
    const made = this.fn.outer.createOp({
      type: isStateful(this.fn) ? 'While' : 'StatelessWhile',
      name: 'backward',
      inputs: loopVars.map(({ initial }) => initial),
      controlInputs: waits.filter((op) => op.graph === this.fn.outer),
      attrs: {
        cond: funcAttr(cond),
        body: funcAttr(this.fn),
        output_shapes: loopVars.map(({ initial, next }) => mergedShape(initial, next)),
        parallel_iterations: this.op.attrs.int('parallel_iterations'),
      },
    });
    return made.outputs.slice(1);
  }
}

/** The shape of a loop variable that is the same before and after an iteration, as far as it is known. */
function mergedShape(initial: Tensor, next: Tensor): TensorShape {
  const [a, b] = [initial.shape.dims, next.shape.dims];
  if (a === null || b?.length !== a.length) return TensorShape.UNKNOWN;
  return new TensorShape(a.map((dim, i) => (dim === b[i] ? dim : null)));
}
