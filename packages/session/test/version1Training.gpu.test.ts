/** Training steps of version 1 files on the device: unrolled, and where only the run knows how often a loop goes round. */
import { Graph, importGraphDef } from '@forerun/graph';
import { branchingStep, recurrentStep, RNN_SIZES } from '@forerun/testing';
import { Session } from '../src/index.js';

const { steps, batch, inputs, units } = RNN_SIZES;

function load(text: string): Graph {
  const graph = new Graph();
  importGraphDef(new TextEncoder().encode(text), { graph, name: '' });
  return graph;
}

function numbers(...shape: number[]): Float32Array {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return Float32Array.from({ length: size }, (_, i) => Math.sin(5 * i + 1) / 2);
}

const FLOAT = 'type: DT_FLOAT';
const dims = (shape: readonly number[]): string => shape.map((size) => `dim { size: ${size} }`).join(' ');

/** A reference variable with its initial value, its update by gradient descent, and that in one operation. */
function variable(name: string, shape: readonly number[]): string {
  const value = Array.from(numbers(...shape), (x) => `float_val: ${x}`).join(' ');
  const type = `attr { key: "T" value { ${FLOAT} } }`;
  return `
    node { name: "${name}/ref" op: "VariableV2" attr { key: "dtype" value { ${FLOAT} } } attr { key: "shape" value { shape { ${dims(shape)} } } } }
    node { name: "${name}" op: "Identity" input: "${name}/ref" ${type} }
    node { name: "${name}/initial" op: "Const" attr { key: "dtype" value { ${FLOAT} } }
      attr { key: "value" value { tensor { dtype: DT_FLOAT tensor_shape { ${dims(shape)} } ${value} } } } }
    node { name: "${name}/Assign" op: "Assign" input: "${name}/ref" input: "${name}/initial" ${type} }
    node { name: "${name}/update" op: "ApplyGradientDescent" input: "${name}/ref" input: "rate" input: "d${name}" ${type} }`;
}

const TRAINING = `
  ${variable('W', [inputs, units])} ${variable('U', [units, units])}
  node { name: "rate" op: "Const" attr { key: "dtype" value { ${FLOAT} } } attr { key: "value" value { tensor { dtype: DT_FLOAT tensor_shape { } float_val: 0.05 } } } }
  node { name: "init" op: "NoOp" input: "^W/Assign" input: "^U/Assign" }
  node { name: "train" op: "NoOp" input: "^W/update" input: "^U/update" }\n`;

/** The same training by hand, in float64: the loss before each step. */
function byHand(count: number): number[] {
  const [x, h0] = [numbers(steps, batch, inputs), numbers(batch, units)];
  const [w, u] = [Float64Array.from(numbers(inputs, units)), Float64Array.from(numbers(units, units))];
  const lossOf = (a: Float64Array, b: Float64Array): number => {
    let h = Array.from(h0);
    let loss = 0;
    for (let t = 0; t < steps; t++) {
      h = h.map((_, at) => {
        const [row, unit] = [Math.floor(at / units), at % units];
        let z = 0;
        for (let i = 0; i < inputs; i++)
          z += (x[(t * batch + row) * inputs + i] ?? 0) * (a[i * units + unit] ?? 0);
        for (let i = 0; i < units; i++) z += (h[row * units + i] ?? 0) * (b[i * units + unit] ?? 0);
        return Math.tanh(z);
      });
      loss += h.reduce((sum, y) => sum + y * y, 0);
    }
    return loss;
  };
  const slope = (of: Float64Array, i: number): number => {
    const [value, step] = [of[i] ?? 0, 1e-5];
    of[i] = value + step;
    const up = lossOf(w, u);
    of[i] = value - step;
    const down = lossOf(w, u);
    of[i] = value;
    return (up - down) / (2 * step);
  };
  return Array.from({ length: count }, () => {
    const loss = lossOf(w, u);
    const slopes = [w, u].map((of) => of.map((_, i) => slope(of, i)));
    [w, u].forEach((of, k) => of.forEach((value, i) => (of[i] = value - 0.05 * (slopes[k]?.[i] ?? 0))));
    return loss;
  });
}

const COUNT = `node { name: "n" op: "Placeholder" attr { key: "dtype" value { type: DT_INT32 } } attr { key: "shape" value { shape { } } } }\n`;

describe('a recurrent net', () => {
  test.each([
    ['of a known number of steps', recurrentStep(TRAINING), {}],
    ['of as many steps as are fed', recurrentStep(TRAINING, COUNT), { n: steps }],
  ])('%s is trained', async (_, text, feeds) => {
    const graph = load(text);
    const sess = await Session.create({ graph });
    try {
      await sess.run(graph.getOperationByName('init'));
      const given = { ...feeds, x: numbers(steps, batch, inputs), h0: numbers(batch, units) };
      const losses: number[] = [];
      for (let i = 0; i < 5; i++) {
        losses.push((await sess.run('loss:0', given)).item());
        await sess.run(graph.getOperationByName('train'), given);
      }
      byHand(5).forEach((loss, i) => {
        expect(losses[i]).toBeCloseTo(loss, 3);
      });
    } finally {
      sess.close();
    }
  });
});

test('a conditional in a loop that ends by a value', async () => {
  const sess = await Session.create({ graph: load(branchingStep()) });
  try {
    const values = await sess.run(['y:0', 'dx:0', 'da:0'], { x: 1.3, a: 3 });
    // 1.3, 1.69, 2.8561, and then times 3 until above 50.
    const y = 1.3 ** 4 * 27;
    expect(values[0].item()).toBeCloseTo(y, 3);
    expect(values[1].item()).toBeCloseTo((4 * y) / 1.3, 2);
    expect(values[2].item()).toBeCloseTo(y, 3);
  } finally {
    sess.close();
  }
});
