/**
 * ONNX models in Forerun and in ONNX Runtime's WebGPU provider, on the same adapter: import, first and steady inference.
 *
 *   node bench/dist/onnxModels.js [--rounds N] [--shape NAME=1,3,640,640 ...] MODEL.onnx ...
 *
 * Sizes that a file leaves open are 1 unless `--shape` gives them. Each framework runs in a process of its own, in turn, twice; the
 * least time of each counts, processor time beside wall time, because other load on the machine only adds. The arithmetic ceiling is
 * measured once, and a model's operations, as `forerun inspect` counts them, are put beside it. Outputs are compared. `bench/pytorch/onnxModels.py`
 * writes models of common networks; any path will do.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cells, HEADER, leastTimes, runChild } from './graphModels/turns.js';
import { largestDifference, type OnnxTimes } from './onnxModels/inputs.js';
import type { Ceilings } from './src/measure.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { shape: { type: 'string', multiple: true }, rounds: { type: 'string', default: '2' } },
});
if (positionals.length === 0) {
  throw new Error('usage: onnxModels.js [--rounds N] [--shape NAME=1,3,640,640 ...] MODEL.onnx ...');
}
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const shapes = values.shape ?? [];
const { gflops } = runChild<Ceilings>(path('./src/child.js'), ['ceilings']);

/** 10^9 operations of one inference, or NaN where the command line cannot say. */
function operations(model: string): number {
  const flags = shapes.flatMap((shape) => ['--shape', shape]);
  const cli = path('../../packages/cli/bin/forerun.js');
  const { stdout } = spawnSync(process.execPath, [cli, 'inspect', model, '--json', ...flags], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const { cost } = JSON.parse(stdout) as { readonly cost: { readonly runs: readonly { flops: number }[] } };
  return (cost.runs[0]?.flops ?? NaN) / 1e9;
}

console.log(
  `milliseconds in Forerun and in ONNX Runtime, and ONNX Runtime / Forerun; ceiling ${gflops.toFixed(0)} GFLOP/s`,
);
console.log(`${''.padEnd(18)}${HEADER}  dispatches  GFLOP  of ceiling  apart`);
for (const model of positionals) {
  const [ours, theirs]: [OnnxTimes[], OnnxTimes[]] = [[], []];
  for (let round = 0; round < Number(values.rounds); round++) {
    ours.push(runChild(path('./onnxModels/child.js'), ['forerun', model, ...shapes]));
    theirs.push(runChild(path('./onnxModels/child.js'), ['onnxruntime', model, ...shapes]));
  }
  const [a, b] = [leastTimes(ours.map(({ times }) => times)), leastTimes(theirs.map(({ times }) => times))];
  const gflop = operations(model);
  const rest = [
    String(ours[0]?.dispatches ?? NaN).padStart(12),
    gflop.toFixed(2).padStart(7),
    ((1000 * gflop) / a.steady / gflops).toFixed(2).padStart(12),
    largestDifference(ours[0]?.outputs, theirs[0]?.outputs).toExponential(0).padStart(7),
  ];
  const title =
    model
      .replace(/\.onnx$/, '')
      .split('/')
      .at(-1) ?? model;
  console.log(`${title.slice(0, 17).padEnd(18)}${cells(a, b)}${rest.join('')}`);
}
