/** What is measured of a model: reading it, the first inference, and those after it. */
export interface ModelTimes {
  /** Milliseconds from the path to a model that can be called. */
  readonly load: number;
  /** Milliseconds of the first inference: plans, shaders, weights to the device. */
  readonly first: number;
  /** The least of several inferences after it. */
  readonly steady: number;
  /** Milliseconds of processor time of the process, all threads, for reading and for the first inference, and the least of the others. */
  readonly loadProcessor: number;
  readonly firstProcessor: number;
  readonly steadyProcessor: number;
}

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const WARM = 2;
const MEASURED = 8;

/** Measures `load`, and the inference that `inferenceOf` makes of a model; the image for it is made in between. */
export async function measureModel<Model>(
  load: () => Promise<Model>,
  inferenceOf: (model: Model) => () => Promise<unknown>,
): Promise<ModelTimes> {
  const [started, before] = [performance.now(), processorTime()];
  const model = await load();
  const [loaded, between] = [performance.now(), processorTime()];
  const infer = inferenceOf(model);
  const [begun, prepared] = [performance.now(), processorTime()];
  await infer();
  const [first, firstProcessor] = [performance.now() - begun, processorTime() - prepared];
  let [steady, steadyProcessor] = [Infinity, Infinity];
  for (let i = 0; i < WARM + MEASURED; i++) {
    const [again, used] = [performance.now(), processorTime()];
    await infer();
    if (i < WARM) continue;
    steady = Math.min(steady, performance.now() - again);
    steadyProcessor = Math.min(steadyProcessor, processorTime() - used);
  }
  return {
    load: loaded - started,
    first,
    steady,
    loadProcessor: between - before,
    firstProcessor,
    steadyProcessor,
  };
}
