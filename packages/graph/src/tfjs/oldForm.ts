/** Graph models as TensorFlow.js had them before version 1: a GraphDef without weights, and a manifest of these beside it. */
import { InvalidArgumentError } from '../errors.js';
import { decode } from '../proto/decode.js';
import { toJson } from '../proto/json.js';

/** Names of the files: the converter always gave them these. */
export const OLD_FORM = { graph: 'tensorflowjs_model.pb', manifest: 'weights_manifest.json' } as const;

/**
 * What `model.json` would say of a model of the old form. Throws `DataLossError` for a damaged graph, `InvalidArgumentError` for a
 * malformed manifest.
 */
export function modelJsonOfOldForm(graph: Uint8Array, manifest: Uint8Array): string {
  const modelTopology = toJson('GraphDef', decode('GraphDef', graph));
  return JSON.stringify({ format: 'graph-model', modelTopology, weightsManifest: parsed(manifest) });
}

function parsed(manifest: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(manifest));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidArgumentError(`${OLD_FORM.manifest}: malformed JSON: ${reason}`, { cause });
  }
}
