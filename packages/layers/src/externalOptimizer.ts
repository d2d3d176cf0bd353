/**
 * Optimizers that work outside the graph, on all variables as one vector: the graph gives the loss and its
 * gradient in one run, the algorithm decides where to look next (`tf.contrib.opt.ExternalOptimizerInterface`).
 */
import {
  InvalidArgumentError,
  TensorValue,
  concat,
  convertToTensor,
  gradients,
  group,
  nameScope,
  placeholder,
  reshape,
  trainableVariables,
  withGraphOf,
  zerosLike,
  type Operation,
  type Tensor,
  type Variable,
} from '@forerun/graph';
import { lbfgs, type Evaluated, type LbfgsOptions } from './lbfgs.js';

/** What is needed of a session. */
export interface GraphRunner<FeedValue> {
  run(fetches: readonly (Tensor | Operation)[], feeds?: ReadonlyMap<Tensor, FeedValue>): Promise<unknown>;
}

export interface ExternalMinimizeOptions<FeedValue> {
  readonly feeds?: ReadonlyMap<Tensor, FeedValue>;
  /** Computed with every evaluation, for `lossCallback`. */
  readonly fetches?: readonly Tensor[];
  /** Gets all variables as one vector after each iteration. */
  readonly stepCallback?: (x: Float64Array) => void;
  /** Gets the loss and the values of `fetches` at each evaluation. */
  readonly lossCallback?: (loss: number, ...fetched: TensorValue[]) => void;
}

/** Lower and upper bounds of the elements of a variable. */
export type Bounds = readonly [low: number | readonly number[], high: number | readonly number[]];

export interface ExternalOptimizerOptions {
  /** Default: the trainable variables. */
  readonly varList?: readonly Variable[];
  /** Constraints as tensors that should be 0, or not below. */
  readonly equalities?: readonly Tensor[];
  readonly inequalities?: readonly Tensor[];
  readonly varToBounds?: ReadonlyMap<Variable, Bounds>;
}

export interface ExternalResult {
  readonly loss: number;
  readonly iterations: number;
  readonly evaluations: number;
  /** Why the search ended. */
  readonly message: string;
}

/** What an algorithm is given: the function, where to begin, and bounds. */
export interface ExternalProblem {
  readonly evaluate: (x: Float64Array) => Promise<Evaluated>;
  readonly start: Float64Array;
  readonly bounds: LbfgsOptions['bounds'];
  readonly onStep: (x: Float64Array) => void;
}

/** Base class: a subclass says how to find the minimum of a function. */
export abstract class ExternalOptimizerInterface {
  readonly #variables: readonly Variable[];
  readonly #gradient: Tensor;
  readonly #inputs: readonly Tensor[];
  readonly #assign: Operation;
  readonly #bounds: ReadonlyMap<Variable, Bounds>;

  /**
   * Makes the nodes for the gradient and for setting the variables. Throws `InvalidArgumentError` when there are no
   * variables, when one is no float32, or for constraints, which no optimizer here takes.
   */
  constructor(
    readonly loss: Tensor,
    { varList, equalities = [], inequalities = [], varToBounds = new Map() }: ExternalOptimizerOptions = {},
  ) {
    if (equalities.length + inequalities.length > 0) {
      throw new InvalidArgumentError('this optimizer takes no equalities or inequalities, only varToBounds');
    }
    this.#bounds = varToBounds;
    this.#variables = varList ?? loss.graph.asDefault(() => trainableVariables());
    if (this.#variables.length === 0) throw new InvalidArgumentError('there are no variables to optimize');
    const wrong = this.#variables.find(({ dtype }) => dtype !== 'float32');
    if (wrong !== undefined)
      throw new InvalidArgumentError(`variable ${wrong.name} is ${wrong.dtype}, not float32`);
    const nodes = withGraphOf(loss, () => nameScope('external_optimizer', () => this.build()));
    [this.#gradient, this.#inputs, this.#assign] = [nodes.gradient, nodes.inputs, nodes.assign];
  }

  private build(): { gradient: Tensor; inputs: Tensor[]; assign: Operation } {
    const parts = gradients(this.loss, this.#variables).map((gradient, i) => {
      const variable = this.#variables[i];
      return reshape(convertToTensor(gradient ?? zerosLike(variable ?? this.loss)), [-1]);
    });
    const inputs = this.#variables.map(({ shape }) => placeholder('float32', shape));
    const assigns = this.#variables.map((variable, i) =>
      variable.assign(inputs[i] ?? variable, { readValue: false }),
    );
    return { gradient: concat(parts, 0), inputs, assign: group(assigns) };
  }

