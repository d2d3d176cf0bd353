/** Samples of optimizer updates. The first input of each is the variable's value, slots follow. */
import { OPS, type AttrInputs, type OpName } from '@forerun/graph';
import { byReference } from './byReference.js';
import type { FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';

const list = (length: number, f: (i: number) => number): number[] => Array.from({ length }, (_, i) => f(i));

/** Inputs of any length that differ from element to element. */
const variable = (length: number): number[] => list(length, (i) => Math.sin(i + 1));
const gradient = (length: number): number[] => list(length, (i) => 2 * Math.cos(3 * i) + 0.01);
const slot = (length: number, seed = 0): number[] => list(length, (i) => 0.1 + ((i + 3 * seed) % 7) / 7);

/** What the inputs of one op are made from. */
interface Recipe {
  /** Slots behind the variable. Signed ones may have any sign, the others not. */
  readonly slots: readonly ('positive' | 'signed')[];
  /** The other inputs of the dense op: scalars, and `grad`. */
  readonly values: readonly (number | 'grad' | { readonly step: number })[];
  readonly attrs?: AttrInputs;
}

interface Rows {
  readonly shape: readonly number[];
  /** Rows of a sparse gradient. */
  readonly indices?: readonly number[];
  readonly indexType?: 'int32' | 'int64';
}

function sample(name: string, recipe: Recipe, { shape, indices, indexType = 'int32' }: Rows): Sample {
  const size = shape.reduce((product, dim) => product * dim, 1);
  const shaped = (value: number[], at = shape): SampleInput => ({ value, shape: at });
  const slots = recipe.slots.map((kind, k) => shaped(kind === 'signed' ? gradient(size) : slot(size, k)));
  const rows = indices === undefined ? shape : [indices.length, ...shape.slice(1)];
  const dense = shaped(gradient(rows.reduce((product, dim) => product * dim, 1)), rows);
  const ids: SampleInput[] =
    indices === undefined ? [] : [{ value: [...indices], dtype: indexType, shape: [indices.length] }];
  const values = recipe.values.flatMap((value): (number | SampleInput)[] => {
    if (value === 'grad') return [dense, ...ids];
    return [typeof value === 'number' ? value : { value: value.step, dtype: 'int64' }];
  });
  return { name, inputs: [shaped(variable(size)), ...slots, ...values], attrs: recipe.attrs ?? {} };
}

const DENSE_SHAPES: Readonly<Record<string, Rows>> = {
  'odd size': { shape: [7] },
  matrix: { shape: [4, 6] },
  scalar: { shape: [] },
  empty: { shape: [0, 3] },
};
const SPARSE_SHAPES: Readonly<Record<string, Rows>> = {
  'duplicate rows': { shape: [5, 3], indices: [4, 0, 4, 2, 0, 4] },
  'vectorized int64': { shape: [6, 2, 2], indices: [5, 1, 5, 3], indexType: 'int64' },
  vector: { shape: [4], indices: [3, 1, 1] },
  'out of range': { shape: [3, 2], indices: [-1, 1, 3, 1] },
  'no rows': { shape: [3, 2], indices: [] },
};

/** All recipes on all shapes: the first recipe on each, the others on one. */
function across(recipes: Readonly<Record<string, Recipe>>, shapes: Readonly<Record<string, Rows>>): Sample[] {
  const [first = ['matrix', { shape: [4, 6] }] as const, second = first] = Object.entries(shapes);
  return Object.entries(recipes).flatMap(([name, recipe], i) => {
    const used = i === 0 ? Object.entries(shapes) : [first, second];
    return used.map(([title, rows]) => sample(`${name}, ${title}`, recipe, rows));
  });
}

/** Shape and error cases, whose inputs follow from the op's signature. */
function cases(type: OpName, samples: readonly Sample[]): OpSamples {
  const names = OPS[type].inputs.map(({ name }) => name);
  const dtypes = OPS[type].inputs.map(({ name, typeAttr }) => {
    if (typeAttr === 'Tindices') return 'int32' as const;
    return name === 'global_step' ? ('int64' as const) : ('float32' as const);
  });
  const state = OPS[type].inputs.filter(({ dtype }) => dtype === 'resource').length;
  const grad = names.findIndex((name) => name === 'grad' || name === 'delta');
  const scalar = names.findIndex((_, i) => i >= state && i !== grad && i !== names.indexOf('indices'));
  const sparse = names.includes('indices');
  const inputs = (changed: Readonly<Record<number, string>>): string =>
    names
      .map(
        (name, i) =>
          changed[i] ??
          (i < state
            ? '[5,3]'
            : name === 'indices'
              ? '[2]'
              : i === grad
                ? sparse
                  ? '[2,3]'
                  : '[5,3]'
                : '[]'),
      )
      .join(';');
  const wrongGrad = sparse
    ? /(grad|delta) has shape \[4,3\], \[2,3\] is needed for these indices of a variable of shape \[5,3\]/
    : /(grad|delta) has shape \[4,3\], the variable has \[5,3\]/;
  return {
    samples,
    shapes: [
      { inputs: inputs({ [grad]: '[?,3]' }), outputs: '', dtypes },
      { inputs: inputs({ [grad]: '?', [scalar]: '?' }), outputs: '', dtypes },
    ],
    errors: [
      { inputs: inputs({ [grad]: '[4,3]' }), dtypes, message: wrongGrad },
      {
        inputs: inputs({ [scalar]: '[2]' }),
        dtypes,
        message: new RegExp(`${names[scalar] ?? ''} must be a scalar, got shape \\[2\\]`),
      },
      ...(state > 1
        ? [
            {
              inputs: inputs({ 1: '[4,3]' }),
              dtypes,
              message: new RegExp(`${names[1] ?? ''} has shape \\[4,3\\], the variable has \\[5,3\\]`),
            },
          ]
        : []),
      ...(sparse
        ? [
            {
              inputs: inputs({ [names.indexOf('indices')]: '[2,1]' }),
              dtypes,
              message: /indices must be a vector, got shape \[2,1\]/,
            },
          ]
        : []),
    ],
  };
}

const dense = (
  type: OpName,
  recipes: Readonly<Record<string, Recipe>>,
  more: readonly Sample[] = [],
): OpSamples => cases(type, [...across(recipes, DENSE_SHAPES), ...more]);
const sparse = (type: OpName, recipes: Readonly<Record<string, Recipe>>): OpSamples =>
  cases(type, across(recipes, SPARSE_SHAPES));

const POSITIVE = ['positive'] as const;
const MOMENTUM: Readonly<Record<string, Recipe>> = {
  plain: { slots: ['signed'], values: [0.05, 'grad', 0.9], attrs: { use_nesterov: false } },
  nesterov: { slots: ['signed'], values: [0.05, 'grad', 0.9], attrs: { use_nesterov: true } },
};
const ADAGRAD: Readonly<Record<string, Recipe>> = {
  plain: { slots: POSITIVE, values: [0.1, 'grad'] },
  'fixed slots': { slots: POSITIVE, values: [0.1, 'grad'], attrs: { update_slots: false } },
};
const ADAGRAD_V2: Readonly<Record<string, Recipe>> = {
  plain: { slots: POSITIVE, values: [0.1, 0.01, 'grad'] },
  'fixed slots': { slots: POSITIVE, values: [0.1, 0.01, 'grad'], attrs: { update_slots: false } },
};
const ADADELTA: Readonly<Record<string, Recipe>> = {
  plain: { slots: ['positive', 'positive'], values: [0.5, 0.95, 1e-3, 'grad'] },
};
const RMSPROP: Readonly<Record<string, Recipe>> = {
  plain: { slots: ['positive', 'signed'], values: [0.01, 0.9, 0, 1e-3, 'grad'] },
  momentum: { slots: ['positive', 'signed'], values: [0.01, 0.9, 0.8, 1e-3, 'grad'] },
};
/** Its mean gradient is small enough for the variance to stay positive. */
const CENTERED_RMSPROP: Readonly<Record<string, Recipe>> = {
  plain: { slots: ['positive', 'positive', 'signed'], values: [0.01, 0.9, 0.5, 2, 'grad'] },
};
const FTRL: Readonly<Record<string, Recipe>> = {
  'square root': { slots: ['positive', 'signed'], values: ['grad', 0.1, 0.3, 0.1, -0.5] },
  'other power': { slots: ['positive', 'signed'], values: ['grad', 0.1, 0, 0, -0.7] },
};
const FTRL_V2: Readonly<Record<string, Recipe>> = {
  'square root': { slots: ['positive', 'signed'], values: ['grad', 0.1, 0.3, 0.1, 0.2, -0.5] },
  'other power': { slots: ['positive', 'signed'], values: ['grad', 0.1, 0.3, 0, 0.1, -0.7] },
};
const PROXIMAL: Readonly<Record<string, Recipe>> = {
  penalties: { slots: [], values: [0.2, 0.5, 0.1, 'grad'] },
  'no penalties': { slots: [], values: [0.2, 0, 0, 'grad'] },
};
const PROXIMAL_ADAGRAD: Readonly<Record<string, Recipe>> = {
  penalties: { slots: POSITIVE, values: [0.2, 0.5, 0.1, 'grad'] },
  'no penalties': { slots: POSITIVE, values: [0.2, 0, 0, 'grad'] },
};
const ADAGRAD_DA: Readonly<Record<string, Recipe>> = {
  penalties: { slots: ['signed', 'positive'], values: ['grad', 0.1, 0.2, 0.3, { step: 3 }] },
  'no penalties': { slots: ['signed', 'positive'], values: ['grad', 0.1, 0, 0, { step: 10 }] },
};
const ADAM = [0.729, 0.997, 0.001, 0.9, 0.999, 1e-8, 'grad'] as const;

const RESOURCE_FORMS = {
  ResourceApplyGradientDescent: dense(
    'ResourceApplyGradientDescent',
    { plain: { slots: [], values: [0.1, 'grad'] } },
    [sample('several workgroups', { slots: [], values: [0.1, 'grad'] }, { shape: [5000] })],
  ),
  ResourceApplyAdam: dense(
    'ResourceApplyAdam',
    {
      plain: { slots: ['signed', 'positive'], values: ADAM },
      nesterov: { slots: ['signed', 'positive'], values: ADAM, attrs: { use_nesterov: true } },
    },
    [sample('several workgroups', { slots: ['signed', 'positive'], values: ADAM }, { shape: [4096] })],
  ),
  ResourceApplyAdamWithAmsgrad: dense('ResourceApplyAdamWithAmsgrad', {
    plain: { slots: ['signed', 'positive', 'positive'], values: ADAM },
  }),
  ResourceApplyAdaMax: dense('ResourceApplyAdaMax', {
    plain: { slots: ['signed', 'positive'], values: [0.729, 0.002, 0.9, 0.999, 1e-8, 'grad'] },
  }),
  ResourceApplyAddSign: dense('ResourceApplyAddSign', {
    plain: { slots: ['signed'], values: [0.1, 1, 0.9, 0.9, 'grad'] },
  }),
  ResourceApplyPowerSign: dense('ResourceApplyPowerSign', {
    plain: { slots: ['signed'], values: [0.1, 1, 0.9, 0.9, 'grad'] },
  }),

  ResourceApplyMomentum: dense('ResourceApplyMomentum', MOMENTUM),
  ResourceApplyKerasMomentum: dense('ResourceApplyKerasMomentum', MOMENTUM),
  ResourceApplyAdagrad: dense('ResourceApplyAdagrad', ADAGRAD),
  ResourceApplyAdagradV2: dense('ResourceApplyAdagradV2', ADAGRAD_V2),
  ResourceApplyAdadelta: dense('ResourceApplyAdadelta', ADADELTA),
  ResourceApplyRMSProp: dense('ResourceApplyRMSProp', RMSPROP),
  ResourceApplyCenteredRMSProp: dense('ResourceApplyCenteredRMSProp', CENTERED_RMSPROP),
  ResourceApplyFtrl: dense('ResourceApplyFtrl', FTRL),
  ResourceApplyFtrlV2: dense('ResourceApplyFtrlV2', FTRL_V2),
  ResourceApplyProximalGradientDescent: dense('ResourceApplyProximalGradientDescent', PROXIMAL),
  ResourceApplyProximalAdagrad: dense('ResourceApplyProximalAdagrad', PROXIMAL_ADAGRAD),
  ResourceApplyAdagradDA: dense('ResourceApplyAdagradDA', ADAGRAD_DA),

  ResourceSparseApplyMomentum: sparse('ResourceSparseApplyMomentum', MOMENTUM),
  ResourceSparseApplyKerasMomentum: sparse('ResourceSparseApplyKerasMomentum', MOMENTUM),
  ResourceSparseApplyAdagrad: sparse('ResourceSparseApplyAdagrad', ADAGRAD),
  ResourceSparseApplyAdagradV2: sparse('ResourceSparseApplyAdagradV2', ADAGRAD_V2),
  ResourceSparseApplyAdadelta: sparse('ResourceSparseApplyAdadelta', ADADELTA),
  ResourceSparseApplyRMSProp: sparse('ResourceSparseApplyRMSProp', RMSPROP),
  ResourceSparseApplyCenteredRMSProp: sparse('ResourceSparseApplyCenteredRMSProp', CENTERED_RMSPROP),
  ResourceSparseApplyFtrl: sparse('ResourceSparseApplyFtrl', FTRL),
  ResourceSparseApplyFtrlV2: sparse('ResourceSparseApplyFtrlV2', FTRL_V2),
  ResourceSparseApplyProximalGradientDescent: sparse('ResourceSparseApplyProximalGradientDescent', PROXIMAL),
  ResourceSparseApplyProximalAdagrad: sparse('ResourceSparseApplyProximalAdagrad', PROXIMAL_ADAGRAD),
  ResourceSparseApplyAdagradDA: sparse('ResourceSparseApplyAdagradDA', ADAGRAD_DA),
} satisfies FamilySamples;

/** The same updates by reference, where there are: `ApplyAdam` from `ResourceApplyAdam`. */
const REFERENCE_FORMS: FamilySamples = Object.fromEntries(
  Object.entries(RESOURCE_FORMS).flatMap(([resource, samples]) => {
    const type = resource.replace('Resource', '');
    return type in OPS ? [[type, byReference(type as OpName, [resource as OpName, samples])]] : [];
  }),
);

export const TRAINING_SAMPLES = { ...RESOURCE_FORMS, ...REFERENCE_FORMS } satisfies FamilySamples;
