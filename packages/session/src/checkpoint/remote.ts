/** Files by URL. In a page every path is one, relative to the page; in Node those that begin with a scheme. */
import { UnavailableError } from '@forerun/graph';

type Fs = typeof import('node:fs/promises');

const SCHEME = /^(https?|blob|data):/i;
/** Statuses of what is not there, or not any more. */
const MISSING: readonly number[] = [404, 410];

/** Node's file system; `undefined` elsewhere. Looked up at run time, so that bundlers find nothing to resolve. */
export function fileSystem(): Fs | undefined {
  const { process } = globalThis as { process?: Partial<Pick<NodeJS.Process, 'getBuiltinModule'>> };
  return process?.getBuiltinModule?.('node:fs/promises');
}

/** Whether a path is read with `fetch`. */
export function isRemote(path: string): boolean {
  return SCHEME.test(path) || (fileSystem() === undefined && typeof fetch === 'function');
}

/** The bytes at a URL, `undefined` where the server has none. Throws `UnavailableError` when it cannot be reached or refuses. */
export async function fetchIfPresent(url: string): Promise<Uint8Array | undefined> {
  const response = await fetch(url).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UnavailableError(`"${url}" cannot be fetched: ${reason}`, { cause });
  });
  if (MISSING.includes(response.status)) return undefined;
  if (!response.ok) {
    throw new UnavailableError(
      `"${url}" cannot be fetched: ${response.status} ${response.statusText}`.trim(),
    );
  }
  return new Uint8Array(await response.arrayBuffer());
}
