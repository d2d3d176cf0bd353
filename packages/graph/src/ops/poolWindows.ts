/** Where the windows of pooling lie (`ksize`, `strides`, `padding`, `data_format`), and the shapes that this gives. */
import type { Attrs } from '../attr.js';
import type { InferContext } from '../opDef.js';
import type { AttrInputs } from '../resolveOp.js';
import { TensorShape, type Dim } from '../shape.js';
import type { HostValue } from '../value.js';
import { windowCount, type PaddingRule, type WindowAxis } from '../windows.js';

/** The lists that most pooling ops have as attributes and the V2 ops as inputs; one number per dimension. */
export interface PoolLists {
  readonly ksize: readonly number[];
  readonly strides: readonly number[];
}

export interface Pooling extends PoolLists {
  /** Order of the dimensions, such as `NHWC` or `NCDHW`. */
  readonly format: string;
  readonly padding: PaddingRule;
  /** Before and after for every dimension; with `EXPLICIT` only. */
  readonly explicit: readonly number[];
}

/** What the attributes of a pooling node say; `lists` are those that are not attributes. */
export function poolingOf(attrs: Attrs, lists?: PoolLists): Pooling {
  return {
    ksize: lists?.ksize ?? attrs.ints('ksize'),
    strides: lists?.strides ?? attrs.ints('strides'),
    format: attrs.has('data_format') ? attrs.string('data_format') : 'NHWC',
    padding: attrs.string('padding') as PaddingRule,
    explicit: attrs.has('explicit_paddings') ? attrs.ints('explicit_paddings') : [],
  };
}

/** The lists of a V2 op from the values of its inputs, where all of their elements are known. */
export function poolLists(ksize: HostValue | null, strides: HostValue | null): PoolLists | null {
  if (ksize === null || strides === null) return null;
  if ([...ksize.data, ...strides.data].some(Number.isNaN)) return null;
  return { ksize: [...ksize.data], strides: [...strides.data] };
}

/** The attributes of a pooling node that the node of a gradient has too. */
export function samePoolAttrs(attrs: Attrs, names: readonly string[] = POOL_ATTRS): AttrInputs {
  const read = (name: string): AttrInputs[string] =>
    ['padding', 'data_format'].includes(name) ? attrs.string(name) : attrs.ints(name);
  return Object.fromEntries(names.filter((name) => attrs.has(name)).map((name) => [name, read(name)]));
}

const POOL_ATTRS = ['ksize', 'strides', 'padding', 'data_format'];
/** As `POOL_ATTRS`, for gradients of ops that take explicit paddings, which take them too. */
export const EXPLICIT_POOL_ATTRS = [...POOL_ATTRS, 'explicit_paddings'];

/** Positions of the dimensions that are pooled. */
export function pooledAxes(format: string): number[] {
  return Array.from(format).flatMap((letter, i) => ('NC'.includes(letter) ? [] : [i]));
}

/** How the windows lie on each of the pooled dimensions. */
export function poolAxes({ format, ksize, strides, padding, explicit }: Pooling): WindowAxis[] {
  return pooledAxes(format).map((dimension) => ({
    size: ksize[dimension] ?? 1,
    stride: strides[dimension] ?? 1,
    dilation: 1,
    padding,
    explicit: [explicit[2 * dimension] ?? 0, explicit[2 * dimension + 1] ?? 0],
  }));
}

/** Shape of the pooled images; rejects attributes and sizes that give none. Without `pooling` its lists are not known. */
export function inferPool(
  c: InferContext,
  images: TensorShape,
  pooling: Pooling | null = poolingOf(c.attrs),
): TensorShape {
  const format = pooling?.format ?? c.attrs.string('data_format');
  if (images.rank !== null && images.rank !== format.length) {
    c.fail(`images must have rank ${format.length}, got shape ${images.toString()}`);
  }
  const dims: Dim[] = [...(images.dims ?? new Array<Dim>(format.length).fill(null))];
  if (pooling !== null) checkLists(c, pooling);
  const axes = pooling === null ? [] : poolAxes(pooling);
  pooledAxes(format).forEach((dimension, i) => {
    const axis = axes[i];
    const count = axis === undefined ? null : windowCount(dims[dimension] ?? null, axis);
    if (axis !== undefined && count !== null && !fits(dims[dimension] ?? null, axis)) {
      const name = { D: 'depth', H: 'height', W: 'width' }[format.charAt(dimension)] ?? 'size';
      c.fail(
        `a window of ${name} ${axis.size} does not fit images of shape ` +
          `${images.toString()} with ${axis.padding} padding`,
      );
    }
    dims[dimension] = count;
  });
  return new TensorShape(dims);
}

/** Without padding by rule a window must lie within the padded images, as TensorFlow's shape rule demands. */
function fits(size: Dim, { size: window, padding, explicit = [0, 0] }: WindowAxis): boolean {
  if (padding === 'SAME' || size === null) return true;
  return window <= size + (padding === 'EXPLICIT' ? explicit[0] + explicit[1] : 0);
}

function checkLists(c: InferContext, { format, ksize, strides, padding, explicit }: Pooling): void {
  const axes = pooledAxes(format);
  const rank = format.length;
  for (const [name, list] of [
    ['ksize', ksize],
    ['strides', strides],
  ] as const) {
    const ok = list.length === rank && list.every((n, i) => (axes.includes(i) ? n >= 1 : n === 1));
    if (!ok)
      c.fail(`${name} must be ${rank} positive numbers, 1 for batch and channels, got [${list.join(',')}]`);
  }
  if (padding !== 'EXPLICIT') {
    if (explicit.length > 0)
      c.fail(`explicit_paddings is only for padding EXPLICIT, got [${explicit.join(',')}]`);
    return;
  }
  const ok =
    explicit.length === 2 * rank && explicit.every((n, i) => (axes.includes(i >> 1) ? n >= 0 : n === 0));
  if (!ok) {
    c.fail(
      `explicit_paddings must be ${2 * rank} numbers >= 0, 0 for batch and channels, got [${explicit.join(',')}]`,
    );
  }
}
