/**
 * Remembers where in the user's program a node was created. Capturing a stack is cheap, formatting
 * it is not, so the text is made only when a message needs it.
 */

/** A captured stack, formatted on demand. */
export class CallSite {
  private constructor(private readonly error: { stack?: string }) {}

  /** Captures the current stack. */
  static capture(): CallSite {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 50;
    const error: { stack?: string } = {};
    Error.captureStackTrace(error, CallSite.capture);
    Error.stackTraceLimit = limit;
    return new CallSite(error);
  }

  /** `train.ts:41` of the innermost frame outside Forerun, or `undefined` when there is none. */
  toString(): string | undefined {
    const frames = (this.error.stack ?? '').split('\n').slice(1);
    const frame = frames.find((line) => !isOwnFrame(line));
    const match = frame === undefined ? null : /([^/\\( ]+):(\d+):\d+\)?$/.exec(frame);
    return match === null ? undefined : `${match[1] ?? ''}:${match[2] ?? ''}`;
  }
}

const OWN_FRAME =
  /[/\\]packages[/\\](graph|kernels-webgpu|formats|session|layers|data|models|cli|forerun)[/\\](src|dist)[/\\]|[/\\]@forerun[/\\]|node:|<anonymous>|native/;

function isOwnFrame(line: string): boolean {
  return OWN_FRAME.test(line) || /[/\\]node_modules[/\\]forerun[/\\]/.test(line);
}
