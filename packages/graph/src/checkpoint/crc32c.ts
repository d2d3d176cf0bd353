/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes at a time, and the masking that
 * TensorFlow applies to stored checksums so that a checksum of data holding checksums stays good.
 */

const POLYNOMIAL = 0x82f63b78;
const LANES = 8;

/** 256 entries for each lane `k`: the effect of a byte that `k` more bytes follow. */
const TABLE = makeTable();

function makeTable(): Int32Array {
  const table = new Int32Array(256 * LANES);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[i] = crc;
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256] ?? 0;
    table[i] = (table[before & 0xff] ?? 0) ^ (before >>> 8);
  }
  return table;
}

/** CRC-32C of `bytes`; `crc` continues the checksum of what came before them. */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const t = TABLE;
  let c = ~crc;
  let i = 0;
  for (const stop = bytes.length - LANES; i <= stop; i += LANES) {
    c ^= view.getInt32(i, true);
    const high = view.getInt32(i + 4, true);
    c =
      (t[0x700 + (c & 0xff)] ?? 0) ^
      (t[0x600 + ((c >>> 8) & 0xff)] ?? 0) ^
      (t[0x500 + ((c >>> 16) & 0xff)] ?? 0) ^
      (t[0x400 + (c >>> 24)] ?? 0) ^
      (t[0x300 + (high & 0xff)] ?? 0) ^
      (t[0x200 + ((high >>> 8) & 0xff)] ?? 0) ^
      (t[0x100 + ((high >>> 16) & 0xff)] ?? 0) ^
      (t[high >>> 24] ?? 0);
  }
  for (; i < bytes.length; i++) c = (t[(c ^ (bytes[i] ?? 0)) & 0xff] ?? 0) ^ (c >>> 8);
  return ~c >>> 0;
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
