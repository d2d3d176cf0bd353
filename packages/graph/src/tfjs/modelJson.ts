/**
 * `model.json` of TensorFlow.js: a topology (a graph, or layers), and a manifest of the weights in the
 * binary files beside it. This module checks the envelope; what is inside is read elsewhere.
 */
import { InvalidArgumentError } from '../errors.js';
import { insidePath } from '../serialize/insidePath.js';

/** How the elements of a weight are stored when not in its own dtype. */
export interface WeightQuantization {
  readonly dtype: 'uint8' | 'uint16' | 'float16';
  /** An element is `stored * scale + min`; 8 and 16 bits only. */
  readonly scale: number;
  readonly min: number;
}

export const WEIGHT_DTYPES = ['float32', 'int32', 'bool', 'string', 'complex64'] as const;
export type WeightDType = (typeof WEIGHT_DTYPES)[number];

/** One weight of the manifest. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: WeightDType;
  readonly quantization?: WeightQuantization | undefined;
}

/** Weights whose bytes follow one another in files whose bytes follow one another. */
export interface WeightGroup {
  /** Relative paths that stay inside the directory of `model.json`. */
  readonly paths: readonly string[];
  readonly weights: readonly WeightSpec[];
}

export interface ModelJson {
  readonly format: 'graph-model' | 'layers-model';
  readonly topology: Readonly<Record<string, unknown>>;
  /** A graph that is run once before the other: it fills hash tables. */
  readonly initializer: object | undefined;
  readonly groups: readonly WeightGroup[];
  /** The JSON form of a SignatureDef, of a graph model. */
  readonly signature: object | undefined;
  readonly userDefinedMetadata: Readonly<Record<string, unknown>> | undefined;
  readonly generatedBy: string;
  readonly convertedBy: string;
}

/**
 * Reads the text of a `model.json`. Throws `InvalidArgumentError` naming what is wrong and where; a path that
 * leads out of the directory is refused here.
 */
export function readModelJson(text: string): ModelJson {
  const json = objectAt(parse(text), 'model.json');
  const topology = json.modelTopology;
  if (topology === undefined) fail('model.json', 'there is no modelTopology');
  const graph = objectAt(topology, 'modelTopology');
  const metadata = json.userDefinedMetadata;
  const initializer = json.modelInitializer;
  return {
    format: formatOf(json.format, graph),
    topology: graph,
    groups: manifestOf(json.weightsManifest),
    initializer:
      initializer === undefined || initializer === null
        ? undefined
        : objectAt(initializer, 'modelInitializer'),
    signature: signatureOf(json.signature, metadata),
    userDefinedMetadata:
      metadata === undefined || metadata === null ? undefined : objectAt(metadata, 'userDefinedMetadata'),
    generatedBy: textOr(json.generatedBy, ''),
    convertedBy: textOr(json.convertedBy, ''),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidArgumentError(`model.json: malformed JSON: ${reason}`, { cause });
  }
}

/** Files of before the field `format` tell by their topology. */
function formatOf(format: unknown, topology: Readonly<Record<string, unknown>>): ModelJson['format'] {
  if (format === 'graph-model' || format === 'layers-model') return format;
  if (format !== undefined && format !== null) {
    fail('format', `must be "graph-model" or "layers-model", got ${JSON.stringify(format)}`);
  }
  return 'node' in topology ? 'graph-model' : 'layers-model';
}

function signatureOf(own: unknown, metadata: unknown): object | undefined {
  const inside = isObject(metadata) ? metadata.signature : undefined;
  const signature = own ?? inside;
  return signature === undefined || signature === null ? undefined : objectAt(signature, 'signature');
}

function manifestOf(manifest: unknown): WeightGroup[] {
  if (manifest === undefined || manifest === null) return [];
  return listAt(manifest, 'weightsManifest').map((item, i) => {
    const where = `weightsManifest[${i}]`;
    const group = objectAt(item, where);
    return {
      paths: listAt(group.paths, `${where}.paths`).map((path, j) =>
        insidePath(textAt(path, `${where}.paths[${j}]`), `${where}.paths[${j}]`),
      ),
      weights: listAt(group.weights, `${where}.weights`).map((weight, j) =>
        weightOf(weight, () => `${where}.weights[${j}]`),
      ),
    };
  });
}

/** `where` is asked only when something is wrong: models have hundreds of weights. */
function weightOf(given: unknown, where: () => string): WeightSpec {
  const weight = isObject(given) ? given : objectAt(given, where());
  const name = typeof weight.name === 'string' ? weight.name : textAt(weight.name, `${where()}.name`);
  const dtype = WEIGHT_DTYPES.find((known) => known === weight.dtype);
  if (dtype === undefined) {
    fail(
      `${where()} "${name}"`,
      `dtype must be one of ${WEIGHT_DTYPES.join(', ')}, got ${JSON.stringify(weight.dtype)}`,
    );
  }
  const shape: readonly unknown[] = Array.isArray(weight.shape)
    ? (weight.shape as unknown[])
    : listAt(weight.shape, `${where()}.shape`);
  if (!shape.every(isSize)) {
    fail(`${where()} "${name}"`, `shape must be whole numbers from 0, got ${JSON.stringify(weight.shape)}`);
  }
  const { quantization } = weight;
  if (quantization === undefined || quantization === null) return { name, shape, dtype };
  return { name, shape, dtype, quantization: quantizationOf(quantization, dtype, `${where()} "${name}"`) };
}

function isSize(dim: unknown): dim is number {
  return typeof dim === 'number' && Number.isSafeInteger(dim) && dim >= 0;
}

function quantizationOf(given: unknown, dtype: WeightDType, where: string): WeightQuantization {
  const { dtype: stored, scale = 1, min = 0 } = objectAt(given, `${where}: quantization`);
  if (stored === 'float16' && dtype === 'float32') return { dtype: stored, scale: 1, min: 0 };
  const known = stored === 'uint8' || stored === 'uint16';
  if (!known || (dtype !== 'float32' && dtype !== 'int32')) {
    return fail(where, `${dtype} cannot be quantized to ${JSON.stringify(stored)}`);
  }
  if (typeof scale !== 'number' || typeof min !== 'number') {
    return fail(where, `quantization needs the numbers scale and min`);
  }
  return { dtype: stored, scale, min };
}

/** Says where in `model.json` what is wrong. */
export function fail(where: string, rule: string): never {
  throw new InvalidArgumentError(
    where === 'model.json' ? `${where}: ${rule}` : `model.json: ${where}: ${rule}`,
  );
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectAt(value: unknown, where: string): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : fail(where, `expected an object, found ${kindOf(value)}`);
}

export function listAt(value: unknown, where: string): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : fail(where, `expected a list, found ${kindOf(value)}`);
}

export function textAt(value: unknown, where: string): string {
  return typeof value === 'string' ? value : fail(where, `expected text, found ${kindOf(value)}`);
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return value === undefined ? 'nothing' : typeof value;
}
