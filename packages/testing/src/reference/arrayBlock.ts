/** Float64 references of the array ops that move blocks, turn elements around, or pass them on. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference } from '../sample.js';
import { coordinates, tabulate } from './tabulate.js';

const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);
const passed: Reference = ({ input }) => [input(0)];

/** Pixel access that does not depend on the data format: (batch, y, x, channel). */
function image(x: HostValue, format: string): { size: number[]; read: (at: readonly number[]) => number } {
  const read = coordinates(x);
  const [a = 0, b = 0, c = 0, d = 0] = x.shape;
  if (format === 'NHWC') return { size: [a, b, c, d], read };
  return { size: [a, c, d, b], read: ([n = 0, y = 0, u = 0, k = 0]) => read([n, k, y, u]) };
}

function drawn(
  x: HostValue,
  format: string,
  [n = 0, h = 0, w = 0, k = 0]: readonly number[],
  pixel: (b: number, y: number, u: number, channel: number) => number,
): HostValue {
  if (format === 'NHWC')
    return tabulate(x.dtype, [n, h, w, k], ([b = 0, y = 0, u = 0, c = 0]) => pixel(b, y, u, c));
  return tabulate(x.dtype, [n, k, h, w], ([b = 0, c = 0, y = 0, u = 0]) => pixel(b, y, u, c));
}

const spaceToDepth: Reference = ({ input, attrs }) => {
  const [s, format] = [attrs.int('block_size'), attrs.string('data_format')];
  const {
    size: [n = 0, h = 0, w = 0, k = 0],
    read,
  } = image(input(0), format);
  return [
    drawn(input(0), format, [n, h / s, w / s, k * s * s], (b, y, u, c) => {
      const place = Math.floor(c / k);
      return read([b, y * s + Math.floor(place / s), u * s + (place % s), c % k]);
    }),
  ];
};

const depthToSpace: Reference = ({ input, attrs }) => {
  const [s, format] = [attrs.int('block_size'), attrs.string('data_format')];
  const {
    size: [n = 0, h = 0, w = 0, depth = 0],
    read,
  } = image(input(0), format);
  const k = depth / (s * s);
  return [
    drawn(input(0), format, [n, h * s, w * s, k], (b, y, u, c) =>
      read([b, Math.floor(y / s), Math.floor(u / s), ((y % s) * s + (u % s)) * k + c]),
    ),
  ];
};

interface Cut {
  readonly sizes: readonly number[];
  readonly borders: HostValue;
}

function toBatch(x: HostValue, { sizes, borders }: Cut): HostValue {
  const read = coordinates(x);
  const m = sizes.length;
  const spatial = sizes.map(
    (size, d) => ((x.shape[d + 1] ?? 0) + (borders.data[2 * d] ?? 0) + (borders.data[2 * d + 1] ?? 0)) / size,
  );
  const batch = x.shape[0] ?? 0;
  return tabulate(x.dtype, [batch * product(sizes), ...spatial, ...x.shape.slice(1 + m)], (at) => {
    let place = Math.floor((at[0] ?? 0) / batch);
    const from = new Array<number>(m).fill(0);
    for (let d = m - 1; d >= 0; d--) {
      const size = sizes[d] ?? 1;
      from[d] = (at[d + 1] ?? 0) * size + (place % size) - (borders.data[2 * d] ?? 0);
      place = Math.floor(place / size);
    }
    if (from.some((p, d) => p < 0 || p >= (x.shape[d + 1] ?? 0))) return 0;
    return read([(at[0] ?? 0) % batch, ...from, ...at.slice(1 + m)]);
  });
}

function fromBatch(x: HostValue, { sizes, borders }: Cut): HostValue {
  const read = coordinates(x);
  const m = sizes.length;
  const spatial = sizes.map(
    (size, d) => (x.shape[d + 1] ?? 0) * size - (borders.data[2 * d] ?? 0) - (borders.data[2 * d + 1] ?? 0),
  );
  const batch = (x.shape[0] ?? 0) / product(sizes);
  return tabulate(x.dtype, [batch, ...spatial, ...x.shape.slice(1 + m)], (at) => {
    const full = sizes.map((_, d) => (at[d + 1] ?? 0) + (borders.data[2 * d] ?? 0));
    const place = full.reduce((sum, p, d) => sum * (sizes[d] ?? 1) + (p % (sizes[d] ?? 1)), 0);
    const cells = full.map((p, d) => Math.floor(p / (sizes[d] ?? 1)));
    return read([place * batch + (at[0] ?? 0), ...cells, ...at.slice(1 + m)]);
  });
}

