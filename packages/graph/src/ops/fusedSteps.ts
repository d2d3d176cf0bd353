/** What an op with the attribute `fused_ops` does after its product: the steps, and which of `args` each takes. */
import type { Attrs } from '../attr.js';

/** Activations that may follow a product, and the op that each stands for. */
export const FUSED_ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  selu: 'Selu',
  leakyrelu: 'LeakyRelu',
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  softplus: 'Softplus',
};

/** Steps that are no single op: Gelu of Hendrycks and Gimpel (2016) in both forms, and x sigmoid(x). */
export type FusedStepKind =
  'BiasAdd' | 'Add' | 'FusedBatchNorm' | 'Prelu' | 'Activation' | 'GeluApproximate' | 'GeluExact' | 'Swish';

export interface FusedStep {
  readonly kind: FusedStepKind;
  /** The op of an activation. */
  readonly type: string;
  /** Position in `args` of the first operand of the step. */
  readonly firstArg: number;
  /** How many operands it takes. */
  readonly args: number;
}

/** Names of the other steps, in lower case, with the number of their operands. */
const STEPS: Readonly<Record<string, readonly [FusedStepKind, number]>> = {
  biasadd: ['BiasAdd', 1],
  add: ['Add', 1],
  fusedbatchnorm: ['FusedBatchNorm', 4],
  prelu: ['Prelu', 1],
  gelu: ['GeluExact', 0],
  geluapproximate: ['GeluApproximate', 0],
  geluexact: ['GeluExact', 0],
  swish: ['Swish', 0],
  _mklswish: ['Swish', 0],
};

/** Names that mean no step: `noop` stands for a missing bias. */
const NOTHING: ReadonlySet<string> = new Set(['noop', 'linear', 'identity']);

/** The steps in `fused_ops`, or the name that is not known. Writers differ in the case of the names. */
export function fusedSteps(attrs: Attrs): readonly FusedStep[] | { readonly unknown: string } {
  const steps: FusedStep[] = [];
  let next = 0;
  for (const name of attrs.strings('fused_ops')) {
    const key = name.toLowerCase();
    if (NOTHING.has(key)) continue;
    const activation = Object.hasOwn(FUSED_ACTIVATIONS, key) ? FUSED_ACTIVATIONS[key] : undefined;
    const step = Object.hasOwn(STEPS, key) ? STEPS[key] : undefined;
    if (activation !== undefined)
      steps.push({ kind: 'Activation', type: activation, firstArg: next, args: 0 });
    else if (step === undefined) return { unknown: name };
    else {
      const [kind, args] = step;
      steps.push({ kind, type: kind, firstArg: next, args });
      next += args;
    }
  }
  return steps;
}

/** How many `args` the steps take. */
export function fusedArgs(steps: readonly FusedStep[]): number {
  return steps.reduce((total, { args }) => total + args, 0);
}
