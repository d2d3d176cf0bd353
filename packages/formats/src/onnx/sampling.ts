/** Images and volumes at places between their elements: sums of the elements around, each with its weight. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';

/** One element along an axis of which a result is made: its place, a whole number as float32, and its weight. */
export interface Tap {
  readonly place: Tensor;
  readonly weight: Tensor;
}

/** The two elements around a place. */
export function linearTaps(at: Tensor): Tap[] {
  const low = fr.floor(at);
  const fraction = fr.sub(at, low);
  return [
    { place: low, weight: fr.sub(1, fraction) },
    { place: fr.add(low, 1), weight: fraction },
  ];
}

/** Keys' parameter for the cubic of four elements. */
const KEYS = -0.75;

/** The four elements around a place, weighted by Keys' cubic. */
export function cubicTaps(at: Tensor): Tap[] {
  const low = fr.floor(at);
  const fraction = fr.sub(at, low);
  return [-1, 0, 1, 2].map((offset) => {
    const d = fr.abs(fr.sub(fraction, offset));
    // Within one element (a + 2) d³ - (a + 3) d² + 1, beyond it a d³ - 5 a d² + 8 a d - 4 a.
    const near = fr.add(fr.mul(fr.mul(fr.sub(fr.mul(d, KEYS + 2), KEYS + 3), d), d), 1);
    const far = fr.mul(fr.sub(fr.mul(fr.add(fr.mul(fr.sub(d, 5), d), 8), d), 4), KEYS);
    return { place: fr.add(low, offset), weight: offset === 0 || offset === 1 ? near : far };
  });
}

/** Elements outside of an axis of `size` count as zeros. */
export function zeroOutside({ place, weight }: Tap, size: Tensor): Tap {
  const most = fr.sub(size, 1);
  const inside = fr.logicalAnd(fr.greaterEqual(place, 0), fr.lessEqual(place, most));
  return { place: held(place, most), weight: fr.whereV2(inside, weight, fr.zerosLike(weight)) };
}

/** Places outside are the outermost elements. */
export function held(place: Tensor, most: Tensor): Tensor {
  return fr.minimum(fr.maximum(place, 0), most);
}

/** The size of an axis as a float32 scalar. */
export function sizeOfAxis(x: Tensor, axis: number): Tensor {
  const known = x.shape.dim(axis);
  return known === null ? fr.cast(fr.gather(fr.shape(x), axis), 'float32') : fr.constant(known);
}

/** Every choice of one tap per axis. */
export function combinations(taps: readonly (readonly Tap[])[]): Tap[][] {
  return taps.reduce<Tap[][]>((all, own) => all.flatMap((one) => own.map((tap) => [...one, tap])), [[]]);
}

/** The elements of `x` [images, …, channels] at whole places, which broadcast against each other: [..., channels]. */
export function elementsAt(x: Tensor, image: Tensor, places: readonly Tensor[]): Tensor {
  const whole = [image, ...places.map((place) => fr.cast(place, 'int32'))];
  const zeros = fr.zerosLike(whole.reduce((sum, part) => fr.add(sum, part)));
  return fr.gatherNd(x, fr.stack(whole.map((part) => fr.add(part, zeros)), { axis: -1 })); // prettier-ignore
}

/** The weighted sums over the taps of all axes, of `x` [images, …, channels]: [..., channels]. */
export function sampled(x: Tensor, image: Tensor, taps: readonly (readonly Tap[])[]): Tensor {
  const parts = combinations(taps).map((chosen) => {
    const weight = chosen.map((tap) => tap.weight).reduce((product, part) => fr.mul(product, part));
    const values = elementsAt(x, image, chosen.map(({ place }) => place)); // prettier-ignore
    return fr.mul(values, fr.expandDims(weight, -1));
  });
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : fr.addN(parts);
}

/** The numbers of images, [images, 1, …] of a rank. */
export function imageNumbers(x: Tensor, rank: number): Tensor {
  const count = x.shape.dim(0) ?? fr.gather(fr.shape(x), 0);
  return fr.reshape(fr.range(count), [-1, ...new Array<number>(rank - 1).fill(1)]);
}

/** [images, channels, …] with the channels last. */
export function channelsLast(x: Tensor): Tensor {
  const axes = Array.from({ length: (x.shape.rank ?? 2) - 2 }, (_, i) => i + 2);
  return fr.transpose(x, { perm: [0, ...axes, 1] });
}

/** [images, …, channels] with the channels second. */
export function channelsSecond(x: Tensor): Tensor {
  const rank = x.shape.rank ?? 2;
  return fr.transpose(x, { perm: [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)] });
}
