/** Schemas of what `--json` prints: every field is there with the right type, and no other. */

/** A type's name (`number|null`), a list of one schema, an object of them, or `'any'`. A key that ends in `?` may be missing. */
export type Schema = string | readonly [Schema] | { readonly [key: string]: Schema };

/** What is wrong with `value`, empty when it fits. */
export function misfits(value: unknown, schema: Schema, at = '$'): string[] {
  if (typeof schema === 'string')
    return schema === 'any' || schema.split('|').includes(typeName(value))
      ? []
      : [`${at} is ${typeName(value)}, not ${schema}`];
  if (isList(schema)) {
    if (!Array.isArray(value)) return [`${at} is no list`];
    return value.flatMap((item, i) => misfits(item, schema[0], `${at}[${i}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at} is no object`];
  const fields = new Map(Object.entries(value));
  const known = new Set(Object.keys(schema).map((key) => key.replace(/\?$/, '')));
  return [
    ...[...fields.keys()].filter((key) => !known.has(key)).map((key) => `${at}.${key} is not in the schema`),
    ...Object.entries(schema).flatMap(([key, inner]) => {
      const name = key.replace(/\?$/, '');
      if (!fields.has(name)) return key.endsWith('?') ? [] : [`${at}.${name} is missing`];
      return misfits(fields.get(name), inner, `${at}.${name}`);
    }),
  ];
}

function isList(schema: Exclude<Schema, string>): schema is readonly [Schema] {
  return Array.isArray(schema);
}

function typeName(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

const TENSOR: Schema = {
  name: 'string',
  op: 'string',
  dtype: 'string',
  shape: 'array|null',
  'default?': 'string',
};
const AMOUNT: Schema = { count: 'number', parameters: 'number', bytes: 'number' };
const STATISTICS: Schema = {
  elements: 'number', zeros: 'number', nans: 'number', infinities: 'number',
  min: 'number|null', max: 'number|null', mean: 'number|null', std: 'number|null', norm: 'number|null',
}; // prettier-ignore
const HISTOGRAM: Schema = { min: 'number', max: 'number', counts: ['number'] };
const WEIGHT: Schema = {
  name: 'string', dtype: 'string', shape: ['number'], elements: 'number', bytes: 'number', 'statistics?': STATISTICS, 'histogram?': HISTOGRAM,
}; // prettier-ignore
const DRAWING: Schema = {
  file: 'string',
  boxes: [
    {
      id: 'string',
      clusters: ['string'],
      label: 'string',
      'op?': 'string',
      nodes: 'number',
      outside: 'boolean',
    },
  ],
  edges: [{ from: 'string', to: 'string', tensors: 'number', label: 'string' }],
};
const SIGNATURE_TENSOR: Schema = { key: 'string', tensor: 'string', dtype: 'string', shape: 'array|null' };
const RUN_COST: Schema = {
  name: 'string', fetches: ['string'], nodes: 'number', flops: 'number', activationBytes: 'number', peakBytes: 'number', uncounted: ['string'],
  flopsByType: [{ type: 'string', nodes: 'number', flops: 'number' }],
  largestActivations: [{ name: 'string', type: 'string', dtype: 'string', shape: 'array|null', bytes: 'number' }],
}; // prettier-ignore
const WRITTEN: Schema = { path: 'string', bytes: 'number' };
const ORIGIN: Schema = {
  facts: 'object',
  'what?': 'string',
  'types?': [{ type: 'string', nodes: 'number', supported: 'boolean' }],
};
const MODEL_TENSOR: Schema = { name: 'string', dtype: 'string', shape: 'array|null' };
const KERNEL: Schema = {
  label: 'string',
  nodes: ['string'],
  workgroups: ['number'],
  wgsl: 'string',
  position: 'number',
};

const CHOSEN_KERNEL: Schema = {
  signature: 'string', node: 'string', candidate: 'string', source: 'string', ratio: 'number|null',
}; // prettier-ignore

/** By command. */
export const SCHEMAS = {
  inspect: {
    kind: 'string', file: 'string', format: 'string', encoding: 'string', fileBytes: 'number', producer: 'number', minConsumer: 'number',
    'tensorflowVersion?': 'string', 'tags?': ['string'], 'origin?': ORIGIN, nodes: 'number', functions: ['string'],
    signatures: [{ name: 'string', method: 'string', inputs: [SIGNATURE_TENSOR], outputs: [SIGNATURE_TENSOR] }],
    collections: [{ key: 'string', kind: 'string', size: 'number' }], inputs: [TENSOR], outputs: [TENSOR], targets: [{ name: 'string', op: 'string' }],
    variables: [{ name: 'string', dtype: 'string', shape: 'array|null', role: 'string', parameters: 'number', bytes: 'number' }],
    parameters: { total: AMOUNT, trained: AMOUNT, slots: AMOUNT, other: AMOUNT, constants: AMOUNT },
    cost: { inputs: [{ name: 'string', shape: 'array|null', source: 'string' }], 'problem?': 'string', runs: [RUN_COST] },
    ops: [{ type: 'string', nodes: 'number', supported: 'boolean', 'reason?': 'string' }],
    unsupported: [{ type: 'string', nodes: 'number', supported: 'boolean', 'reason?': 'string' }],
  },
  inspectModel: {
    kind: 'string', file: 'string', format: 'string', encoding: 'string', fileBytes: 'number', origin: ORIGIN, problem: 'string',
    inputs: [MODEL_TENSOR], outputs: [MODEL_TENSOR], parameters: AMOUNT, unsupported: [{ type: 'string', nodes: 'number', supported: 'boolean' }],
  },
  inspectValues: {
    kind: 'string', file: 'string', format: 'string', fileBytes: 'number', shards: 'number', parameters: 'number', slotParameters: 'number', bytes: 'number',
    tensors: [{ name: 'string', dtype: 'string', shape: ['number'], elements: 'number', bytes: 'number', slot: 'boolean', 'slices?': 'number' }],
  },
  ops: { file: 'string', ops: [{ type: 'string', nodes: 'number', supported: 'boolean', 'reason?': 'string' }] },
  node: {
    name: 'string', op: 'string', summary: 'string|null', supported: 'boolean', 'reason?': 'string', device: 'string', attributes: 'object',
    inputs: [{ name: 'string', op: 'string', dtype: 'string', shape: 'array|null', 'variable?': 'object' }], controlInputs: ['string'],
    outputs: [{ name: 'string', op: 'string', dtype: 'string', shape: 'array|null', 'variable?': 'object' }], consumers: 'array', flops: 'number|null',
  },
  tree: { file: 'string', name: 'string', 'label?': 'string', nodes: 'number', parameters: 'number', bytes: 'number', 'children?': 'array' },
  dot: DRAWING,
  svg: DRAWING,
  weights: { file: 'string', tensors: [WEIGHT] },
  weight: { file: 'string', ...(WEIGHT as object), value: 'any' },
  path: { file: 'string', from: 'string', to: 'string', nodes: [{ name: 'string', op: 'string', output: 'number|null', shape: 'array|null' }] },
  diff: {
    a: 'string', b: 'string', equal: 'boolean',
    changes: [{ name: 'string', kind: 'string', details: ['string'], 'norms?': { a: 'number', b: 'number', difference: 'number' } }],
  },
  validate: { file: 'string', valid: 'boolean', checks: [{ check: 'string', ok: 'boolean', message: 'string' }] },
  convert: { file: 'string', to: 'string', written: [WRITTEN] },
  freeze: {
    file: 'string', weights: 'string', outputs: ['string'], variables: 'number', parameters: 'number', nodesBefore: 'number', nodesAfter: 'number',
    verified: 'boolean', to: 'string', written: [WRITTEN],
  },
  optimize: {
    file: 'string', inputs: ['string'], outputs: ['string'], nodesBefore: 'number', nodesAfter: 'number', bytesBefore: 'number', bytesAfter: 'number',
    passes: [{ pass: 'string', nodesBefore: 'number', nodesAfter: 'number', changes: ['string'], difference: 'number|null' }],
    verified: 'boolean', to: 'string', written: [WRITTEN],
  },
  run: {
    file: 'string', adapter: 'string', written: ['string'],
    times: { firstMilliseconds: 'number', runs: 'number', 'medianMilliseconds?': 'number', 'minMilliseconds?': 'number' },
    kernels: [{ name: 'string', label: 'string', microseconds: 'number' }],
    outputs: [{ name: 'string', 'dtype?': 'string', 'shape?': ['number'], 'value?': 'any' }],
  },
  tune: { file: 'string', adapter: 'string', runs: [{ run: 'string', kernels: [CHOSEN_KERNEL] }] },
  plan: {
    file: 'string', adapter: 'string', fetches: ['string'],
    plan: {
      graphNodes: 'number', passes: [{ pass: 'string', nodesBefore: 'number', nodesAfter: 'number' }], fusions: [{ fusion: 'string', joined: 'number' }], units: 'number', dispatches: 'number',
      pipelines: 'number', copiedReads: 'number', memory: 'object', kernels: 'array', dispatchList: [KERNEL],
      temporaries: [{ name: 'string', bytes: 'number', from: 'number', to: 'number', buffer: 'number' }], compileMilliseconds: 'number',
    },
  },
} satisfies Record<string, Schema>; // prettier-ignore
