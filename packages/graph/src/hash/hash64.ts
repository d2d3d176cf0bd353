/** TensorFlow's `Hash64` (`core/lib/hash/hash.cc`), a form of MurmurHash64A: of `StringToHashBucket` and of dense hash tables. */

const MULTIPLIER = 0xc6a4a7935bd1e995n;
const SEED = 0xdecafcaffen;

function times(a: bigint, b: bigint): bigint {
  return BigInt.asUintN(64, a * b);
}

/** The hash of `bytes`, an unsigned number of 64 bits. */
export function hash64(bytes: Uint8Array): bigint {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  let hash = SEED ^ times(BigInt(length), MULTIPLIER);
  const whole = length - (length % 8);
  for (let i = 0; i < whole; i += 8) {
    let word = times(view.getBigUint64(i, true), MULTIPLIER);
    word ^= word >> 47n;
    hash = times(hash ^ times(word, MULTIPLIER), MULTIPLIER);
  }
  if (whole < length) {
    for (let i = whole; i < length; i++) hash ^= BigInt(bytes[i] ?? 0) << BigInt(8 * (i - whole));
    hash = times(hash, MULTIPLIER);
  }
  hash = times(hash ^ (hash >> 47n), MULTIPLIER);
  return hash ^ (hash >> 47n);
}
