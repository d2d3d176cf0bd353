/** `forerun dot` and `forerun svg`: the graph as Graphviz text or as a picture, scopes as clusters. */
import { writeFile } from 'node:fs/promises';
import { nearestNames, type Operation } from '@forerun/graph';
import { collapse, type Collapsed } from '../collapse.js';
import { FileError } from '../errors.js';
import { renderDot } from '../renderDot.js';
import { ancestorsOf, outputsOf, viewGraph } from '../graphView.js';
import { inFile } from '../inFile.js';
import { loadGraph } from '../load.js';
import type { CommonOptions } from '../program.js';
import { parseTags } from '../tags.js';
import type { Terminal } from '../terminal.js';

export interface DotOptions extends CommonOptions {
  /** Levels of scopes to open; deeper ones are a box each. */
  readonly depth: number;
  readonly scope?: string;
  /** Draws gradients, updates, initial values and savers too. */
  readonly all?: boolean;
  /** Draws constants and variables too. */
  readonly constants?: boolean;
}

export interface SvgOptions extends DotOptions {
  /** File to write. */
  readonly output?: string;
}

/** What is drawn of a graph. Throws `FileError` for a bad file, and with the nearest names for an unknown scope. */
async function drawing(file: string, options: DotOptions): Promise<{ path: string; collapsed: Collapsed }> {
  const loaded = await loadGraph(file, 'nodes', { tags: parseTags(options.tags) });
  const view = viewGraph(loaded, { deferShapes: true });
  const { graph } = view;
  const scope = (options.scope ?? '').replace(/\/+$/, '');
  const isInScope = ({ name }: Operation): boolean =>
    scope === '' || name === scope || name.startsWith(`${scope}/`);
  if (!graph.operations.some(isInScope)) {
    const scopes = new Set(graph.operations.flatMap(({ name }) => scopesOf(name)));
    const near = nearestNames(scope, scopes).map((name) => `"${name}"`);
    const hint = near.length === 0 ? '' : `. Did you mean ${near.join(', ')}?`;
    throw new FileError(`${loaded.path}: there is no scope "${scope}"${hint}`);
  }
  // The model itself is what one wants to see first; a scope without any of it is drawn whole.
  const model = options.all === true ? [] : ancestorsOf(outputsOf(view));
  const drawn = model.some(isInScope) ? model : graph.operations;
  const collapsed = inFile(loaded.path, () =>
    collapse(drawn, {
      depth: options.depth,
      scope,
      constants: options.constants === true,
      variables: options.all === true || options.constants === true,
    }),
  );
  return { path: loaded.path, collapsed };
}

/** Prints the graph for Graphviz. Throws as `drawing` does. */
export async function dot(file: string, options: DotOptions, terminal: Terminal): Promise<void> {
  const { path, collapsed } = await drawing(file, options);
  terminal.print(
    options.json === true
      ? JSON.stringify({ file: path, ...collapsed }, null, 2)
      : renderDot(path, collapsed),
  );
}

/** More boxes than this make no readable picture. */
const MAX_BOXES = 600;

/** Prints the graph as a picture, or writes it to `output`. Throws as `drawing` does, and for pictures too large to read. */
export async function svg(file: string, options: SvgOptions, terminal: Terminal): Promise<void> {
  const { path, collapsed } = await drawing(file, options);
  if (collapsed.boxes.length > MAX_BOXES) {
    throw new FileError(
      `${path}: a picture of ${collapsed.boxes.length} boxes cannot be read: use a smaller --depth, or --scope`,
    );
  }
  const { renderSvg } = await import('../renderSvg.js');
  const picture =
    options.json === true
      ? JSON.stringify({ file: path, ...collapsed }, null, 2)
      : renderSvg(path, collapsed);
  if (options.output === undefined) terminal.print(picture);
  else await writeFile(options.output, `${picture}\n`);
}

function scopesOf(name: string): string[] {
  const parts = name.split('/');
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}
