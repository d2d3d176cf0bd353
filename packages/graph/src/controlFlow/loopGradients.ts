/**
 * The gradient of a loop is a loop. What it needs of the forward pass is handed over: the forward op gets more variables, lists
 * with an element per iteration. That these are ordinary nodes makes them differentiable again.
 */
import { InternalError } from '../errors.js';
import { FuncGraph } from '../funcGraph.js';
import { withGraph } from '../graphStack.js';
import type { GradContext } from '../opDef.js';
import type { Operation } from '../operation.js';
import type { Ops } from '../ops/index.js';
import { elementDims } from '../ops/list.js';
import { getDefaultGraph } from '../scopes.js';
import { TensorShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { BackwardGraph, carriesGradient, privateFunctions, reservedName, zeroGradient } from './backward.js';
import { funcAttr, isStateful, newFunction, register } from './functions.js';

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
