/** WGSL of simulated quantization: the range [lo, hi] in the levels from `first` to `last`. */
import { vectorizable, type LibraryFunction } from './libraryFunction.js';

export const QUANTIZE_FUNCTIONS: Readonly<Record<string, LibraryFunction>> = {
  /** The level of 0, so far as the range holds it. */
  zero_level: vectorizable(`fn zero_level(lo: f32, hi: f32, first: f32, last: f32) -> f32 {
  let scale = (hi - lo) / (last - first);
  return clamp(floor(first - lo / scale + 0.5), first, last);
}`),

  /** -1 below the range that has 0 as a level, 1 above it; 0 within, or where both ends are 0. */
  side_of_range: vectorizable(`fn side_of_range(x: f32, lo: f32, hi: f32, first: f32, last: f32) -> f32 {
  let scale = (hi - lo) / (last - first);
  let zero = zero_level(lo, hi, first, last);
  let above = select(f32(0.0), f32(1.0), x > (last - zero) * scale);
  let side = select(above, f32(-1.0), x < (first - zero) * scale);
  return select(side, f32(0.0), (lo == f32(0.0)) & (hi == f32(0.0)));
}`),

  fake_quant: vectorizable(`fn fake_quant(x: f32, lo: f32, hi: f32, first: f32, last: f32) -> f32 {
  let scale = (hi - lo) / (last - first);
  let zero = zero_level(lo, hi, first, last);
  let low = (first - zero) * scale;
  let inside = clamp(x, low, (last - zero) * scale);
  let y = floor((inside - low) / scale + 0.5) * scale + low;
  return select(keep_nan(y, x), f32(0.0), (lo == f32(0.0)) & (hi == f32(0.0)));
}`),
};
