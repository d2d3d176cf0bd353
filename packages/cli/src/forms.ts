/** Forms of files that `convert` writes. */

/** Forms that a file can be converted to, told by the name's ending or `--to`. */
export const FORMS = ['pb', 'pbtxt', 'json', 'meta', 'safetensors', 'npz', 'npy', 'checkpoint'] as const;
export type Form = (typeof FORMS)[number];
