/** `whileLoop` (`tf.while_loop`): builds the functions of a loop from callbacks. */
import { nameForCopy } from '../names.js';
import { isRefDType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import type { FuncGraph } from '../funcGraph.js';
import { less, logicalAnd } from '../ops/comparison.js';
import { add } from '../ops/binary.js';
import { checkOptions } from '../checkOptions.js';
import { constant, convertToTensor } from '../apply.js';
import { identity } from '../ops/source.js';
import { getDefaultGraph, nameScope } from '../scopes.js';
import { TensorShape, type ShapeLike } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { type TensorLike } from '../tensor.js';
import { funcAttr, inside, isStateful, newFunction, register, shareCaptures } from './functions.js';
import { flatten, type Flat, type NestedList, type Nest, type NestLike } from './nest.js';

export interface WhileLoopOptions {
  /** Shapes that hold in every iteration, in the loop variables' order; needed where a shape changes. */
  readonly shapeInvariants?: readonly (TensorShape | ShapeLike | null | undefined)[] | undefined;
  /** The loop ends after this many iterations even if the condition still holds. */
  readonly maximumIterations?: TensorLike | undefined;
  /** Accepted for programs of TensorFlow and kept in files; iterations follow each other. */
  readonly parallelIterations?: number | undefined;
  /** Accepted for programs of TensorFlow. */
  readonly backProp?: boolean | undefined;
  /** Accepted for programs of TensorFlow. */
  readonly swapMemory?: boolean | undefined;
  readonly name?: string | undefined;
}

/**
 * Repeats `body` as long as `cond` holds (`tf.while_loop`). Loop variables are any nesting of arrays and records of
 * tensors and tensor arrays; the callbacks get them as arguments (a single array of them spread, anything else
 * whole), `body` returns the same structure, and so does the loop. Callbacks may use tensors from
 * outside. Throws `InvalidArgumentError` when structure, dtype or shape changes, or the condition is no bool scalar.
 *
 * @example
 * const [i, sum] = whileLoop((i) => i.less(10), (i, sum) => [i.add(1), sum.add(x)], [constant(0, { dtype: 'int32' }), x]);
 */
export function whileLoop<const V extends readonly NestLike[]>(
  cond: (...vars: NestedList<V>) => TensorLike,
  body: (...vars: NestedList<V>) => NestLike,
  loopVars: V,
  options: WhileLoopOptions = {},
): NestedList<V> {
  const checked = checkOptions('whileLoop', options, '{ maximumIterations: 10 }');
  return nameScope(checked.name ?? 'while', () => {
    const loop = new LoopBuilder(flatten(loopVars), checked);
    const results = loop.build(
      (nest) => cond(...(nest as NestedList<V>)),
      (nest) => body(...(nest as NestedList<V>)),
    );
    return results as NestedList<V>;
  });
}

class LoopBuilder {
  readonly #shapes: readonly TensorShape[];
  readonly #initial: readonly Tensor[];

  constructor(
    private readonly vars: Flat,
    private readonly options: WhileLoopOptions,
  ) {
    if (vars.tensors.length === 0) throw new InvalidArgumentError('whileLoop: there are no loop variables');
    this.#initial = vars.tensors.map((tensor) => (isRefDType(tensor.dtype) ? identity(tensor) : tensor));
    this.#shapes = invariants(this.#initial, options.shapeInvariants);
  }

  build(cond: (vars: readonly Nest[]) => TensorLike, body: (vars: readonly Nest[]) => NestLike): Nest {
    const limit = this.options.maximumIterations;
    const counters =
      limit === undefined
        ? []
        : [constant(0, { dtype: 'int32' }), convertToTensor(limit, { dtype: 'int32' })];
    const condFn = this.declare('cond', counters);
    const bodyFn = this.declare('body', counters);
    const condition = this.callCond(condFn, counters.length, cond);
    const { results, step } = this.callBody(bodyFn, counters.length, body);
    condFn.outputs = [condition];
    const captured = shareCaptures([condFn, bodyFn]);
    bodyFn.outputs = [
      ...step,
      ...results.tensors,
      ...bodyFn.inputs.slice(bodyFn.inputs.length - captured.length),
    ];
    const waits = register([condFn, bodyFn]);
    const stateful = isStateful(condFn) || isStateful(bodyFn);
    const op = getDefaultGraph().createOp({
      type: stateful ? 'While' : 'StatelessWhile',
      name: 'While',
      inputs: [...counters, ...this.#initial, ...captured],
      controlInputs: waits.filter((wait) => wait.graph === getDefaultGraph()),
      attrs: {
        cond: funcAttr(condFn),
        body: funcAttr(bodyFn),
        output_shapes: [...counters, ...this.#initial, ...captured].map(
          ({ shape }, i) => this.#shapes[i - counters.length] ?? shape,
        ),
        parallel_iterations: this.options.parallelIterations ?? 10,
      },
    });
    return results.rebuild(op.outputs.slice(counters.length, counters.length + this.#initial.length));
  }

  private declare(role: string, counters: readonly Tensor[]): FuncGraph {
    const scope = getDefaultGraph().currentScope.replace(/\/$/, '').replaceAll('/', '_');
    const fn = newFunction(`${scope}_${role}`);
    counters.forEach(({ dtype, shape }, i) =>
      fn.addInput({ dtype, shape, name: i === 0 ? 'iteration' : 'limit' }),
    );
    this.#initial.forEach(({ dtype, handle, op }, i) => {
      const shape = this.#shapes[i] ?? TensorShape.UNKNOWN;
      fn.addInput({ dtype, shape, handle, name: nameForCopy(op.name.split('/').at(-1) ?? `arg_${i}`) });
    });
    return fn;
  }

  private argumentsOf(fn: FuncGraph, counters: number): readonly Nest[] {
    return this.vars.rebuild(fn.inputs.slice(counters)) as readonly Nest[];
  }

  private callCond(fn: FuncGraph, counters: number, cond: (vars: readonly Nest[]) => TensorLike): Tensor {
    const args = this.argumentsOf(fn, counters);
    return inside(
      fn,
      () => {
        const result = fn.capture(convertToTensor(cond(args)));
        if (result.dtype !== 'bool' || (result.shape.rank ?? 0) !== 0) {
          throw new InvalidArgumentError(
            `whileLoop: cond must return a bool scalar, got ${result.dtype} ${result.shape.toString()}`,
          );
        }
        const [iteration, limit] = fn.inputs;
        if (counters === 0 || iteration === undefined || limit === undefined) return result;
        return logicalAnd(less(iteration, limit), result);
      },
      'whileLoop',
    );
  }

  private callBody(
    fn: FuncGraph,
    counters: number,
    body: (vars: readonly Nest[]) => NestLike,
  ): { results: Flat; step: Tensor[] } {
    const args = this.argumentsOf(fn, counters);
    return inside(
      fn,
      () => {
        const returned = body(args);
        const given = flatten(
          this.vars.tensors.length === 1 && !Array.isArray(returned) ? [returned] : returned,
        );
        this.checkResults(given);
        const tensors = given.tensors.map((tensor) => fn.capture(tensor));
        const [iteration, limit] = counters === 0 ? [] : fn.inputs;
        const step =
          iteration === undefined || limit === undefined
            ? []
            : [add(iteration, constant(1, { dtype: 'int32' })), limit];
        return { results: { ...given, tensors }, step };
      },
      'whileLoop',
    );
  }

  private checkResults(given: Flat): void {
    if (given.describe !== this.vars.describe) {
      throw new InvalidArgumentError(
        `whileLoop: body must return the structure of the loop variables, ${this.vars.describe}, got ${given.describe}`,
      );
    }
    given.tensors.forEach((tensor, i) => {
      const before = this.#initial[i];
      const shape = this.#shapes[i];
      if (before === undefined || shape === undefined) return;
      if (tensor.dtype !== before.dtype) {
        throw new InvalidArgumentError(
          `whileLoop: loop variable ${i} (${before.name}) is ${before.dtype}, body returns ${tensor.dtype}`,
        );
      }
      if (!isWithin(tensor.shape, shape)) {
        throw new InvalidArgumentError(
          `whileLoop: loop variable ${i} (${before.name}) enters with shape ${shape.toString()}, body returns ${tensor.shape.toString()}: give shapeInvariants where a shape changes`,
        );
      }
    });
  }
}

/** Whether a shape says at least what an invariant says. */
function isWithin(shape: TensorShape, invariant: TensorShape): boolean {
  if (invariant.dims === null) return true;
  if (shape.dims?.length !== invariant.dims.length) return false;
  return invariant.dims.every((dim, i) => dim === null || dim === shape.dims?.[i]);
}

function invariants(
  initial: readonly Tensor[],
  given: WhileLoopOptions['shapeInvariants'],
): readonly TensorShape[] {
  if (given === undefined) return initial.map(({ shape }) => shape);
  if (given.length !== initial.length) {
    throw new InvalidArgumentError(
      `whileLoop: there are ${given.length} shapeInvariants for ${initial.length} loop variables (nested ones are counted one by one)`,
    );
  }
  return initial.map((tensor, i) => {
    const invariant = given[i];
    if (invariant === undefined) return tensor.shape;
    const shape = TensorShape.of(invariant);
    if (isWithin(tensor.shape, shape)) return shape;
    throw new InvalidArgumentError(
      `whileLoop: loop variable ${i} (${tensor.name}) has shape ${tensor.shape.toString()}, which its invariant ${shape.toString()} does not allow`,
    );
  });
}
