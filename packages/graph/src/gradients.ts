/**
 * Reverse-mode differentiation, graph to graph: walks back from `ys` and asks each op's record for
 * the gradients of its inputs. No op is named here. Because gradients are ordinary nodes, they can
 * be differentiated again.
 */
import { apply, convertToTensor } from './apply.js';
import { inFunctionalForm, replaceVersion1 } from './controlFlow/v1/inPlace.js';
import { isFloating } from './dtype.js';
import { GRADIENT_OP_TYPE, registeredGradient } from './gradientRegistry.js';
import { InternalError, InvalidArgumentError, UnimplementedError } from './errors.js';
import { concatSlices, IndexedSlices } from './indexedSlices.js';
import type { GradContext, GradFn } from './opDef.js';
import type { Operation } from './operation.js';
import { lookupOp } from './opTable.js';
import { builders } from './registry.js';
import { nameScope, withGraphOf } from './scopes.js';
import type { Tensor, TensorConvertible, TensorLike } from './tensor.js';

export interface GradientsOptions {
  /** Gradients flowing into each of `ys`; `null` entries and the default mean ones. */
  readonly gradYs?: readonly (TensorLike | null)[];
  /** Tensors to be treated as constants: nothing flows through them. */
  readonly stopGradients?: readonly (Tensor | TensorConvertible)[];
  readonly name?: string;
}

type Source = Tensor | TensorConvertible;

/** A gradient: rows where only rows of a variable were read, `null` where there is none. */
export type Gradient = Tensor | IndexedSlices | null;

/**
 * Symbolic derivatives of `sum(ys)` with respect to each of `xs` (`tf.gradients`).
 * An entry is `null` when `ys` do not depend on that `x`. Variables stand for their handles, so all
 * reads of a variable count; the gradient for one of which only rows are gathered is `IndexedSlices`,
 * that for a tensor always a tensor. Throws `UnimplementedError` naming the op when a gradient is missing.
 */
export function gradients(
  ys: Tensor | readonly Tensor[],
  xs: Tensor | readonly Tensor[],
  options?: GradientsOptions,
): (Tensor | null)[];
export function gradients(
  ys: Tensor | readonly Tensor[],
  xs: Source | readonly Source[],
  options?: GradientsOptions,
): Gradient[];
export function gradients(
  ys: Tensor | readonly Tensor[],
  xs: Source | readonly Source[],
  { gradYs, stopGradients = [], name = 'gradients' }: GradientsOptions = {},
): Gradient[] {
  const given: readonly Tensor[] = Array.isArray(ys) ? (ys as readonly Tensor[]) : [ys as Tensor];
  const asked = (Array.isArray(xs) ? (xs as readonly Source[]) : [xs as Source]).map(sourceTensor);
  replaceVersion1(given, asked);
  const [targets, sources] = [given.map(inFunctionalForm), asked.map(inFunctionalForm)];
  const first = targets[0];
  if (first === undefined) return sources.map(() => null);
  return withGraphOf(first, () =>
    nameScope(name, () => {
      const walk = new ReverseWalk(targets, sources, stopGradients.map(sourceTensor).map(inFunctionalForm));
      targets.forEach((y, i) => walk.seed(y, gradYs?.[i] ?? null));
      walk.walkBack();
      return sources.map((x) => (x.dtype === 'resource' ? walk.gradient(x) : walk.total(x)));
    }),
  );
}

/**
 * As `gradients`, but the nodes are made in the default graph, which may be another than that of `ys`: the function
 * that goes backward through the body of a loop. `ys` may be tensor lists. Nothing flows from one of `xs` to another
 * that it was made from: who asked goes on from each of them.
 */
export function backpropagate(
  ys: readonly Tensor[],
  xs: readonly Tensor[],
  gradYs: readonly Tensor[],
): (Tensor | null)[] {
  const walk = new ReverseWalk(ys, xs, xs);
  ys.forEach((y, i) => {
    const seed = gradYs[i];
    if (seed !== undefined) walk.add(y, seed);
  });
  return walk.run();
}

/** A variable is differentiated at its handle, every other source at its tensor. */
function sourceTensor(source: Source): Tensor {
  if (!('asTensor' in source)) return source;
  return 'handle' in source && isTensor(source.handle) ? source.handle : source.asTensor();
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'op' in value && 'index' in value;
}

class ReverseWalk {
  readonly #partials = new Map<Tensor, (Tensor | IndexedSlices)[]>();
  readonly #stops: ReadonlySet<Tensor>;
  /** Operations between sources and targets: only through them can anything flow. */
  readonly #between: ReadonlySet<Operation>;
  readonly #order: readonly Operation[];

  constructor(
    targets: readonly Tensor[],
    private readonly sources: readonly Tensor[],
    stops: readonly Tensor[],
  ) {
    this.#stops = new Set(stops);
    const reached = ancestors(targets.map((y) => y.op));
    const dependents = new Set(sources.map((x) => x.op));
    this.#order = reached;
    for (const op of reached) if (op.inputs.some((input) => dependents.has(input.op))) dependents.add(op);
    this.#between = dependents;
  }

  seed(y: Tensor, gradY: TensorLike | null): void {
    if (!isFloating(y.dtype)) {
      throw new InvalidArgumentError(
        `gradients: ${y.name} is ${y.dtype}; only floating-point tensors have gradients`,
      );
    }
    const seed = gradY === null ? apply('OnesLike', [y]) : convertToTensor(gradY, { dtype: y.dtype });
    if (!seed.shape.isCompatibleWith(y.shape)) {
      throw new InvalidArgumentError(
        `gradients: the gradient for ${y.name} has shape ${seed.shape.toString()}, not ${y.shape.toString()}`,
      );
    }
    this.add(y, seed);
  }

