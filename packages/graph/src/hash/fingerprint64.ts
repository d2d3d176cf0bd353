/** FarmHash's `Fingerprint64` (Geoff Pike, farmhashna): the hash of `StringToHashBucketFast`, and so of words without an entry. */

const K0 = 0xc3a5c85c97cb3127n;
const K1 = 0xb492b66fbe98f273n;
const K2 = 0x9ae16a3b2f90404fn;

const wrap = (x: bigint): bigint => BigInt.asUintN(64, x);
const times = (a: bigint, b: bigint): bigint => wrap(a * b);
const rotate = (x: bigint, by: bigint): bigint => wrap(x >> by) | wrap(x << (64n - by));
const mix = (x: bigint): bigint => x ^ (x >> 47n);

/** 16 bytes to 8. */
function fold(u: bigint, v: bigint, multiplier: bigint): bigint {
  const a = mix(times(u ^ v, multiplier));
  return times(mix(times(v ^ a, multiplier)), multiplier);
}

type Pair = readonly [bigint, bigint];
type Words = (at: number) => bigint;

function upTo16(bytes: Uint8Array, view: DataView): bigint {
  const { length } = bytes;
  const multiplier = K2 + BigInt(2 * length);
  if (length >= 8) {
    const a = wrap(view.getBigUint64(0, true) + K2);
    const b = view.getBigUint64(length - 8, true);
    const c = wrap(times(rotate(b, 37n), multiplier) + a);
    const d = times(wrap(rotate(a, 25n) + b), multiplier);
    return fold(c, d, multiplier);
  }
  if (length >= 4) {
    const first = BigInt(view.getUint32(0, true)) << 3n;
    return fold(BigInt(length) + first, BigInt(view.getUint32(length - 4, true)), multiplier);
  }
  if (length === 0) return K2;
  const [a = 0, b = 0, c = 0] = [bytes[0], bytes[length >> 1], bytes[length - 1]];
  const [y, z] = [BigInt(a + (b << 8)), BigInt(length + (c << 2))];
  return times(mix(times(y, K2) ^ times(z, K0)), K2);
}

/** Four words as a sum and as a hash; `turn` is added to the second. */
function folded(
  [a, b, c, d]: readonly [bigint, bigint, bigint, bigint],
  turn: bigint,
  multiplier: bigint,
): { readonly sum: bigint; readonly hash: bigint } {
  const sum = wrap(rotate(wrap(a + b), 43n) + rotate(c, 30n) + d);
  return { sum, hash: fold(sum, wrap(a + rotate(wrap(b + turn), 18n) + c), multiplier) };
}

/** The first two words and the last two. */
function ends(
  length: number,
  word: Words,
  first: bigint,
  multiplier: bigint,
): [bigint, bigint, bigint, bigint] {
  return [times(word(0), first), word(8), times(word(length - 8), multiplier), times(word(length - 16), K2)];
}

function upTo32(length: number, word: Words): bigint {
  const multiplier = K2 + BigInt(2 * length);
  return folded(ends(length, word, K1, multiplier), K2, multiplier).hash;
}

function upTo64(length: number, word: Words): bigint {
  const multiplier = K2 + BigInt(2 * length);
  const outer = ends(length, word, K2, multiplier);
  const { sum, hash } = folded(outer, K2, multiplier);
  const e = times(word(16), multiplier);
  const g = times(wrap(sum + word(length - 32)), multiplier);
  const h = times(wrap(hash + word(length - 24)), multiplier);
  return folded([e, word(24), g, h], outer[0], multiplier).hash;
}

/** Mixes 32 bytes into two words. */
function weak(word: Words, at: number, a: bigint, b: bigint): Pair {
  const first = wrap(a + word(at));
  const last = word(at + 24);
  const turned = rotate(wrap(b + first + last), 21n);
  const sum = wrap(first + word(at + 8) + word(at + 16));
  return [wrap(sum + last), wrap(turned + rotate(sum, 44n) + first)];
}

interface State {
  x: bigint;
  y: bigint;
  z: bigint;
  v: Pair;
  w: Pair;
}

/** Takes 64 bytes in; the last block has a multiplier of its own and weighs `w` and `v` by 9. */
function takeBlock(s: State, word: Words, at: number, multiplier: bigint, weight: bigint): void {
  const { v, w, z } = s;
  let x = times(rotate(wrap(s.x + s.y + v[0] + word(at + 8)), 37n), multiplier);
  let y = times(rotate(wrap(s.y + v[1] + word(at + 48)), 42n), multiplier);
  x ^= times(w[1], weight);
  y = wrap(y + times(v[0], weight) + word(at + 40));
  const turned = times(rotate(wrap(z + w[0]), 33n), multiplier);
  s.v = weak(word, at, times(v[1], multiplier), wrap(x + w[0]));
  s.w = weak(word, at + 32, wrap(turned + w[1]), wrap(y + word(at + 16)));
  [s.x, s.y, s.z] = [turned, y, x];
}

function longer(length: number, word: Words): bigint {
  const seed = 81n;
  const y = wrap(times(seed, K1) + 113n);
  const z = times(mix(wrap(times(y, K2) + 113n)), K2);
  const s: State = { x: wrap(times(seed, K2) + word(0)), y, z, v: [0n, 0n], w: [0n, 0n] };
  const rest = (length - 1) & 63;
  const end = length - 1 - rest;
  for (let at = 0; at < end; at += 64) takeBlock(s, word, at, K1, 1n);
  const multiplier = wrap(K1 + ((s.z & 0xffn) << 1n));
  const w = wrap(s.w[0] + BigInt(rest));
  const v = wrap(s.v[0] + w);
  s.v = [v, s.v[1]];
  s.w = [wrap(w + v), s.w[1]];
  takeBlock(s, word, end + rest - 63, multiplier, 9n);
  const u = wrap(fold(s.v[0], s.w[0], multiplier) + times(mix(s.y), K0) + s.z);
  return fold(u, wrap(fold(s.v[1], s.w[1], multiplier) + s.x), multiplier);
}

/** The fingerprint of `bytes`, an unsigned number of 64 bits. */
export function fingerprint64(bytes: Uint8Array): bigint {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  if (length <= 16) return upTo16(bytes, view);
  const word: Words = (at) => view.getBigUint64(at, true);
  if (length <= 32) return upTo32(length, word);
  return length <= 64 ? upTo64(length, word) : longer(length, word);
}
