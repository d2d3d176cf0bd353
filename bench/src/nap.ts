/** The naps between polls that Forerun takes on software adapters (`session/src/device/wait.ts`), for what is measured beside it. */
const cell = new Int32Array(new SharedArrayBuffer(4));

/** Waits for a promise of the device: a 32nd of the time waited so far at a time, from 0.2 to 1 ms. */
export async function napUntil<T>(promise: Promise<T>): Promise<T> {
  const started = performance.now();
  const state = { settled: false };
  const settle = (): void => {
    state.settled = true;
  };
  promise.then(settle, settle);
  while (!state.settled) {
    Atomics.wait(cell, 0, 0, Math.min(1, Math.max(0.2, (performance.now() - started) / 32)));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return promise;
}
