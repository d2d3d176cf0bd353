/**
 * Choices for Mesa's lavapipe with subgroups of 8, measured with `node bench/dist/kernels.js --candidates` on its release
 * 25.0: products and convolutions of the MNIST network, 1024 x 1024 x 1024, 3 x 3 convolutions of 64 channels and their gradients.
 */
import type { Choice } from '@forerun/kernels-webgpu';

/**
 * From so many multiplications on, tall tiles earn within some hundred runs what they take longer to compile (about half a
 * second): 1.06 to 1.44 times as fast as the default on all shapes measured.
 */
const MANY_PRODUCTS = 2 ** 25;
const TALL = /^subgroup32x4k[34](s\d+)?$/;
/** Where lanes along the columns would be idle, turned tiles are 1.15 to 1.66 times as fast as the default. */
const NARROW = /^subgroup\d+x[12]k/;
const TURNED = /^turned(4|8|16)x4k\d+(s\d+)?$/;

/**
 * Below so many multiplications a kernel runs for some 30 us. A tile of half the height takes hardly longer and saves 2 ms of processor
 * time each when its shader is read, and where the driver has not compiled it before some 0.2 s.
 */
const FEW_PRODUCTS = 2 ** 20;
const STANDARD = /^subgroup16x4k4$/;
const SHORT = /^subgroup8x4k4$/;

/** The name of the candidate to take; `null`: the default. */
export function lavapipeChoice({ products, candidates }: Choice): string | null {
  const first = (names: RegExp): string | null =>
    candidates.find(({ name }) => names.test(name))?.name ?? null;
  const [standard] = candidates;
  if (standard !== undefined && NARROW.test(standard.name)) return first(TURNED);
  if (products < FEW_PRODUCTS && standard !== undefined && STANDARD.test(standard.name)) return first(SHORT);
  return products >= MANY_PRODUCTS ? first(TALL) : null;
}
