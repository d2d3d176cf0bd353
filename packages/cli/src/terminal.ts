/** Where output goes: whether it may have colours and Unicode, how wide it is, and how it ends. */
import type { Colors } from 'picocolors/types.js';
import pc from 'picocolors';

/** What commands print to. Text is plain ASCII without colours unless a person is reading. */
export interface Terminal {
  readonly colors: Colors;
  readonly unicode: boolean;
  /** Columns that a line may take; infinite where nothing limits it. */
  readonly width: number;
  /** Prints a text and a newline. */
  print(text: string): void;
  /** Writes a text and a newline to the error stream. */
  warn(text: string): void;
  readonly env: TerminalSource['env'];
  /** Where progress is written over and over: the error stream, when a person is reading it. */
  readonly progress: { readonly columns: number; write(text: string): unknown } | undefined;
}

/** A stream that is written to, which may be a terminal. */
interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
  on?(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/** The streams and variables that decide; `process` fits. */
export interface TerminalSource {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
}

/** The terminal of a process, following `NO_COLOR`, `FORCE_COLOR`, `TERM`, `COLUMNS` and the locale. */
export function terminalOf({ stdout, stderr, env, platform }: TerminalSource): Terminal {
  const person = stdout.isTTY === true && env.TERM !== 'dumb';
  // A terminal that does not know its size says 0.
  const widths = [person ? stdout.columns : undefined, Number(env.COLUMNS)];
  const width = widths.find((columns) => columns !== undefined && columns > 0) ?? Infinity;
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '');
  return {
    colors: pc.createColors(wantsColor(env, person)),
    unicode: person && (platform === 'win32' || /utf-?8/i.test(locale ?? '')),
    width,
    env,
    print: (text) => stdout.write(`${text}\n`),
    warn: (text) => stderr.write(`${text}\n`),
    progress:
      stderr.isTTY === true && env.TERM !== 'dumb'
        ? { columns: stderr.columns ?? 80, write: (text) => stderr.write(text) }
        : undefined,
  };
}

/** `NO_COLOR` wins (https://no-color.org); `FORCE_COLOR` colours a pipe. */
export function wantsColor(env: TerminalSource['env'], person: boolean | undefined): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') return env.FORCE_COLOR !== '0';
  // Not a terminal means `undefined` in Node, which the colour library would take for its own guess.
  return person === true;
}

/** Ends quietly when the reader of a pipe has gone (`| head`): that is no error. */
export function endOnClosedPipe(stream: OutputStream): void {
  stream.on?.('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

/** Tells a person who waits how far the work is, on the error stream. */
export interface Progress {
  /** One more is done; `what` names it. */
  step(what: string): void;
  end(): void;
}

const PROGRESS_AFTER_MS = 500;
const PROGRESS_EVERY_MS = 100;

/** Progress through `total` steps; silent unless the error stream is a terminal and the work takes longer than half a second. */
export function progressOf({ progress: stream }: Terminal, verb: string, total: number): Progress {
  const start = performance.now();
  let [done, last] = [0, 0];
  return {
    step: (what) => {
      done++;
      const now = performance.now();
      if (stream === undefined || now - start < PROGRESS_AFTER_MS || now - last < PROGRESS_EVERY_MS) return;
      last = now;
      const line = `${verb} ${done}/${total} ${what}`.slice(0, Math.max(20, stream.columns - 1));
      stream.write(`\r\x1b[K${line}`);
    },
    end: () => {
      if (last > 0) stream?.write('\r\x1b[K');
    },
  };
}
