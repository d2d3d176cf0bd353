/**
 * `train.Optimizer`: computes gradients of a loss, keeps slot variables and makes the operation that
 * applies one step. Subclasses say which slots they need and which op updates a variable.
 */
import {
  GraphKeys,
  IndexedSlices,
  InvalidArgumentError,
  Operation,
  Tensor,
  Variable,
  assignAdd,
  controlDependencies,
  getDefaultGraph,
  gradients,
  group,
  isFloating,
  nameScope,
  trainableVariables,
  tuple,
  withGraphOf,
  type Gradient,
  type NameOptions,
  type OperationLike,
  type TensorLike,
} from '@forerun/graph';
import type { Initializer } from './initializer.js';
import { zerosInitializer } from './initializers.js';
import { deduplicated } from './slices.js';
import { getVariable, variableScope } from './variableScope.js';

/** A gradient, `null` where the loss does not depend on the variable, and rows where only rows of it were gathered. */
export type GradientAndVariable = readonly [gradient: Gradient, variable: Variable];

/** How much of the gradients is computed before any is used (`tf.train.Optimizer.GATE_OP` …). */
export type GateGradients = 'none' | 'op' | 'graph';

export interface ComputeGradientsOptions {
  /** Default: all trainable variables. */
  readonly varList?: readonly Variable[] | undefined;
  /** The gradient flowing into the loss; default 1. */
  readonly gradLoss?: Tensor | undefined;
  /**
   * `graph` computes all gradients before any is applied. Runs read variables before they write them
   * whatever this says; default `op`.
   */
  readonly gateGradients?: GateGradients | undefined;
}

export interface ApplyGradientsOptions extends NameOptions {
  /** Incremented by one with each step. */
  readonly globalStep?: Variable | null | undefined;
  /** Run before the variables change; default: the collection `UPDATE_OPS`, such as those of batch normalization. */
  readonly updateOps?: readonly OperationLike[] | undefined;
}

export type MinimizeOptions = ComputeGradientsOptions & ApplyGradientsOptions;

/** Base class of optimizers (`tf.train.Optimizer`). */
export abstract class Optimizer {
  readonly #slots = new Map<string, Map<Variable, Variable>>();
  readonly #others = new Map<string, Variable>();

  /** `name` is the default name of the training operation and part of the slots' names. */
  protected constructor(readonly name: string) {}

  /**
   * An operation that changes the variables so that `loss` falls. Throws `InvalidArgumentError` when
   * there is nothing to train, or no gradient reaches any variable.
   */
  minimize(loss: Tensor, { varList, gradLoss, gateGradients, ...options }: MinimizeOptions = {}): Operation {
    const gradsAndVars = this.computeGradients(loss, { varList, gradLoss, gateGradients });
    if (gradsAndVars.every(([gradient]) => gradient === null)) {
      throw new InvalidArgumentError(
        `${this.name}: the loss ${loss.name} does not depend on any of the variables ${names(gradsAndVars)} in a differentiable way`,
        { node: loss.op.name },
      );
    }
    return this.applyGradients(gradsAndVars, options);
  }

  /** Gradients of `loss` with respect to the variables, in their order; `null` where there is none. */
  computeGradients(
    loss: Tensor,
    { varList, gradLoss, gateGradients = 'op' }: ComputeGradientsOptions = {},
  ): GradientAndVariable[] {
    return withGraphOf(loss, () => {
      const variables = varList ?? trainableVariables();
      if (variables.length === 0)
        throw new InvalidArgumentError(`${this.name}: there are no variables to train`);
      const integer = variables.find((variable) => !isFloating(variable.dtype));
      if (integer !== undefined) {
        throw new InvalidArgumentError(
          `${this.name}: variable ${integer.name} is ${integer.dtype} and cannot be trained`,
        );
      }
      const grads = gradients(loss, variables, gradLoss === undefined ? {} : { gradYs: [gradLoss] });
      const gated = gateGradients === 'graph' ? gatedTogether(grads) : grads;
      return variables.map((variable, i) => [gated[i] ?? null, variable] as const);
    });
  }

  /**
   * An operation that changes each variable by its gradient and increments the global step. Entries with
   * gradient `null` are left out. Throws `InvalidArgumentError` when none remains.
   */
  applyGradients(
    gradsAndVars: readonly GradientAndVariable[],
    { globalStep = null, name = this.name, updateOps }: ApplyGradientsOptions = {},
  ): Operation {
    const pairs = gradsAndVars.flatMap(([gradient, variable]) =>
      gradient === null ? [] : [{ gradient, variable }],
    );
    const [first] = pairs;
    if (first === undefined) {
      throw new InvalidArgumentError(
        `${this.name}: no gradients for any of the variables ${names(gradsAndVars)}`,
      );
    }
    return withGraphOf(first.variable.handle, () => {
      const graph = getDefaultGraph();
      const before = updateOps ?? operationsIn(graph.getCollection(GraphKeys.UPDATE_OPS));
      controlDependencies(null, () => this.createSlots?.(pairs.map(({ variable }) => variable)));
      const trainOp = nameScope(name, (scope) => {
        this.prepare();
        const gate = before.length === 0 ? [] : [group(before, { name: 'update_ops' })];
        const applied = controlDependencies(gate, () =>
          pairs.map(({ gradient, variable }) =>
            nameScope(`update_${variable.op.name}`, () => this.apply(gradient, variable)),
          ),
        );
        return this.complete(applied, globalStep, scope);
      });
      graph.addToCollection(GraphKeys.TRAIN_OP, trainOp);
      return trainOp;
    });
  }

