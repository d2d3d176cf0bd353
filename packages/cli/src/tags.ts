/** The option `--tags` as a list. */

/** `serve,gpu` as two tags; an empty text means a graph without tags. */
export function parseTags(text: string | undefined): string[] | undefined {
  return text?.split(',').filter((tag) => tag !== '');
}
