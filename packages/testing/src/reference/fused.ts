/** Float64 references of products followed by the steps that `fused_ops` names, one element after the other. */
import type { HostValue } from '@forerun/graph';
import type { Reference, ReferenceContext } from '../sample.js';
import { erf } from './special.js';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Steps without operands, by their names in lower case. */
const ACTIVATIONS: Readonly<Record<string, (x: number, c: ReferenceContext) => number>> = {
  noop: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
  leakyrelu: (x, c) => (x > 0 ? x : x * Math.fround(c.attrs.float('leakyrelu_alpha'))),
  sigmoid,
  tanh: Math.tanh,
  softplus: (x) => Math.log1p(Math.exp(x)),
  swish: (x) => x * sigmoid(x),
  geluexact: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  geluapproximate: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

/** The element of `value` that broadcasting puts at `coordinates`. */
function at(value: HostValue, coordinates: readonly number[]): number {
  const offset = coordinates.length - value.shape.length;
  const index = value.shape.reduce(
    (base, dim, d) => base * dim + (dim === 1 ? 0 : (coordinates[d + offset] ?? 0)),
    0,
  );
  return value.data[index] ?? NaN;
}

function coordinatesOf(index: number, shape: readonly number[]): number[] {
  const coordinates: number[] = [];
  let rest = index;
  for (const dim of [...shape].reverse()) {
    coordinates.unshift(rest % dim);
    rest = Math.floor(rest / dim);
  }
  return coordinates;
}

/** The reference of `product` followed by its steps. */
export function withSteps(product: Reference): Reference {
  return (c) => {
    const [result] = product({ ...c, inputs: c.inputs.slice(0, 2) });
    if (result === undefined) return [];
    const first = c.attrs.has('data_format') && c.attrs.string('data_format') === 'NCHW';
    const data = result.data.map((value, i) => {
      const place = coordinatesOf(i, result.shape);
      return finished(c, value, place, place[first ? 1 : place.length - 1] ?? 0);
    });
    return [{ ...result, data }];
  };
}

function finished(c: ReferenceContext, value: number, place: readonly number[], channel: number): number {
  let [x, next] = [value, 2];
  for (const step of c.attrs.strings('fused_ops')) {
    const name = step.toLowerCase();
    const arg = (i: number): HostValue => c.input(next + i);
    if (name === 'biasadd') x += arg(0).data[channel] ?? NaN;
    else if (name === 'add') x += at(arg(0), place);
    else if (name === 'prelu') x = x > 0 ? x : x * at(arg(0), place);
    else if (name === 'fusedbatchnorm') {
      const [scale, offset, mean, variance] = [0, 1, 2, 3].map((i) => arg(i).data[channel] ?? NaN);
      const deviation = Math.sqrt((variance ?? NaN) + Math.fround(c.attrs.float('epsilon')));
      x = ((x - (mean ?? NaN)) / deviation) * (scale ?? NaN) + (offset ?? NaN);
    } else x = ACTIVATIONS[name]?.(x, c) ?? NaN;
    next += name === 'fusedbatchnorm' ? 4 : ['biasadd', 'add', 'prelu'].includes(name) ? 1 : 0;
  }
  return x;
}
