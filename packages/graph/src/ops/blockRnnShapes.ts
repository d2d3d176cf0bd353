/** Sizes of the fused recurrent ops, gathered from all inputs of a node; rejects inputs that disagree. */
import { withRank } from '../inferHelpers.js';
import type { InferContext } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { Ops } from './index.js';

const SIZES = {
  steps: 'number of steps',
  batch: 'batch size',
  inputs: 'input size',
  units: 'number of units',
} as const;
export type BlockSize = keyof typeof SIZES;

/** A dimension that is a size, or so many times a size. */
type Entry = BlockSize | readonly [size: BlockSize, times: number];

export class BlockSizes {
  readonly #known = new Map<BlockSize, { readonly dim: number; readonly from: string }>();

  constructor(private readonly c: InferContext) {}

  /** What is known of a size. */
  get(size: BlockSize): Dim {
    return this.#known.get(size)?.dim ?? null;
  }

  /** Input `i`, called `name`, must have these dimensions. */
  input(i: number, name: string, ...entries: readonly Entry[]): this {
    const { dims } = withRank(this.c, i, entries.length, name);
    entries.forEach((entry, k) => {
      const [size, times] = typeof entry === 'string' ? [entry, 1] : entry;
      this.note(size, times, dims?.[k] ?? null, name);
    });
    return this;
  }

  /** Input `i` holds the weights [inputs + units, times units]; to be called after all others. */
  weights(i: number, name: string, times: number): this {
    const shape = withRank(this.c, i, 2, name);
    this.note('units', times, shape.dim(1), name);
    const [rows, inputs, units] = [shape.dim(0), this.get('inputs'), this.get('units')];
    if (rows !== null && inputs !== null && units !== null && rows !== inputs + units) {
      this.c.fail(
        `${name} must have ${inputs + units} rows, for ${inputs} inputs and ${units} units, got ${rows}`,
      );
    }
    return this;
  }

  /** A shape of these sizes, as far as they are known. */
  shape(...entries: readonly Entry[]): TensorShape {
    return new TensorShape(
      entries.map((entry) => {
        const [size, times] = typeof entry === 'string' ? [entry, 1] : entry;
        const dim = this.get(size);
        return dim === null ? null : dim * times;
      }),
    );
  }

  private note(size: BlockSize, times: number, dim: Dim, name: string): void {
    if (dim === null) return;
    if (dim % times !== 0) this.c.fail(`${name} must hold ${times} numbers for every unit, got ${dim}`);
    const before = this.#known.get(size);
    if (before === undefined) this.#known.set(size, { dim: dim / times, from: name });
    else if (before.dim * times !== dim) {
      this.c.fail(`the ${SIZES[size]} of ${name} is ${dim / times}, that of ${before.from} is ${before.dim}`);
    }
  }
}

/** The columns of `xh` that belong to x [batch, n], and the others. */
export function columnsOf(ops: Ops, xh: Tensor, x: Tensor): [dx: Tensor, dh: Tensor] {
  const known = x.shape.rank === null ? null : x.shape.dim(1);
  const inputs = known ?? ops.gather(ops.shape(x), 1);
  return [ops.slice(xh, [0, 0], [-1, inputs]), ops.slice(xh, [0, inputs], [-1, -1])];
}
