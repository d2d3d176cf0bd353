/** How the samples of all convolutions are made: a list of cases, each tried in all three ops of a family. */
import type { AttrInputs } from '@forerun/graph';
import { Random } from '../random.js';
import type { Sample, SampleInput } from '../sample.js';

export interface ConvCase {
  readonly name: string;
  readonly input: readonly number[];
  readonly filter: readonly number[];
  readonly output: readonly number[];
  readonly attrs: AttrInputs;
  /** Too large for finite differences. */
  readonly large?: boolean;
}

/** Numbers in [-1, 1) that depend on shape and seed only. */
export function tensor(shape: readonly number[], seed: number): SampleInput {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return { shape, value: Array.from(new Random(seed).array(size)) };
}

const sizes = (shape: readonly number[]): SampleInput => ({ value: [...shape], dtype: 'int32' });

function samples(cases: readonly ConvCase[], inputs: (test: ConvCase) => SampleInput[]): Sample[] {
  return cases.map((test) => ({
    name: test.name,
    inputs: inputs(test),
    attrs: test.attrs,
    tolerance: { rtol: 1e-5, atol: 5e-5 },
    ...(test.large === true ? { skipGradient: 'smaller samples cover the formula' } : {}),
  }));
}

/** Samples of the convolution, of the gradient of its input and of that of its filter. */
export function convSamples(cases: readonly ConvCase[]): {
  forward: Sample[];
  toInput: Sample[];
  toFilter: Sample[];
} {
  return {
    forward: samples(cases, ({ input, filter }) => [tensor(input, 1), tensor(filter, 2)]),
    toInput: samples(cases, ({ input, filter, output }) => [
      sizes(input),
      tensor(filter, 2),
      tensor(output, 3),
    ]),
    toFilter: samples(cases, ({ input, filter, output }) => [
      tensor(input, 1),
      sizes(filter),
      tensor(output, 3),
    ]),
  };
}
