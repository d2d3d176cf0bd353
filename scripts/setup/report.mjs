// How the set-up speaks: one line per thing done, with the reason, and one error class for what it cannot do.

/** Something the user has to see to. Its message says what to do; no stack trace is wanted. */
export class SetupError extends Error {
  name = 'SetupError';
}

/** Says what is being done and why, in one line. */
export function say(line) {
  console.log(`forerun: ${line}`);
}
