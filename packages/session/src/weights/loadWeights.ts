/** `loadWeights`: puts tensors of files of any framework into variables, by name, with their axes rearranged. */
import { permuteValue, type WeightReader } from '@forerun/formats';
import {
  fromHostValue,
  GraphKeys,
  InvalidArgumentError,
  NotFoundError,
  TensorValue,
  toHostValue,
  toTensorValue,
  Variable,
  type DType,
  type Tensor,
  type ValueLike,
} from '@forerun/graph';
import { objectNameMap } from '../checkpoint/objectNames.js';
import type { Session } from '../session.js';
import { layoutOf, type Transpose } from './layouts.js';
import {
  matchReport,
  matchVariables,
  requireMatch,
  type Layout,
  type Match,
  type RestoreOptions,
  type RestoreReport,
} from './match.js';
import { openWeights } from './openWeights.js';

/** Where weights come from: the path of a file, an opened file, or values by name. */
export type WeightsLike =
  string | WeightReader | ReadonlyMap<string, ValueLike> | Readonly<Record<string, ValueLike>>;

export interface LoadWeightsOptions extends RestoreOptions {
  /** What to set: variables under their operations' names, or by key. Default: all global variables of the session's graph. */
  readonly varList?: readonly Variable[] | ReadonlyMap<string, Variable> | Readonly<Record<string, Variable>>;
  /** How to rearrange the axes of tensors; `'pytorch'` for weights of PyTorch. Default: not at all. */
  readonly transpose?: Transpose;
}

/** What `loadWeights` did, by the variables' keys. */
export interface LoadWeightsReport extends RestoreReport {
  /** Variables whose axes were rearranged, and those that were converted from another floating-point dtype. */
  readonly transposed: readonly string[];
  readonly converted: readonly string[];
}

/**
 * Sets variables from weights: a `.safetensors`, `.npy`, `.npz`, PyTorch or checkpoint file, or values by name. Floating-point
 * tensors are converted to the variable's dtype. Nothing is assigned unless everything fits: throws `NotFoundError` listing
 * the names that the file lacks with the nearest ones, `InvalidArgumentError` listing shapes and dtypes that differ.
 */
export async function loadWeights(
  sess: Session,
  weights: WeightsLike,
  options: LoadWeightsOptions = {},
): Promise<LoadWeightsReport> {
  const opened = await open(weights);
  try {
    const variables = byKey(options.varList ?? globalVariablesOf(sess));
    const { ignoreMissing, ignoreShapeMismatch } = options;
    const rules = {
      map: await objectNameMap(opened.reader, options.map),
      ignoreMissing,
      ignoreShapeMismatch,
      convert: true,
      layout: layoutOf(options.transpose),
    };
    const match = matchVariables(variables, opened.reader, rules);
    const call = 'loadWeights(sess, weights';
    requireMatch(match, opened.reader, { what: opened.what, call }, rules);
    const values = new Map<Tensor, TensorValue>();
    for (const { stored, variable, layout } of match.found) {
      const value = arrange(await opened.reader.read(stored), layout);
      values.set(variable.handle, convert(value, variable.dtype));
    }
    await sess.assignVariables(values);
    return report(match, opened.reader);
  } finally {
    await opened.close();
  }
}

interface Opened {
  readonly reader: WeightReader;
  readonly what: string;
  close(): Promise<void>;
}

async function open(weights: WeightsLike): Promise<Opened> {
  if (typeof weights === 'string') {
    const { reader, format, close } = await openWeights(weights);
    return { reader, what: format === 'checkpoint' ? `the checkpoint "${weights}"` : `"${weights}"`, close };
  }
  const reader = isReader(weights) ? weights : readerOf(weights);
  return {
    reader,
    what: isReader(weights) ? 'the file' : 'the record of weights',
    close: () => Promise.resolve(),
  };
}

function isReader(weights: Exclude<WeightsLike, string>): weights is WeightReader {
  return 'entries' in weights && 'read' in weights && typeof weights.read === 'function';
}

function readerOf(
  weights: ReadonlyMap<string, ValueLike> | Readonly<Record<string, ValueLike>>,
): WeightReader {
  const pairs = isMap(weights) ? [...weights] : Object.entries(weights);
  const values = new Map(pairs.map(([name, value]) => [name, toTensorValue(value)]));
  const entries = new Map([...values].map(([name, { dtype, shape }]) => [name, { name, dtype, shape }]));
  return {
    entries,
    read: (name) => {
      const value = values.get(name);
      return value === undefined
        ? Promise.reject(new NotFoundError(`there is no "${name}"`))
        : Promise.resolve(value);
    },
  };
}

function isMap<V>(
  list: ReadonlyMap<string, V> | Readonly<Record<string, V>>,
): list is ReadonlyMap<string, V> {
  return list instanceof Map;
}

function globalVariablesOf({ graph }: Session): Variable[] {
  return graph.getCollection(GraphKeys.GLOBAL_VARIABLES).filter((item) => item instanceof Variable);
}

function byKey(list: NonNullable<LoadWeightsOptions['varList']>): ReadonlyMap<string, Variable> {
  if (Array.isArray(list))
    return new Map((list as readonly Variable[]).map((variable) => [variable.op.name, variable]));
  const named = list as Exclude<typeof list, readonly Variable[]>;
  const map = isMap(named) ? named : new Map(Object.entries(named));
  if (map.size > 0) return map;
  throw new InvalidArgumentError('loadWeights: there are no variables to set');
}

function arrange(value: TensorValue, layout: Layout | undefined): TensorValue {
  if (layout === undefined) return value;
  const moved = permuteValue(value, layout.permutation);
  return layout.shape === undefined ? moved : new TensorValue(moved.dtype, layout.shape, moved.data);
}

/** The value in another floating-point dtype, rounded to nearest. */
function convert(value: TensorValue, dtype: DType): TensorValue {
  if (value.dtype === dtype) return value;
  const host = toHostValue(value);
  if (host === null) throw new InvalidArgumentError(`a ${value.dtype} value cannot be converted to ${dtype}`);
  if (dtype === 'float32') return new TensorValue(dtype, value.shape, Float32Array.from(host.data));
  return fromHostValue({ ...host, dtype });
}

function report(match: Match, reader: WeightReader): LoadWeightsReport {
  return {
    ...matchReport(match, reader),
    transposed: match.found.filter(({ layout }) => layout !== undefined).map(({ key }) => key),
    converted: match.found.filter(({ converted }) => converted).map(({ key }) => key),
  };
}
