/**
 * What version 1 graphs change in place: tensor arrays, their gradients, and stacks. Each becomes a tensor list that
 * is handed from op to op: a loop gets one more variable for every list that its body changes, a
 * conditional one more result. The flows of tensor arrays stay the numbers that they are, and only order.
 */
import { baseDType, type DType } from '../../dtype.js';
import { UnimplementedError } from '../../errors.js';
import type { Operation } from '../../operation.js';
import { TensorShape } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import {
  contains,
  isEnter,
  isExit,
  isLoopMerge,
  isMerge,
  isNextIteration,
  isSwitch,
  type Region,
  type Regions,
} from './regions.js';

/** A tensor array, the gradient of one, or a stack. */
export interface Store {
  readonly kind: 'array' | 'stack';
  /** The op that makes it; of a gradient the one that makes the array. */
  readonly op: Operation;
  /** What it is the gradient of. */
  readonly forward: Store | null;
  /** Where it is made. */
  readonly region: Region;
  readonly dtype: DType;
  readonly shape: TensorShape;
  /** Whether writing past the end makes it longer. */
  readonly grows: boolean;
}

/** `TensorArrayWriteV3` and `TensorArrayWriteV2` as `TensorArrayWrite`. */
export const plainType = ({ type }: Operation): string =>
  /^(TensorArray|Stack)([A-Z]|V\d|$)/.test(type) ? type.replace(/V\d$/, '') : '';

const MAKES: ReadonlySet<string> = new Set(['TensorArray', 'Stack']);
const CHANGES: ReadonlySet<string> = new Set([
  'TensorArrayWrite',
  'TensorArrayScatter',
  'TensorArraySplit',
  'StackPush',
  'StackPop',
]);
const READS: ReadonlySet<string> = new Set([
  'TensorArrayGrad',
  'TensorArrayRead',
  'TensorArrayGather',
  'TensorArrayConcat',
  'TensorArraySize',
  'TensorArrayClose',
  'StackClose',
]);

/** Whether an op makes, changes or reads a tensor array or a stack. */
export function isStoreOp(op: Operation): boolean {
  const plain = plainType(op);
  return MAKES.has(plain) || CHANGES.has(plain) || READS.has(plain);
}

/** Whether an op changes one that is there already. */
export function changesStore(op: Operation): boolean {
  return CHANGES.has(plainType(op));
}

export class Stores {
  readonly #made = new Map<Operation, Store>();
  readonly #gradients = new Map<Store, Map<string, Store>>();
  readonly #changed = new Map<Region, readonly Store[]>();

  constructor(
    private readonly operations: readonly Operation[],
    private readonly regions: Regions,
  ) {}

  /** What an op on stores works on. */
  ofOp(op: Operation): Store {
    if (MAKES.has(plainType(op))) return this.made(op);
    const [handle] = op.inputs;
    if (handle === undefined)
      throw new UnimplementedError(`${op.describe()} has no handle`, { node: op.name });
    const store = this.of(handle, op);
    return plainType(op) === 'TensorArrayGrad' ? this.gradient(store, op) : store;
  }

  /** Those from outside of a region that something in it changes. */
  changedIn(region: Region): readonly Store[] {
    const known = this.#changed.get(region);
    if (known !== undefined) return known;
    const inside = this.operations.filter((op) => changesStore(op) && contains(region, this.regions.of(op)));
    const stores = new Set(inside.map((op) => this.ofOp(op)));
    const changed = [...stores].filter((store) => !contains(region, store.region));
    this.#changed.set(region, changed);
    return changed;
  }

  private of(handle: Tensor, user: Operation): Store {
    const { op } = handle;
    const [source] = op.inputs;
    if (MAKES.has(plainType(op))) return this.made(op);
    if (plainType(op) === 'TensorArrayGrad' && source !== undefined)
      return this.gradient(this.of(source, user), op);
    const passes = isEnter(op) || isSwitch(op) || isExit(op) || isNextIteration(op) || op.type === 'Identity';
    if (source !== undefined && (passes || isLoopMerge(op))) return this.of(source, user);
    if (isMerge(op)) return this.common(op, user);
    throw new UnimplementedError(
      `${user.describe()}: its handle comes from ${op.describe()}, which tells no single tensor array or stack`,
      { node: user.name },
    );
  }

  private common(merge: Operation, user: Operation): Store {
    const [first, ...others] = merge.inputs.map((input) => this.of(input, user));
    if (first !== undefined && others.every((other) => other === first)) return first;
    throw new UnimplementedError(
      `${user.describe()}: its handle comes from ${merge.describe()}, which joins different tensor arrays or stacks`,
      { node: user.name },
    );
  }

  private made(op: Operation): Store {
    const known = this.#made.get(op);
    if (known !== undefined) return known;
    const { attrs } = op;
    const isStack = plainType(op) === 'Stack';
    const store: Store = {
      kind: isStack ? 'stack' : 'array',
      op,
      forward: null,
      region: this.regions.of(op),
      dtype: baseDType(attrs.type(isStack ? 'elem_type' : 'dtype')),
      // Files may leave out what is the default: an unknown shape.
      shape: attrs.has('element_shape') ? attrs.shape('element_shape') : TensorShape.UNKNOWN,
      grows: attrs.has('dynamic_size') && attrs.bool('dynamic_size'),
    };
    this.#made.set(op, store);
    return store;
  }

  /** One for each source: gradients of different calls of `tf.gradients` do not mix. */
  private gradient(forward: Store, op: Operation): Store {
    const known = this.#gradients.get(forward) ?? new Map<string, Store>();
    this.#gradients.set(forward, known);
    const source = op.attrs.has('source') ? op.attrs.string('source') : '';
    const store = known.get(source) ?? { ...forward, forward, grows: false };
    known.set(source, store);
    return store;
  }
}
