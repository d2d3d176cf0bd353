/**
 * Float64 references of optimizer updates. Like those of all ops with resource inputs they return the
 * new values of the variables, in the order of the inputs.
 */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';

type Numbers = Readonly<Record<string, number>>;

/** Updates one element: from the values of variable and slots, the gradient `g` and the parameters to the new state. */
type Rule = (old: Numbers, g: number, p: Numbers, c: ReferenceContext) => Numbers;

interface Form {
  readonly state: string;
  /** The other inputs of the dense op, in order; the gradient is called `g`. */
  readonly values: string;
  readonly rule: Rule;
}

/** Reads a number that the form declares. */
function at(numbers: Numbers, name: string): number {
  return numbers[name] ?? NaN;
}

function apply(
  c: ReferenceContext,
  state: readonly string[],
  values: readonly string[],
  rule: Rule,
): HostValue[] {
  const results = state.map((_, k) => ({ ...c.input(k), data: Float64Array.from(c.input(k).data) }));
  const position = (name: string): number => state.length + values.indexOf(name);
  const parameters = Object.fromEntries(
    values.map((name, i) => [name, c.input(state.length + i).data[0] ?? NaN]),
  );
  const gradient = c.input(position('g')).data;
  const indices = values.includes('indices') ? c.input(position('indices')).data : null;
  const [rows = 1] = c.input(0).shape;
  const size = c.input(0).data.length;
  const inner = indices === null ? size : size / rows;
  gradient.forEach((g, i) => {
    const row = indices === null ? 0 : (indices[Math.floor(i / inner)] ?? -1);
    if (row < 0 || row >= rows) return;
    const element = row * inner + (i % inner);
    const old = Object.fromEntries(state.map((name, k) => [name, results[k]?.data[element] ?? NaN]));
    const changed = rule(old, g, parameters, c);
    state.forEach((name, k) => {
      const result = results[k];
      if (result !== undefined) result.data[element] = at(changed, name);
    });
  });
  return results;
}

function dense({ state, values, rule }: Form): Reference {
  return (c) => apply(c, state.split(' '), values.split(' '), rule);
}

/** The same where `indices` follow the gradient and name its rows. */
function sparse({ state, values, rule }: Form): Reference {
  return (c) => apply(c, state.split(' '), values.replace('g', 'g indices').split(' '), rule);
}

const root = (x: number, p: Numbers): number => Math.pow(x, -at(p, 'power'));
const soft = (x: number, limit: number): number => Math.sign(x) * Math.max(Math.abs(x) - limit, 0);

const ftrl =
  (shrinkage: (w: number, p: Numbers) => number): Rule =>
  ({ w = NaN, a = NaN, z = NaN }, gradient, p) => {
    const { lr = NaN, l1 = NaN, l2 = NaN } = p;
    const g = gradient + shrinkage(w, p);
    const newA = a + g * g;
    const newZ = z + g - ((root(newA, p) - root(a, p)) / lr) * w;
    const scale = root(newA, p) / lr + 2 * l2;
    return { w: Math.abs(newZ) > l1 ? (Math.sign(newZ) * l1 - newZ) / scale : 0, a: newA, z: newZ };
  };

const adam =
  (direction: (m: number, g: number, beta1: number, c: ReferenceContext) => number): Rule =>
  (old, g, p, c) => {
    const { power1 = NaN, power2 = NaN, lr = NaN, beta1 = NaN, beta2 = NaN, eps = NaN } = p;
    const m = beta1 * at(old, 'm') + (1 - beta1) * g;
    const v = beta2 * at(old, 'v') + (1 - beta2) * g ** 2;
    const largest = old.vhat === undefined ? v : Math.max(old.vhat, v);
    const rate = (lr * Math.sqrt(1 - power2)) / (1 - power1);
    const w = at(old, 'w') - (rate * direction(m, g, beta1, c)) / (Math.sqrt(largest) + eps);
    return { w, m, v, vhat: largest };
  };

const sign =
  (scale: (agree: number, p: Numbers) => number): Rule =>
  ({ w = NaN, m = NaN }, g, p) => {
    const { beta = NaN, lr = NaN } = p;
    const newM = beta * m + (1 - beta) * g;
    return { w: w - lr * scale(Math.sign(g) * Math.sign(newM), p) * g, m: newM };
  };

