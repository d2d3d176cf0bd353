/** The models that are measured, and an image for each. */
import { fileURLToPath } from 'node:url';

export const GRAPH_MODELS: readonly string[] = [
  'antispoof',
  'blazeface',
  'centernet',
  'emotion',
  'facemesh',
  'faceres',
  'handlandmark-lite',
  'handtrack',
  'iris',
  'liveness',
  'movenet-lightning',
];

/** The path of a model's `model.json`. */
export function modelPath(name: string): string {
  return fileURLToPath(
    new URL(`../../../node_modules/@vladmandic/human/models/${name}.json`, import.meta.url),
  );
}

/** The sizes of one image, where the file leaves them open. */
export function imageShape(dims: readonly (number | null)[]): number[] {
  return dims.map((dim, axis) => (dim === null || dim < 0 ? (axis === 0 ? 1 : 320) : dim));
}

/** Grey with some structure; whole numbers from 0 to 255, or fractions of 255. */
export function pixels(size: number, whole: boolean): number[] {
  return Array.from({ length: size }, (_, i) => (whole ? (i * 31) % 256 : ((i * 31) % 256) / 255));
}
