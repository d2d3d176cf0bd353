/** What `inspect` tells of a model that cannot become a graph: what there is in it, and what of it is not known here. */
import { onnxDType } from '@forerun/formats';
import { dtypeBytes, ForerunError, sizeOf, type DType, type proto } from '@forerun/graph';
import type { Amount, JsonShape } from './graphReport.js';
import type { LoadedGraph, Origin, OriginType } from './load.js';

export interface ModelTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: JsonShape;
}

export interface ModelReport {
  readonly kind: 'model';
  readonly file: string;
  readonly format: LoadedGraph['format'];
  readonly encoding: LoadedGraph['encoding'];
  readonly fileBytes: number;
  readonly origin: Origin;
  /** Why there is no graph. */
  readonly problem: string;
  readonly inputs: readonly ModelTensor[];
  readonly outputs: readonly ModelTensor[];
  readonly parameters: Amount;
  readonly unsupported: readonly OriginType[];
}

/** A value that the model holds. */
interface Weight {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface ModelFacts {
  readonly path: string;
  readonly format: LoadedGraph['format'];
  readonly encoding: LoadedGraph['encoding'];
  readonly bytes: number;
  readonly origin: Origin;
  readonly problem: string;
  readonly weights: readonly Weight[];
  readonly inputs?: readonly ModelTensor[];
  readonly outputs?: readonly ModelTensor[];
}

/** The report on a model of which these facts are known. */
export function reportModel({
  path,
  bytes,
  weights,
  inputs = [],
  outputs = [],
  ...rest
}: ModelFacts): ModelReport {
  return {
    kind: 'model',
    file: path,
    fileBytes: bytes,
    ...rest,
    inputs,
    outputs,
    parameters: amountOf(weights),
    unsupported: (rest.origin.types ?? []).filter(({ supported }) => !supported),
  };
}

function amountOf(weights: readonly Weight[]): Amount {
  const sizes = weights.map(({ dtype, shape }) => ({ size: sizeOf(shape), bytes: dtypeBytes(dtype) }));
  return {
    count: weights.length,
    parameters: sizes.reduce((sum, { size }) => sum + size, 0),
    bytes: sizes.reduce((sum, { size, bytes }) => sum + size * bytes, 0),
  };
}

/** What an ONNX model says of its inputs, outputs and initializers. */
export function onnxFacts(model: proto.onnxModelProto): Pick<ModelFacts, 'weights' | 'inputs' | 'outputs'> {
  const { initializer = [], input = [], output = [] } = model.graph ?? {};
  const constants = new Set(initializer.map(({ name }) => name));
  return {
    weights: initializer.flatMap(({ dataType, dims }) => {
      const dtype = dtypeOf(dataType);
      return dtype === undefined ? [] : [{ dtype, shape: dims }];
    }),
    inputs: input.filter(({ name }) => !constants.has(name)).map(tensorOf),
    outputs: output.map(tensorOf),
  };
}

function tensorOf({ name, type }: proto.onnxValueInfoProto): ModelTensor {
  const tensor = type?.tensorType;
  const dims = tensor?.shape?.dim.map(({ dimValue }) => dimValue ?? null);
  return { name, dtype: dtypeOf(tensor?.elemType ?? 0) ?? 'unknown', shape: dims ?? null };
}

function dtypeOf(number: number): DType | undefined {
  try {
    return onnxDType(number, 'dtype');
  } catch (error) {
    if (error instanceof ForerunError) return undefined;
    throw error;
  }
}
