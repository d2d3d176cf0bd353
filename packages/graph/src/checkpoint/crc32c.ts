/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes at a time, and the masking that
 * TensorFlow applies to stored checksums so that a checksum of data holding checksums stays good.
 */

const POLYNOMIAL = 0x82f63b78;
const LANES = 8;

/** Table `k` holds the effect of a byte that `k` more bytes follow. */
const tables: readonly Uint32Array[] = makeTables();

function makeTables(): Uint32Array[] {
  const first = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    first[i] = crc;
  }
  const all = [first];
  for (let k = 1; k < LANES; k++) {
    const before = all[k - 1] ?? first;
    all.push(before.map((crc) => (first[crc & 0xff] ?? 0) ^ (crc >>> 8)));
  }
  return all;
}

/** CRC-32C of `bytes`; `crc` continues the checksum of what came before them. */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as readonly [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  const at = (table: Uint32Array, index: number): number => table[index] ?? 0;
  let c = ~crc;
  let i = 0;
  for (const stop = bytes.length - LANES; i <= stop; i += LANES) {
    c ^= word(bytes, i);
    const high = word(bytes, i + 4);
    c =
      at(t7, c & 0xff) ^
      at(t6, (c >>> 8) & 0xff) ^
      at(t5, (c >>> 16) & 0xff) ^
      at(t4, c >>> 24) ^
      at(t3, high & 0xff) ^
      at(t2, (high >>> 8) & 0xff) ^
      at(t1, (high >>> 16) & 0xff) ^
      at(t0, high >>> 24);
  }
  for (; i < bytes.length; i++) c = at(t0, (c ^ (bytes[i] ?? 0)) & 0xff) ^ (c >>> 8);
  return ~c >>> 0;
}

function word(bytes: Uint8Array, i: number): number {
  return (
    (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24)
  );
}

const MASK_DELTA = 0xa282ead8;

/** The stored form of a checksum. */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

/** The checksum of a stored form. */
export function unmaskCrc(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}
