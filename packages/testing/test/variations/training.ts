/**
 * Variations of optimizer updates: made from the table of their rules, with hyper-parameters in the ranges that
 * programs use, and sparse gradients whose rows repeat or lie outside of the variable.
 */
import { OPS, UPDATES, type HostValue, type OpName, type UpdateName } from '@forerun/graph';
import { scalar, vector, type Draw, type Generator } from './draw.js';

/** The range of each hyper-parameter. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  lr: [0.01, 0.5],
  alpha: [0.01, 0.5],
  momentum: [0, 0.95],
  rho: [0.8, 0.99],
  epsilon: [1e-3, 0.1],
  l1: [0, 0.5],
  l2: [0, 0.5],
  l2_shrinkage: [0, 0.5],
  lr_power: [-0.9, -0.3],
  beta1_power: [0.1, 0.9],
  beta2_power: [0.5, 0.99],
  beta1: [0.8, 0.95],
  beta2: [0.9, 0.999],
  beta: [0.8, 0.95],
  sign_decay: [0.5, 1],
  logbase: [0.5, 2],
};

/** Slots that hold sums of gradients may have any sign; the others hold squares or sizes. */
const SIGNED: ReadonlySet<string> = new Set(['m', 'mom', 'linear', 'gradient_accumulator']);

function slot(d: Draw, rule: UpdateName, name: string, shape: readonly number[]): HostValue {
  if (name === 'var' || SIGNED.has(name) || (name === 'accum' && rule.includes('Momentum')))
    return d.floats(shape);
  // Centered RMSProp takes the root of a difference, which must stay positive.
  return name === 'mg' ? d.floats(shape, 0, 0.1) : d.floats(shape, 0.5, 3);
}

function hyperParameter(d: Draw, name: string): HostValue {
  if (name === 'global_step') return scalar(d.integer(1, 1000), 'int64');
  const range = RANGES[name];
  if (range === undefined) throw new Error(`no range for the hyper-parameter ${name}`);
  const zero = /^(l1|l2|l2_shrinkage|momentum)$/.test(name) && d.chance(0.3);
  return zero ? scalar(0, 'float32') : d.floats([], ...range);
}

/** Row numbers, some repeated; `outside` for some beyond the variable. */
function rowNumbers(d: Draw, rows: number): HostValue {
  const outside = d.chance(0.3) ? 1 : 0;
  const high = rows - 1 + outside;
  const count = high < -outside ? 0 : d.integer(0, 8);
  return vector(
    Array.from({ length: count }, () => d.integer(-outside, high)),
    d.index(),
  );
}

function update(rule: UpdateName, sparse: boolean): Generator {
  const { state, values, attrs = [] } = UPDATES[rule];
  return (d) => {
    const shape = d.shape(sparse ? 1 : 0, sparse ? 3 : 4);
    const indices = sparse ? rowNumbers(d, shape[0] ?? 0) : null;
    const gradient = indices === null ? shape : [...indices.shape, ...shape.slice(1)];
    const inputs = [
      ...state.map((name) => slot(d, rule, name, shape)),
      ...values.flatMap((name) => {
        if (name !== 'grad' && name !== 'delta') return [hyperParameter(d, name)];
        return [d.nonzero(gradient), ...(indices === null ? [] : [indices])];
      }),
    ];
    const flags = attrs.map((text) => [text.split(':')[0] ?? '', d.chance(0.5)] as const);
    return { inputs, attrs: Object.fromEntries(flags), tolerance: { rtol: 2e-5, atol: 2e-6 } };
  };
}

export const TRAINING_VARIATIONS: Partial<Record<OpName, Generator>> = Object.fromEntries(
  (Object.keys(UPDATES) as UpdateName[]).flatMap((rule) =>
    [`ResourceApply${rule}`, `ResourceSparseApply${rule}`]
      .filter((type) => type in OPS)
      .map((type) => [type, update(rule, type.includes('Sparse'))]),
  ),
);
