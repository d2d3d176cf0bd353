/**
 * What a dataset is inside: a node that can be opened at any element of any epoch. Nodes whose elements can be
 * computed from their position (`random`) stay so through shuffle, take, skip, shard, repeat, map and batch;
 * that is what makes skipping cost nothing. The others are streams and skip by dropping.
 */
/** What the reader of a node's elements needs of their memory. */
export interface ReadOptions {
  /** How many of the newest elements must stay unchanged; Infinity for all. */
  readonly lease: number;
  /** Elements share no memory with the dataset: their reader may write to them. */
  readonly own: boolean;
}

/** Where to open a node, and for whom. */
export interface OpenOptions extends ReadOptions {
  /** First element to give. */
  readonly start: number;
  /** Which iteration this is; shuffles take their order from it. */
  readonly epoch: number;
}

/** Gives the element at a position in an epoch. */
export type Reader<T> = (position: number, epoch: number) => T | Promise<T>;

/** Elements as rows of whole tensors, so that a batch can gather them without making views. */
export interface Rows<T> {
  /** The whole tensors: an element with one dimension more. */
  readonly tensors: T;
  /** Opens the map from (position, epoch) to a row of the tensors. */
  open(): (position: number, epoch: number) => number;
}

/** Access by position. */
export interface RandomAccess<T> {
  reader(options: ReadOptions): Reader<T>;
  readonly rows: Rows<T> | undefined;
  /** The order depends on the epoch. */
  readonly shuffled: boolean;
  /** Positions run through several shuffled epochs: only reading in order is cheap. */
  readonly sequential: boolean;
}

/** One stage of a dataset. */
export interface Node<T> {
  /** Number of elements, Infinity, or undefined where only iterating tells. */
  readonly count: number | undefined;
  readonly random: RandomAccess<T> | undefined;
  open(options: OpenOptions): AsyncGenerator<T, void, undefined>;
}

/** A node with access by position: opening it is reading in order. */
export function randomNode<T>(count: number, random: RandomAccess<T>): Node<T> {
  async function* open(options: OpenOptions): AsyncGenerator<T, void, undefined> {
    const read = random.reader(options);
    for (let position = options.start; position < count; position++) {
      yield await read(position, options.epoch);
    }
  }
  return { count, random, open };
}

/** A node that can only be read in order. */
export function streamNode<T>(
  count: number | undefined,
  open: (options: OpenOptions) => AsyncGenerator<T, void, undefined>,
): Node<T> {
  return { count, random: undefined, open };
}

/** Where a position in an epoch of one node lies in the node before it. */
export interface Remap {
  position(position: number, epoch: number): number;
  epoch(position: number, epoch: number): number;
}

/** `random` read through a remapping of positions; `remap` is called once for each opening. */
export function remapped<T>(
  random: RandomAccess<T>,
  remap: () => Remap,
  flags: { readonly shuffled?: boolean; readonly sequential?: boolean } = {},
): RandomAccess<T> {
  const through = <R>(read: (position: number, epoch: number) => R) => {
    const map = remap();
    return (position: number, epoch: number): R =>
      read(map.position(position, epoch), map.epoch(position, epoch));
  };
  const { rows } = random;
  return {
    reader: (options) => through(random.reader(options)),
    rows: rows && { tensors: rows.tensors, open: () => through(rows.open()) },
    shuffled: flags.shuffled ?? random.shuffled,
    sequential: flags.sequential ?? random.sequential,
  };
}
