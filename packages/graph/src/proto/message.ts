/** What all messages share: the place where fields that proto/ does not declare are kept, and the writable form. */

/** Wire bytes (tags included) of fields that proto/ does not declare: read, kept and written back. */
export const UNKNOWN_FIELDS = Symbol('unknown fields');

/** Base of all message interfaces. */
export interface Message {
  [UNKNOWN_FIELDS]?: Uint8Array;
}

/** A message to write: every field may be left out and then has its default. */
export type Init<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer E)[]
    ? readonly Init<E>[]
    : T extends ReadonlyMap<infer K, infer V>
      ? ReadonlyMap<K, Init<V>>
      : T extends object
        ? { readonly [K in keyof T]?: Init<T[K]> | undefined }
        : T;

/** A message whose type is known at run time only: values by camelCase field name. */
export type AnyMessage = Message & Record<string, unknown>;

/** A map key as JavaScript holds it. */
export type MapKey = string | number | bigint | boolean;
