/** Gradients of first and second order of every op that has no samples, against finite differences. No device is needed. */
import * as fr from '@forerun/graph';
import { SAMPLES, checkGrad, placeholderNode } from '@forerun/testing';
import { PROGRAMS, VARIABLES } from './gradientPrograms.js';

const POINT: fr.HostValue = {
  dtype: 'float32',
  shape: [3, 2],
  data: Float64Array.of(0.4, -0.9, 1.3, 0.7, -0.3, 1.1),
};
const FACTOR: fr.HostValue = { dtype: 'float32', shape: [], data: Float64Array.of(1.2) };

/** Ops with a gradient whose values other tests check. */
const needed = (Object.keys(fr.OPS) as fr.OpName[]).filter((type) => {
  const samples = SAMPLES[type];
  return samples !== undefined && 'testedElsewhere' in samples && typeof fr.OPS[type].grad === 'function';
});

/** Whether a node of this type is in the graph or in one of its functions. */
function contains(graph: fr.Graph, type: string): boolean {
  const graphs = [graph, ...graph.functions.values()];
  return graphs.some(({ operations }) => operations.some((op) => op.type === type));
}

test('there is a program for each', () => {
  expect([...Object.keys(PROGRAMS), ...Object.keys(VARIABLES)].sort()).toEqual([...needed].sort());
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