const square = (size: number, borders: HostValue): Cut => ({ sizes: [size, size], borders });

const ARRAYS = {
  ...{ float32: Float32Array, int32: Int32Array, uint32: Uint32Array, uint8: Uint8Array, int8: Int8Array },
  ...{ int16: Int16Array, uint16: Uint16Array, float64: Float64Array },
};

export const ARRAY_BLOCK_REFERENCES = {
  SpaceToDepth: spaceToDepth,
  DepthToSpace: depthToSpace,
  SpaceToBatchND: ({ input }) => [toBatch(input(0), { sizes: [...input(1).data], borders: input(2) })],
  BatchToSpaceND: ({ input }) => [fromBatch(input(0), { sizes: [...input(1).data], borders: input(2) })],
  SpaceToBatch: ({ input, attrs }) => [toBatch(input(0), square(attrs.int('block_size'), input(1)))],
  BatchToSpace: ({ input, attrs }) => [fromBatch(input(0), square(attrs.int('block_size'), input(1)))],
  ReverseSequence: ({ input, attrs }) => {
    const [x, lengths] = [input(0), input(1).data];
    const [seq, batch] = [attrs.int('seq_dim'), attrs.int('batch_dim')];
    const read = coordinates(x);
    return [
      tabulate(x.dtype, x.shape, (at) => {
        const [step, length] = [at[seq] ?? 0, lengths[at[batch] ?? 0] ?? 0];
        return read(at.map((i, d) => (d === seq && step < length ? length - 1 - step : i)));
      }),
    ];
  },
  Roll: ({ input }) => {
    const x = input(0);
    const read = coordinates(x);
    const shifts = x.shape.map(() => 0);
    input(2).data.forEach((axis, k) => {
      const d = axis < 0 ? axis + shifts.length : axis;
      shifts[d] = (shifts[d] ?? 0) + (input(1).data[k] ?? 0);
    });
    return [
      tabulate(x.dtype, x.shape, (at) =>
        read(
          at.map((i, d) => {
            const dim = x.shape[d] ?? 1;
            return (((i - (shifts[d] ?? 0)) % dim) + dim) % dim;
          }),
        ),
      ),
    ];
  },
  Reverse: ({ input }) => {
    const [x, marks] = [input(0), input(1).data];
    const read = coordinates(x);
    return [
      tabulate(x.dtype, x.shape, (at) => read(at.map((i, d) => (marks[d] ? (x.shape[d] ?? 1) - 1 - i : i)))),
    ];
  },
  ConcatOffset: ({ inputs }) => {
    const shapes = inputs.slice(1);
    const rank = shapes[0]?.data.length ?? 0;
    const axis = ((inputs[0]?.data[0] ?? 0) + rank) % rank;
    return shapes.map((_, k) => {
      const before = shapes.slice(0, k).reduce((sum, { data }) => sum + (data[axis] ?? 0), 0);
      return tabulate('int32', [rank], ([d = 0]) => (d === axis ? before : 0));
    });
  },
  DeepCopy: passed,
  Snapshot: passed,
  GuaranteeConst: passed,
  PreventGradient: passed,
  Bitcast: ({ input, outputs: [dtype = 'int32'] }) => {
    const x = input(0);
    const From = ARRAYS[x.dtype as keyof typeof ARRAYS];
    const To = ARRAYS[dtype as keyof typeof ARRAYS];
    const data = Float64Array.from(new To(From.from(x.data).buffer));
    const [have, want] = [From.BYTES_PER_ELEMENT, To.BYTES_PER_ELEMENT];
    const shape = have > want ? [...x.shape, have / want] : have < want ? x.shape.slice(0, -1) : x.shape;
    return [{ dtype, shape, data }];
  },
} satisfies FamilyReferences;
