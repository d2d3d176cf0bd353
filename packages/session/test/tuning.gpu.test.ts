/** Tuning on the device: measuring a plan's kernels leaves its results right, and the next session uses what was found. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Graph, TensorValue, type HostValue } from '@forerun/graph';
import { expectClose, Random } from '@forerun/testing';
import { Session, type PlanReport, type SessionConfig } from '@forerun/session';

const [ROWS, DEPTH, COLUMNS] = [3, 64, 5];
const random = new Random(5);
const [a, b] = [random.array(ROWS * DEPTH).map(Math.fround), random.array(DEPTH * COLUMNS).map(Math.fround)];

/** The product in float64. */
function expected(): Float64Array {
  return Float64Array.from({ length: ROWS * COLUMNS }, (_, i) => {
    const [row, column] = [Math.floor(i / COLUMNS), i % COLUMNS];
    let sum = 0;
    for (let k = 0; k < DEPTH; k++) sum += (a[row * DEPTH + k] ?? 0) * (b[k * COLUMNS + column] ?? 0);
    return sum;
  });
}

function numbers({ dtype, shape, data }: TensorValue): HostValue {
  return { dtype, shape, data: Float64Array.from(data, Number) };
}

interface Outcome {
  readonly report: PlanReport;
  readonly product: HostValue;
  /** Bytes of buffers that outlive the session: what warms pipelines up belongs to the device. */
  readonly bytes: number;
}

async function multiply(config: SessionConfig): Promise<Outcome> {
  const graph = new Graph();
  const feed = (shape: readonly number[]): ReturnType<typeof graph.createOp> =>
    graph.createOp({ type: 'Placeholder', attrs: { dtype: 'float32', shape } });
  const [x, y] = [feed([ROWS, DEPTH]).output(0), feed([DEPTH, COLUMNS]).output(0)];
  const product = graph.createOp({ type: 'MatMul', inputs: [x, y], attrs: {} }).output(0);
  const session = await Session.create({ graph, config });
  const report = await session.compile(
    product,
    new Map([
      [x, [ROWS, DEPTH]],
      [y, [DEPTH, COLUMNS]],
    ]),
  );
  const feeds = new Map([
    [x, new TensorValue('float32', [ROWS, DEPTH], Float32Array.from(a))],
    [y, new TensorValue('float32', [DEPTH, COLUMNS], Float32Array.from(b))],
  ]);
  const result = await session.run(product, feeds);
  session.close();
  return { report, product: numbers(result), bytes: session.stats.bufferBytes };
}

describe('tuning', () => {
  const before = process.env.XDG_CACHE_HOME;
  let directory = '';

  beforeAll(async () => {
    directory = await mkdtemp(`${tmpdir()}/forerun-tuning-`);
    process.env.XDG_CACHE_HOME = directory;
  });

  afterAll(async () => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
    await rm(directory, { recursive: true });
  });

  it('measures, keeps what it found, and computes the same', async () => {
    const onWarning = (message: string): never => {
      throw new Error(message);
    };
    const tuned = await multiply({ tuning: 'on', tuningSeconds: 2, onWarning });
    const want = { dtype: 'float32' as const, shape: [ROWS, COLUMNS], data: expected() };
    expectClose(tuned.product, want, { rtol: 1e-5, atol: 1e-5 }, 'tuned');
    expect(tuned.report.kernels).toEqual([
      expect.objectContaining({ signature: 'product float32 3x5x64 NN', source: 'tuned' }),
    ]);
    expect(await readdir(`${directory}/forerun/tuning`)).toHaveLength(1);
    const cached = await multiply({ onWarning });
    expect(cached.report.kernels).toEqual([{ ...tuned.report.kernels[0], source: 'cached' }]);
    expectClose(cached.product, want, { rtol: 1e-5, atol: 1e-5 }, 'cached');
    expect(tuned.bytes).toBeLessThanOrEqual(16);
    expect(cached.bytes).toBe(tuned.bytes);
    const deterministic = await multiply({ onWarning, deterministic: true });
    expect(['default', 'shipped']).toContain(deterministic.report.kernels[0]?.source);
  });
});
