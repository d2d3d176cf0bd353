/** The models that are measured, and an image for each. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MODELS = fileURLToPath(new URL('../../../node_modules/@vladmandic/human/models/', import.meta.url));
/** The package's list of its models is no model. */
const LIST = 'models.json';

/** All models of the package. */
export const GRAPH_MODELS: readonly string[] = readdirSync(MODELS)
  .filter((file) => file.endsWith('.json') && file !== LIST)
  .map((file) => file.replace('.json', ''));

/** Whether `name` is one of the package's models, or the path of a `model.json`. */
export function isModel(name: string): boolean {
  return name.endsWith('.json') || GRAPH_MODELS.includes(name);
}

/** The path of a model's `model.json`. */
export function modelPath(name: string): string {
  return name.endsWith('.json') ? name : `${MODELS}${name}.json`;
}

/** The sizes of one image, where the file leaves them open. */
export function imageShape(dims: readonly (number | null)[]): number[] {
  return dims.map((dim, axis) => (dim === null || dim < 0 ? (axis === 0 ? 1 : 320) : dim));
}

/** Grey with some structure; whole numbers from 0 to 255, or fractions of 255. */
export function pixels(size: number, whole: boolean): number[] {
  return Array.from({ length: size }, (_, i) => (whole ? (i * 31) % 256 : ((i * 31) % 256) / 255));
}
