/** Float64 reference of glimpses, whose noise is that of zeros: the others are random. */
import type { FamilyReferences } from '../sample.js';

export const IMAGE_GLIMPSE_REFERENCES = {
  ExtractGlimpse: ({ attrs, input }) => {
    const [batch = 0, height = 0, width = 0, channels = 0] = input(0).shape;
    const [rows = 0, columns = 0] = input(1).data;
    const first = (b: number, axis: 0 | 1, image: number, window: number): number => {
      const offset = input(2).data[2 * b + axis] ?? NaN;
      const pixels = attrs.bool('normalized') ? offset * image : offset;
      return Math.trunc((attrs.bool('centered') ? pixels / 2 + image / 2 : pixels) - window / 2);
    };
    const data = new Float64Array(batch * rows * columns * channels);
    for (let b = 0; b < batch; b++) {
      const [top, left] = [first(b, 0, height, rows), first(b, 1, width, columns)];
      for (let i = 0; i < rows * columns * channels; i++) {
        const y = top + Math.floor(i / (columns * channels));
        const x = left + (Math.floor(i / channels) % columns);
        if (y < 0 || y >= height || x < 0 || x >= width) continue;
        const from = ((b * height + y) * width + x) * channels + (i % channels);
        data[b * rows * columns * channels + i] = input(0).data[from] ?? NaN;
      }
    }
    return [{ dtype: 'float32', shape: [batch, rows, columns, channels], data }];
  },
} satisfies FamilyReferences;
