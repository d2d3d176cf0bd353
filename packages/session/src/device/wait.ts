/**
 * Waiting for the device. Dawn's Node binding polls in a tight loop while a promise is pending and so
 * takes a core from a software driver; sleeping a little between polls gives it back (1.3 to 1.9
 * times faster on long steps). Real GPUs and browsers just await.
 */
const SHORTEST_NAP = 0.2;
/** Longer ones would save no more, and whatever else the program does waits for a nap to end. */
const LONGEST_NAP = 1;
/** Naps grow with the time waited, so that what is over is noticed late by this part of what it took. */
const NAP_SHARE = 1 / 32;
const nap = typeof SharedArrayBuffer === 'undefined' ? undefined : new Int32Array(new SharedArrayBuffer(4));

/** Promises that are waited for: one loop naps for all of them. */
let pending = 0;
let napping = false;
/** When a promise was last added or settled. */
let changed = 0;

/** Awaits `promise`; on software adapters in Node by napping between polls. */
export async function waitFor<T>(promise: Promise<T>, software: boolean): Promise<T> {
  if (!software || nap === undefined || typeof setImmediate !== 'function') return promise;
  pending++;
  changed = performance.now();
  if (!napping) {
    napping = true;
    setImmediate(napOnce);
  }
  try {
    return await promise;
  } finally {
    pending--;
    changed = performance.now();
  }
}

function napOnce(): void {
  if (pending === 0 || nap === undefined) {
    napping = false;
    return;
  }
  const waited = performance.now() - changed;
  Atomics.wait(nap, 0, 0, Math.min(LONGEST_NAP, Math.max(SHORTEST_NAP, waited * NAP_SHARE)));
  setImmediate(napOnce);
}
