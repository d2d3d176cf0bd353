/** Kernels of the ops on boxes: drawing, and what the session evaluates on the host. */
import { sizeOf, type OpName } from '@forerun/graph';
import { device, hostOp, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { literal } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader } from './wgsl/shader.js';

/** Yellow, blue, red, lime, purple, olive, maroon, navy, aqua, fuchsia. */
const COLOURS: readonly (readonly [number, number, number])[] = [
  [1, 1, 0],
  [0, 0, 1],
  [1, 0, 0],
  [0, 1, 0],
  [0.5, 0, 0.5],
  [0.5, 0.5, 0],
  [0.5, 0, 0],
  [0, 0, 0.5],
  [0, 1, 1],
  [1, 0, 1],
];

/** The colour of box `box` in `channel`: grey images are drawn on in white, an alpha channel is opaque. */
function colourTable(depth: number): string {
  const rows = COLOURS.flatMap((rgb) => (depth === 1 ? [1] : depth === 3 ? rgb : [...rgb, 1]));
  const values = rows.map((x) => literal(x, 'float32'));
  return `const COLOURS = array<f32, ${values.length}>(${values.join(', ')});`;
}

/** Whether the outline of a box with these edges, in pixels, goes through the pixel. */
const OUTLINE = `fn on_outline(y: i32, x: i32, y1: i32, x1: i32, y2: i32, x2: i32) -> bool {
  let within = y >= y1 && y <= y2 && x >= x1 && x <= x2;
  return within && (y == y1 || y == y2 || x == x1 || x == x2);
}`;

/** A pixel has the colour of the last box through it. */
function lowerDrawing(c: KernelContext): Lowered {
  const { shape } = c.output(0);
  if (sizeOf(shape) === 0) return { dispatches: [] };
  const [batch = 1, height = 1, width = 1, depth = 1] = shape;
  const boxes = c.input(1).shape[1] ?? 0;
  const edge = (k: number, last: number): string => `i32(boxes[at + ${k}u] * ${last}.0)`;
  const palette = c.inputs.length > 2 && sizeOf(c.input(2).shape) > 0 ? c.input(2).shape : null;
  const [count, stride] = palette === null ? [COLOURS.length, depth] : [palette[0] ?? 1, palette[1] ?? 1];
  const paint =
    palette === null
      ? `var table = COLOURS;\nvalue = table[colour * ${stride}u + k];`
      : `value = colors[colour * ${stride}u + k];`;
  const body = `let column = i32(i % ${width}u);
let row = i32((i / ${width}u) % ${height}u);
let image = i / ${width * height}u;
var colour = ${count}u;
for (var b = ${boxes}u; b > 0u; b -= 1u) {
let at = (image * ${boxes}u + b - 1u) * 4u;
if (on_outline(row, column, ${edge(0, height - 1)}, ${edge(1, width - 1)}, ${edge(2, height - 1)}, ${edge(3, width - 1)})) {
colour = (b - 1u) % ${count}u;
break;
}
}
for (var k = 0u; k < ${depth}u; k += 1u) {
var value = images[i * ${depth}u + k];
if (colour < ${count}u) {
${paint}
}
out[i * ${depth}u + k] = value;
}`;
  const grid = gridFor(batch * height * width, 1, c.adapter);
  const spec = {
    label: 'drawBoundingBoxes',
    bindings: [
      inputBinding(c, 0, 'images'),
      inputBinding(c, 1, 'boxes'),
      ...(palette === null ? [] : [inputBinding(c, 2, 'colors')]),
      outputBinding(c),
    ],
    workgroups: grid.workgroups,
    declarations: palette === null ? `${colourTable(depth)}\n${OUTLINE}` : OUTLINE,
    body: gridStride(grid, body),
  };
  return { dispatches: [shader(spec, c.adapter)] };
}

const selection = hostOp('how many boxes are selected depends on their values');

export const IMAGE_BOXES_KERNELS = {
  DrawBoundingBoxes: device(lowerDrawing),
  DrawBoundingBoxesV2: device(lowerDrawing),
  NonMaxSuppression: selection,
  NonMaxSuppressionV2: selection,
  NonMaxSuppressionV3: selection,
  NonMaxSuppressionV4: selection,
  NonMaxSuppressionV5: selection,
  NonMaxSuppressionWithOverlaps: selection,
  CombinedNonMaxSuppression: hostOp('each selection waits for the one before'),
} satisfies Partial<Record<OpName, Kernel>>;
