/** Rounding to the levels of integers of few bits and back, to train or to check for quantized inference. */
import { apply, type NameOptions } from '../apply.js';
import { withRank } from '../inferHelpers.js';
import { op, type InferContext } from '../opDef.js';
import type { TensorShape } from '../shape.js';
import type { TensorLike, Tensor } from '../tensor.js';

const FLOATS = 'T: {bfloat16, float16, float32, float64}';

function checkBits(c: InferContext, bits: number): void {
  const least = c.attrs.bool('signed_input') ? 2 : 1;
  if (bits < least || bits > 30) c.fail(`num_bits must be between ${least} and 30, got ${bits}`);
}

function inferBounded(c: InferContext): TensorShape[] {
  withRank(c, 1, 0, 'input_min');
  withRank(c, 2, 0, 'input_max');
  const [min, max] = [1, 2].map((i) => c.constant(i)?.data[0] ?? NaN) as [number, number];
  if (c.attrs.bool('range_given') && min > max) c.fail(`input_min ${min} is above input_max ${max}`);
  return [c.shape(0)];
}

export const QUANTIZE = {
  QuantizeAndDequantizeV2: op({
    summary: 'Rounds to the levels of integers of few bits and back.',
    inputs: ['input: T', 'input_min: T', 'input_max: T'],
    outputs: ['output: T'],
    attrs: [
      'signed_input: bool = true',
      'num_bits: int = 8',
      'range_given: bool = false',
      FLOATS,
      'round_mode: {"HALF_TO_EVEN", "HALF_UP"} = "HALF_TO_EVEN"',
      'narrow_range: bool = false',
    ],
    infer: (c) => {
      checkBits(c, c.attrs.int('num_bits'));
      return inferBounded(c);
    },
    // straight through, as if nothing were rounded
    grad: ({ dy }) => [dy, null, null],
  }),
  QuantizeAndDequantizeV3: op({
    summary: 'Rounds to the levels of integers, of a number of bits that is an input, and back.',
    inputs: ['input: T', 'input_min: T', 'input_max: T', 'num_bits: int32'],
    outputs: ['output: T'],
    attrs: ['signed_input: bool = true', 'range_given: bool = true', FLOATS, 'narrow_range: bool = false'],
    infer: (c) => {
      withRank(c, 3, 0, 'num_bits');
      const bits = c.constant(3)?.data[0];
      if (bits !== undefined && !Number.isNaN(bits)) checkBits(c, bits);
      return inferBounded(c);
    },
    grad: ({ dy }) => [dy, null, null, null],
  }),
};

export interface QuantizeAndDequantizeOptions extends NameOptions {
  /** Levels on both sides of 0. Default true. */
  readonly signedInput?: boolean | undefined;
  /** A number, or an int32 scalar that is known when the graph is compiled. Default 8. */
  readonly numBits?: TensorLike | undefined;
  /** Uses inputMin and inputMax; else the range is that of the elements. Default false. */
  readonly rangeGiven?: boolean | undefined;
  /** How halves are rounded; default `HALF_TO_EVEN`. Only for a `numBits` that is a number. */
  readonly roundMode?: 'HALF_TO_EVEN' | 'HALF_UP' | undefined;
  /** Leaves the lowest level out, so that levels are symmetric. Default false. */
  readonly narrowRange?: boolean | undefined;
}

/**
 * `input` rounded to the levels of integers of `numBits` bits and scaled back, 0 being a level
 * (`tf.quantization.quantize_and_dequantize`). The gradient of `input` passes as if nothing were rounded.
 */
export function quantizeAndDequantize(
  input: TensorLike,
  inputMin: TensorLike,
  inputMax: TensorLike,
  options: QuantizeAndDequantizeOptions = {},
): Tensor {
  const { signedInput = true, numBits = 8, rangeGiven = false, narrowRange = false, name } = options;
  const attrs = { signed_input: signedInput, range_given: rangeGiven, narrow_range: narrowRange };
  if (typeof numBits !== 'number') {
    return apply('QuantizeAndDequantizeV3', [input, inputMin, inputMax, numBits], { name, attrs });
  }
  return apply('QuantizeAndDequantizeV2', [input, inputMin, inputMax], {
    name,
    attrs: { ...attrs, num_bits: numBits, round_mode: options.roundMode ?? 'HALF_TO_EVEN' },
  });
}
