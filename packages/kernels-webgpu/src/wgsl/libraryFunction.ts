/** One function of the WGSL library. */
export interface LibraryFunction {
  /**
   * Its scalar definition. Unless `perLane`, it must stay valid when scalar types are widened: no `if` on
   * a value, both operands of comparisons, shifts and bit operations typed.
   */
  readonly text: string;
  /** The `vec4` form calls the scalar one four times. */
  readonly perLane: boolean;
}

/** A function whose text serves for `vec4`s too. */
export function vectorizable(text: string): LibraryFunction {
  return { text, perLane: false };
}

/** A function that branches or indexes by value. */
export function perLane(text: string): LibraryFunction {
  return { text, perLane: true };
}
