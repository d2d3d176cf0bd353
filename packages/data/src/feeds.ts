/** From a batch to what a session is fed with. */
import { DataError } from './errors.js';
import { isDataValue, type DataValue } from './value.js';

/**
 * Pairs the values of a batch with the placeholders they feed.
 *
 * @param batch Record of values, for example `{ images, labels }`.
 * @param keys For some or all names of the batch, the placeholder (or whatever the session takes as a key).
 * @param options.into Map to fill instead of a new one, so that a loop makes none.
 * @returns Map from placeholder to value, as `Session.run` takes it.
 * @throws DataError `INVALID_ARGUMENT` for a name that the batch does not have as a value.
 */
export function feedsOf<P, B extends object>(
  batch: B,
  keys: { readonly [K in keyof B]?: P },
  options: { readonly into?: Map<P, DataValue> } = {},
): Map<P, DataValue> {
  const feeds = options.into ?? new Map<P, DataValue>();
  for (const name in keys) {
    const key = keys[name];
    if (key === undefined) continue;
    const value: unknown = batch[name];
    if (!isDataValue(value)) {
      throw new DataError(
        'INVALID_ARGUMENT',
        `feedsOf: the batch has no value "${name}"; it has ${Object.keys(batch).join(', ') || 'nothing'}`,
      );
    }
    feeds.set(key, value);
  }
  return feeds;
}
