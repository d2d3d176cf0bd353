/**
 * Values of ONNX models that lie in files beside the model: what models over protobuf's 2 GiB have. They are read into the message
 * before it is imported, and moved out of a message before it is written.
 */
import { DataLossError, dtypeBytes, insidePath, InvalidArgumentError, type proto } from '@forerun/graph';
import { checkedSize } from '../weightFile.js';
import { onnxDType } from './tensors.js';

/** `TensorProto.DataLocation`. */
const EXTERNAL = 1;

/** A part of a file. */
export interface ExternalRange {
  /** Path relative to the model's directory, which never leads out of it. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** Reads bytes of a file beside a model; fewer where the file ends. */
export type ReadRange = (range: ExternalRange) => Promise<Uint8Array>;

/**
 * Reads all values of a model that lie outside of it into the message. Throws `InvalidArgumentError` for a path that leads out
 * of the directory and for sizes that contradict the shape, `DataLossError` for a file that is too short.
 */
export async function readExternalData(model: proto.onnxModelProto, read: ReadRange): Promise<void> {
  for (const tensor of model.graph === undefined ? [] : tensorsOf(model.graph)) {
    if (tensor.dataLocation !== EXTERNAL) continue;
    const range = rangeOf(tensor);
    const bytes = await read(range);
    if (bytes.length !== range.length) {
      throw new DataLossError(
        `tensor "${tensor.name}": "${range.location}" holds ${bytes.length} of ${range.length} bytes from ${range.offset} on`,
      );
    }
    tensor.rawData = bytes;
    tensor.dataLocation = 0;
    tensor.externalData = [];
  }
}

/** Tensors of a graph, of its nodes' attributes and of the graphs in these. */
function tensorsOf({ initializer, node }: proto.onnxGraphProto): proto.onnxTensorProto[] {
  const inner = node.flatMap(({ attribute }) =>
    attribute.flatMap(({ t, tensors, g, graphs }) => [
      ...(t === undefined ? [] : [t]),
      ...tensors,
      ...[...(g === undefined ? [] : [g]), ...graphs].flatMap(tensorsOf),
    ]),
  );
  return [...initializer, ...inner];
}

function rangeOf(tensor: proto.onnxTensorProto): ExternalRange {
  const what = `tensor "${tensor.name}"`;
  const fields = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const location = fields.get('location');
  if (location === undefined) throw new InvalidArgumentError(`${what}: its external data names no location`);
  const number = (key: string): number | undefined => {
    const text = fields.get(key);
    if (text === undefined) return undefined;
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (Number.isSafeInteger(value)) return value;
    throw new InvalidArgumentError(`${what}: the ${key} of its external data is ${JSON.stringify(text)}`);
  };
  const elementBytes = dtypeBytes(onnxDType(tensor.dataType, what));
  const size = checkedSize(tensor.dims, what) * elementBytes;
  const length = number('length') ?? size;
  if (elementBytes === 0 || length !== size) {
    throw new InvalidArgumentError(`${what}: its external data has ${length} bytes, its shape takes ${size}`);
  }
  return { location: insidePath(location, what), offset: number('offset') ?? 0, length };
}

/** How values are moved out of a model. */
export interface ExternalDataOptions {
  /** Name of the file with the values, in the directory of the model. */
  readonly location: string;
  /** Values of at least so many bytes are moved; default 1024. */
  readonly minBytes?: number | undefined;
}

/** Values begin at multiples of this, so that a reader can map the file. */
const ALIGNMENT = 4096;

/** The initializers with the large ones in a file beside the model, and that file's bytes in parts. */
export function moveDataOut(
  initializers: readonly proto.Init<proto.onnxTensorProto>[],
  { location, minBytes = 1024 }: ExternalDataOptions,
): { initializers: proto.Init<proto.onnxTensorProto>[]; data: Uint8Array[] } {
  const data: Uint8Array[] = [];
  let end = 0;
  const moved = initializers.map((tensor) => {
    const { rawData = new Uint8Array(0), ...head } = tensor;
    if (rawData.length < Math.max(1, minBytes)) return tensor;
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    if (offset > end) data.push(new Uint8Array(offset - end));
    data.push(rawData);
    end = offset + rawData.length;
    const fields = { location, offset: String(offset), length: String(rawData.length) };
    const externalData = Object.entries(fields).map(([key, value]) => ({ key, value }));
    return { ...head, dataLocation: EXTERNAL, externalData };
  });
  return { initializers: moved, data };
}
