/** Rules about the shapes of lists' elements that hold while a program is built and while a run goes on. */
import { TensorShape } from '@forerun/graph';

type Fail = (rule: string) => never;

/** What shapes have in common, `null` where there are none. */
export function commonShape(shapes: readonly (readonly number[])[]): TensorShape | null {
  const [first] = shapes;
  if (first === undefined) return null;
  if (shapes.some((shape) => shape.length !== first.length)) return TensorShape.UNKNOWN;
  return new TensorShape(
    first.map((dim, axis) => (shapes.every((shape) => shape[axis] === dim) ? dim : null)),
  );
}

/** What elements that are joined along their first dimension have in common: the other dimensions. */
export function joinedRest(element: TensorShape, fail: Fail): TensorShape {
  if (element.rank === 0) fail('elements must have a first dimension to be joined along, they are scalars');
  return new TensorShape(element.dims === null ? null : element.dims.slice(1));
}

/** Refuses an element that does not fit to the others but for its first dimension. */
export function checkPart(shape: readonly number[], i: number, rest: TensorShape, fail: Fail): void {
  if (shape.length === 0)
    fail(`element ${i} is a scalar: elements must have a first dimension to be joined along`);
  if (!new TensorShape(shape.slice(1)).isCompatibleWith(rest) || (rest.dims === null && shape.length > 1)) {
    fail(`element ${i} has shape [${shape.join(',')}], the others [?${rest.toString().replace('[', ',')}`);
  }
}

/** Refuses lengths that do not cut a tensor completely. */
export function checkLengths(shape: readonly number[], lengths: readonly number[], fail: Fail): void {
  const sum = lengths.reduce((total, length) => total + length, 0);
  if (lengths.some((length) => length < 0)) fail(`lengths must not be negative, got [${lengths.join(',')}]`);
  if (sum !== shape[0])
    fail(`the lengths [${lengths.join(',')}] add up to ${sum}, the tensor has ${shape[0] ?? 0} rows`);
}

/** How many elements a list has whose elements come from indices; -1 asks for as many as these need. */
export function scatterSize(indices: readonly number[], asked: number, fail: Fail): number {
  const needed = Math.max(0, ...indices.map((index) => index + 1));
  if (indices.some((index) => index < 0)) fail(`indices must not be negative, got [${indices.join(',')}]`);
  if (asked >= 0 && needed > asked) fail(`index ${needed - 1} is out of range [0, ${asked})`);
  return asked >= 0 ? asked : needed;
}
