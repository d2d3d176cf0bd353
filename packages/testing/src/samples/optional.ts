/** Cases of optionals, of the family `list`: one value or none, in the form of a variant. */
import { TensorShape, type AttrInputs, type DType } from '@forerun/graph';
import type { FamilySamples } from '../sample.js';
import { cases } from './listCases.js';

const TWO: readonly DType[] = ['float32', 'float32'];
const OF_TWO = { Toutput_types: { kind: 'list(type)', value: TWO } } as const;
const TWO_TYPES = { output_types: { kind: 'list(type)', value: TWO } } as const;

function twoShapes(...shapes: readonly (readonly (number | null)[] | null)[]): AttrInputs {
  return { output_shapes: { kind: 'list(shape)', value: shapes.map((dims) => new TensorShape(dims)) } };
}

export const OPTIONAL_SAMPLES = {
  OptionalFromValue: cases(
    [
      { inputs: '[?];[2,?]', attrs: OF_TWO, outputs: '[]' },
      { inputs: '?;?', attrs: OF_TWO, outputs: '[]' },
    ],
    [
      {
        inputs: '[2];[2]',
        attrs: { Toutput_types: { kind: 'list(type)', value: ['float32'] } },
        message: /takes 1 inputs, 2 given/,
      },
      {
        inputs: '',
        attrs: { Toutput_types: { kind: 'list(type)', value: [] } },
        message: /must be at least 1, got 0/,
      },
    ],
  ),
  OptionalNone: cases(
    [{ inputs: '', outputs: '[]' }],
    [{ inputs: '[]', message: /takes 0 inputs, 1 given/ }],
  ),
  OptionalHasValue: cases(
    [
      { inputs: 'list[?]', outputs: '[]' },
      { inputs: '?', outputs: '[]' },
    ],
    [
      { inputs: '2*list[3]', message: /optional must have rank 0, got shape \[2\]/ },
      { inputs: 'tensor[]', message: /input "optional" must be variant, .* is float32/ },
    ],
  ),
  OptionalGetValue: cases(
    [
      { inputs: 'list[?]', attrs: { ...TWO_TYPES, ...twoShapes([null], [3]) }, outputs: '[?];[3]' },
      { inputs: '?', attrs: { ...TWO_TYPES, ...twoShapes(null, []) }, outputs: '?;[]' },
    ],
    [
      {
        inputs: '2*list[3]',
        attrs: { ...TWO_TYPES, ...twoShapes([], []) },
        message: /optional must have rank 0, got shape \[2\]/,
      },
      {
        inputs: 'list[3]',
        attrs: { ...TWO_TYPES, output_shapes: { kind: 'list(shape)', value: [TensorShape.SCALAR] } },
        message: /output_types has 2 entries, output_shapes has 1/,
      },
      {
        inputs: 'list[3]',
        attrs: { output_types: { kind: 'list(type)', value: [] }, ...twoShapes([], []) },
        message: /attribute "output_types" must be at least 1, got 0/,
      },
    ],
  ),
} satisfies FamilySamples;
