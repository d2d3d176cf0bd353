/** Stages between a dataset's head and its batches. Each keeps access by position where it can. */
import {
  randomNode,
  remapped,
  streamNode,
  type Node,
  type OpenOptions,
  type RandomAccess,
  type Remap,
} from './node.js';
import { EpochOrders, shuffleStream, type ShuffleSpec } from './shuffleOrder.js';

/** Nodes above this many elements shuffle through a buffer of elements: row numbers are 32 bits. */
const MAX_ORDER = 2 ** 32 - 1;
/** Epochs of the inside of an endless repeat, for each epoch of its outside. */
const EPOCH_STRIDE = 2 ** 32;

const sameEpoch = (_position: number, epoch: number): number => epoch;

/** The elements of `up` in shuffled order. */
export function shuffleNode<T>(up: Node<T>, spec: ShuffleSpec): Node<T> {
  const { random, count } = up;
  // Over a repeated shuffle, reading out of order would compute an epoch's order for every element.
  if (random === undefined || random.sequential || count === undefined || count > MAX_ORDER) {
    return streamNode(count, (options) => bufferedShuffle(up, spec, options));
  }
  const remap = (): Remap => {
    const orders = new EpochOrders(spec, count);
    return { position: (position, epoch) => orders.rowAt(position, epoch), epoch: sameEpoch };
  };
  const shuffled = spec.reshuffleEachIteration || random.shuffled;
  return randomNode(count, remapped(random, remap, { shuffled }));
}

async function* bufferedShuffle<T>(
  up: Node<T>,
  spec: ShuffleSpec,
  options: OpenOptions,
): AsyncGenerator<T, void, undefined> {
  const random = shuffleStream(spec, options.epoch);
  const upstream = up.open({ ...options, start: 0, lease: Infinity });
  const buffer: T[] = [];
  let given = 0;
  const draw = (refill: (slot: number) => void): T => {
    const slot = random.below(buffer.length);
    const element = buffer[slot] as T;
    refill(slot);
    given++;
    return element;
  };
  for await (const incoming of upstream) {
    if (buffer.length < spec.bufferSize) {
      buffer.push(incoming);
      continue;
    }
    const element = draw((slot) => (buffer[slot] = incoming));
    if (given > options.start) yield element;
  }
  while (buffer.length > 0) {
    const element = draw((slot) => {
      const last = buffer.pop() as T;
      if (slot < buffer.length) buffer[slot] = last;
    });
    if (given > options.start) yield element;
  }
}

/** `up` several times over, each time as its next epoch; `times` may be Infinity. */
export function repeatNode<T>(up: Node<T>, times: number): Node<T> {
  const { random, count } = up;
  if (times === 0 || count === 0) return emptyNode();
  // An endless node never reaches its second epoch.
  if (count === Infinity) return up;
  const inner = (outer: number, turn: number): number =>
    times === Infinity ? outer * EPOCH_STRIDE + turn : outer * times + turn;
  if (random === undefined || count === undefined) {
    const total = count === undefined ? undefined : count * times;
    return streamNode(total, (options) => repeatStream(up, times, inner, options));
  }
  const remap = (): Remap => ({
    position: (position) => position % count,
    epoch: (position, epoch) => inner(epoch, Math.floor(position / count)),
  });
  return randomNode(
    count * times,
    remapped(random, remap, { sequential: random.shuffled || random.sequential }),
  );
}

function emptyNode<T>(): Node<T> {
  return streamNode<T>(0, async function* () {});
}

async function* repeatStream<T>(
  up: Node<T>,
  times: number,
  inner: (outer: number, turn: number) => number,
  options: OpenOptions,
): AsyncGenerator<T, void, undefined> {
  let turn = up.count === undefined ? 0 : Math.floor(options.start / up.count);
  let drop = up.count === undefined ? options.start : 0;
  let start = up.count === undefined ? 0 : options.start % up.count;
  for (; turn < times; turn++) {
    let seen = start;
    for await (const element of up.open({ ...options, start, epoch: inner(options.epoch, turn) })) {
      seen++;
      if (drop > 0) drop--;
      else yield element;
    }
    // An empty upstream would repeat for ever without giving anything.
    if (seen === 0) return;
    start = 0;
  }
}

