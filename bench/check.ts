/**
 * `npm run bench:check [-- WORKLOAD ...]`: measures Forerun's steps and compares their share of the arithmetic ceiling,
 * measured in the same run, with the kept results of this adapter. Ends with code 1 where one has become a fifth slower,
 * or takes more dispatches or a tenth more memory.
 */
import type { Ceilings, Measurement } from './src/measure.js';
import { least, ofCeiling, readResults, runChild, type KeptResult } from './src/results.js';
import { WORKLOAD_NAMES, type WorkloadName } from './workloads/specs.js';

const ROUNDS = 2;
const SLOWER = 0.8;
const LARGER = 1.1;

/** What has become worse, in words. */
function regressions(
  name: WorkloadName,
  kept: KeptResult,
  measured: readonly Measurement[],
  ceilings: Ceilings,
): string[] {
  const share = ofCeiling(name, least(measured).step, ceilings);
  const percent = (value: number): string => `${(100 * value).toFixed(2)}%`;
  console.log(`${name.padEnd(12)} ${percent(share)} of the ceiling, kept ${percent(kept.ofCeiling)}`);
  const [before, now] = [kept.plan, measured[0]?.plan];
  const worse: string[] = [];
  if (share < SLOWER * kept.ofCeiling)
    worse.push(`${percent(share)} of the ceiling instead of ${percent(kept.ofCeiling)}`);
  if (before === undefined || now === undefined) return worse;
  if (now.dispatches > before.dispatches)
    worse.push(`${now.dispatches} dispatches instead of ${before.dispatches}`);
  if (now.peakBytes > LARGER * before.peakBytes)
    worse.push(`${now.peakBytes} bytes instead of ${before.peakBytes}`);
  return worse;
}

const asked = process.argv.slice(2);
const ceilings = runChild('ceilings') as Ceilings;
let failed = false;
let compared = 0;
for (const name of WORKLOAD_NAMES.filter((each) => asked.length === 0 || asked.includes(each))) {
  const measured = Array.from({ length: ROUNDS }, () => runChild('forerun', name) as Measurement);
  const kept = readResults(measured[0]?.adapter ?? '')?.workloads[name];
  if (kept === undefined) {
    console.log(`${name.padEnd(12)} no kept result for ${measured[0]?.adapter ?? 'this adapter'}`);
    continue;
  }
  compared++;
  for (const what of regressions(name, kept, measured, ceilings)) {
    failed = true;
    console.log(`  WORSE: ${what}`);
  }
}
if (compared === 0)
  throw new Error('nothing was compared: npm run bench -- --keep makes the results to compare with');
process.exit(failed ? 1 : 0);
