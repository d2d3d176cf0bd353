/** Float64 references of axes and shape vectors in another layout. */
import type { FamilyReferences, ReferenceContext } from '../sample.js';

function formats({ attrs }: ReferenceContext): [from: string, to: string] {
  return [attrs.string('src_format'), attrs.string('dst_format')];
}

export const DATA_FORMAT_REFERENCES = {
  DataFormatDimMap: (c) => {
    const [from, to] = formats(c);
    return [{ ...c.input(0), data: c.input(0).data.map((axis) => to.indexOf(from.at(axis) ?? '?')) }];
  },
  DataFormatVecPermute: (c) => {
    const [from, to] = formats(c);
    const x = c.input(0);
    const width = x.data.length / from.length;
    const rows = Array.from(to, (dim) =>
      x.data.subarray(from.indexOf(dim) * width, (from.indexOf(dim) + 1) * width),
    );
    return [{ ...x, data: Float64Array.from(rows.flatMap((row) => [...row])) }];
  },
} satisfies FamilyReferences;
