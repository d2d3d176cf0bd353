/** Samples of optimizer updates. The first input of each is the variable's value, slots follow. */
import type { FamilySamples, Sample, SampleInput } from '../sample.js';

const list = (length: number, f: (i: number) => number): number[] => Array.from({ length }, (_, i) => f(i));

/** Inputs of any length that differ from element to element. */
const variable = (length: number): number[] => list(length, (i) => Math.sin(i + 1));
const gradient = (length: number): number[] => list(length, (i) => 2 * Math.cos(3 * i));
const slot = (length: number): number[] => list(length, (i) => 0.1 + (i % 7) / 7);

const sgd = (name: string, n: number): Sample => ({ name, inputs: [variable(n), 0.1, gradient(n)] });

const momentum = (name: string, n: number, nesterov: boolean): Sample => ({
  name,
  inputs: [variable(n), slot(n), 0.05, gradient(n), 0.9],
  attrs: { use_nesterov: nesterov },
});

const adam = (name: string, n: number, nesterov: boolean, shape?: readonly number[]): Sample => {
  const shaped = (value: number[]): SampleInput => (shape === undefined ? { value } : { value, shape });
  return {
    name,
    inputs: [
      ...[variable(n), gradient(n).map((x) => x / 10), slot(n)].map(shaped),
      ...[0.729, 0.997, 0.001, 0.9, 0.999, 1e-8],
      shaped(gradient(n)),
    ],
    attrs: { use_nesterov: nesterov },
  };
};

const BY_REFERENCE = {
  testedElsewhere: 'reference variables come with files; the session runs them as resource variables',
};

export const TRAINING_SAMPLES = {
  ResourceApplyGradientDescent: {
    samples: [
      sgd('odd size', 7),
      sgd('vectorized', 64),
      sgd('one element', 1),
      sgd('several workgroups', 5000),
    ],
    shapes: [
      { inputs: '[2,3];[];[2,?]', outputs: '' },
      { inputs: '[2,3];?;?', outputs: '' },
    ],
    errors: [
      { inputs: '[2,3];[];[3,2]', message: /delta has shape \[3,2\], the variable has \[2,3\]/ },
      { inputs: '[2,3];[1];[2,3]', message: /alpha must be a scalar, got shape \[1\]/ },
    ],
  },
  ResourceApplyMomentum: {
    samples: [
      momentum('plain', 7, false),
      momentum('vectorized', 64, false),
      momentum('nesterov', 7, true),
      momentum('nesterov vectorized', 32, true),
    ],
    shapes: [{ inputs: '[2,3];[2,3];[];[2,?];[]', outputs: '' }],
    errors: [
      { inputs: '[4];[3];[];[4];[]', message: /accum has shape \[3\], the variable has \[4\]/ },
      { inputs: '[4];[4];[];[4];[2]', message: /momentum must be a scalar, got shape \[2\]/ },
    ],
  },
  ResourceApplyAdam: {
    samples: [
      adam('plain', 7, false),
      adam('matrix', 24, false, [4, 6]),
      adam('nesterov', 7, true),
      adam('nesterov vectorized', 16, true),
      adam('several workgroups', 4096, false),
    ],
    shapes: [{ inputs: '[2,3];[2,3];[2,3];[];[];[];[];[];[];[?,3]', outputs: '' }],
    errors: [
      {
        inputs: '[4];[4];[4];[];[];[];[];[];[];[5]',
        message: /grad has shape \[5\], the variable has \[4\]/,
      },
      { inputs: '[4];[4];[4];[];[];[2];[];[];[];[4]', message: /lr must be a scalar, got shape \[2\]/ },
    ],
  },
  ApplyGradientDescent: BY_REFERENCE,
  ApplyMomentum: BY_REFERENCE,
  ApplyAdam: BY_REFERENCE,
} satisfies FamilySamples;
