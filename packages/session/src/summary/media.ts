/** Images and sounds of summaries: values made 8 and 16 bits wide, as TensorFlow does, in PNG and WAV. */
import type { proto } from '@forerun/graph';

/** Below this, a scale would only enlarge rounding errors. */
const ZERO = 1e-6;

export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** What makes an image of bytes, which are kept as they are. The library for it is loaded when first needed. */
export async function imageWriter(): Promise<
  (pixels: Uint8Array, picture: Picture) => proto.Init<proto.SummaryImage>
> {
  const { encode } = await import('fast-png');
  return (data, { height, width, channels }) => {
    const encodedImageString = encode({ width, height, data, channels, depth: 8 });
    return { height, width, colorspace: channels, encodedImageString };
  };
}

/** Rounds to the precision in which the values are scaled. */
export type Rounding = (value: number) => number;

/**
 * Values scaled to bytes: 0 to the greatest become 0 to 255; where some are negative, 0 becomes 128. Pixels with a value that is
 * not finite become `badColor`.
 */
export function toBytes(
  values: ArrayLike<number>,
  channels: number,
  badColor: ArrayLike<number>,
  round: Rounding,
): Uint8Array {
  const isFinitePixel = (start: number): boolean => {
    for (let k = 0; k < channels; k++) if (!Number.isFinite(values[start + k])) return false;
    return true;
  };
  let [min, max] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i += channels) {
    if (!isFinitePixel(i)) continue;
    for (let k = i; k < i + channels; k++) {
      min = Math.min(min, values[k] ?? 0);
      max = Math.max(max, values[k] ?? 0);
    }
  }
  const reach = min < 0 ? Math.max(-min, max) : max;
  const [span, offset] = min < 0 ? [127, 128] : [255, 0];
  const scale = reach < ZERO ? 0 : round(span / reach);
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i += channels) {
    const good = isFinitePixel(i);
    for (let k = 0; k < channels; k++)
      bytes[i + k] = good
        ? Math.trunc(round(round((values[i + k] ?? 0) * scale) + offset))
        : (badColor[k] ?? 0);
  }
  return bytes;
}

const HEADER_BYTES = 44;

/** One sound of interleaved channels, from -1 to 1, as a WAV file of 16 bits. */
export function audioOf(
  samples: ArrayLike<number>,
  channels: number,
  sampleRate: number,
): proto.Init<proto.SummaryAudio> {
  const bytes = new Uint8Array(HEADER_BYTES + 2 * samples.length);
  const view = new DataView(bytes.buffer);
  const text = (offset: number, word: string): void => bytes.set(new TextEncoder().encode(word), offset);
  text(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, Math.round(sampleRate), true);
  view.setUint32(28, Math.round(sampleRate) * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, 2 * samples.length, true);
  for (let i = 0; i < samples.length; i++) {
    const level = Math.round((samples[i] ?? 0) * 32768);
    view.setInt16(HEADER_BYTES + 2 * i, Math.min(Math.max(level, -32768), 32767), true);
  }
  return {
    sampleRate,
    numChannels: BigInt(channels),
    lengthFrames: BigInt(samples.length / channels),
    encodedAudioString: bytes,
    contentType: 'audio/wav',
  };
}
