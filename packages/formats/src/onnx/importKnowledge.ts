/** What is known of tensors, sequences and optionals while a model is imported, beside what tensors know of themselves. */
import { InvalidArgumentError, TensorShape, type DType, type Tensor, type TensorValue } from '@forerun/graph';

export interface SequenceInfo {
  readonly dtype: DType;
  /** What the shapes of all elements have in common; `null` for a sequence that has had none. */
  readonly shape: TensorShape | null;
  /** The elements, where the model says how many there are. */
  readonly elements?: readonly Tensor[] | undefined;
}

export interface OptionalInfo {
  /** What the value is; `variant` for a sequence. */
  readonly dtype: DType;
  readonly shape: TensorShape;
  readonly sequence?: SequenceInfo | undefined;
  /** The value, `null` for none; left out where only a run knows. */
  readonly value?: Tensor | null | undefined;
}

/** What holds of both shapes. */
export function common(a: TensorShape, b: TensorShape): TensorShape {
  const [left, right] = [a.dims, b.dims];
  if (left?.length !== right?.length) return TensorShape.UNKNOWN;
  return new TensorShape(left?.map((dim, i) => (dim === right?.[i] ? dim : null)) ?? null);
}

/** What all elements of two sequences have in common. */
function either(a: SequenceInfo, b: SequenceInfo): SequenceInfo {
  if (a.dtype !== b.dtype)
    throw new InvalidArgumentError(`a sequence of ${a.dtype} stands where one of ${b.dtype} does`);
  const shape = a.shape === null || b.shape === null ? (a.shape ?? b.shape) : common(a.shape, b.shape);
  return { dtype: a.dtype, shape };
}

function eitherOptional(a: OptionalInfo, b: OptionalInfo): OptionalInfo {
  if (a.value === null || b.value === null) {
    // None says nothing of the shape that a value would have.
    return a.value === null ? b : a;
  }
  const [left, right] = [a.sequence, b.sequence];
  const sequence = left === undefined || right === undefined ? (left ?? right) : either(left, right);
  return { dtype: a.dtype, shape: common(a.shape, b.shape), sequence };
}

/** The same sequence, of which nobody knows the elements. */
function forgetful({ dtype, shape }: SequenceInfo): SequenceInfo {
  return { dtype, shape };
}

export class ImportKnowledge {
  /** Values of tensors that came from the file, to be rearranged when it is read and not at run time. */
  readonly values = new Map<Tensor, TensorValue>();
  /** What integers of four bits may be, which are kept in bytes. */
  readonly fourBits = new Map<Tensor, readonly [number, number]>();
  readonly #sequences = new Map<Tensor, SequenceInfo>();
  readonly #optionals = new Map<Tensor, OptionalInfo>();

  /** What is known of a sequence; `undefined` for anything else. */
  sequence(tensor: Tensor): SequenceInfo | undefined {
    return this.#sequences.get(tensor);
  }

  optional(tensor: Tensor): OptionalInfo | undefined {
    return this.#optionals.get(tensor);
  }

  /** Says what a tensor list is; gives it back. */
  isSequence(list: Tensor, info: SequenceInfo): Tensor {
    this.#sequences.set(list, info);
    return list;
  }

  isOptional(optional: Tensor, info: OptionalInfo): Tensor {
    this.#optionals.set(optional, info);
    return optional;
  }

  /** What `result` is, where a run decides which of these it is. */
  isEither(result: Tensor, ...sources: readonly (Tensor | undefined)[]): void {
    if (result.dtype !== 'variant') return;
    const given = sources.filter((source) => source !== undefined);
    const lists = given.flatMap((source) => this.sequence(source) ?? []);
    if (lists.length > 0) this.isSequence(result, forgetful(lists.reduce(either)));
    const optionals = given.flatMap((source) => this.optional(source) ?? []);
    if (optionals.length > 0) this.isOptional(result, unsure(optionals.reduce(eitherOptional)));
  }

  /** Whether `later`, which takes the place of `before`, holds what is known not to be in `before`. */
  outgrows(later: Tensor, before: Tensor): boolean {
    const [grown, given] = [this.sequence(later), this.sequence(before)];
    const [value, held] = [this.optional(later), this.optional(before)];
    if (value !== undefined && held !== undefined && value.value !== null)
      return common(value.shape, held.shape).toString() !== held.shape.toString();
    if (grown === undefined || given === undefined || given.shape === null) return false;
    return either(grown, given).shape?.toString() !== given.shape.toString();
  }
}

/** The optional without what is known of its value. */
function unsure({ dtype, shape, sequence }: OptionalInfo): OptionalInfo {
  return { dtype, shape, sequence: sequence === undefined ? undefined : forgetful(sequence) };
}
