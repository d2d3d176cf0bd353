/**
 * Lists that a loop fills one element after the other, as `scan`, `mapFn` and tensor arrays in loops do: `Loop` of ONNX stacks what each
 * iteration gives.
 */
import { constantValue, type FuncGraph, type Operation, type Tensor } from '@forerun/graph';
import { behind } from './exportLists.js';
import { fail, input, integers, type ControlWriter } from './exportWriter.js';
import { onnxNumber } from './tensors.js';

/** A list of which each iteration sets one element. */
export interface StackedList {
  /** The element, in the body. */
  readonly item: Tensor;
  /** Makes the list's rows of those that the loop gives. */
  finish(part: ControlWriter, rows: string, output: string): void;
}

/** The lists among the variables of a loop that each iteration only adds to, by their places. */
export function stackedLists(op: Operation, cond: FuncGraph, body: FuncGraph): Map<number, StackedList> {
  const found = new Map<number, StackedList>();
  op.inputs.forEach((initial, i) => {
    if (initial.dtype !== 'variant') return;
    const [inside, result] = [body.inputs[i], body.outputs[i]];
    if (inside === undefined || result === undefined || uses(cond, cond.inputs[i]) > 0) return;
    const list = pushed(inside, result, body, behind(initial)) ?? written(op, cond, body, i);
    if (list !== undefined) found.set(i, list);
  });
  return found;
}

/** How many inputs of ops and results a tensor is; ops that only hand it on are left out. */
function uses({ operations, outputs }: FuncGraph, tensor: Tensor | undefined): number {
  const inputs = operations.filter(({ type }) => type !== 'Identity').flatMap((op) => op.inputs);
  return [...inputs, ...outputs].filter((given) => behind(given) === tensor).length;
}

/** An element at the end of a list that begins without any. */
function pushed(inside: Tensor, result: Tensor, body: FuncGraph, initial: Tensor): StackedList | undefined {
  const { op } = behind(result);
  const [list, item] = op.inputs;
  if (op.type !== 'TensorListPushBack' || item === undefined || initial.op.type !== 'EmptyTensorList') return undefined;
  if (list === undefined || behind(list) !== inside || uses(body, inside) !== 1) return undefined;
  return {
    item,
    finish: (part, rows, output) => {
      part.add('Identity', [rows], {}, output);
    },
  };
} // prettier-ignore

/** The element at the place that counts the iterations. */
function written(op: Operation, cond: FuncGraph, body: FuncGraph, i: number): StackedList | undefined {
  const [inside, result] = [body.inputs[i], body.outputs[i]];
  if (inside === undefined || result === undefined) return undefined;
  const set = behind(result).op;
  const [list, index, item] = set.inputs;
  if (set.type !== 'TensorListSetItem' || list === undefined || index === undefined || item === undefined) return undefined;
  if (behind(list) !== inside || uses(body, inside) !== 1) return undefined;
  const counter = body.inputs.indexOf(behind(index));
  const start = counter < 0 || !countsUp(body, counter) ? undefined : constantValue(input(op, counter))?.data[0];
  if (start === undefined || !(start >= 0)) return undefined;
  const initial = behind(input(op, i));
  if (start > 0) return { item, finish: between(initial, start) };
  const whole = isWhole(op, [cond, body], counter, initial);
  if (initial.op.type === 'TensorListReserve' && !whole) return { item, finish: filled(op, initial.op, item) };
  if (whole)
    return {
      item,
      finish: (part, rows, output) => {
        part.add('Identity', [rows], {}, output);
      },
    };
  return { item, finish: between(initial, start) };
} // prettier-ignore

/** Whether a variable of a loop grows by one in each iteration. */
function countsUp({ inputs, outputs }: FuncGraph, i: number): boolean {
  const result = outputs[i];
  if (result === undefined) return false;
  const { type, inputs: terms } = behind(result).op;
  if (type !== 'AddV2' && type !== 'Add') return false;
  const steps = terms.filter((term) => behind(term) !== inputs[i]);
  return steps.length === 1 && constantValue(steps[0] ?? result)?.data[0] === 1;
}

/** Whether a loop goes on as long as its counter is less than the number of elements that are reserved, and no other way. */
function isWhole(
  op: Operation,
  [cond, body]: readonly [FuncGraph, FuncGraph],
  counter: number,
  { op: reserved }: Tensor,
): boolean {
  const [condition] = cond.outputs;
  if (reserved.type !== 'TensorListReserve' || condition === undefined) return false;
  const less = behind(condition).op;
  const [left, right] = less.inputs;
  if (less.type !== 'Less' || left === undefined || right === undefined) return false;
  if (behind(left) !== cond.inputs[counter]) return false;
  const size = behind(input(reserved, 1));
  const limit = cond.inputs.indexOf(behind(right));
  const unchanged = body.outputs[limit];
  if (unchanged !== undefined)
    return behind(unchanged) === body.inputs[limit] && behind(input(op, limit)) === size;
  const [most, count] = [constantValue(right)?.data[0], constantValue(size)?.data[0]];
  return most !== undefined && !Number.isNaN(most) && most === count;
}

/** Zeros behind the rows for elements that no iteration has set. */
function filled(op: Operation, reserved: Operation, item: Tensor): StackedList['finish'] {
  const rank = item.shape.rank ?? fail(op, `the rank of the elements of "${reserved.name}" is not known`);
  return (part, rows, output) => {
    const to = { to: onnxNumber('int64', op.name) };
    const size = part.add('Reshape', [part.add('Cast', [part.name(input(reserved, 1))], to), part.constant(integers([1]))]);
    const made = part.add('Shape', [rows], { start: 0, end: 1 });
    const missing = part.add('Max', [part.add('Sub', [size, made]), part.constant(integers([0]))]);
    const none = (count: number): string => part.constant(integers(new Array<number>(count).fill(0)));
    const pads = part.add('Concat', [none(rank + 1), missing, none(rank)], { axis: 0 });
    part.add('Pad', [rows, pads], {}, output);
  }; // prettier-ignore
}

/** The rows in place of those that the list had before, from `start` on. */
function between(initial: Tensor, start: number): StackedList['finish'] {
  return (part, rows, output) => {
    const before = part.name(initial);
    const zero = part.constant(integers([0]));
    const first = part.constant(integers([start]));
    const end = part.add('Add', [part.add('Shape', [rows], { start: 0, end: 1 }), first]);
    const most = part.constant(integers([2 ** 31 - 1]));
    const kept = part.add('Slice', [before, zero, first, zero]);
    part.add('Concat', [kept, rows, part.add('Slice', [before, end, most, zero])], { axis: 0 }, output);
  };
}