const grown = (a: number, g: number, c: ReferenceContext): number =>
  c.attrs.bool('update_slots') ? a + g * g : a;

const MOMENTUM: Form = {
  state: 'w a',
  values: 'lr g momentum',
  rule: ({ w = NaN, a = NaN }, g, { lr = NaN, momentum = NaN }, { attrs }) => {
    const accum = a * momentum + g;
    return { w: w - lr * (attrs.bool('use_nesterov') ? g + momentum * accum : accum), a: accum };
  },
};
const KERAS_MOMENTUM: Form = {
  state: 'w a',
  values: 'lr g momentum',
  rule: ({ w = NaN, a = NaN }, g, { lr = NaN, momentum = NaN }, { attrs }) => {
    const accum = a * momentum - lr * g;
    return { w: w + (attrs.bool('use_nesterov') ? momentum * accum - lr * g : accum), a: accum };
  },
};
const ADAGRAD: Form = {
  state: 'w a',
  values: 'lr g',
  rule: ({ w = NaN, a = NaN }, g, { lr = NaN }, c) => {
    const accum = grown(a, g, c);
    return { w: w - (lr * g) / Math.sqrt(accum), a: accum };
  },
};
const ADAGRAD_V2: Form = {
  state: 'w a',
  values: 'lr eps g',
  rule: ({ w = NaN, a = NaN }, g, { lr = NaN, eps = NaN }, c) => {
    const accum = grown(a, g, c);
    return { w: w - (lr * g) / (Math.sqrt(accum) + eps), a: accum };
  },
};
const ADADELTA: Form = {
  state: 'w a u',
  values: 'lr rho eps g',
  rule: ({ w = NaN, a = NaN, u = NaN }, g, { lr = NaN, rho = NaN, eps = NaN }) => {
    const accum = rho * a + (1 - rho) * g * g;
    const step = (g * Math.sqrt(u + eps)) / Math.sqrt(accum + eps);
    return { w: w - lr * step, a: accum, u: rho * u + (1 - rho) * step * step };
  },
};
const RMSPROP: Form = {
  state: 'w ms mom',
  values: 'lr rho momentum eps g',
  rule: ({ w = NaN, ms = NaN, mom = NaN }, g, { lr = NaN, rho = NaN, momentum = NaN, eps = NaN }) => {
    const square = rho * ms + (1 - rho) * g * g;
    const step = momentum * mom + (lr * g) / Math.sqrt(square + eps);
    return { w: w - step, ms: square, mom: step };
  },
};
const CENTERED_RMSPROP: Form = {
  state: 'w mg ms mom',
  values: 'lr rho momentum eps g',
  rule: (old, g, { lr = NaN, rho = NaN, momentum = NaN, eps = NaN }) => {
    const mean = rho * at(old, 'mg') + (1 - rho) * g;
    const square = rho * at(old, 'ms') + (1 - rho) * g * g;
    const step = momentum * at(old, 'mom') + (lr * g) / Math.sqrt(square - mean * mean + eps);
    return { w: at(old, 'w') - step, mg: mean, ms: square, mom: step };
  },
};
const FTRL: Form = { state: 'w a z', values: 'g lr l1 l2 power', rule: ftrl(() => 0) };
const FTRL_V2: Form = {
  state: 'w a z',
  values: 'g lr l1 l2 shrinkage power',
  rule: ftrl((w, p) => 2 * at(p, 'shrinkage') * w),
};
const PROXIMAL: Form = {
  state: 'w',
  values: 'lr l1 l2 g',
  rule: ({ w = NaN }, g, { lr = NaN, l1 = NaN, l2 = NaN }) => ({
    w: soft(w - lr * g, lr * l1) / (1 + lr * l2),
  }),
};
const PROXIMAL_ADAGRAD: Form = {
  state: 'w a',
  values: 'lr l1 l2 g',
  rule: ({ w = NaN, a = NaN }, g, { lr = NaN, l1 = NaN, l2 = NaN }) => {
    const rate = lr / Math.sqrt(a + g * g);
    return { w: soft(w - rate * g, rate * l1) / (1 + rate * l2), a: a + g * g };
  },
};
const ADAGRAD_DA: Form = {
  state: 'w sum squares',
  values: 'g lr l1 l2 step',
  rule: (old, g, { lr = NaN, l1 = NaN, l2 = NaN, step = NaN }) => {
    const sum = at(old, 'sum') + g;
    const squares = at(old, 'squares') + g * g;
    return { w: (-lr * soft(sum, l1 * step)) / (l2 * step * lr + Math.sqrt(squares)), sum, squares };
  },
};

