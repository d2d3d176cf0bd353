/** Float64 references of ops that rearrange, join, cut and index tensors. */
import type { FamilyReferences, ReferenceContext } from '../sample.js';
import type { HostValue } from '@forerun/graph';

/** The elements of input 0 in another shape. */
function inShape({ input }: ReferenceContext, shape: readonly number[]): HostValue[] {
  return [{ ...input(0), shape }];
}

export const ARRAY_REFERENCES = {
  Reshape: (c) => {
    const target = [...c.input(1).data];
    const rest = target.filter((dim) => dim !== -1).reduce((a, b) => a * b, 1);
    return inShape(
      c,
      target.map((dim) => (dim === -1 ? c.input(0).data.length / rest : dim)),
    );
  },
  ExpandDims: (c) => {
    const shape = [...c.input(0).shape];
    const axis = c.input(1).data[0] ?? 0;
    shape.splice(axis < 0 ? shape.length + 1 + axis : axis, 0, 1);
    return inShape(c, shape);
  },
  Squeeze: (c) => {
    const { shape } = c.input(0);
    const axes = c.attrs.ints('squeeze_dims').map((axis) => (axis + shape.length) % shape.length);
    return inShape(
      c,
      shape.filter((dim, axis) => (axes.length > 0 ? !axes.includes(axis) : dim !== 1)),
    );
  },
} satisfies FamilyReferences;
