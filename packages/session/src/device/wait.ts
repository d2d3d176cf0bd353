/**
 * Waiting for the device. Dawn's Node binding polls in a tight loop while a promise is pending and so
 * takes a core from a software driver; sleeping a little between polls gives it back (1.3 to 1.9
 * times faster on long steps). Real GPUs and browsers just await.
 */
const NAP_MILLISECONDS = 0.2;
const nap = typeof SharedArrayBuffer === 'undefined' ? undefined : new Int32Array(new SharedArrayBuffer(4));

/** Promises that are waited for: one loop naps for all of them. */
let pending = 0;
let napping = false;

/** Awaits `promise`; on software adapters in Node by napping between polls. */
export async function waitFor<T>(promise: Promise<T>, software: boolean): Promise<T> {
  if (!software || nap === undefined || typeof setImmediate !== 'function') return promise;
  pending++;
  if (!napping) {
    napping = true;
    setImmediate(napOnce);
  }
  try {
    return await promise;
  } finally {
    pending--;
  }
}

function napOnce(): void {
  if (pending === 0 || nap === undefined) {
    napping = false;
    return;
  }
  Atomics.wait(nap, 0, 0, NAP_MILLISECONDS);
  setImmediate(napOnce);
}
