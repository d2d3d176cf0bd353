/** `forerun inspect`: what a file holds and what running it costs. */
import { load, type Loaded } from '../load.js';
import type { ModelReport } from '../modelReport.js';
import type { CommonOptions } from '../program.js';
import type { Terminal } from '../terminal.js';
import { UnsupportedModel, UsageError } from '../errors.js';
import { renderCheckpoint } from '../renderCheckpoint.js';
import { reportCheckpoint } from '../checkpointReport.js';
import { parseTags } from '../tags.js';
import type { InputShapes } from '../inputShapes.js';

export interface InspectOptions extends CommonOptions {
  readonly shape?: readonly string[];
  /** Leaves nothing out of long lists. */
  readonly all?: boolean;
}

/** Prints a report on `file`. Throws `FileError` for a bad file or input name, `UsageError` for a bad shape. */
export async function inspect(file: string, options: InspectOptions, terminal: Terminal): Promise<void> {
  const { parseShape } = await import('../inputShapes.js');
  let shapes: InputShapes = new Map();
  for (const text of options.shape ?? []) shapes = parseShape(text, shapes);
  const loaded = await loadOrReport(file, options, shapes);
  if (loaded.kind === 'model') {
    const { renderModel } = await import('../renderModel.js');
    terminal.print(
      options.json === true ? JSON.stringify(loaded, null, 2) : renderModel(loaded, terminal, options.all),
    );
    return;
  }
  if (loaded.kind === 'checkpoint') {
    if (shapes.size > 0) throw new UsageError('--shape is for graphs, this is a checkpoint');
    const report = reportCheckpoint(loaded);
    terminal.print(
      options.json === true
        ? JSON.stringify(report, null, 2)
        : renderCheckpoint(report, terminal, options.all),
    );
    return;
  }
  // The table of kernels is needed for graphs only.
  const { reportGraph } = await import('../graphReport.js');
  const { renderGraph } = await import('../renderGraph.js');
  const report = reportGraph(loaded, shapes);
  terminal.print(
    options.json === true ? JSON.stringify(report, null, 2) : renderGraph(report, terminal, options.all),
  );
}

/** The file, or what can be said of a model that holds what is not known here. */
async function loadOrReport(
  file: string,
  { tags }: InspectOptions,
  shapes: InputShapes,
): Promise<Loaded | ModelReport> {
  try {
    return await load(file, { tags: parseTags(tags), shapes });
  } catch (error) {
    if (error instanceof UnsupportedModel) return error.report;
    throw error;
  }
}
