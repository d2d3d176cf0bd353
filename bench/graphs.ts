/**
 * How building and compiling grow with the graph: `node bench/dist/graphs.js [NODES ...]`. Builds graphs of
 * mixed ops, compiles them without running, and prints milliseconds of processor time per stage. Both should grow linearly.
 */
import * as fr from 'forerun';

/** Processor time of this process in milliseconds: other load on the machine does not count. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const SIZES = [1000, 5000, 20_000, 100_000];
/** Larger graphs are built, not compiled. */
const COMPILED_UP_TO = 20_000;

/**
 * A graph of about `nodes` nodes as training graphs have them: layers of products, biases and activations, with
 * a skip connection now and then. Returns what to fetch.
 */
function build(nodes: number): fr.Tensor {
  const width = 8;
  const weights = fr.constant(new Float32Array(width * width).fill(0.1), { shape: [width, width] });
  const bias = fr.constant(new Float32Array(width).fill(0.01), { shape: [width] });
  let x = fr.placeholder('float32', [4, width], { name: 'x' });
  let skip = x;
  const graph = fr.getDefaultGraph();
  for (let layer = 0; graph.operations.length < nodes; layer++) {
    const y = fr.nn.biasAdd(fr.matMul(x, weights), bias);
    x = fr.tanh(y);
    if (layer % 8 !== 7) continue;
    x = fr.add(fr.transpose(fr.reshape(x, [width, 4])), skip);
    skip = x;
  }
  return x;
}

interface Stages {
  readonly build: number;
  /** Milliseconds until a stage began, counted from the start of compilation. */
  readonly stages: Readonly<Record<string, number>>;
}

async function measure(nodes: number): Promise<Stages> {
  const graph = new fr.Graph();
  const start = cpuTime();
  const fetch = graph.asDefault(() => build(nodes));
  const built = cpuTime() - start;
  if (nodes > COMPILED_UP_TO) return { build: built, stages: {} };
  const sess = await fr.Session.create({ graph });
  const began = cpuTime();
  const stages: Record<string, number> = {};
  await sess.compile(
    fetch,
    { x: [4, 8] },
    { onProgress: ({ stage }) => (stages[stage] ??= cpuTime() - began) },
  );
  stages.end = cpuTime() - began;
  sess.close();
  return { build: built, stages };
}

const asked = process.argv.slice(2).map(Number);
console.log('   nodes   build ms  us/node   compile ms before pipelines   us/node   stages');
for (const nodes of asked.length > 0 ? asked : SIZES) {
  const { build: built, stages } = await measure(nodes);
  const before = stages.pipelines;
  const perNode = (ms: number): string => ((1000 * ms) / nodes).toFixed(1).padStart(8);
  const compiled =
    before === undefined ? '' : `${before.toFixed(0).padStart(10)} ${' '.repeat(18)}${perNode(before)}`;
  const detail = Object.entries(stages).map(([stage, at]) => `${stage} @${at.toFixed(0)}`);
  console.log(
    `${String(nodes).padStart(8)} ${built.toFixed(0).padStart(9)} ${perNode(built)}   ${compiled}   ${detail.join(', ')}`,
  );
}
