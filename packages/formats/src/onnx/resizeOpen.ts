/** Resize of ONNX along axes whose sizes only a run knows: the places of elements and their weights are computed by the graph. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode } from './importNode.js';

/** One axis: sizes are int32 scalars, the factor a float32 scalar. Either the new size or the factor is given. */
export interface OpenAxis {
  readonly axis: number;
  readonly from: Tensor;
  readonly size: Tensor | undefined;
  readonly scale: Tensor | undefined;
}

interface Sizes {
  readonly from: Tensor;
  readonly to: Tensor;
  readonly scale: Tensor;
}

const float = (x: Tensor): Tensor => fr.cast(x, 'float32');
const whole = (x: Tensor): Tensor => fr.cast(x, 'int32');

/** Whether a node is of the form before operator set 11, which had no modes of coordinates. */
export function isOld(node: ImportNode): boolean {
  return node.def.opType === 'Upsample' || node.opset < 11;
}

export function coordinateMode(node: ImportNode): string {
  return node.text('coordinate_transformation_mode', isOld(node) ? 'asymmetric' : 'half_pixel');
}

export function nearestMode(node: ImportNode): string {
  return node.text('nearest_mode', isOld(node) ? 'floor' : 'round_prefer_floor');
}

/** `x` resized along one axis, by nearest elements or linearly. */
export function resizedAlongOpen(node: ImportNode, x: Tensor, axis: OpenAxis): Tensor {
  const sizes = sizesOf(node, axis);
  const places = coordinates(node, sizes);
  const last = fr.sub(float(sizes.from), 1);
  const inside = (place: Tensor): Tensor => fr.maximum(fr.minimum(place, last), 0);
  const pick = (place: Tensor): Tensor => fr.gather(x, whole(inside(place)), { axis: axis.axis });
  const mode = node.text('mode', 'nearest');
  if (mode === 'nearest') return pick(rounded(node, places));
  if (mode !== 'linear')
    return node.fail(
      `the mode "${mode}" needs sizes that are known when the model is imported (options \`dims\`, \`shapes\`)`,
    );
  const at = inside(places);
  const low = fr.floor(at);
  const rank = node.rank(0);
  const shape = Array.from({ length: rank }, (_, i) => (i === axis.axis ? -1 : 1));
  const rest = fr.reshape(fr.sub(at, low), shape);
  return fr.add(fr.mul(pick(low), fr.sub(1, rest)), fr.mul(pick(fr.add(low, 1)), rest));
}

function sizesOf(node: ImportNode, { from, size, scale }: OpenAxis): Sizes {
  if (size !== undefined) return { from, to: size, scale: scale ?? fr.div(float(size), float(from)) };
  if (scale === undefined) return node.fail('there are neither scales nor sizes');
  return { from, to: whole(fr.floor(fr.mul(float(from), scale))), scale };
}

/** The places in the input of all positions in the output. */
function coordinates(node: ImportNode, { from, to, scale }: Sizes): Tensor {
  const mode = coordinateMode(node);
  const x = float(fr.range(0, to));
  const half = (): Tensor => fr.sub(fr.div(fr.add(x, 0.5), scale), 0.5);
  const single = (place: Tensor): Tensor => fr.mul(place, float(fr.cast(fr.greater(to, 1), 'int32')));
  switch (mode) {
    case 'half_pixel':
      return half();
    case 'pytorch_half_pixel':
      return single(half());
    case 'half_pixel_symmetric': {
      const kept = fr.div(float(to), fr.mul(scale, float(from)));
      return fr.add(fr.mul(fr.div(float(from), 2), fr.sub(1, kept)), half());
    }
    case 'asymmetric':
      return fr.div(x, scale);
    case 'align_corners': {
      const steps = fr.maximum(fr.sub(float(to), 1), 1);
      return fr.div(fr.mul(x, fr.sub(float(from), 1)), steps);
    }
    default:
      return node.fail(`the coordinate mode "${mode}" is not supported`);
  }
}

function rounded(node: ImportNode, places: Tensor): Tensor {
  const name = nearestMode(node);
  switch (name) {
    case 'round_prefer_floor':
      return fr.ceil(fr.sub(places, 0.5));
    case 'round_prefer_ceil':
      return fr.floor(fr.add(places, 0.5));
    case 'floor':
      return fr.floor(places);
    case 'ceil':
      return fr.ceil(places);
    default:
      return node.fail(`the mode "${name}" is not known`);
  }
}
