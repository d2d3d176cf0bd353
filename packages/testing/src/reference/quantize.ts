/** Float64 references of simulated quantization. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';

interface Levels {
  readonly low: number;
  readonly high: number;
  readonly step: number;
}

/** The range [min, max], shifted so that 0 is one of the levels; `null` where it is only 0. */
function levelsOf({ attrs }: ReferenceContext, min: number, max: number): Levels | null {
  if (min === 0 && max === 0) return null;
  const most = 2 ** attrs.int('num_bits') - 1;
  const first = Number(attrs.bool('narrow_range'));
  const step = (max - min) / (most - first);
  const ideal = first - min / step;
  const zero = ideal < first ? first : ideal > most ? most : Math.round(ideal);
  return { low: (first - zero) * step, high: (most - zero) * step, step };
}

/** The levels for every element of input `i`: by attributes, or by the two inputs from `bounds` on. */
function levelsFor(c: ReferenceContext, i: number, bounds: number | null): (flat: number) => Levels | null {
  if (bounds === null) {
    const fixed = levelsOf(c, c.attrs.float('min'), c.attrs.float('max'));
    return () => fixed;
  }
  const [min, max] = [c.input(bounds), c.input(bounds + 1)];
  const channels = min.shape.length === 0 ? 1 : (c.input(i).shape.at(-1) ?? 1);
  return (flat) => levelsOf(c, min.data[flat % channels] ?? NaN, max.data[flat % channels] ?? NaN);
}

function like(x: HostValue, f: (v: number, flat: number) => number): HostValue {
  return { dtype: 'float32', shape: x.shape, data: Float64Array.from(x.data, f) };
}

function forward(bounds: number | null): Reference {
  return (c) => {
    const levels = levelsFor(c, 0, bounds);
    return [
      like(c.input(0), (x, flat) => {
        const own = levels(flat);
        if (own === null) return 0;
        const inside = Math.min(Math.max(x, own.low), own.high);
        return own.low + Math.round((inside - own.low) / own.step) * own.step;
      }),
    ];
  };
}

function backward(bounds: number | null): Reference {
  return (c) => {
    const levels = levelsFor(c, 1, bounds);
    const [g, x] = [c.input(0), c.input(1)];
    const sideOf = (flat: number): number => {
      const own = levels(flat);
      const v = x.data[flat] ?? NaN;
      if (own === null) return 0;
      return v < own.low ? -1 : v > own.high ? 1 : 0;
    };
    const inner = like(g, (v, flat) => (sideOf(flat) === 0 ? v : 0));
    if (bounds === null) return [inner];
    const sums = [-1, 1].map((side) => {
      const end = c.input(bounds);
      const total = new Float64Array(end.data.length);
      g.data.forEach((v, flat) => {
        const channel = flat % total.length;
        if (sideOf(flat) === side) total[channel] = (total[channel] ?? 0) + v;
      });
      return { dtype: 'float32' as const, shape: end.shape, data: total };
    });
    return [inner, ...sums];
  };
}

function halfToEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** Where no side asks for a width, TensorFlow scales by the largest float32, and overflows. */
function withoutScale(x: number, unit: number): number {
  return Math.fround(x * 3.4028234663852886e38) * unit;
}

function quantizeAndDequantize(bitsOf: (c: ReferenceContext) => number): Reference {
  return (c) => {
    const { attrs } = c;
    const bits = bitsOf(c);
    const x = c.input(0);
    const most = attrs.bool('signed_input') ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
    const least = attrs.bool('signed_input') ? -(most + (attrs.bool('narrow_range') ? 0 : 1)) : 0;
    const given = attrs.bool('range_given');
    const min = given ? (c.input(1).data[0] ?? NaN) : Math.min(...x.data);
    const max = given ? (c.input(2).data[0] ?? NaN) : Math.max(...x.data);
    // one level is as wide as the side that needs the wider ones asks for
    const width = Math.max(least * min > 0 ? min / least : 0, max > 0 ? max / most : 0);
    if (width === 0) return [like(x, (v) => (given && !Number.isNaN(v) ? 0 : withoutScale(v, max / most)))];
    const up = attrs.has('round_mode') && attrs.string('round_mode') === 'HALF_UP';
    return [
      like(x, (v) => {
        const inside = given ? Math.min(Math.max(v, least * width), most * width) : v;
        return width * (up ? Math.floor(inside / width + 0.5) : halfToEven(inside / width));
      }),
    ];
  };
}

export const QUANTIZE_REFERENCES = {
  FakeQuantWithMinMaxArgs: forward(null),
  FakeQuantWithMinMaxArgsGradient: backward(null),
  FakeQuantWithMinMaxVars: forward(1),
  FakeQuantWithMinMaxVarsGradient: backward(2),
  FakeQuantWithMinMaxVarsPerChannel: forward(1),
  FakeQuantWithMinMaxVarsPerChannelGradient: backward(2),
  QuantizeAndDequantizeV2: quantizeAndDequantize(({ attrs }) => attrs.int('num_bits')),
  QuantizeAndDequantizeV3: quantizeAndDequantize(({ input }) => input(3).data[0] ?? NaN),
} satisfies FamilyReferences;
