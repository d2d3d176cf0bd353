/** SipHash-2-4 (Aumasson and Bernstein, 2012), a hash under a key: that of `StringToHashBucketStrong`. */

const wrap = (x: bigint): bigint => BigInt.asUintN(64, x);
const rotate = (x: bigint, by: bigint): bigint => wrap(x << by) | (x >> (64n - by));

type State = [bigint, bigint, bigint, bigint];

function round(v: State): void {
  v[0] = wrap(v[0] + v[1]);
  v[1] = rotate(v[1], 13n) ^ v[0];
  v[0] = rotate(v[0], 32n);
  v[2] = wrap(v[2] + v[3]);
  v[3] = rotate(v[3], 16n) ^ v[2];
  v[0] = wrap(v[0] + v[3]);
  v[3] = rotate(v[3], 21n) ^ v[0];
  v[2] = wrap(v[2] + v[1]);
  v[1] = rotate(v[1], 17n) ^ v[2];
  v[2] = rotate(v[2], 32n);
}

function take(v: State, word: bigint): void {
  v[3] ^= word;
  round(v);
  round(v);
  v[0] ^= word;
}

/** The hash of `bytes` under a key of two words, an unsigned number of 64 bits. */
export function sipHash64(bytes: Uint8Array, [k0, k1]: readonly [bigint, bigint]): bigint {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const [a, b] = [wrap(k0), wrap(k1)];
  const v: State = [
    a ^ 0x736f6d6570736575n,
    b ^ 0x646f72616e646f6dn,
    a ^ 0x6c7967656e657261n,
    b ^ 0x7465646279746573n,
  ];
  const whole = length - (length % 8);
  for (let i = 0; i < whole; i += 8) take(v, view.getBigUint64(i, true));
  let last = BigInt(length & 0xff) << 56n;
  for (let i = whole; i < length; i++) last |= BigInt(bytes[i] ?? 0) << BigInt(8 * (i - whole));
  take(v, last);
  v[2] ^= 0xffn;
  for (let i = 0; i < 4; i++) round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}
