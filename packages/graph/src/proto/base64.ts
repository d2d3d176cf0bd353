/** Base64 of bytes, for the JSON form of messages; takes the URL alphabet and missing padding too. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const rest = bytes.length - i;
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const digits = [18, 12, 6, 0].map((shift) => ALPHABET.charAt((group >> shift) & 63));
    if (rest === 1) digits.splice(2, 2, '==');
    else if (rest === 2) digits.splice(3, 1, '=');
    parts.push(digits.join(''));
  }
  return parts.join('');
}

/** Digits by character code; both alphabets. */
const DIGITS = new Int8Array(128).fill(-1);
for (let digit = 0; digit < ALPHABET.length; digit++) DIGITS[ALPHABET.charCodeAt(digit)] = digit;
[DIGITS['-'.charCodeAt(0)], DIGITS['_'.charCodeAt(0)]] = [62, 63];

/** The bytes, or `undefined` when `text` is not base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  let length = text.length;
  while (length > 0 && text.charAt(length - 1) === '=') length--;
  if (length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let [next, i] = [0, 0];
  for (; i + 4 <= length; i += 4) {
    const high = (digitAt(text, i) << 6) | digitAt(text, i + 1);
    const low = (digitAt(text, i + 2) << 6) | digitAt(text, i + 3);
    // A digit of -1 leaves the sign in its half.
    if ((high | low) < 0) return undefined;
    bytes[next++] = high >> 4;
    bytes[next++] = ((high & 15) << 4) | (low >> 8);
    bytes[next++] = low & 255;
  }
  if (i === length) return bytes;
  const high = (digitAt(text, i) << 6) | digitAt(text, i + 1);
  const last = i + 2 < length ? digitAt(text, i + 2) : 0;
  if ((high | last) < 0) return undefined;
  bytes[next++] = high >> 4;
  if (i + 2 < length) bytes[next] = ((high & 15) << 4) | (last >> 2);
  return bytes;
}

function digitAt(text: string, index: number): number {
  return DIGITS[text.charCodeAt(index)] ?? -1;
}