export const TRAINING_REFERENCES = {
  ResourceApplyGradientDescent: dense({
    state: 'w',
    values: 'lr g',
    rule: ({ w = NaN }, g, { lr = NaN }) => ({ w: w - lr * g }),
  }),
  ResourceApplyAdam: dense({
    state: 'w m v',
    values: 'power1 power2 lr beta1 beta2 eps g',
    rule: adam((m, g, beta1, { attrs }) => (attrs.bool('use_nesterov') ? beta1 * m + (1 - beta1) * g : m)),
  }),
  ResourceApplyAdamWithAmsgrad: dense({
    state: 'w m v vhat',
    values: 'power1 power2 lr beta1 beta2 eps g',
    rule: adam((m) => m),
  }),
  ResourceApplyAdaMax: dense({
    state: 'w m v',
    values: 'power1 lr beta1 beta2 eps g',
    rule: (old, g, { power1 = NaN, lr = NaN, beta1 = NaN, beta2 = NaN, eps = NaN }) => {
      const m = beta1 * at(old, 'm') + (1 - beta1) * g;
      const v = Math.max(beta2 * at(old, 'v'), Math.abs(g));
      return { w: at(old, 'w') - (lr * m) / ((1 - power1) * (v + eps)), m, v };
    },
  }),
  ResourceApplyAddSign: dense({
    state: 'w m',
    values: 'lr alpha decay beta g',
    rule: sign((agree, p) => at(p, 'alpha') + at(p, 'decay') * agree),
  }),
  ResourceApplyPowerSign: dense({
    state: 'w m',
    values: 'lr logbase decay beta g',
    rule: sign((agree, p) => Math.exp(at(p, 'logbase') * at(p, 'decay') * agree)),
  }),

  ResourceApplyMomentum: dense(MOMENTUM),
  ResourceApplyKerasMomentum: dense(KERAS_MOMENTUM),
  ResourceApplyAdagrad: dense(ADAGRAD),
  ResourceApplyAdagradV2: dense(ADAGRAD_V2),
  ResourceApplyAdadelta: dense(ADADELTA),
  ResourceApplyRMSProp: dense(RMSPROP),
  ResourceApplyCenteredRMSProp: dense(CENTERED_RMSPROP),
  ResourceApplyFtrl: dense(FTRL),
  ResourceApplyFtrlV2: dense(FTRL_V2),
  ResourceApplyProximalGradientDescent: dense(PROXIMAL),
  ResourceApplyProximalAdagrad: dense(PROXIMAL_ADAGRAD),
  ResourceApplyAdagradDA: dense(ADAGRAD_DA),

  ResourceSparseApplyMomentum: sparse(MOMENTUM),
  ResourceSparseApplyKerasMomentum: sparse(KERAS_MOMENTUM),
  ResourceSparseApplyAdagrad: sparse(ADAGRAD),
  ResourceSparseApplyAdagradV2: sparse(ADAGRAD_V2),
  ResourceSparseApplyAdadelta: sparse(ADADELTA),
  ResourceSparseApplyRMSProp: sparse(RMSPROP),
  ResourceSparseApplyCenteredRMSProp: sparse(CENTERED_RMSPROP),
  ResourceSparseApplyFtrl: sparse(FTRL),
  ResourceSparseApplyFtrlV2: sparse(FTRL_V2),
  ResourceSparseApplyProximalGradientDescent: sparse(PROXIMAL),
  ResourceSparseApplyProximalAdagrad: sparse(PROXIMAL_ADAGRAD),
  ResourceSparseApplyAdagradDA: sparse(ADAGRAD_DA),
} satisfies FamilyReferences;
