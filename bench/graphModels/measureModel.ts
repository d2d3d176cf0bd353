/** What is measured of a model: reading it, the first inference, and those after it. */
export interface ModelTimes {
  /** Milliseconds from the path to a model that can be called. */
  readonly load: number;
  /** Milliseconds of the first inference: plans, shaders, weights to the device. */
  readonly first: number;
  /** The least of several inferences after it. */
  readonly steady: number;
}

const WARM = 2;
const MEASURED = 8;

/** Measures `load` and the `infer` that it gives. */
export async function measureModel(load: () => Promise<() => Promise<unknown>>): Promise<ModelTimes> {
  const started = performance.now();
  const infer = await load();
  const loaded = performance.now();
  await infer();
  const first = performance.now() - loaded;
  let steady = Infinity;
  for (let i = 0; i < WARM + MEASURED; i++) {
    const before = performance.now();
    await infer();
    if (i >= WARM) steady = Math.min(steady, performance.now() - before);
  }
  return { load: loaded - started, first, steady };
}
