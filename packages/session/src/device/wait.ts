/**
 * Waiting for the device. Dawn's Node binding polls in a tight loop while a promise is pending and so
 * takes a core from a software driver; sleeping a little between polls gives it back (1.3 to 1.9
 * times faster on long steps). Real GPUs and browsers just await.
 */
const NAP_MILLISECONDS = 0.2;
const nap = typeof SharedArrayBuffer === 'undefined' ? undefined : new Int32Array(new SharedArrayBuffer(4));
const canNap = typeof setImmediate === 'function' && nap !== undefined;

/** Awaits `promise`; on software adapters in Node by napping between polls. */
export async function waitFor<T>(promise: Promise<T>, software: boolean): Promise<T> {
  if (!software || !canNap) return promise;
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  await Promise.resolve();
  while (!settled) {
    Atomics.wait(nap, 0, 0, NAP_MILLISECONDS);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return promise;
}
