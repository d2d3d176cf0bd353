/**
 * `npm run bench`: training steps in Forerun and in tfjs's WebGPU backend, as shipped and with the naps that Forerun takes
 * on software adapters, on one adapter in one run, with the adapter's own ceilings; where `python3` has PyTorch, on the CPU there too. Each framework runs in a process of
 * its own, in turn; the least step time of each counts. Claims are the ratios, not the times.
 *
 *   npm run bench                      all workloads
 *   npm run bench -- mlp lstm          some
 *   npm run bench -- --keep            writes bench/results/<adapter>.json
 *   npm run bench -- --batches mlp     Forerun's step at batches from 32 to 512
 */
import { hasPytorch } from './pytorch/measure.js';
import type { Ceilings, Measurement } from './src/measure.js';
import { least, ofCeiling, runChild, writeResults, type KeptResult } from './src/results.js';
import { SPECS, WORKLOAD_NAMES, type WorkloadName } from './workloads/specs.js';

const ROUNDS = 2;
const PEERS = ['tfjs', 'tfjsNapping', ...(hasPytorch() ? ['pytorch'] : [])];
const BATCHES = [32, 64, 128, 256, 512];

/** Measures all frameworks in turn. */
function compare(name: WorkloadName, ceilings: Ceilings): { adapter: string; result: KeptResult } {
  const measured = new Map<string, Measurement[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const framework of ['forerun', ...PEERS]) {
      const list = measured.get(framework) ?? [];
      measured.set(framework, [...list, runChild(framework, name) as Measurement]);
    }
  }
  const own = measured.get('forerun') ?? [];
  const { step, first } = least(own);
  const times = PEERS.map((peer) => [peer, least(measured.get(peer) ?? []).step / step] as const);
  const result = {
    ofCeiling: ofCeiling(name, step, ceilings),
    stepMilliseconds: step,
    firstStepMilliseconds: first,
    timesOurs: Object.fromEntries(times),
    plan: own[0]?.plan,
  };
  print(name, result);
  return { adapter: own[0]?.adapter ?? 'unknown', result };
}

function print(
  name: WorkloadName,
  { ofCeiling: share, stepMilliseconds, firstStepMilliseconds, timesOurs, plan }: KeptResult,
): void {
  console.log(`\n${SPECS[name].title}`);
  console.log(
    `  step ${stepMilliseconds.toFixed(2)} ms, ${(100 * share).toFixed(1)}% of the arithmetic ceiling; first step ${firstStepMilliseconds.toFixed(0)} ms`,
  );
  for (const [peer, times] of Object.entries(timesOurs))
    console.log(`  ${peer.padEnd(12)} ${times.toFixed(1)} times ours`);
  if (plan === undefined) return;
  const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  console.log(
    `  ${plan.dispatches} dispatches, encoded in ${plan.encodeMicrosPerDispatch.toFixed(1)} us each; ` +
      `temporaries ${megabytes(plan.peakBytes)} MB, at least ${megabytes(plan.lowerBoundBytes)} MB are alive at once`,
  );
}

/** Rows: the step per batch, and per example, which should stay or fall; by the clock, and by processor time. */
function batches(name: WorkloadName): void {
  console.log(`\n${name}: batch, ms a step, us an example; processor time of both`);
  for (const batch of BATCHES) {
    const { step, processor } = least([runChild('forerun', name, String(batch)) as Measurement]);
    const figures = [step, processor].map(
      (time) => `${time.toFixed(2).padStart(9)} ${((1000 * time) / batch).toFixed(1).padStart(9)}`,
    );
    console.log(`  ${String(batch).padStart(4)} ${figures.join('  ')}`);
  }
}

const options = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown =
  asked.find((name) => !WORKLOAD_NAMES.includes(name as WorkloadName)) ??
  options.find((option) => !['--keep', '--batches'].includes(option));
if (unknown !== undefined) {
  throw new Error(`unknown argument "${unknown}": there are ${WORKLOAD_NAMES.join(', ')}, --keep, --batches`);
}
const names = WORKLOAD_NAMES.filter((name) => asked.length === 0 || asked.includes(name));
if (options.includes('--batches')) names.forEach(batches);
else {
  const ceilings = runChild('ceilings') as Ceilings;
  console.log(
    `arithmetic ceiling ${ceilings.gflops.toFixed(0)} GFLOP/s, copies ${ceilings.gigabytesPerSecond.toFixed(1)} GB/s`,
  );
  const compared = names.map((name) => [name, compare(name, ceilings)] as const);
  const adapter = compared[0]?.[1].adapter ?? 'unknown';
  console.log(`\nadapter: ${adapter}`);
  if (options.includes('--keep')) {
    const workloads = Object.fromEntries(compared.map(([name, { result }]) => [name, result]));
    console.log(`kept in ${writeResults({ adapter, ceilings, workloads })}`);
  }
}
