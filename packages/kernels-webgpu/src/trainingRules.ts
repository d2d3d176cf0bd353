/**
 * The update rules of optimizers in WGSL. Names are those of the op's inputs, but the variable is
 * called `variable` and the gradient `grad`. `prepare` is scalar; `step` changes the elements of variable and
 * slots and is widened to vectors by text, so that scalars stand in `f32(…)` beside vectors.
 */
import type { UpdateName } from '@forerun/graph';
import type { KernelContext } from './kernel.js';

/** Values of the scalars that are known when the plan is compiled. */
export type KnownScalars = ReadonlyMap<string, number>;

export interface UpdateRule {
  /** Scalar statements before the loop. */
  readonly prepare?: string;
  /** Statements per element (or `vec4` of elements), which assign to the names of variable and slots. */
  readonly step: string | ((c: KernelContext, known: KnownScalars) => string);
}

const nesterov = (c: KernelContext): boolean => c.attrs.bool('use_nesterov');
const accumulate = (c: KernelContext): string =>
  c.attrs.bool('update_slots') ? 'accum += grad * grad;\n' : '';

/** Where `linear` lies beyond l1 the variable is (±l1 - linear) / (accum^-lr_power / lr + 2 l2), else 0. */
function ftrl(gradient: string): UpdateRule {
  return {
    step: (_, known) => `let pull = ${gradient};
let sum = accum + pull * pull;
let root = ${rooted('sum', known)};
linear += pull - (root - ${rooted('accum', known)}) / f32(lr) * variable;
let shrunk = (f32(l1) * float_sign(linear) - linear) / (root / f32(lr) + f32(2.0 * l2));
variable = select(f32(0.0), shrunk, abs(linear) > f32(l1));
accum = sum;`,
  };
}

/** x^-lr_power, which is a square root nearly always. */
function rooted(x: string, known: KnownScalars): string {
  const power = known.get('lr_power');
  if (power === -0.5) return `sqrt(${x})`;
  const general = `safe_pow(${x}, f32(-lr_power))`;
  return power === undefined ? `select(${general}, sqrt(${x}), f32(lr_power) == f32(-0.5))` : general;
}

/** sign(x) * max(|x| - limit, 0) */
const softened = (x: string, limit: string): string =>
  `float_sign(${x}) * max(abs(${x}) - ${limit}, f32(0.0))`;

const ADAM_RATE = `let rate = lr * sqrt(1.0 - beta2_power) / (1.0 - beta1_power);
let keep1 = 1.0 - beta1;
let keep2 = 1.0 - beta2;`;
const ADAM_MOMENTS = `m += (grad - m) * f32(keep1);
v += (grad * grad - v) * f32(keep2);`;
const SIGNS = `m = m * f32(beta) + grad * f32(1.0 - beta);
let agree = float_sign(grad) * float_sign(m);`;

export const RULES: Readonly<Record<UpdateName, UpdateRule>> = {
  GradientDescent: { step: 'variable -= f32(alpha) * grad;' },

  Momentum: {
    step: (c) => `accum = f32(momentum) * accum + grad;
variable -= ${nesterov(c) ? 'f32(lr) * grad + f32(lr * momentum) * accum' : 'f32(lr) * accum'};`,
  },

  KerasMomentum: {
    step: (c) => `let travel = f32(lr) * grad;
accum = f32(momentum) * accum - travel;
variable += ${nesterov(c) ? 'f32(momentum) * accum - travel' : 'accum'};`,
  },

  Adagrad: { step: (c) => `${accumulate(c)}variable -= f32(lr) * grad / sqrt(accum);` },

  AdagradV2: {
    step: (c) => `${accumulate(c)}variable -= f32(lr) * grad / (sqrt(accum) + f32(epsilon));`,
  },

  Adadelta: {
    step: `accum = accum * f32(rho) + grad * grad * f32(1.0 - rho);
let travel = sqrt(accum_update + f32(epsilon)) / sqrt(accum + f32(epsilon)) * grad;
variable -= travel * f32(lr);
accum_update = accum_update * f32(rho) + travel * travel * f32(1.0 - rho);`,
  },

  RMSProp: {
    step: `ms += (grad * grad - ms) * f32(1.0 - rho);
mom = mom * f32(momentum) + grad * f32(lr) / sqrt(ms + f32(epsilon));
variable -= mom;`,
  },

  CenteredRMSProp: {
    step: `ms += (grad * grad - ms) * f32(1.0 - rho);
mg += (grad - mg) * f32(1.0 - rho);
mom = mom * f32(momentum) + grad * f32(lr) / sqrt(ms - mg * mg + f32(epsilon));
variable -= mom;`,
  },

  Ftrl: ftrl('grad'),
  FtrlV2: ftrl('grad + f32(2.0 * l2_shrinkage) * variable'),

  ProximalGradientDescent: {
    step: `let moved = variable - f32(alpha) * grad;
variable = ${softened('moved', 'f32(alpha * l1)')} / f32(1.0 + l2 * alpha);`,
  },

  ProximalAdagrad: {
    step: `accum += grad * grad;
let rate = f32(lr) / sqrt(accum);
let moved = variable - grad * rate;
variable = ${softened('moved', 'rate * f32(l1)')} / (f32(1.0) + f32(l2) * rate);`,
  },

  AdagradDA: {
    step: `gradient_accumulator += grad;
gradient_squared_accumulator += grad * grad;
let pull = ${softened('gradient_accumulator', 'f32(l1 * global_step)')};
variable = f32(-lr) * pull / (f32(l2 * global_step * lr) + sqrt(gradient_squared_accumulator));`,
  },

  Adam: {
    prepare: ADAM_RATE,
    step: (c) => `${ADAM_MOMENTS}
variable -= f32(rate) * ${nesterov(c) ? '(f32(beta1) * m + f32(keep1) * grad)' : 'm'} / (sqrt(v) + f32(epsilon));`,
  },

  AdamWithAmsgrad: {
    prepare: ADAM_RATE,
    step: `${ADAM_MOMENTS}
vhat = nan_max(vhat, v);
variable -= f32(rate) * m / (sqrt(vhat) + f32(epsilon));`,
  },

  AdaMax: {
    prepare: 'let rate = lr / (1.0 - beta1_power);',
    step: `m += (grad - m) * f32(1.0 - beta1);
v = nan_max(f32(beta2) * v, abs(grad));
variable -= f32(rate) * m / (v + f32(epsilon));`,
  },

  AddSign: {
    step: `${SIGNS}
variable -= f32(lr) * (f32(alpha) + f32(sign_decay) * agree) * grad;`,
  },

  PowerSign: {
    step: `${SIGNS}
variable -= f32(lr) * safe_exp(f32(logbase * sign_decay) * agree) * grad;`,
  },
};
