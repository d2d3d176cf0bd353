/** The tuner of a session, from its configuration and the environment. */
import type { DeviceHandle } from '../device/handle.js';
import { adapterKeyOf } from './adapterKey.js';
import { DEFAULT_LIMITS } from './candidateTimes.js';
import { DeviceMeasurer } from './measure.js';
import { hasKnownCompiler, shippedFor } from './shipped.js';
import { defaultStore } from './store.js';
import { forcedChoice, Tuner, tuningMode, type TuningMode } from './tuner.js';

/** The part of a session's configuration that is about tuning. */
export interface TuningConfig {
  /**
   * Which of several kernels a matrix product or convolution gets. `off`: the default. `cached` (the default):
   * the one that measured best on this adapter before, or that is shipped as the best. `on`: kernels that were not measured
   * yet are measured when a plan is compiled, and the results kept in the user's cache directory. The environment
   * variable `FORERUN_TUNING` goes before this.
   */
  readonly tuning?: TuningMode;
  /** With `tuning: 'on'`, the most seconds that measuring for one plan takes; default 6. */
  readonly tuningSeconds?: number;
  /** Results do not depend on what was measured on this machine: kernels are the shipped or the default ones. */
  readonly deterministic?: boolean;
}

/** Products in bodies that any compiler takes in well under a second. */
const SMALL_BODY = 128;

/** Throws `InvalidArgumentError` when `FORERUN_TUNING` or `FORERUN_TUNE_CHOICE` is no such value. */
export function sessionTuner(
  handle: DeviceHandle,
  config: TuningConfig,
  warn: (message: string) => void,
): Tuner {
  const adapter = adapterKeyOf(handle.device.adapterInfo, handle.facts);
  const env = typeof process === 'undefined' ? {} : process.env;
  const limits = {
    ...DEFAULT_LIMITS,
    planMilliseconds: 1000 * (config.tuningSeconds ?? DEFAULT_LIMITS.planMilliseconds / 1000),
    largestBody: hasKnownCompiler(adapter, handle.facts.software) ? DEFAULT_LIMITS.largestBody : SMALL_BODY,
  };
  return new Tuner({
    mode: tuningMode(env.FORERUN_TUNING) ?? tuningMode(config.tuning) ?? 'cached',
    deterministic: config.deterministic ?? false,
    forced: forcedChoice(env.FORERUN_TUNE_CHOICE),
    adapter,
    shipped: shippedFor(adapter),
    store: defaultStore(),
    measurer: new DeviceMeasurer(handle),
    limits,
    now: () => performance.now(),
    warn,
  });
}
