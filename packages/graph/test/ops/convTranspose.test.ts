/** `convTranspose` chooses by rank; its sizes are those of the convolution that it turns round. */
import {
  convTranspose,
  Graph,
  InvalidArgumentError,
  placeholder,
  type ConvTransposeByRankOptions,
} from '../../src/index.js';

const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);

describe('convTranspose', () => {
  it.each<[number[], number[], number[], ConvTransposeByRankOptions, string]>([
    [[2, 3, 4], [3, 5, 4], [2, 6, 5], { strides: 2 }, 'Squeeze'],
    [[2, 4, 3], [3, 5, 4], [2, 5, 6], { strides: 2, dataFormat: 'NCW' }, 'Squeeze'],
    [[2, 3, 3, 4], [3, 3, 5, 4], [2, 7, 7, 5], { strides: 2, padding: 'VALID' }, 'Conv2DBackpropInput'],
    [[2, 3, 4, 3, 4], [3, 3, 3, 5, 4], [2, 3, 4, 3, 5], { strides: 1 }, 'Conv3DBackpropInputV2'],
  ])('of %j with %j', (input, filters, output, options, type) => {
    inGraph(() => {
      const y = convTranspose(
        placeholder('float32', input),
        placeholder('float32', filters),
        output,
        options,
      );
      expect([y.op.type, y.shape.dims]).toEqual([type, output]);
      expect(y.op.name).toMatch(/^conv_transpose/);
    });
  });

  it('refuses other ranks and formats of other ranks', () => {
    inGraph(() => {
      const filters = placeholder('float32', [3, 3, 5, 4]);
      const make = (shape: number[] | null, options: ConvTransposeByRankOptions) => () =>
        convTranspose(placeholder('float32', shape), filters, [2, 6, 6, 5], options);
      expect(make([2, 4], { strides: 2 })).toThrow(
        new InvalidArgumentError(
          'convTranspose: input must be of rank 3 (sequences), 4 (images) or 5 (volumes), got [2,4]',
        ),
      );
      expect(make(null, { strides: 2 })).toThrow('got <unknown>');
      expect(make([2, 3, 3, 4], { strides: 2, dataFormat: 'NDHWC' })).toThrow(
        'convTranspose: the data format NDHWC is not for inputs of rank 4',
      );
    });
  });
});
