/** What is measured of a model: reading it, the first inference, and those after it. */
export interface ModelTimes {
  /** Milliseconds from the path to a model that can be called. */
  readonly load: number;
  /** Milliseconds of the first inference: plans, shaders, weights to the device. */
  readonly first: number;
  /** The least of several inferences after it. */
  readonly steady: number;
  /** Milliseconds of processor time of the process, all threads, for reading and for the first inference. */
  readonly loadProcessor: number;
  readonly firstProcessor: number;
}

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const WARM = 2;
const MEASURED = 8;

/** Measures `load` and the `infer` that it gives. */
export async function measureModel(load: () => Promise<() => Promise<unknown>>): Promise<ModelTimes> {
  const [started, before] = [performance.now(), processorTime()];
  const infer = await load();
  const [loaded, between] = [performance.now(), processorTime()];
  await infer();
  const [first, firstProcessor] = [performance.now() - loaded, processorTime() - between];
  let steady = Infinity;
  for (let i = 0; i < WARM + MEASURED; i++) {
    const begun = performance.now();
    await infer();
    if (i >= WARM) steady = Math.min(steady, performance.now() - begun);
  }
  return { load: loaded - started, first, steady, loadProcessor: between - before, firstProcessor };
}
