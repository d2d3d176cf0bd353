/** Where measurements outlive the process: files in the user's cache directory, IndexedDB in a browser. */
import { readFileIfPresent, writeFileAtomically } from '../checkpoint/files.js';

/** Texts by name. */
export interface TuningStore {
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
  /** Where a text lies, for messages. */
  place(name: string): string;
}

/** The parts of IndexedDB that are used here; Node's types have none of it. */
export interface IndexedDb {
  open(name: string, version: number): IdbRequest<IdbDatabase> & { onupgradeneeded: (() => void) | null };
}
export interface IdbDatabase {
  createObjectStore(name: string): unknown;
  transaction(name: string, mode: 'readonly' | 'readwrite'): { objectStore(name: string): IdbObjectStore };
  close(): void;
}
export interface IdbObjectStore {
  get(key: string): IdbRequest<unknown>;
  put(value: string, key: string): IdbRequest<unknown>;
}
export interface IdbRequest<T> {
  readonly result: T;
  readonly error: Error | null;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}

/** The store of this environment; `null` where nothing can be kept. */
export function defaultStore(): TuningStore | null {
  const { indexedDB } = globalThis as { indexedDB?: IndexedDb };
  if (indexedDB !== undefined) return indexedDbStore(indexedDB);
  const directory = typeof process === 'undefined' ? null : cacheDirectory(process.env);
  return directory === null ? null : fileStore(`${directory}/forerun/tuning`);
}

/**
 * The user's cache directory: `XDG_CACHE_HOME`, by default `~/.cache`; `LOCALAPPDATA` on Windows. A relative
 * `XDG_CACHE_HOME` is ignored, as the XDG Base Directory Specification says.
 */
export function cacheDirectory(env: Readonly<Record<string, string | undefined>>): string | null {
  const { XDG_CACHE_HOME: xdg = '', HOME: home = '', LOCALAPPDATA: local = '' } = env;
  if (/^(\/|[a-z]:[\\/])/i.test(xdg)) return xdg;
  if (home !== '') return `${home}/.cache`;
  return local === '' ? null : local;
}

/** One JSON file per name; files are replaced whole. */
export function fileStore(directory: string): TuningStore {
  const place = (name: string): string => `${directory}/${name}.json`;
  return {
    place,
    read: async (name) => {
      const bytes = await readFileIfPresent(place(name));
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    },
    write: (name, text) => writeFileAtomically(place(name), [new TextEncoder().encode(text)]),
  };
}

const DATABASE = 'forerun';
const TEXTS = 'tuning';

/** A database of its own, `forerun`; a transaction writes whole texts. */
export function indexedDbStore(factory: IndexedDb): TuningStore {
  const open = async (): Promise<IdbDatabase> => {
    const request = factory.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TEXTS);
    return finished(request);
  };
  const use = async (
    mode: 'readonly' | 'readwrite',
    act: (texts: IdbObjectStore) => IdbRequest<unknown>,
  ): Promise<unknown> => {
    const database = await open();
    try {
      return await finished(act(database.transaction(TEXTS, mode).objectStore(TEXTS)));
    } finally {
      database.close();
    }
  };
  return {
    place: (name) => `IndexedDB ${DATABASE}/${TEXTS}/${name}`,
    read: async (name) => {
      const text = await use('readonly', (texts) => texts.get(name));
      return typeof text === 'string' ? text : undefined;
    },
    write: async (name, text) => {
      await use('readwrite', (texts) => texts.put(text, name));
    },
  };
}

function finished<T>(request: IdbRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'));
  });
}
