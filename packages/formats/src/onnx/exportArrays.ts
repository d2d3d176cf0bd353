/** Slices, splits, joins, fills, gathers and choices in ONNX. */
import { isInteger, type Operation } from '@forerun/graph';
import {
  fail,
  input,
  integers,
  known,
  rankOf,
  scalar,
  simple,
  toInt64,
  type OnnxWriter,
  type OpWriter,
} from './exportWriter.js';
import { onnxNumber, valueOf } from './tensors.js';

/** Larger than any size: to the end. */
const END = 2 ** 31 - 1;

const slice: OpWriter = (op, writer, [output]) => {
  const [begin, size] = [known(op, 1), known(op, 2)];
  const ends = begin.map((start, i) => (size[i] === -1 ? END : start + (size[i] ?? 0)));
  const axes = begin.map((_, i) => i);
  const lists = [begin, ends, axes].map((list) => writer.constant(integers(list)));
  writer.add('Slice', [writer.name(input(op, 0)), ...lists], {}, output);
};

/** What each axis of a strided slice does. */
interface AxisSlice {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

const stridedSlice: OpWriter = (op, writer, [output]) => {
  const [begin, end, strides] = [known(op, 1), known(op, 2), known(op, 3)];
  const bits = (attr: string) => (i: number) => ((op.attrs.int(attr) >> i) & 1) === 1;
  const [open, openEnd] = [bits('begin_mask'), bits('end_mask')];
  const [ellipsis, added, shrunk] = [bits('ellipsis_mask'), bits('new_axis_mask'), bits('shrink_axis_mask')];
  const slices = new Map<number, AxisSlice>();
  const [dropped, inserted]: [number[], number[]] = [[], []];
  const taken = begin.filter((_, i) => !ellipsis(i) && !added(i)).length;
  let [axis, place] = [0, 0];
  begin.forEach((start, i) => {
    if (ellipsis(i)) {
      const skipped = rankOf(op) - taken;
      [axis, place] = [axis + skipped, place + skipped];
    } else if (added(i)) inserted.push(place++);
    else if (shrunk(i)) {
      slices.set(axis, { start, end: start === -1 ? END : start + 1, step: 1 });
      dropped.push(axis++);
    } else {
      const step = strides[i] ?? 1;
      const first = open(i) ? (step > 0 ? 0 : END) : start;
      slices.set(axis++, { start: first, end: openEnd(i) ? (step > 0 ? END : -END) : (end[i] ?? 0), step });
      place++;
    }
  });
  const axes = [...slices.keys()];
  const all = [...slices.values()];
  const lists = [all.map((one) => one.start), all.map((one) => one.end), axes, all.map((one) => one.step)];
  const names = lists.map((list) => writer.constant(integers(list)));
  const x = writer.name(input(op, 0));
  const parts: ((y: string, out?: string) => string)[] = [];
  if (axes.length > 0) parts.push((y, out) => writer.add('Slice', [y, ...names], {}, out));
  if (dropped.length > 0)
    parts.push((y, out) => writer.add('Squeeze', [y, writer.constant(integers(dropped))], {}, out));
  if (inserted.length > 0)
    parts.push((y, out) => writer.add('Unsqueeze', [y, writer.constant(integers(inserted))], {}, out));
  if (parts.length === 0) parts.push((y, out) => writer.add('Identity', [y], {}, out));
  parts.reduce((y, part, i) => part(y, i === parts.length - 1 ? output : undefined), x);
};

/** Parts of equal sizes (`Split`) or of given ones (`SplitV`). */
function splitInto(
  op: Operation,
  writer: OnnxWriter,
  outputs: readonly string[],
  data: number,
  axis: number,
): void {
  const rank = rankOf(op, data);
  const at = axis < 0 ? axis + rank : axis;
  const sizes = op.outputs.map(
    ({ shape }) => shape.dim(at) ?? fail(op, 'the sizes of the parts are not known'),
  );
  writer.addMany(
    'Split',
    [writer.name(input(op, data)), writer.constant(integers(sizes))],
    { axis: at },
    outputs,
  );
}

const pack: OpWriter = (op, writer, [output]) => {
  const axis = op.attrs.int('axis');
  const axes = writer.constant(integers([axis]));
  const parts = op.inputs.map((tensor) => writer.add('Unsqueeze', [writer.name(tensor), axes]));
  writer.add('Concat', parts, { axis }, output);
};

const unpack: OpWriter = (op, writer, outputs) => {
  const axis = op.attrs.int('axis');
  const at = axis < 0 ? axis + rankOf(op) : axis;
  const axes = writer.constant(integers([at]));
  const parts = outputs.map((name) => `${name}_kept`);
  const sizes = writer.constant(integers(outputs.map(() => 1)));
  writer.addMany('Split', [writer.name(input(op, 0)), sizes], { axis: at }, parts);
  outputs.forEach((name, i) => writer.add('Squeeze', [parts[i] ?? '', axes], {}, name));
};

const like =
  (value: number): OpWriter =>
  (op, writer, [output]) => {
    const { dtype } = op.output(0);
    const shape = writer.add('Shape', [writer.name(input(op, 0))]);
    writer.add('Expand', [writer.constant(valueOf(dtype, value)), shape], {}, output);
  };

const select: OpWriter = (op, writer, [output]) => {
  const [condition, x] = [input(op, 0).shape, input(op, 1).shape];
  const rows = op.type === 'Select' && condition.rank === 1 && (x.rank ?? 1) > 1;
  const given = writer.name(input(op, 0));
  const tall = (): string => writer.constant(integers([-1, ...new Array<number>(rankOf(op, 1) - 1).fill(1)]));
  const shaped = rows ? writer.add('Reshape', [given, tall()]) : given;
  writer.add('Where', [shaped, writer.name(input(op, 1)), writer.name(input(op, 2))], {}, output);
};

const shapeOf: OpWriter = (op, writer, [output]) => {
  const to = onnxNumber(op.output(0).dtype, op.name);
  writer.add('Cast', [writer.add(op.type, [writer.name(input(op, 0))])], { to }, output);
};

const topK: OpWriter = (op, writer, [values = '', indices = '']) => {
  const k = writer.add('Reshape', [toInt64(op, writer, 1), writer.constant(integers([1]))]);
  writer.addMany('TopK', [writer.name(input(op, 0)), k], { axis: -1 }, [values, `${indices}_int64`]);
  writer.add('Cast', [`${indices}_int64`], { to: onnxNumber('int32', op.name) }, indices);
};

const oneHot: OpWriter = (op, writer, [output]) => {
  const [off, on] = [3, 2].map((i) =>
    writer.add('Reshape', [writer.name(input(op, i)), writer.constant(integers([1]))]),
  );
  const depth = writer.add('Reshape', [toInt64(op, writer, 1), writer.constant(integers([1]))]);
  // Indices out of range give no one; ONNX counts negative ones from the end, and there is nothing that far.
  const indices = toInt64(op, writer, 0);
  const zero = writer.constant(valueOf('int64', 0));
  const far = writer.constant(valueOf('int64', END));
  const inside = writer.add('Where', [writer.add('Less', [indices, zero]), far, indices]);
  const values = writer.add('Concat', [off ?? '', on ?? ''], { axis: 0 });
  writer.add('OneHot', [inside, depth, values], { axis: op.attrs.int('axis') }, output);
};

const reverse: OpWriter = (op, writer, [output]) => {
  const axes = known(op, 1);
  const lists = [axes.map(() => -1), axes.map(() => -END), axes, axes.map(() => -1)];
  const names = lists.map((list) => writer.constant(integers(list)));
  writer.add('Slice', [writer.name(input(op, 0)), ...names], {}, output);
};

/** Borders that begin with the outermost elements themselves, which ONNX has no mode for: the elements by their places. */
function symmetricPad(
  op: Operation,
  writer: OnnxWriter,
  output: string | undefined,
  table: readonly number[],
): void {
  const y = input(op, 0).shape.dims?.reduce(
    (x, size, axis) => {
      const [before = 0, after = 0] = table.slice(2 * axis, 2 * axis + 2);
      if (before === 0 && after === 0) return x;
      const length = size ?? fail(op, `the size of axis ${axis} is not known`);
      const places = Array.from({ length: before + length + after }, (_, i) => {
        const at = i - before;
        return at < 0 ? -at - 1 : at < length ? at : 2 * length - 1 - at;
      });
      return writer.add('Gather', [x, writer.constant(integers(places))], { axis });
    },
    writer.name(input(op, 0)),
  );
  writer.add('Identity', [y ?? fail(op, 'the rank of input 0 is not known')], {}, output);
}

const mirrorPad: OpWriter = (op, writer, [output]) => {
  const table = known(op, 1);
  if (op.attrs.string('mode') !== 'REFLECT') {
    symmetricPad(op, writer, output, table);
    return;
  }
  const pads = [...table.filter((_, i) => i % 2 === 0), ...table.filter((_, i) => i % 2 === 1)];
  const list = writer.constant(integers(pads));
  writer.add('Pad', [writer.name(input(op, 0)), list], { mode: 'reflect' }, output);
};

const cumsum: OpWriter = (op, writer, [output]) => {
  const [exclusive, reversed] = [op.attrs.bool('exclusive'), op.attrs.bool('reverse')];
  const axis = writer.constant(valueOf('int64', known(op, 1)[0] ?? 0));
  const attributes = { exclusive: Number(exclusive), reverse: Number(reversed) };
  writer.add('CumSum', [writer.name(input(op, 0)), axis], attributes, output);
};

/** Whether all or any hold, by the least or the largest number. */
const logical =
  (type: string): OpWriter =>
  (op, writer, [output]) => {
    const numbers = writer.add('Cast', [writer.name(input(op, 0))], { to: onnxNumber('int32', op.name) });
    const axes = writer.constant(integers(known(op, 1)));
    const keepdims = Number(op.attrs.bool('keep_dims'));
    const y = writer.add(type, [numbers, axes], { keepdims, noop_with_empty_axes: 1 });
    writer.add('Cast', [y], { to: onnxNumber('bool', op.name) }, output);
  };

/** x - floor(x / y) * y, which ONNX has for integers. */
const floorMod: OpWriter = (op, writer, [output]) => {
  const [x, y] = [writer.name(input(op, 0)), writer.name(input(op, 1))];
  if (isInteger(input(op, 0).dtype)) {
    writer.add('Mod', [x, y], {}, output);
    return;
  }
  const whole = writer.add('Floor', [writer.add('Div', [x, y])]);
  writer.add('Sub', [x, writer.add('Mul', [whole, y])], {}, output);
};

/** ONNX divides integers towards zero: what is left over is taken off before. */
const floorDiv: OpWriter = (op, writer, [output]) => {
  const [x, y] = [writer.name(input(op, 0)), writer.name(input(op, 1))];
  if (!isInteger(input(op, 0).dtype)) {
    writer.add('Floor', [writer.add('Div', [x, y])], {}, output);
    return;
  }
  writer.add('Div', [writer.add('Sub', [x, writer.add('Mod', [x, y])]), y], {}, output);
};

const clip: OpWriter = (op, writer, [output]) => {
  const [x = '', low = '', high = ''] = op.inputs.map((tensor) => writer.name(tensor));
  writer.add('Max', [writer.add('Min', [x, high]), low], {}, output);
};

const gatherNd: OpWriter = (op, writer, [output]) => {
  writer.add('GatherND', [writer.name(input(op, 0)), toInt64(op, writer, 1)], {}, output);
};

const withSizes =
  (type: string, sizes: number, data: number): OpWriter =>
  (op, writer, [output]) => {
    writer.add(type, [writer.name(input(op, data)), toInt64(op, writer, sizes)], {}, output);
  };

const notEqual: OpWriter = (op, writer, [output]) => {
  const equal = writer.add('Equal', [writer.name(input(op, 0)), writer.name(input(op, 1))]);
  writer.add('Not', [equal], {}, output);
};

const leaky: OpWriter = (op, writer, [output]) => {
  const [x, alpha] = [writer.name(input(op, 0)), writer.name(input(op, 1))];
  const negative = writer.add('Min', [x, writer.constant(scalar(0))]);
  writer.add('Add', [writer.add('Relu', [x]), writer.add('Mul', [alpha, negative])], {}, output);
};

/** Random numbers of the same distribution, not the same numbers. */
const random =
  (type: string): OpWriter =>
  (op, writer, [output]) => {
    const zeros = writer.add('ConstantOfShape', [toInt64(op, writer, 0)]);
    writer.add(type, [zeros], { dtype: onnxNumber(op.attrs.type('dtype'), op.name) }, output);
  };

/** The shape that two shapes broadcast to: that of a scalar which takes both, one after the other. */
const broadcastArgs: OpWriter = (op, writer, [output]) => {
  const zero = writer.constant(valueOf('bool', 0));
  const first = writer.add('Expand', [zero, toInt64(op, writer, 0)]);
  const both = writer.add('Expand', [first, toInt64(op, writer, 1)]);
  const to = { to: onnxNumber(op.output(0).dtype, op.name) };
  writer.add('Cast', [writer.add('Shape', [both])], to, output);
};

export const ARRAY_WRITERS: Readonly<Record<string, OpWriter>> = {
  AddN: simple('Sum'),
  All: logical('ReduceMin'),
  Any: logical('ReduceMax'),
  BroadcastArgs: broadcastArgs,
  BroadcastTo: withSizes('Expand', 1, 0),
  ClipByValue: clip,
  Cumsum: cumsum,
  Einsum: simple('Einsum', (op) => ({ equation: op.attrs.string('equation') })),
  EnsureShape: simple('Identity'),
  Fill: withSizes('Expand', 0, 1),
  FloorDiv: floorDiv,
  FloorMod: floorMod,
  GatherNd: gatherNd,
  MirrorPad: mirrorPad,
  NotEqual: notEqual,
  OneHot: oneHot,
  OnesLike: like(1),
  Pack: pack,
  Prelu: leaky,
  RandomStandardNormal: random('RandomNormalLike'),
  RandomUniform: random('RandomUniformLike'),
  Range: simple('Range'),
  ReverseV2: reverse,
  Select: select,
  SelectV2: select,
  Shape: shapeOf,
  Size: shapeOf,
  Slice: slice,
  Split: (op, writer, outputs) => splitInto(op, writer, outputs, 1, known(op, 0)[0] ?? 0),
  SplitV: (op, writer, outputs) => splitInto(op, writer, outputs, 0, known(op, 2)[0] ?? 0),
  StridedSlice: stridedSlice,
  Tile: withSizes('Tile', 1, 0),
  TopKV2: topK,
  Unpack: unpack,
  ZerosLike: like(0),
};
