/** Choices that come with the package, for adapters whose kernels were measured or are well described. */
import type { Choice } from '@forerun/kernels-webgpu';
import type { AdapterKey } from './adapterKey.js';
import { lavapipeChoice } from './lavapipe.js';

interface Shipped {
  /** Matches vendor, architecture and description. */
  readonly adapter: RegExp;
  readonly subgroupSize?: number;
  readonly choose: (choice: Choice) => string | null;
}

/** A product with so many multiplications fills the larger tiles of a GPU. */
const LARGE_PRODUCT = 2 ** 27;

/**
 * GPUs with many registers per invocation take 8 x 8 results where there is work for all of them (nothing was
 * measured on these; the sizes are those of the usual hand-written kernels).
 */
function largeTiles({ products, candidates }: Choice): string | null {
  if (products < LARGE_PRODUCT) return null;
  return candidates.find(({ name }) => /^tile128x128\D/.test(name) && !/s\d+$/.test(name))?.name ?? null;
}

/** GPUs with few registers or little memory per workgroup keep to 4 x 4 results of 64 invocations. */
function smallTiles({ candidates }: Choice): string | null {
  return candidates.find(({ name }) => /^tile32x32t8\D/.test(name) && !/s\d+$/.test(name))?.name ?? null;
}

const SHIPPED: readonly Shipped[] = [
  {
    adapter: /llvmpipe|lavapipe/i,
    subgroupSize: 8,
    choose: lavapipeChoice,
  },
  { adapter: /nvidia|amd|radeon/i, choose: largeTiles },
  { adapter: /qualcomm|adreno|\barm\b|mali|img-tec|powervr|broadcom/i, choose: smallTiles },
];

/** The shipped choices for an adapter. */
export function shippedFor(key: AdapterKey): (choice: Choice) => string | null {
  const text = `${key.vendor} ${key.architecture} ${key.description}`;
  const found = SHIPPED.find(
    ({ adapter, subgroupSize = key.subgroupSize }) => adapter.test(text) && subgroupSize === key.subgroupSize,
  );
  return found?.choose ?? (() => null);
}

/** Software adapters whose compiler's times are known; on others only small bodies are tried. */
export function hasKnownCompiler(key: AdapterKey, software: boolean): boolean {
  return !software || /llvmpipe|lavapipe/i.test(`${key.architecture} ${key.description}`);
}
