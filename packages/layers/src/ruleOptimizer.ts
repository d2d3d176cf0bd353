/** Optimizers whose step is one update op per variable: a rule, its slots and its hyper-parameters. */
import {
  UPDATES,
  applyUpdate,
  cast,
  type AttrInputs,
  type IndexedSlices,
  type Operation,
  type Tensor,
  type TensorLike,
  type UpdateName,
  type Variable,
} from '@forerun/graph';
import { HyperParameters, type HyperParameter } from './hyperParameters.js';
import type { Initializer } from './initializer.js';
import { zerosInitializer } from './initializers.js';
import { Optimizer } from './optimizer.js';

export interface SlotSpec {
  /** The op's name for it. */
  readonly input: string;
  /** TensorFlow's name of the slot. */
  readonly name: string;
  /** Default zeros. */
  readonly initializer?: Initializer;
  /** Part of the slot variable's name; default the optimizer's name. */
  readonly operationName?: string | undefined;
}

export interface RuleSpec {
  readonly rule: UpdateName;
  readonly slots?: readonly SlotSpec[];
  /** Hyper-parameters by the name of their tensor. */
  readonly parameters: Readonly<Record<string, HyperParameter>>;
  /** The tensor of each scalar input of the op. */
  readonly inputs: Readonly<Record<string, string>>;
  /** An int64 scalar for the input `global_step`. */
  readonly step?: TensorLike;
  readonly attrs?: AttrInputs;
  readonly useLocking?: boolean;
}

export abstract class RuleOptimizer extends Optimizer {
  readonly #spec: RuleSpec;
  readonly #parameters: HyperParameters;

  protected constructor(name: string, spec: RuleSpec) {
    super(name);
    this.#spec = spec;
    this.#parameters = new HyperParameters(spec.parameters);
  }

  protected override prepare(): void {
    this.#parameters.prepare();
  }

  protected override createSlots(variables: readonly Variable[]): void {
    for (const variable of variables) {
      for (const { name, operationName = this.name, initializer = zerosInitializer() } of this.#spec.slots ??
        []) {
        this.slot(variable, name, operationName, initializer);
      }
    }
  }

  protected override applyDense(gradient: Tensor, variable: Variable): Operation {
    const grad = UPDATES[this.#spec.rule].values.includes('delta') ? 'delta' : 'grad';
    return this.update(variable, { [grad]: gradient });
  }

  protected override applySparse({ values, indices }: IndexedSlices, variable: Variable): Operation {
    return this.update(variable, { grad: values, indices });
  }

  private update(variable: Variable, gradient: Readonly<Record<string, Tensor>>): Operation {
    const { rule, slots = [], inputs, step, attrs = {}, useLocking = false } = this.#spec;
    const state = slots.map(({ input, name }) => [input, this.requireSlot(variable, name)] as const);
    const scalars = Object.entries(inputs).map(
      ([input, name]) => [input, this.#parameters.get(name)] as const,
    );
    const counted = step === undefined ? {} : { global_step: cast(step, 'int64') };
    return applyUpdate(
      rule,
      {
        state: { var: variable, ...Object.fromEntries(state) },
        values: { ...Object.fromEntries(scalars), ...counted, ...gradient },
      },
      { attrs, useLocking },
    );
  }
}
