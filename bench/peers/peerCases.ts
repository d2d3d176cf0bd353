/** Single kernels that all frameworks have, and what a process prints of one. */

export interface PeerCase {
  readonly name: string;
  readonly kind: 'matMul' | 'conv2d' | 'conv2dInput' | 'conv2dFilter';
  /** `[m, k]` and `[k, n]`; or NHWC images and an HWIO filter, with SAME padding and stride 1. */
  readonly shapes: readonly [readonly number[], readonly number[]];
  readonly gflop: number;
}

const IMAGES = [8, 56, 56, 64] as const;
const FILTER = [3, 3, 64, 64] as const;
const CONV = { shapes: [IMAGES, FILTER], gflop: (2 * 8 * 56 * 56 * 9 * 64 * 64) / 1e9 } as const;

function matMul(m: number, k: number, n: number): PeerCase {
  const shapes = [
    [m, k],
    [k, n],
  ] as const;
  return { name: `matMul ${m}x${k}x${n}`, kind: 'matMul', shapes, gflop: (2 * m * k * n) / 1e9 };
}

export const PEER_CASES: readonly PeerCase[] = [
  matMul(1024, 1024, 1024),
  matMul(128, 784, 128),
  { ...CONV, name: 'conv 3x3 64->64 56² b8', kind: 'conv2d' },
  { ...CONV, name: 'conv 3x3 64->64 56² b8 dInput', kind: 'conv2dInput' },
  { ...CONV, name: 'conv 3x3 64->64 56² b8 dFilter', kind: 'conv2dFilter' },
];

/** What a process prints: milliseconds of each run. */
export interface PeerMeasurement {
  readonly milliseconds: readonly number[];
}

const RUNS = 6;

/** Times `run`, which resolves when the device has finished, after two runs that warm up. */
export async function timeRuns(run: () => Promise<unknown>): Promise<PeerMeasurement> {
  await run();
  await run();
  const milliseconds: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    await run();
    milliseconds.push(performance.now() - start);
  }
  return { milliseconds };
}

/** Small numbers, the same in every process. */
export function values(shape: readonly number[]): Float32Array {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return Float32Array.from({ length: size }, (_, i) => ((i * 7919) % 1000) / 1000 - 0.5);
}
