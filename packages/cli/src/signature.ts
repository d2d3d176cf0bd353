/** The signature of a graph: the one in its file, or inputs and outputs under the names of their nodes. */
import { savedModelSignatures, type Operation, type proto, type Tensor } from '@forerun/graph';
import { FileError } from './errors.js';
import { ancestorsOf, findNode, outputsOf, type GraphView } from './graphView.js';

/** Inputs and outputs by name. */
export interface Signature {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

const { DEFAULT_SERVING_SIGNATURE_DEF_KEY, INIT_OP_SIGNATURE_KEY, predictSignatureDef } =
  savedModelSignatures;

/**
 * The signature in the file, the one for serving where there are several; with `fetch`, or without one in the file, the outputs and the placeholders
 * that they need. Throws `FileError` for names that are not there and for a graph without outputs.
 */
export function signatureOf(view: GraphView, fetch?: readonly string[]): Signature {
  const def = fetch === undefined ? servedSignature(view) : undefined;
  if (def !== undefined)
    return { inputs: tensorsOf(view, def.inputs), outputs: tensorsOf(view, def.outputs) };
  const tensors =
    fetch?.map((name) => tensorNamed(view, name)) ?? outputsOf(view).flatMap((op) => op.outputs);
  if (tensors.length === 0) {
    throw new FileError(`${view.loaded.path}: the graph has no outputs; name them with --fetch`);
  }
  const inputs = ancestorsOf(tensors.map(({ op }) => op)).filter(isFed);
  return { inputs: byName(inputs.flatMap((op) => op.outputs)), outputs: byName(tensors) };
}

/** All signatures of the file; with `fetch`, or where it has none, the one of `signatureOf`. */
export function signatureDefs(view: GraphView, fetch?: readonly string[]): Map<string, proto.SignatureDef> {
  const own = view.loaded.metaGraph?.signatureDef;
  if (fetch === undefined && own !== undefined && own.size > 0) return own;
  const { inputs, outputs } = signatureOf(view, fetch);
  if (Object.keys(inputs).length === 0) return new Map();
  return new Map([[DEFAULT_SERVING_SIGNATURE_DEF_KEY, predictSignatureDef(inputs, outputs)]]);
}

/** The signature for serving, else the first one with outputs. */
export function servedSignature({ loaded }: Pick<GraphView, 'loaded'>): proto.SignatureDef | undefined {
  const defs = loaded.metaGraph?.signatureDef;
  // The initialization of SavedModels of TensorFlow 2 is named by a signature, too.
  const usable = [...(defs ?? [])].flatMap(([key, def]) =>
    def.outputs.size > 0 && key !== INIT_OP_SIGNATURE_KEY ? [def] : [],
  );
  return defs?.get(DEFAULT_SERVING_SIGNATURE_DEF_KEY) ?? usable[0];
}

function tensorsOf(view: GraphView, infos: ReadonlyMap<string, proto.TensorInfo>): Record<string, Tensor> {
  return Object.fromEntries(
    [...infos].flatMap(([key, { name }]) => (name === undefined ? [] : [[key, tensorNamed(view, name)]])),
  );
}

/** The tensor of a name, `x` or `x:1`. */
function tensorNamed(view: GraphView, name: string): Tensor {
  const op = findNode(view, name);
  const index = Number(/:(\d+)$/.exec(name)?.[1] ?? 0);
  const tensor = op.outputs[index];
  if (tensor !== undefined) return tensor;
  throw new FileError(`${view.loaded.path}: "${op.name}" (${op.type}) has no output ${index}`);
}

function isFed({ type }: Operation): boolean {
  return type === 'Placeholder' || type === 'PlaceholderV2';
}

function byName(tensors: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(
    tensors.map((tensor) => [tensor.index === 0 ? tensor.op.name : tensor.name, tensor]),
  );
}
