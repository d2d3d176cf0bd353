/** Names of the files of a checkpoint with a given prefix, and back. */

/** `<prefix>.index`. */
export function indexPath(prefix: string): string {
  return `${prefix}.index`;
}

/** `<prefix>.data-00000-of-00001`. */
export function dataPath(prefix: string, shard = 0, numShards = 1): string {
  const pad = (value: number): string => String(value).padStart(5, '0');
  return `${prefix}.data-${pad(shard)}-of-${pad(numShards)}`;
}

/** The prefix that a path to any file of a checkpoint means; a prefix stays what it is. */
export function checkpointPrefix(path: string): string {
  return path.replace(/\.(index|meta|data-\d{5}-of-\d{5})$/, '');
}