  /** The gradients of the sources, as tensors. */
  run(): (Tensor | null)[] {
    this.walkBack();
    return this.sources.map((x) => this.total(x));
  }

  walkBack(): void {
    for (const op of [...this.#order].reverse()) if (this.#between.has(op)) this.visit(op);
  }

  private visit(op: Operation): void {
    if (this.passOn(op)) return;
    const flows = op.inputs.some((input) => this.#between.has(input.op));
    if (!flows) return;
    const dys = op.outputs.map((y) => (this.#stops.has(y) ? null : this.total(y)));
    if (dys.every((dy) => dy === null)) return;
    const grad = this.gradFunction(op);
    if (grad === null) return;
    const dxs = nameScope(`${op.name.split('/').at(-1) ?? op.name}_grad`, () => grad(makeContext(op, dys)));
    if (dxs.length !== op.inputs.length) {
      throw new InternalError(
        `gradient of ${op.describe()}: ${dxs.length} gradients for ${op.inputs.length} inputs`,
      );
    }
    op.inputs.forEach((input, i) => {
      const dx = dxs[i] ?? null;
      if (dx !== null) this.add(input, dx);
    });
  }

  /** Hands rows through an op that only passes its input on; false where there is nothing to hand on as rows. */
  private passOn(op: Operation): boolean {
    if (op.def?.passesGradient !== true || op.attrs.has(GRADIENT_OP_TYPE)) return false;
    const [input, output] = [op.inputs[0], op.output(0)];
    if (input === undefined || this.#stops.has(output)) return false;
    const gradient = this.gradient(output);
    if (!(gradient instanceof IndexedSlices)) return false;
    this.add(input, gradient);
    return true;
  }

  private gradFunction(op: Operation): GradFn | null {
    const custom = customGradients.get(op);
    if (custom !== undefined) return custom;
    const named = registeredGradient(op);
    if (named !== null) return named;
    const grad = op.def?.grad;
    if (typeof grad === 'function') return grad;
    if (grad !== undefined && !grad.blocking) return null;
    const reason = grad?.notDifferentiable ?? 'the op type is not registered';
    throw new UnimplementedError(`${op.describe()} has no gradient: ${reason}${op.creationSite()}`, {
      node: op.name,
    });
  }

  add(x: Tensor, dx: Tensor | IndexedSlices): void {
    const partials = this.#partials.get(x) ?? [];
    partials.push(dx);
    this.#partials.set(x, partials);
  }

  /** The sum of what flows into `y`, as a tensor. */
  total(y: Tensor): Tensor | null {
    const partials = this.#partials.get(y);
    const [first] = partials ?? [];
    if (partials === undefined || first === undefined) return null;
    if (partials.length === 1 && !(first instanceof IndexedSlices)) return first;
    const tensors = partials.filter((partial): partial is Tensor => !(partial instanceof IndexedSlices));
    const slices = partials.filter((partial) => partial instanceof IndexedSlices);
    const terms = slices.length === 0 ? tensors : [...tensors, concatSlices(slices).asTensor()];
    const sum = terms.length === 1 && terms[0] !== undefined ? terms[0] : apply('AddN', [terms]);
    this.#partials.set(y, [sum]);
    return sum;
  }

  /** As `total`, but rows stay rows where nothing else flows into `y`. */
  gradient(y: Tensor): Gradient {
    const slices = (this.#partials.get(y) ?? []).filter((partial) => partial instanceof IndexedSlices);
    const [first] = slices;
    if (first === undefined || slices.length !== this.#partials.get(y)?.length) return this.total(y);
    const sum = concatSlices(slices);
    this.#partials.set(y, [sum]);
    return sum;
  }
}

/** All operations that `roots` depend on through data edges, inputs before users. */
function ancestors(roots: readonly Operation[]): Operation[] {
  const order: Operation[] = [];
  const state = new Map<Operation, boolean>();
  const stack = [...roots];
  for (let op = stack.at(-1); op !== undefined; op = stack.at(-1)) {
    if (state.has(op)) {
      stack.pop();
      if (state.get(op) === false) order.push(op);
      state.set(op, true);
      continue;
    }
    state.set(op, false);
    for (const input of op.inputs) if (!state.has(input.op)) stack.push(input.op);
  }
  return order;
}

function makeContext(op: Operation, dys: readonly (Tensor | null)[]): GradContext {
  return {
    op,
    attrs: op.attrs,
    inputs: op.inputs,
    outputs: op.outputs,
    dys,
    get dy() {
      return dys[0] ?? builders.zerosLike(op.output(0));
    },
    ops: builders,
    backpropagate,
    input: (i) => {
      const input = op.inputs[i];
      if (input === undefined) throw new InternalError(`gradient of ${op.describe()} asked for input ${i}`);
      return input;
    },
    output: (i) => op.output(i),
  };
}

const customGradients = new WeakMap<Operation, GradFn>();

/** Gives one operation a gradient of its own. Used by `customGradient`. */
export function overrideGradient(op: Operation, grad: GradFn): void {
  customGradients.set(op, grad);
}

/** Whether an op type has a gradient function. */
export function isDifferentiable(type: string): boolean {
  return typeof lookupOp(type)?.grad === 'function';
}
