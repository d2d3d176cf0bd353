/**
 * `node bench/dist/peers.js [FILTER]`: single kernels in Forerun, in tfjs's WebGPU backend as shipped and in ONNX Runtime's WebGPU
 * provider, each in a process of its own, in turn. Wall time of a run with the wait for it, the least of all runs; claims are
 * ratios from one call.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PEER_CASES, type PeerCase, type PeerMeasurement } from './peers/peerCases.js';

const ROUNDS = 2;
const PEERS = ['tfjs', 'onnxruntime'] as const;
const child = fileURLToPath(new URL('./peers/child.js', import.meta.url));

/** The least time in milliseconds, or why there is none. */
function measure(framework: string, { name }: PeerCase): number | string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [child, framework, name], {
    encoding: 'utf8',
  });
  if (status !== 0) return /^(?:\w*Error: )(.*)$/m.exec(stderr)?.[1] ?? `ended with code ${String(status)}`;
  const { milliseconds } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as PeerMeasurement;
  return Math.min(...milliseconds);
}

function least(a: number | string | undefined, b: number | string): number | string {
  return typeof a === 'number' && typeof b === 'number' ? Math.min(a, b) : b;
}

const filter = process.argv[2] ?? '';
for (const test of PEER_CASES.filter(({ name }) => name.includes(filter))) {
  const times = new Map<string, number | string>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const framework of ['forerun', ...PEERS])
      times.set(framework, least(times.get(framework), measure(framework, test)));
  }
  const ours = times.get('forerun');
  if (typeof ours !== 'number') throw new Error(`${test.name} in Forerun: ${ours ?? 'not measured'}`);
  console.log(
    `${test.name}: Forerun ${ours.toFixed(2)} ms, ${((test.gflop / ours) * 1e3).toFixed(1)} GFLOP/s`,
  );
  for (const peer of PEERS) {
    const theirs = times.get(peer);
    const text =
      typeof theirs === 'number'
        ? `${theirs.toFixed(2)} ms, ${(theirs / ours).toFixed(1)} times ours`
        : theirs;
    console.log(`  ${peer.padEnd(12)} ${text ?? 'not measured'}`);
  }
}
