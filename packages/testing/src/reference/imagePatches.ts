/** References of patches: every element by the coordinates that it is copied from. */
import type { FamilyReferences, Reference } from '../sample.js';
import { coordinates, tabulate } from './tabulate.js';

const patches: Reference = (c) => {
  const images = c.input(0);
  const rank = images.shape.length;
  const list = (name: string): number[] =>
    c.attrs.has(name) ? c.attrs.ints(name) : new Array<number>(rank).fill(1);
  const [ksizes, strides, rates] = [list('ksizes'), list('strides'), list('rates')];
  const same = c.attrs.string('padding') === 'SAME';
  const spatial = Array.from({ length: rank - 2 }, (_, d) => d + 1);
  const of = (values: readonly number[], d: number): number => values[d] ?? 1;
  const extent = (d: number): number => (of(ksizes, d) - 1) * of(rates, d) + 1;
  const windows = (d: number): number => {
    const reach = same ? of(images.shape, d) : of(images.shape, d) - extent(d) + 1;
    return Math.ceil(reach / of(strides, d));
  };
  const before = (d: number): number => {
    const needed = (windows(d) - 1) * of(strides, d) + extent(d) - of(images.shape, d);
    return same ? Math.floor(Math.max(0, needed) / 2) : 0;
  };
  const channels = images.shape[rank - 1] ?? 1;
  const taps = spatial.reduce((product, d) => product * of(ksizes, d), 1);
  const shape = [images.shape[0] ?? 0, ...spatial.map(windows), taps * channels];
  const pixel = coordinates(images);
  const element = (at: readonly number[]): number => {
    let tap = Math.floor((at[rank - 1] ?? 0) / channels);
    const from = [...at];
    from[rank - 1] = (at[rank - 1] ?? 0) % channels;
    for (const d of [...spatial].reverse()) {
      from[d] = of(at, d) * of(strides, d) + (tap % of(ksizes, d)) * of(rates, d) - before(d);
      tap = Math.floor(tap / of(ksizes, d));
    }
    const outside = spatial.some((d) => of(from, d) < 0 || of(from, d) >= of(images.shape, d));
    return outside ? 0 : pixel(from);
  };
  return [tabulate(c.outputs[0] ?? 'float32', shape, element)];
};

export const IMAGE_PATCHES_REFERENCES = {
  ExtractImagePatches: patches,
  ExtractVolumePatches: patches,
} satisfies FamilyReferences;
