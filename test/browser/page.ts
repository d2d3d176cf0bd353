/** Bundled into a page and into a worker: runs a program of `programs.ts` when asked by its name. */
import { PROGRAMS, type ProgramName } from './programs.js';

interface Scope {
  /** Set in pages, for the test to call. */
  run?: (name: ProgramName) => Promise<unknown>;
  document?: object;
  onmessage?: (event: { data: ProgramName }) => void;
  postMessage?: (message: unknown) => void;
}

const scope = globalThis as Scope;
const run = (name: ProgramName): Promise<unknown> => PROGRAMS[name](`${location.origin}/files`);
if (scope.document !== undefined) scope.run = run;
else {
  scope.onmessage = ({ data }) => {
    run(data).then(
      (value) => scope.postMessage?.({ value }),
      (error: unknown) => scope.postMessage?.({ error: String(error) }),
    );
  };
}
declare const location: { readonly origin: string };
