/** Gradients of first and second order of every op for which no sample is checked, against finite differences. No device is needed. */
import * as fr from '@forerun/graph';
import { SAMPLES, checkGrad, placeholderNode } from '@forerun/testing';
import { PROGRAMS, VARIABLES, WITHOUT_DIFFERENCES } from './gradientPrograms.js';

const POINT: fr.HostValue = {
  dtype: 'float32',
  shape: [3, 2],
  data: Float64Array.of(0.4, -0.9, 1.3, 0.7, -0.3, 1.1),
};
const FACTOR: fr.HostValue = { dtype: 'float32', shape: [], data: Float64Array.of(1.2) };

/** Ops with a gradient that the registry test does not compare with differences: it passes over effects. */
const needed = (Object.keys(fr.OPS) as fr.OpName[]).filter((type) => {
  const { grad, stateful }: fr.OpDef = fr.OPS[type];
  const samples = SAMPLES[type];
  return typeof grad === 'function' && (stateful || (samples !== undefined && 'testedElsewhere' in samples));
});

/** Whether a node of this type is in the graph or in one of its functions. */
function contains(graph: fr.Graph, type: string): boolean {
  const graphs = [graph, ...graph.functions.values()];
  return graphs.some(({ operations }) => operations.some((op) => op.type === type));
}

test('there is a program for each', () => {
  const listed = [PROGRAMS, VARIABLES, WITHOUT_DIFFERENCES].flatMap((table) => Object.keys(table));
  expect(listed.sort()).toEqual([...needed].sort());
});

describe('programs', () => {
  test.each(Object.entries(PROGRAMS))('%s', (type, program) => {
    const graph = new fr.Graph();
    graph.asDefault(() => {
      const [x, a] = [POINT, FACTOR].map(({ shape }) =>
        placeholderNode(graph, 'float32', new fr.TensorShape(shape)),
      ) as [fr.Tensor, fr.Tensor];
      const y = program(x, a);
      expect(contains(graph, type)).toBe(true);
      checkGrad(
        [y],
        new Map([
          [x, POINT],
          [a, FACTOR],
        ]),
        { label: type },
      );
    });
  });
});

/** What is put together at gradients of gradients must not need sizes that only the run knows. */
test.each([
  ['mean', fr.fractionalAvgPool],
  ['max', fr.fractionalMaxPool],
])('%s of images of unknown size', (_, pool) => {
  const graph = new fr.Graph();
  graph.asDefault(() => {
    const x = placeholderNode(graph, 'float32', new fr.TensorShape([null, null, null, null]));
    const { output } = pool(x, [1, 1.5, 1, 1], { deterministic: true, overlapping: true, seed: 3 });
    checkGrad([fr.mul(output, output)], new Map([[x, { ...POINT, shape: [1, 3, 2, 1] }]]));
  });
});

describe('variables', () => {
  test.each(Object.entries(VARIABLES))('%s', (type, { node, read }) => {
    const graph = new fr.Graph();
    graph.asDefault(() => {
      const attrs = { dtype: 'float32', shape: POINT.shape };
      const v = graph.createOp({ type: node, attrs }).output(0);
      const value = read(v);
      expect(contains(graph, type)).toBe(true);
      checkGrad([fr.mul(fr.sin(value), value)], new Map([[v, POINT]]), { label: type });
    });
  });
});