  /** Finds the minimum of the function that `problem` gives. */
  protected abstract optimize(
    problem: ExternalProblem,
  ): Promise<ExternalResult & { readonly x: Float64Array }>;

  /** Sets the variables to values for which the loss is small, beginning with those that they have. */
  async minimize<FeedValue>(
    session: GraphRunner<FeedValue | TensorValue>,
    options: ExternalMinimizeOptions<FeedValue> = {},
  ): Promise<ExternalResult> {
    const { feeds = new Map<Tensor, FeedValue>(), fetches = [], stepCallback, lossCallback } = options;
    const evaluate = async (x: Float64Array): Promise<Evaluated> => {
      await session.run([this.#assign], this.unpacked(x));
      const values = valuesOf(await session.run([this.loss, this.#gradient, ...fetches], feeds));
      const [loss, gradient, ...fetched] = values;
      const value = Number(loss?.data[0] ?? NaN);
      lossCallback?.(value, ...fetched);
      return { value, gradient: Float64Array.from(gradient?.data ?? [], Number) };
    };
    const start = valuesOf(await session.run(this.#variables.map((variable) => variable.snapshot)));
    const { x, ...result } = await this.optimize({
      evaluate,
      start: Float64Array.from(start.flatMap(({ data }) => Array.from(data, Number))),
      bounds: this.packedBounds(),
      onStep: (point) => stepCallback?.(point),
    });
    await session.run([this.#assign], this.unpacked(x));
    return result;
  }

  /** The parts of a vector as feeds of the variables' new values. */
  private unpacked(x: Float64Array): Map<Tensor, TensorValue> {
    let next = 0;
    const parts = this.#variables.map(({ shape }) => {
      const dims = shape.toStatic();
      const size = dims.reduce((product, dim) => product * dim, 1);
      next += size;
      return new TensorValue('float32', dims, Float32Array.from(x.subarray(next - size, next)));
    });
    return new Map(
      this.#inputs.flatMap((input, i) => (parts[i] === undefined ? [] : [[input, parts[i]] as const])),
    );
  }

  private packedBounds(): LbfgsOptions['bounds'] {
    if (this.#bounds.size === 0) return null;
    const side = (k: 0 | 1, none: number): Float64Array =>
      Float64Array.from(
        this.#variables.flatMap((variable) => {
          const bound = this.#bounds.get(variable)?.[k] ?? none;
          const size = variable.shape.toStatic().reduce((product, dim) => product * dim, 1);
          const list = typeof bound === 'number' ? new Array<number>(size).fill(bound) : [...bound];
          if (list.length === size) return list;
          throw new InvalidArgumentError(
            `varToBounds: ${variable.name} has ${size} elements, its bounds ${list.length}`,
          );
        }),
      );
    return { low: side(0, -Infinity), high: side(1, Infinity) };
  }
}

/** The values that a run of a list of tensors gave. */
function valuesOf(results: unknown): TensorValue[] {
  const list: unknown[] = Array.isArray(results) ? results : [];
  return list.map((value) => {
    if (value instanceof TensorValue) return value;
    throw new InvalidArgumentError('the session gave no tensor value for a tensor');
  });
}

export interface LbfgsOptimizerOptions extends ExternalOptimizerOptions {
  /** Iterations at most; default 15000. */
  readonly maxiter?: number;
  /** Stop when no component of the gradient is larger; default 1e-5. */
  readonly gtol?: number;
  /** Stop when an iteration lowers the loss by less than this share of it; default 2.2e-9. */
  readonly ftol?: number;
  /** Past steps that stand for the Hessian; default 10. */
  readonly maxcor?: number;
}

/**
 * L-BFGS on all variables together, what `tf.contrib.opt.ScipyOptimizerInterface` is with its default method: for smooth
 * losses without noise from batches. With `varToBounds` steps are projected onto the bounds.
 */
export class LbfgsOptimizerInterface extends ExternalOptimizerInterface {
  readonly #options: LbfgsOptimizerOptions;

  constructor(loss: Tensor, options: LbfgsOptimizerOptions = {}) {
    super(loss, options);
    this.#options = options;
  }

  protected override async optimize({ evaluate, start, bounds, onStep }: ExternalProblem) {
    const { maxiter = 15_000, gtol = 1e-5, ftol = 2.2e-9, maxcor = 10 } = this.#options;
    const { value, ...result } = await lbfgs(evaluate, start, {
      maxIterations: maxiter,
      gradientTolerance: gtol,
      valueTolerance: ftol,
      memory: maxcor,
      bounds,
      onStep,
    });
    return { ...result, loss: value };
  }
}
