/** The gradient of RGBToHSV where channels are equal, as TensorFlow has it: the first is the largest, the last the smallest. */
import { Graph, constant, gradients, rgbToHsv } from '@forerun/graph';
import { interpret } from '@forerun/testing';

it.each([
  [
    [0.5, 0.5, 0.5],
    [0, 1, 0],
    [2, 0, -2],
  ],
  [
    [0.5, 0.5, 0.5],
    [0, 0, 1],
    [1, 0, 0],
  ],
  [
    [0, 0, 0],
    [1, 1, 0],
    [0, 0, 0],
  ],
  [
    [0.25, 0.75, 0.25],
    [0, 1, 0],
    [0, 4 / 9, -4 / 3],
  ],
  [
    [0.5, 0.5, 1],
    [0, 1, 0],
    [0, -1, 0.5],
  ],
])('of %j', (pixel, flow, want) => {
  new Graph().asDefault(() => {
    const x = constant([pixel]);
    const [dx] = gradients(rgbToHsv(x), [x], { gradYs: [[flow]] });
    const [got] = interpret(dx ? [dx] : []);
    want.forEach((value, i) => expect(got?.data[i]).toBeCloseTo(value, 6));
  });
});
