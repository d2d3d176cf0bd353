/**
 * Remembers where in the user's program a node was created. Every frame that is captured costs time and
 * memory, and formatting costs more. So a node captures a few frames and knows the site of the scope around
 * it, which answers when all of its own frames are Forerun's; and the text is made only when a message needs it.
 */

/** Frames that are captured inside a scope: enough for builders that call builders. */
const FRAMES = 6;
/** Frames where no scope is around that could know better. */
const OUTERMOST_FRAMES = 16;

/** The site of the innermost scope whose building is under way. */
let scope: CallSite | null = null;
/** Whether nodes get the site of that scope without a stack of their own. */
let shared = false;

/** A captured stack, formatted on demand. */
export class CallSite {
  private constructor(
    private readonly error: { stack?: string },
    private readonly outer: CallSite | null,
  ) {}

  /** Captures the stack above `callee`. */
  static capture(callee: (...args: never[]) => unknown): CallSite {
    if (shared && scope !== null) return scope;
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = scope === null ? OUTERMOST_FRAMES : FRAMES;
    const error: { stack?: string } = {};
    Error.captureStackTrace(error, callee);
    Error.stackTraceLimit = limit;
    return new CallSite(error, scope);
  }

  /** Runs `build`; nodes made in it whose own frames do not reach the user's program get the site of this call. */
  static within<R>(callee: (...args: never[]) => unknown, build: () => R): R {
    const outer = scope;
    scope = CallSite.capture(callee);
    try {
      return build();
    } finally {
      scope = outer;
    }
  }

  /** Runs `build`, of which all nodes get the site of this call: an import makes very many in one place. */
  static sharedBy<R>(callee: (...args: never[]) => unknown, build: () => R): R {
    const before = shared;
    return CallSite.within(callee, () => {
      shared = true;
      try {
        return build();
      } finally {
        shared = before;
      }
    });
  }

  /** `train.ts:41` of the innermost frame outside Forerun, or `undefined` when there is none. */
  toString(): string | undefined {
    const frames = (this.error.stack ?? '').split('\n').slice(1);
    const frame = frames.find((line) => !isOwnFrame(line));
    if (frame === undefined) return this.outer?.toString();
    const match = /([^/\\( ]+):(\d+):\d+\)?$/.exec(frame);
    return match === null ? undefined : `${match[1] ?? ''}:${match[2] ?? ''}`;
  }
}

const OWN_FRAME =
  /[/\\]packages[/\\](graph|kernels-webgpu|formats|session|layers|data|models|cli|forerun)[/\\](src|dist)[/\\]|[/\\]@forerun[/\\]|node:|<anonymous>|native/;

function isOwnFrame(line: string): boolean {
  return OWN_FRAME.test(line) || /[/\\]node_modules[/\\]forerun[/\\]/.test(line);
}
