/**
 * Pooling over windows of two sizes in random order, so that images shrink by a factor that need not be whole (Graham,
 * "Fractional Max-Pooling", 2014): records, what they are made of, builders.
 */
import { apply, applyOp, type NameOptions } from '../apply.js';
import { throughParts } from '../composedOp.js';
import { UnimplementedError } from '../errors.js';
import { shapeFromInput, withRank } from '../inferHelpers.js';
import { op, type ComposeContext, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { SEEDS, seedAttrs } from './randomSeeds.js';

const TYPES = 'T: {float32, float64, int32, int64}';
const ATTRS = [
  'pooling_ratio: list(float) >= 4',
  'pseudo_random: bool = false',
  'overlapping: bool = false',
  'deterministic: bool = false',
  ...SEEDS,
  TYPES,
];
const SEQUENCES = ['row_pooling_sequence: int64', 'col_pooling_sequence: int64'];

function inferPool(c: InferContext): TensorShape[] {
  const x = withRank(c, 0, 4, 'value');
  const ratio = c.attrs.floats('pooling_ratio');
  const ok = ratio.length === 4 && ratio[0] === 1 && ratio[3] === 1 && ratio.every((r) => r >= 1);
  if (!ok) c.fail(`pooling_ratio must be [1, rows, columns, 1], each 1 or more, got [${ratio.join(',')}]`);
  const dims = ratio.map((r, i): Dim => {
    const dim = x.dim(i);
    const size = dim === null ? null : Math.floor(dim / r);
    if (size === 0 && dim !== 0) c.fail(`pooling_ratio ${r} leaves nothing of ${dim} elements`);
    return size;
  });
  const sequence = (i: number): TensorShape => {
    const size = dims[i] ?? null;
    return new TensorShape([size === null ? null : size + 1]);
  };
  return [new TensorShape(dims), sequence(1), sequence(2)];
}

/** A size where it is known, else the tensor that tells it: gradients are made before the sizes are known. */
type Size = number | Tensor;

function sizeOf({ ops }: Pick<ComposeContext, 'ops'>, x: Tensor, axis: number): Size {
  const dim = x.shape.rank === null ? null : x.shape.dim(axis);
  return dim ?? ops.gather(ops.shape(x), axis);
}

/** The sizes of images, which the pools need as numbers: they are put together when a plan is compiled. */
function staticSizes(x: Tensor): number[] {
  if (x.shape.isFullyDefined) return x.shape.toStatic();
  throw new UnimplementedError(
    `what a fractional pool is made of needs the sizes, there is a tensor of shape ${x.shape.toString()}`,
  );
}

function product({ ops }: ComposeContext, ...sizes: readonly Size[]): Size {
  return sizes.reduce((a, b) => (typeof a === 'number' && typeof b === 'number' ? a * b : ops.mul(a, b)));
}

/** A shape as `reshape` takes it. */
function shapeOf({ ops }: ComposeContext, ...sizes: readonly Size[]): TensorLike {
  const known = sizes.filter((size) => typeof size === 'number');
  return known.length === sizes.length ? known : ops.stack(sizes.map((size) => ops.cast(size, 'int32')));
}

/** `count` numbers in [0, 1), in every run others unless the op is deterministic; `which` tells rows from columns. */
function draws({ ops, attrs }: ComposeContext, count: number, which: 0 | 1): Tensor {
  const [seed, seed2] = [attrs.int('seed'), attrs.int('seed2')];
  if (!attrs.bool('deterministic')) {
    const seeds = seed === 0 && seed2 === 0 ? {} : { seed, seed2: seed2 + which };
    return apply('RandomUniform', [[count]], {
      name: which === 0 ? 'rows' : 'columns',
      attrs: { ...seeds, dtype: 'float32' },
    });
  }
  return ops.statelessRandomUniform([count], [seed, seed2 + which]);
}

/** Where the windows along an axis begin, and behind the last: `outputs` + 1 numbers from 0 to `inputs`. */
function sequence(c: ComposeContext, inputs: number, outputs: number, which: 0 | 1): Tensor {
  const { ops, attrs } = c;
  const [short, longer] = [Math.floor(inputs / outputs), inputs % outputs];
  if (!attrs.bool('pseudo_random')) {
    const lengths = Array.from({ length: outputs }, (_, i) => short + (i < longer ? 1 : 0));
    const order = ops.argsort(draws(c, outputs, which));
    const shuffled = ops.gather(ops.constant(lengths, { dtype: 'int32' }), order);
    return ops.concat([ops.constant([0], { dtype: 'int32' }), ops.cumsum(shuffled)], 0);
  }
  // ceil(alpha (i + u)) - 1 in whole parts of 1 / scale, so that every device rounds alike
  const alpha = inputs / outputs;
  const limit = Math.min((short + 2) / alpha - 1, (inputs + 1 - short) / alpha - (outputs - 1));
  const scale = Math.max(1, Math.min(2 ** 16, Math.floor((2 ** 31 - 1) / (inputs * (outputs + 1))) - 1));
  const steps = Math.max(1, Math.floor(limit * scale));
  const u = ops.minimum(ops.cast(ops.mul(draws(c, 1, which), steps), 'int32'), steps - 1);
  const places = ops.mul(ops.range(1, outputs), scale);
  const numerator = ops.add(ops.mul(ops.add(places, u), inputs), outputs * scale - 1);
  const middle = ops.sub(ops.floorDiv(numerator, outputs * scale), 1);
  const [first, last] = [0, inputs].map((n) => ops.constant([n], { dtype: 'int32' })) as [Tensor, Tensor];
  return ops.concat([first, middle, last], 0);
}

interface Windows {
  readonly inputs: Size;
  readonly outputs: Size;
  /** First and last element of each window. */
  readonly start: Tensor;
  readonly end: Tensor;
}

function windows(c: ComposeContext, places: Tensor, inputs: Size): Windows {
  const { ops, attrs } = c;
  const count = sizeOf(c, places, 0);
  const start = ops.stridedSlice(places, [0], [-1]);
  const next = ops.stridedSlice(places, [1], [0], { endMask: 1 });
  const last = attrs.bool('overlapping') ? next : ops.sub(next, 1);
  return { inputs, outputs: less(c, count, 1), start, end: ops.minimum(last, less(c, inputs, 1)) };
}

function less({ ops }: ComposeContext, size: Size, by: number): Size {
  return typeof size === 'number' ? size - by : ops.sub(size, by);
}

/** [outputs, inputs]: 1 where an element is in a window. */
function membership({ ops }: ComposeContext, { inputs, start, end }: Windows): Tensor {
  const at = ops.range(inputs);
  const inside = ops.logicalAnd(
    ops.greaterEqual(at, ops.expandDims(start, 1)),
    ops.lessEqual(at, ops.expandDims(end, 1)),
  );
  return ops.cast(inside, 'float32');
}

/** Numbers of elements of all windows, [rows, columns, 1]. */
function counts({ ops }: ComposeContext, rows: Windows, columns: Windows): Tensor {
  const count = ({ start, end }: Windows): Tensor => ops.add(ops.sub(end, start), 1);
  return ops.expandDims(ops.mul(ops.expandDims(count(rows), 1), count(columns)), -1);
}

function pooled(c: ComposeContext, pool: (rows: Windows, columns: Windows) => Tensor): Tensor[] {
  const { ops, attrs, input } = c;
  const [, height = 0, width = 0] = staticSizes(input(0));
  const ratio = attrs.floats('pooling_ratio');
  const [rows, columns] = [
    sequence(c, height, Math.floor(height / (ratio[1] ?? 1)), 0),
    sequence(c, width, Math.floor(width / (ratio[2] ?? 1)), 1),
  ];
  const y = pool(windows(c, rows, height), windows(c, columns, width));
  return [y, ops.cast(rows, 'int64'), ops.cast(columns, 'int64')];
}

function composeAverage(c: ComposeContext): Tensor[] {
  const { ops, input } = c;
  return pooled(c, (rows, columns) => {
    const x = ops.cast(input(0), 'float32');
    const lines = ops.einsum('rh,bhwc->brwc', membership(c, rows), x);
    const sums = ops.einsum('sw,brwc->brsc', membership(c, columns), lines);
    const { dtype } = input(0);
    return ops.div(ops.cast(sums, dtype), ops.cast(counts(c, rows, columns), dtype));
  });
}

/** Inputs orig_input_tensor_shape, out_backprop and the two sequences. */
function composeAverageGrad(c: ComposeContext): Tensor[] {
  const { ops, input } = c;
  const place = (i: number, axis: number): Windows => {
    const known = c.constant(0)?.data[axis] ?? NaN;
    const size = Number.isNaN(known) ? ops.gather(ops.cast(input(0), 'int32'), axis) : known;
    return windows(c, ops.cast(input(i), 'int32'), size);
  };
  const [rows, columns] = [place(2, 1), place(3, 2)];
  const share = ops.div(ops.cast(input(1), 'float32'), ops.cast(counts(c, rows, columns), 'float32'));
  const lines = ops.einsum('sw,brsc->brwc', membership(c, columns), share);
  return [ops.cast(ops.einsum('rh,brwc->bhwc', membership(c, rows), lines), input(1).dtype)];
}

/** Positions of the elements of each window, its last one again where it is shorter than others: [outputs, longest]. */
function members({ ops, attrs }: ComposeContext, { inputs, outputs, start, end }: Windows): Tensor {
  const more = attrs.bool('overlapping') ? 2 : 1;
  const longest =
    typeof inputs === 'number' && typeof outputs === 'number'
      ? Math.floor(inputs / outputs) + more
      : ops.add(ops.floorDiv(inputs, outputs), more);
  return ops.minimum(ops.add(ops.expandDims(start, 1), ops.range(longest)), ops.expandDims(end, 1));
}

/** The elements of all windows, [batch, rows, columns, elements, channels], and how many columns a window has at most. */
function elements(c: ComposeContext, x: Tensor, rows: Windows, columns: Windows) {
  const { ops } = c;
  const [rowAt, columnAt] = [members(c, rows), members(c, columns)];
  const [tall, wide] = [sizeOf(c, rowAt, 1), sizeOf(c, columnAt, 1)];
  const both = ops.gather(ops.gather(x, rowAt, { axis: 1 }), columnAt, { axis: 3 });
  const together = ops.transpose(both, { perm: [0, 1, 3, 2, 4, 5] });
  const window = product(c, tall, wide);
  const shape = shapeOf(c, sizeOf(c, x, 0), rows.outputs, columns.outputs, window, sizeOf(c, x, 3));
  return { all: ops.reshape(together, shape), wide };
}

function composeMax(c: ComposeContext): Tensor[] {
  return pooled(c, (rows, columns) =>
    c.ops.reduceMax(elements(c, c.input(0), rows, columns).all, { axis: 3 }),
  );
}

/** Inputs orig_input, orig_output, out_backprop and the two sequences: the first of the largest elements gets all. */
function composeMaxGrad(c: ComposeContext): Tensor[] {
  const { ops, input } = c;
  const x = input(0);
  const [batch, height, width, channels] = [0, 1, 2, 3].map((axis) => sizeOf(c, x, axis)) as [
    ...[Size, Size, Size, Size],
  ];
  const rows = windows(c, ops.cast(input(3), 'int32'), height);
  const columns = windows(c, ops.cast(input(4), 'int32'), width);
  const { all, wide } = elements(c, x, rows, columns);
  const place = ops.argMax(all, { axis: 3, outputType: 'int32' });
  const limited = ({ start, end }: Windows, step: Tensor, axis: 1 | 2): Tensor => {
    const shape = axis === 1 ? [-1, 1, 1] : [-1, 1];
    return ops.minimum(ops.add(ops.reshape(start, shape), step), ops.reshape(end, shape));
  };
  const row = limited(rows, ops.floorDiv(place, wide), 1);
  const column = limited(columns, ops.floorMod(place, wide), 2);
  const image = ops.reshape(ops.range(batch), [-1, 1, 1, 1]);
  const pixel = ops.add(ops.mul(ops.add(ops.mul(image, height), row), width), column);
  const flat = ops.add(ops.mul(pixel, channels), ops.range(channels));
  const sums = ops.unsortedSegmentSum(
    ops.reshape(input(2), [-1]),
    ops.reshape(flat, [-1]),
    product(c, batch, height, width, channels),
  );
  return [ops.reshape(sums, shapeOf(c, batch, height, width, channels))];
}

/** Sequences must have one element more than the pooled axis. */
function checkSequences(c: InferContext, pooledShape: TensorShape, first: number): void {
  ['row_pooling_sequence', 'col_pooling_sequence'].forEach((name, i) => {
    const length = withRank(c, first + i, 1, name).dim(0);
    const size = pooledShape.dim(1 + i);
    if (length !== null && size !== null && length !== size + 1) {
      c.fail(`${name} must have ${size + 1} elements for ${size} windows, got ${length}`);
    }
  });
}

export const FRACTIONAL_POOL = {
  FractionalAvgPool: op({
    summary: 'Mean of windows of two sizes in random order, and where the windows begin.',
    inputs: ['value: T'],
    outputs: ['output: T', ...SEQUENCES],
    attrs: ATTRS,
    infer: inferPool,
    grad: ({ ops, attrs, input, output, dy }) => [
      apply('FractionalAvgPoolGrad', [ops.shape(input(0), { outType: 'int64' }), dy, output(1), output(2)], {
        attrs: { overlapping: attrs.bool('overlapping') },
      }),
    ],
    compose: composeAverage,
    stateful: true,
  }),
  FractionalMaxPool: op({
    summary: 'Largest element of windows of two sizes in random order, and where the windows begin.',
    inputs: ['value: T'],
    outputs: ['output: T', ...SEQUENCES],
    attrs: ATTRS,
    infer: inferPool,
    grad: ({ attrs, input, output, dy }) => [
      apply('FractionalMaxPoolGrad', [input(0), output(0), dy, output(1), output(2)], {
        attrs: { overlapping: attrs.bool('overlapping') },
      }),
    ],
    compose: composeMax,
    stateful: true,
  }),
  FractionalAvgPoolGrad: op({
    summary: 'Gradient of FractionalAvgPool with respect to its images.',
    inputs: ['orig_input_tensor_shape: int64', 'out_backprop: T', ...SEQUENCES],
    outputs: ['output: T'],
    attrs: ['overlapping: bool = false', TYPES],
    infer: (c) => {
      const images =
        shapeFromInput(c, 0).mergeWith(TensorShape.ofRank(4)) ??
        c.fail(`orig_input_tensor_shape must hold 4 sizes, got ${shapeFromInput(c, 0).toString()}`);
      checkSequences(c, withRank(c, 1, 4, 'out_backprop'), 2);
      return [images];
    },
    grad: throughParts(composeAverageGrad),
    compose: composeAverageGrad,
  }),
  FractionalMaxPoolGrad: op({
    summary: 'Gradient of FractionalMaxPool with respect to its images.',
    inputs: ['orig_input: T', 'orig_output: T', 'out_backprop: T', ...SEQUENCES],
    outputs: ['output: T'],
    attrs: ['overlapping: bool = false', TYPES],
    infer: (c) => {
      const pooledShape =
        withRank(c, 1, 4, 'orig_output').mergeWith(withRank(c, 2, 4, 'out_backprop')) ??
        c.fail(`orig_output ${c.shape(1).toString()} and out_backprop ${c.shape(2).toString()} differ`);
      checkSequences(c, pooledShape, 3);
      return [withRank(c, 0, 4, 'orig_input')];
    },
    grad: throughParts(composeMaxGrad),
    compose: composeMaxGrad,
  }),
} satisfies Record<string, OpDef>;

export interface FractionalPoolOptions extends NameOptions {
  /** Windows at places that one random number decides, rather than in any order; default `false`. */
  readonly pseudoRandom?: boolean | undefined;
  /** Whether the last row and column of a window belong to the next too; default `false`. */
  readonly overlapping?: boolean | undefined;
  /** The same windows in every run; default `false`. */
  readonly deterministic?: boolean | undefined;
  /** The op's own seed. */
  readonly seed?: number | undefined;
}

export type FractionalPoolResult = Readonly<
  /** The two sequences say where the windows begin, and the size of the images, int64. */
  Record<'output' | 'rowPoolingSequence' | 'colPoolingSequence', Tensor>
>;

function fractionalPool(
  type: string,
  value: TensorLike,
  poolingRatio: readonly number[],
  { pseudoRandom = false, overlapping = false, deterministic = false, seed, name }: FractionalPoolOptions,
): FractionalPoolResult {
  const attrs = { pooling_ratio: poolingRatio, pseudo_random: pseudoRandom, overlapping, deterministic };
  const node = applyOp(type, [value], { name, attrs: { ...attrs, ...seedAttrs(seed) } });
  return { output: node.output(0), rowPoolingSequence: node.output(1), colPoolingSequence: node.output(2) };
}

/**
 * Average pooling that shrinks images `[batch, rows, columns, channels]` by `poolingRatio` `[1, r, c, 1]`, 1 or more (`tf.nn.fractional_avg_pool`;
 * Graham, 2014). Throws for other ratios. Gradients of every order.
 */
export function fractionalAvgPool(
  value: TensorLike,
  poolingRatio: readonly number[],
  options: FractionalPoolOptions = {},
): FractionalPoolResult {
  return fractionalPool('FractionalAvgPool', value, poolingRatio, options);
}

/** As `fractionalAvgPool`, of the largest elements (`tf.nn.fractional_max_pool`). */
export function fractionalMaxPool(
  value: TensorLike,
  poolingRatio: readonly number[],
  options: FractionalPoolOptions = {},
): FractionalPoolResult {
  return fractionalPool('FractionalMaxPool', value, poolingRatio, options);
}
