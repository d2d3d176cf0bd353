/** Keys of feeds that are nestings of tensors, such as the states of recurrent cells: each part is fed with its part of the value. */
import { InvalidArgumentError } from '@forerun/graph';
import type { FeedKey, FeedTarget, NestedFeedValue } from './feeds.js';

/** The state of an LSTM cell, an `LSTMStateTuple`: two values by name, and in order. */
export interface Pair<T> extends Iterable<T> {
  readonly c: T;
  readonly h: T;
}

/** The targets of a nesting one level down, by index or name. */
export class NestedTarget {
  constructor(
    readonly parts: ReadonlyMap<string, FeedTarget>,
    /** Whether the key is a list. */
    readonly isList: boolean,
  ) {}

  toString(): string {
    return this.isList ? `a list of ${this.parts.size}` : `{${[...this.parts.keys()].join(', ')}}`;
  }
}

/** The targets of all parts of a key. */
export function nestedTarget(key: object, target: (part: FeedKey) => FeedTarget): NestedTarget {
  const parts = Object.entries(key as Readonly<Record<string, FeedKey>>);
  return new NestedTarget(new Map(parts.map(([name, part]) => [name, target(part)])), Array.isArray(key));
}

/** Each part of the target with its value. Throws `InvalidArgumentError` unless the value has the target's parts. */
export function nestedFeeds(
  target: NestedTarget,
  value: unknown,
): (readonly [target: FeedTarget, value: NestedFeedValue])[] {
  const isAlike = typeof value === 'object' && value !== null && Array.isArray(value) === target.isList;
  const values = new Map(isAlike ? Object.entries(value as Readonly<Record<string, NestedFeedValue>>) : []);
  if (
    !isAlike ||
    values.size !== target.parts.size ||
    [...values.keys()].some((key) => !target.parts.has(key))
  ) {
    throw new InvalidArgumentError(
      `feed for ${target.toString()} must be of that structure, got ${describe(value)}`,
    );
  }
  return [...values].flatMap(([name, part]) => {
    const meant = target.parts.get(name);
    return meant === undefined ? [] : [[meant, part] as const];
  });
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value !== 'object' || value === null) return String(value);
  return ArrayBuffer.isView(value) ? value.constructor.name : `{${Object.keys(value).join(', ')}}`;
}
