/** Under which name an adapter's measurements are kept: what distinguishes adapters whose best kernels differ. */
import type { AdapterFacts } from '@forerun/kernels-webgpu';

/** What is known of an adapter. */
export interface AdapterKey {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** 0: subgroups are not used. */
  readonly subgroupSize: number;
}

export function adapterKeyOf(info: GPUAdapterInfo, facts: AdapterFacts): AdapterKey {
  const { vendor, architecture, description } = info;
  return { vendor, architecture, description, subgroupSize: facts.subgroupSize };
}

/** One line for people and for comparisons. */
export function describeAdapter({ vendor, architecture, description, subgroupSize }: AdapterKey): string {
  const names = [vendor, architecture, description].filter((part) => part !== '').join(' / ');
  return `${names === '' ? 'unknown adapter' : names}, subgroups of ${subgroupSize}`;
}

/** A file name for the adapter: readable, with a hash of the whole key. */
export function fileNameOf(key: AdapterKey): string {
  const readable = `${key.vendor} ${key.architecture}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const trimmed = readable.replace(/^-+|-+$/g, '');
  return `${trimmed === '' ? 'adapter' : trimmed}-${hash(describeAdapter(key))}`;
}

/** FNV-1a in 32 bits, as hexadecimal digits. */
function hash(text: string): string {
  let state = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 0x01000193);
  return (state >>> 0).toString(16).padStart(8, '0');
}
