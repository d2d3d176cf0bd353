/** Kernels of ops that turn elements around along an axis by amounts that are read from a tensor. */
import { sizeOf, stridesOf, type OpName } from '@forerun/graph';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { gridFor, gridStride, linearIndex, unflatten } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader } from './wgsl/shader.js';

/** Each output element from input 0 at the position that `place` makes of its coordinates; `amount` is input 1. */
function lowerMoved(
  c: KernelContext,
  amount: string,
  place: (names: readonly string[]) => { code: readonly string[]; read: readonly string[] },
): Lowered {
  const { shape } = c.output(0);
  const elements = sizeOf(shape);
  if (elements === 0) return { dispatches: [] };
  const grid = gridFor(elements, 1, c.adapter);
  const { code, names } = unflatten('i', shape);
  const { code: moves, read } = place(names);
  const body = [code, ...moves, `out[i] = source[${linearIndex(read, stridesOf(shape))}];`].join('\n');
  const bindings = [inputBinding(c, 0, 'source'), inputBinding(c, 1, amount), outputBinding(c)];
  return {
    dispatches: [
      shader({ label: c.op, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) }, c.adapter),
    ],
  };
}

function lowerReverseSequence(c: KernelContext): Lowered {
  const [seq, batch] = [c.attrs.int('seq_dim'), c.attrs.int('batch_dim')];
  const steps = c.input(0).shape[seq] ?? 1;
  return lowerMoved(c, 'seq_lengths', (names) => {
    const at = names[seq] ?? '0u';
    const code = [
      `let count = u32(clamp(seq_lengths[${names[batch] ?? '0u'}], 0, ${steps}));`,
      `let moved = select(${at}, count - 1u - ${at}, ${at} < count);`,
    ];
    return { code, read: names.map((name, d) => (d === seq ? 'moved' : name)) };
  });
}

function lowerRoll(c: KernelContext): Lowered {
  const { shape } = c.input(0);
  const axes = Array.from(c.requireHost(2, 'axis').data, (axis) => (axis < 0 ? axis + shape.length : axis));
  return lowerMoved(c, 'shift', (names) => {
    const code: string[] = [];
    const read = names.map((name, d) => {
      const dim = shape[d] ?? 1;
      const shifts = axes.flatMap((axis, k) => (axis === d ? [`shift[${k}] % ${dim}`] : []));
      if (name === '0u' || shifts.length === 0) return name;
      // The remainder has the sign of the dividend: bring it into [0, dim).
      code.push(`let back${d} = (i32(${name}) - (${shifts.join(' + ')})) % ${dim};`);
      return `u32(select(back${d}, back${d} + ${dim}, back${d} < 0))`;
    });
    return { code, read };
  });
}

export const ORDER_KERNELS = {
  ReverseSequence: device(lowerReverseSequence, { work: 'pass' }),
  Roll: device(lowerRoll, { work: 'pass' }),
} satisfies Partial<Record<OpName, Kernel>>;