/** Every `stride`-th element of `up` from `offset` on, at most `limit`: what take, skip and shard have in common. */
function windowNode<T>(up: Node<T>, window: { offset: number; stride: number; limit: number }): Node<T> {
  const { offset, stride, limit } = window;
  const left = up.count === undefined ? undefined : Math.max(0, Math.ceil((up.count - offset) / stride));
  const count = limit === 0 ? 0 : left === undefined ? undefined : Math.min(left, limit);
  if (up.random !== undefined && count !== undefined) {
    const remap = (): Remap => ({ position: (position) => offset + position * stride, epoch: sameEpoch });
    return randomNode(count, remapped(up.random, remap));
  }
  return streamNode(count, async function* (options) {
    const room = limit - options.start;
    if (room <= 0) return;
    let [phase, given] = [0, 0];
    for await (const element of up.open({ ...options, start: offset + options.start * stride })) {
      if (phase === 0) {
        yield element;
        if (++given >= room) return;
      }
      phase = (phase + 1) % stride;
    }
  });
}

/** The first `count` elements. */
export function takeNode<T>(up: Node<T>, count: number): Node<T> {
  return windowNode(up, { offset: 0, stride: 1, limit: count });
}

/** All but the first `count` elements. */
export function skipNode<T>(up: Node<T>, count: number): Node<T> {
  return windowNode(up, { offset: count, stride: 1, limit: Infinity });
}

/** Elements `index`, `index + shards`, ... */
export function shardNode<T>(up: Node<T>, shards: number, index: number): Node<T> {
  return windowNode(up, { offset: index, stride: shards, limit: Infinity });
}

/** What `fn` makes of each element, in order. */
export function mapNode<T, U>(up: Node<T>, fn: (element: T) => U | Promise<U>): Node<U> {
  const { random } = up;
  if (random !== undefined && up.count !== undefined) {
    return randomNode(up.count, mappedAccess(random, fn));
  }
  return streamNode(up.count, async function* (options) {
    for await (const element of up.open(options)) yield await fn(element);
  });
}

function mappedAccess<T, U>(random: RandomAccess<T>, fn: (element: T) => U | Promise<U>): RandomAccess<U> {
  return {
    reader: (options) => {
      const read = random.reader(options);
      return async (position, epoch) => fn(await read(position, epoch));
    },
    rows: undefined,
    shuffled: random.shuffled,
    sequential: random.sequential,
  };
}

/** Elements for which `keep` holds. */
export function filterNode<T>(up: Node<T>, keep: (element: T) => boolean | Promise<boolean>): Node<T> {
  return streamNode(up.count === 0 ? 0 : undefined, async function* (options) {
    let kept = 0;
    for await (const element of up.open({ ...options, start: 0 })) {
      if ((await keep(element)) && kept++ >= options.start) yield element;
    }
  });
}

/** The elements of `first`, then those of `second`. */
export function concatenateNode<T, U>(first: Node<T>, second: Node<U>): Node<T | U> {
  const [a, b, head] = [first.random, second.random, first.count];
  const count = head === undefined || second.count === undefined ? undefined : head + second.count;
  if (a === undefined || b === undefined || head === undefined || count === undefined) {
    return streamNode(count, (options) => concatenateStream(first, second, options));
  }
  return randomNode<T | U>(count, {
    reader: (options) => {
      const [readFirst, readSecond] = [a.reader(options), b.reader(options)];
      return (position, epoch) =>
        position < head ? readFirst(position, epoch) : readSecond(position - head, epoch);
    },
    rows: undefined,
    shuffled: a.shuffled || b.shuffled,
    sequential: a.sequential || b.sequential,
  });
}

async function* concatenateStream<T, U>(
  first: Node<T>,
  second: Node<U>,
  options: OpenOptions,
): AsyncGenerator<T | U, void, undefined> {
  if (first.count !== undefined && options.start >= first.count) {
    yield* second.open({ ...options, start: options.start - first.count });
    return;
  }
  // Without a count, the first part's elements have to be seen to know how many are to be dropped of the second.
  let drop = first.count === undefined ? options.start : 0;
  for await (const element of first.open({
    ...options,
    start: first.count === undefined ? 0 : options.start,
  })) {
    if (drop > 0) drop--;
    else yield element;
  }
  yield* second.open({ ...options, start: drop });
}
