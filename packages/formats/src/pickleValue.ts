/** What a pickle that is read without executing it can hold: Python's plain values, and names as data. */

/** A name that the pickle refers to, as `torch._utils._rebuild_tensor_v2`. */
export class Global {
  constructor(readonly name: string) {}
}

/** Something that lies outside of the pickle. */
export class PersistentId {
  constructor(readonly id: readonly PickleValue[]) {}
}

/** A tuple, which unlike a list does not change. */
export class Tuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A dictionary, ordered. Keys are texts and numbers; others are refused. */
export class Dictionary {
  readonly entries = new Map<string | number, PickleValue>();
}

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Global
  | PersistentId
  | Tuple
  | Dictionary
  | PickleValue[];
