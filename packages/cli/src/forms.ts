/** Forms of files that `convert`, `freeze` and `optimize` write. */
import { basename } from 'node:path';
import { UsageError } from './errors.js';

/** Forms of graphs. A `saved_model` and a `tfjs` model are directories. */
export const GRAPH_FORMS = ['pb', 'pbtxt', 'json', 'meta', 'saved_model', 'tfjs', 'onnx'] as const;
export type GraphForm = (typeof GRAPH_FORMS)[number];
/** Forms of values. */
export const VALUE_FORMS = ['safetensors', 'npz', 'npy', 'checkpoint'] as const;
export type ValueForm = (typeof VALUE_FORMS)[number];

/** Forms that a file can be converted to, told by the name's ending or `--to`. */
export const FORMS = [...GRAPH_FORMS, ...VALUE_FORMS] as const;
export type Form = (typeof FORMS)[number];

/** Whether a form is one of graphs. */
export function isGraphForm(form: Form): form is GraphForm {
  return (GRAPH_FORMS as readonly Form[]).includes(form);
}

const ENDINGS: Readonly<Record<string, Form>> = { ckpt: 'checkpoint', index: 'checkpoint' };
/** Files of which the name alone tells that their directory is a model. */
const NAMES: Readonly<Record<string, Form>> = {
  'saved_model.pb': 'saved_model',
  'saved_model.pbtxt': 'saved_model',
  'model.json': 'tfjs',
};
/** Forms that are read only, and what to write in their place. */
const READ_ONLY: Readonly<Record<string, string>> = {
  pt: 'PyTorch files are read only; write .safetensors, which PyTorch reads too',
  pth: 'PyTorch files are read only; write .safetensors, which PyTorch reads too',
  h5: 'HDF5 is neither read nor written',
  keras: 'Keras files are neither read nor written',
  tflite: 'TensorFlow Lite files are neither read nor written',
};

/** The form that the name of a file promises. Throws `UsageError` for names that promise none of `forms`. */
export function formOf<F extends Form>(target: string, forms: readonly F[]): F {
  const ending = /\.(\w+)$/.exec(target)?.[1] ?? '';
  const promised = NAMES[basename(target)] ?? ENDINGS[ending] ?? ending;
  const form = forms.find((name) => name === promised);
  if (form !== undefined) return form;
  const why =
    READ_ONLY[ending] ??
    (FORMS.some((name) => name === promised)
      ? `a ${promised} file cannot be written here`
      : 'its ending does not say what to write');
  throw new UsageError(`${target}: ${why}; use --to with one of ${forms.join(', ')}`);
}
