/**
 * Kernels on float16 operands beside the same on float32 ones, in one process and in turn: processor time on software
 * adapters, where other load matters less, else the clock. `node bench/dist/half.js [FILTER]`.
 */
import * as fr from 'forerun';

const ROUNDS = 12;
const REPEATS = 3;

type Operands = 'float32' | 'float16' | 'weights';

/** Something that is computed from activations and weights. */
interface Case {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly compute: (operands: readonly fr.Tensor[]) => fr.Tensor;
}

const product = (rows: number, inner: number, columns: number): Case => ({
  name: `product ${rows} x ${inner} x ${columns}`,
  shapes: [
    [rows, inner],
    [inner, columns],
  ],
  compute: ([a = 0, b = 0]) => fr.matMul(a, b),
});

const CASES: readonly Case[] = [
  product(1024, 1024, 1024),
  product(128, 784, 128),
  product(32, 2048, 2048),
  product(1, 4096, 4096),
  {
    name: 'convolution 3x3, 64 to 64, 56², batch 8',
    shapes: [
      [8, 56, 56, 64],
      [3, 3, 64, 64],
    ],
    compute: ([x = 0, w = 0]) => fr.nn.conv2d(x, w, { strides: 1, padding: 'SAME' }),
  },
  { name: 'relu of 4 M elements', shapes: [[2 ** 22]], compute: ([x = 0]) => fr.nn.relu(x) },
];

/** Computes the case and keeps the result, so that it is not dropped. */
function operation({ shapes, compute }: Case, operands: Operands): fr.Operation {
  const values = shapes.map((shape, i) => {
    const half = operands === 'float16' || (operands === 'weights' && i === shapes.length - 1);
    const value = fr.randomUniform([...shape], { seed: i + 1 });
    const variable = new fr.Variable(half ? fr.cast(value, 'float16') : value);
    return half && operands === 'weights' ? fr.cast(variable, 'float32') : variable.value();
  });
  const result = compute(values);
  const kept = new fr.Variable(fr.zeros(result.shape.toStatic(), { dtype: result.dtype }));
  return kept.assign(result, { readValue: false });
}

function elapsed(software: boolean): () => number {
  if (!software) {
    const start = performance.now();
    return () => performance.now() - start;
  }
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
}

async function measure(one: Case, software: boolean): Promise<readonly number[]> {
  const graph = new fr.Graph();
  const { init, operations } = graph.asDefault(() => ({
    operations: (['float32', 'float16', 'weights'] as const).map((operands) => operation(one, operands)),
    init: fr.globalVariablesInitializer(),
  }));
  const sess = await fr.Session.create({ graph });
  try {
    await sess.run(init);
    const least = operations.map(() => Infinity);
    for (const op of operations) await sess.run(op);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, op] of operations.entries()) {
        const time = elapsed(software);
        for (let k = 0; k < REPEATS; k++) await sess.run(op);
        least[i] = Math.min(least[i] ?? Infinity, time() / REPEATS);
      }
    }
    return least;
  } finally {
    sess.close();
  }
}

const adapter = await fr.Session.create({ graph: new fr.Graph() });
const software = /llvmpipe|lavapipe|swiftshader/i.test(adapter.adapterName);
console.log(`${adapter.adapterName}\n${'float32'.padStart(52)}  float16  float16 weights`);
adapter.close();
for (const one of CASES.filter(({ name }) => name.includes(process.argv[2] ?? ''))) {
  const [single = NaN, ...others] = await measure(one, software);
  const ratios = others.map((time) => (time / single).toFixed(2).padStart(9));
  console.log(`${one.name.padEnd(42)} ${single.toFixed(2).padStart(6)} ms${ratios.join('')}`);
}
process.exit(0);