  private apply(gradient: Tensor | IndexedSlices, variable: Variable): Operation {
    return controlDependencies(this.beforeUpdate?.(variable) ?? [], () =>
      gradient instanceof IndexedSlices
        ? this.applySparseDuplicateIndices(gradient, variable)
        : this.applyDense(gradient, variable),
    );
  }

  private complete(applied: readonly Operation[], globalStep: Variable | null, scope: string): Operation {
    if (globalStep === null) return this.finish(applied, scope);
    const update = this.finish(applied, 'update');
    return controlDependencies([update], () => assignAdd(globalStep, 1, { name: scope, readValue: false }));
  }

  /** The slot variable called `slotName` of `variable`, or `null` (`tf.train.Optimizer.get_slot`). */
  getSlot(variable: Variable, slotName: string): Variable | null {
    return this.#slots.get(slotName)?.get(variable) ?? null;
  }

  /** Names of all slots (`get_slot_names`). */
  getSlotNames(): string[] {
    return [...this.#slots.keys()].sort();
  }

  /** Variables of the optimizer itself: slots and others such as `beta1_power`. */
  variables(): Variable[] {
    const all = [
      ...this.#others.values(),
      ...[...this.#slots.values()].flatMap((slots) => [...slots.values()]),
    ];
    return all.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Makes tensors of the hyper-parameters, in the name scope of the training operation. */
  protected abstract prepare(): void;

  /** Makes the slots that `variables` lack, in optimizers that have some. */
  protected createSlots?(variables: readonly Variable[]): void;

  /** Operations that must be done before `variable` is updated, in optimizers that have some. */
  protected beforeUpdate?(variable: Variable): readonly Operation[];

  /** The operation that changes `variable` by `gradient`. */
  protected abstract applyDense(gradient: Tensor, variable: Variable): Operation;

  /** The operation that changes rows of `variable` by slices, of which no two have one index. Default: as the whole tensor. */
  protected applySparse(slices: IndexedSlices, variable: Variable): Operation {
    return this.applyDense(slices.asTensor(), variable);
  }

  /** As `applySparse` for indices that may repeat. Default: their rows are summed first. */
  protected applySparseDuplicateIndices(slices: IndexedSlices, variable: Variable): Operation {
    return this.applySparse(deduplicated(slices, variable), variable);
  }

  /** What follows when all variables have changed. Default: nothing but an operation called `name`. */
  protected finish(updates: readonly Operation[], name: string): Operation {
    return group(updates, { name });
  }

  /** The slot of `variable`, made with zeros of its shape and named `<variable>/<operationName>`. */
  protected zerosSlot(variable: Variable, slotName: string, operationName: string): Variable {
    return this.slot(variable, slotName, operationName, zerosInitializer());
  }

  /** The slot of `variable`, of its shape, made by `initializer` and named `<variable>/<operationName>`. */
  protected slot(
    variable: Variable,
    slotName: string,
    operationName: string,
    initializer: Initializer,
  ): Variable {
    const slots = this.#slots.get(slotName) ?? new Map<Variable, Variable>();
    this.#slots.set(slotName, slots);
    const slot = slots.get(variable) ?? makeSlot(variable, operationName, initializer);
    slots.set(variable, slot);
    return slot;
  }

  /** A scalar variable of the optimizer that is no slot, made with `initialValue`. */
  protected ownVariable(name: string, initialValue: TensorLike): Variable {
    const known = this.#others.get(name);
    if (known?.graph === getDefaultGraph()) return known;
    const variable = new Variable(initialValue, { name, dtype: 'float32', trainable: false });
    this.#others.set(name, variable);
    return variable;
  }

  /** The slot, which must exist. */
  protected requireSlot(variable: Variable, slotName: string): Variable {
    const slot = this.getSlot(variable, slotName);
    if (slot === null)
      throw new InvalidArgumentError(`${this.name}: ${variable.name} has no slot "${slotName}"`);
    return slot;
  }
}

function makeSlot(variable: Variable, operationName: string, initializer: Initializer): Variable {
  // A default name is unique: the second slot of an optimizer is called Adam_1.
  return variableScope(null, { defaultName: `${variable.op.name}/${operationName}` }, () =>
    getVariable('', {
      shape: variable.shape,
      dtype: variable.dtype,
      initializer,
      regularizer: null,
      trainable: false,
    }),
  );
}

/** The gradients such that each waits for all. */
function gatedTogether(grads: readonly Gradient[]): Gradient[] {
  const parts = grads.flatMap((grad) => (grad instanceof IndexedSlices ? grad.values : (grad ?? [])));
  const gated = new Map(tuple(parts).map((tensor, i) => [parts[i], tensor] as const));
  return grads.map((grad) => {
    if (grad === null) return null;
    const part = gated.get(grad instanceof IndexedSlices ? grad.values : grad);
    if (part === undefined) return grad;
    return grad instanceof IndexedSlices ? grad.withValues(part) : part;
  });
}

function names(gradsAndVars: readonly GradientAndVariable[]): string {
  return `[${gradsAndVars.map(([, variable]) => variable.name).join(', ')}]`;
}

/** The operations in a collection, which may hold anything. */
function operationsIn(items: readonly unknown[]): OperationLike[] {
  return items.filter(
    (item): item is Operation | Tensor | Variable =>
      item instanceof Operation || item instanceof Tensor || item instanceof Variable,
  );
}
