/** The window attributes of pooling (`ksize`, `strides`, `padding`, `data_format`) and the shapes they give. */
import type { Attrs } from '../attr.js';
import type { InferContext } from '../opDef.js';
import type { AttrInputs } from '../resolveOp.js';
import { TensorShape, type Dim } from '../shape.js';
import { windowCount, type PaddingRule, type WindowAxis } from '../windows.js';
import { imageAxes, perDimension, type DataFormat, type PerAxis } from './convWindows.js';

export interface PoolOptions {
  /** Size of the window: one number, `[height, width]`, or one per dimension of the data format. */
  readonly ksize: PerAxis;
  /** Steps between windows, written as `ksize`. */
  readonly strides: PerAxis;
  readonly padding: 'SAME' | 'VALID';
  /** Order of the dimensions; default `NHWC`. */
  readonly dataFormat?: DataFormat | undefined;
  readonly name?: string | undefined;
}

/** The attributes of TensorFlow for `options`. Throws `InvalidArgumentError` for lists of a wrong length. */
export function poolAttrs(
  type: string,
  { ksize, strides, padding, dataFormat = 'NHWC' }: PoolOptions,
): AttrInputs {
  return {
    ksize: perDimension(type, 'ksize', ksize, dataFormat),
    strides: perDimension(type, 'strides', strides, dataFormat),
    padding,
    data_format: dataFormat,
  };
}

/** The attributes of a pooling node, for the nodes of its gradients. */
export function samePoolAttrs(attrs: Attrs): AttrInputs {
  return {
    ksize: attrs.ints('ksize'),
    strides: attrs.ints('strides'),
    padding: attrs.string('padding'),
    data_format: attrs.string('data_format'),
  };
}

/** How the windows lie on height and width. */
export function poolAxes(attrs: Attrs): [WindowAxis, WindowAxis] {
  const [sizes, strides] = [attrs.ints('ksize'), attrs.ints('strides')];
  const padding = attrs.string('padding') as PaddingRule;
  const axis = (dimension: number): WindowAxis => ({
    size: sizes[dimension] ?? 1,
    stride: strides[dimension] ?? 1,
    dilation: 1,
    padding,
  });
  const [h, w] = imageAxes(attrs.string('data_format'));
  return [axis(h), axis(w)];
}

/** Shape of the pooled images; rejects attributes and sizes that give none. */
export function inferPool(c: InferContext, images: TensorShape): TensorShape {
  const axes = imageAxes(c.attrs.string('data_format'));
  for (const name of ['ksize', 'strides']) {
    const list = c.attrs.ints(name);
    const ok = list.length === 4 && list.every((n, i) => (axes.includes(i) ? n >= 1 : n === 1));
    if (!ok) c.fail(`${name} must be 4 positive numbers, 1 for batch and channels, got [${list.join(',')}]`);
  }
  if (images.rank !== null && images.rank !== 4) {
    c.fail(`images must have rank 4, got shape ${images.toString()}`);
  }
  const dims: Dim[] = [...(images.dims ?? [null, null, null, null])];
  poolAxes(c.attrs).forEach((axis, i) => {
    const dimension = axes[i] ?? 0;
    const size = dims[dimension] ?? null;
    const count = windowCount(size, axis);
    if (count !== null && count < 0) {
      c.fail(
        `a window of ${i === 0 ? 'height' : 'width'} ${axis.size} does not fit images of shape ` +
          `${images.toString()} with ${axis.padding} padding`,
      );
    }
    dims[dimension] = count;
  });
  return new TensorShape(dims);
}
