/** Which tensor of a file goes into which variable: the matching behind `Saver.restore` and `loadWeights`, and its report. */
import {
  InvalidArgumentError,
  isFloating,
  nearestNames,
  NotFoundError,
  sizeOf,
  TensorShape,
  type Variable,
} from '@forerun/graph';
import type { WeightEntry, WeightReader } from '@forerun/formats';

/**
 * Names in the file by the variable's key: a record or map, or a function. Keys that it does not know keep their own name;
 * `null` leaves the variable out.
 */
export type NameMap =
  | Readonly<Record<string, string | null>>
  | ReadonlyMap<string, string | null>
  | ((key: string) => string | null | undefined);

/** How a tensor of a file is rearranged before it is assigned. */
export interface Layout {
  /** Order of the file's axes. */
  readonly permutation: readonly number[];
  /** Sizes after that, when axes are divided or joined too. */
  readonly shape?: readonly number[] | undefined;
}

/** The layout of one tensor, or `undefined` to take it as it is. */
export type LayoutOf = (key: string, variable: Variable, entry: WeightEntry) => Layout | undefined;

export interface RestoreOptions {
  /** Names in the file by the variable's key: a record or map, or a function; `null` leaves a variable out. */
  readonly map?: NameMap | undefined;
  /** Leave variables that the file lacks as they are. */
  readonly ignoreMissing?: boolean | undefined;
  /** Leave variables whose stored shape or dtype does not fit as they are. */
  readonly ignoreShapeMismatch?: boolean | undefined;
}

/** What restoring did, by the variables' keys. */
export interface RestoreReport {
  readonly restored: readonly string[];
  readonly missing: readonly string[];
  readonly shapeMismatch: readonly string[];
  /** Left out by the map. */
  readonly skipped: readonly string[];
  /** Names in the file that no variable took. */
  readonly unused: readonly string[];
}

export interface MatchOptions extends RestoreOptions {
  readonly layout?: LayoutOf | undefined;
  /** Accepts other floating-point dtypes than the variable's. */
  readonly convert?: boolean | undefined;
}

export interface Matched {
  readonly key: string;
  readonly stored: string;
  readonly variable: Variable;
  readonly layout: Layout | undefined;
  readonly converted: boolean;
}

export interface Match {
  readonly found: readonly Matched[];
  readonly missing: readonly { readonly key: string; readonly stored: string }[];
  readonly mismatched: readonly { readonly key: string; readonly stored: string; readonly text: string }[];
  readonly skipped: readonly string[];
}

/** Looks for every variable's tensor. Nothing is read. */
export function matchVariables(
  variables: ReadonlyMap<string, Variable>,
  reader: WeightReader,
  options: MatchOptions,
): Match {
  const found: Matched[] = [];
  const missing: { key: string; stored: string }[] = [];
  const mismatched: { key: string; stored: string; text: string }[] = [];
  const skipped: string[] = [];
  for (const [key, variable] of variables) {
    const stored = storedName(options.map, key);
    if (stored === null) {
      skipped.push(key);
      continue;
    }
    const entry = reader.entries.get(stored);
    if (entry === undefined) missing.push({ key, stored });
    else {
      const layout = options.layout?.(key, variable, entry);
      const text = misfit(key, variable, entry, layout, options.convert === true);
      if (text === undefined)
        found.push({ key, stored, variable, layout, converted: entry.dtype !== variable.dtype });
      else mismatched.push({ key, stored, text });
    }
  }
  return { found, missing, mismatched, skipped };
}

/** What a key is called in the file; `null` leaves it out. */
export function storedName(map: NameMap | undefined, key: string): string | null {
  if (map === undefined) return key;
  const name = typeof map === 'function' ? map(key) : isMap(map) ? map.get(key) : map[key];
  return name === undefined ? key : name;
}

function isMap(map: NameMap): map is ReadonlyMap<string, string | null> {
  return map instanceof Map;
}

/** Sizes of a stored tensor once it is rearranged; `undefined` when the layout does not fit it. */
export function arrangedShape(
  { shape }: WeightEntry,
  layout: Layout | undefined,
): readonly number[] | undefined {
  if (layout === undefined) return shape;
  const { permutation } = layout;
  const axes = new Set(permutation);
  if (permutation.length !== shape.length || shape.some((_, i) => !axes.has(i))) return undefined;
  const moved = permutation.map((axis) => shape[axis] ?? 0);
  if (layout.shape === undefined) return moved;
  return sizeOf(layout.shape) === sizeOf(moved) ? layout.shape : undefined;
}

function misfit(
  key: string,
  variable: Variable,
  entry: WeightEntry,
  layout: Layout | undefined,
  convert: boolean,
): string | undefined {
  const shape = arrangedShape(entry, layout);
  const fits = shape !== undefined && variable.shape.isCompatibleWith(new TensorShape(shape));
  const sameDType = entry.dtype === variable.dtype;
  if (fits && (sameDType || (convert && isFloating(entry.dtype) && isFloating(variable.dtype))))
    return undefined;
  const moved =
    layout === undefined
      ? ''
      : ` in the order [${layout.permutation.join(',')}]${shape === undefined ? '' : ` is [${shape.join(',')}]`}`;
  const from = entry.name === key ? '' : ` from "${entry.name}"`;
  return `"${key}"${from}: stored ${entry.dtype} [${entry.shape.join(',')}]${moved}, variable ${variable.dtype} ${variable.shape.toString()}`;
}

/** What an error says of the file and of the call. */
export interface RefusalWords {
  /** `the checkpoint "model.ckpt-7"`. */
  readonly what: string;
  /** `restore(…, { map })`: how to call with other options. */
  readonly call: string;
}

/**
 * Throws unless everything fits or the options forgive it: `NotFoundError` listing missing names with the nearest ones,
 * `InvalidArgumentError` listing shapes and dtypes that differ.
 */
export function requireMatch(
  { found, missing, mismatched }: Match,
  reader: WeightReader,
  { what, call }: RefusalWords,
  options: MatchOptions,
): void {
  if (missing.length > 0 && options.ignoreMissing !== true) {
    const lines = missing.map(({ stored }) => {
      const near = nearestNames(stored, reader.entries.keys());
      return `  "${stored}"${near.length === 0 ? '' : ` (nearest: ${near.map((name) => `"${name}"`).join(', ')})`}`;
    });
    throw new NotFoundError(
      `${what} lacks ${missing.length} of ${missing.length + found.length + mismatched.length} variables:\n` +
        `${lines.join('\n')}\nIs it of another model? Rename with ${call}, { map }) or skip with { ignoreMissing: true }`,
    );
  }
  if (mismatched.length > 0 && options.ignoreShapeMismatch !== true) {
    throw new InvalidArgumentError(
      `${what} holds other shapes or dtypes than the graph:\n${mismatched.map(({ text }) => `  ${text}`).join('\n')}\n` +
        `Is it of another model? Skip these with ${call}, { ignoreShapeMismatch: true })`,
    );
  }
}

/** The report of a match. `own` are names in the file that no variable is meant to take. */
export function matchReport(match: Match, reader: WeightReader, own: readonly string[] = []): RestoreReport {
  const taken = new Set([...own, ...match.found.map(({ stored }) => stored)]);
  return {
    restored: match.found.map(({ key }) => key),
    missing: match.missing.map(({ key }) => key),
    shapeMismatch: match.mismatched.map(({ key }) => key),
    skipped: match.skipped,
    unused: [...reader.entries.keys()].filter((name) => !taken.has(name)),
  };
}
