/** `forerun optimize`: passes that make a frozen graph smaller and faster, each compared with the original and reported. */
import { graphPasses, proto } from '@forerun/graph';
import { graphUtil } from '@forerun/session';
import { FileError, UsageError } from '../errors.js';
import { formOf, GRAPH_FORMS, type GraphForm } from '../forms.js';
import { formatBytes, formatCount, table, type Cell } from '../format.js';
import { graphFiles, modelDirectory } from '../graphFiles.js';
import { viewGraph, type GraphView } from '../graphView.js';
import { loadGraph } from '../load.js';
import { reading } from '../openValues.js';
import type { CommonOptions } from '../program.js';
import { signatureOf } from '../signature.js';
import { parseTags } from '../tags.js';
import { withWeightsBeside } from '../weightsBeside.js';
import type { Terminal } from '../terminal.js';
import { formatNumber } from '../values.js';
import { verifyFeeds, type FeedOptions } from '../verifyFeeds.js';
import { writeFiles, type Written } from '../writeFiles.js';
import { describeWritten } from './convert.js';
import { madeView, tensorNames } from './freeze.js';

export interface OptimizeOptions extends CommonOptions, FeedOptions {
  readonly to?: GraphForm;
  /** Names of passes, separated by commas; default those of `graphUtil.DEFAULT_TRANSFORMS`. */
  readonly passes?: string;
  /** Stores weights smaller, after the other passes. */
  readonly quantize?: 'float16' | 'uint8';
  /** Nodes that are fed. */
  readonly input?: readonly string[];
  /** Outputs to keep. */
  readonly fetch?: readonly string[];
  readonly tolerance?: number;
  /** False: passes are not compared with the original. */
  readonly verify?: boolean;
}

interface OptimizeReport {
  readonly file: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly passes: readonly graphUtil.TransformReport[];
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  /** Sizes as binary GraphDefs. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly verified: boolean;
  readonly to: GraphForm;
  readonly written: readonly Written[];
}

/**
 * Writes `target`: the graph after the passes. Throws `UsageError` for passes that there are not, `FileError` for bad files, graphs with variables, and
 * where a pass changes the outputs by more than the tolerance.
 */
export async function optimize(
  file: string,
  target: string,
  options: OptimizeOptions,
  terminal: Terminal,
): Promise<void> {
  const form = options.to ?? formOf(target, GRAPH_FORMS);
  const transforms = transformsOf(options);
  const view = viewGraph(
    await withWeightsBeside(await loadGraph(file, 'graph to optimize', { tags: parseTags(options.tags) })),
  );
  const { graphDef, path } = view.loaded;
  const outputs = tensorNames(view, options.fetch);
  refuseVariables(view, outputs);
  const inputs =
    options.input ?? Object.values(signatureOf(view, options.fetch).inputs).map(({ op }) => op.name);
  const feeds = await verifyFeeds(view, outputs, options);
  const { tolerance, verify } = options;
  const made = await reading(path, () =>
    graphUtil.transform(graphDef, inputs, outputs, transforms, {
      feeds,
      tolerance,
      verify: verify !== false,
    }),
  );
  const result = madeView(view, proto.complete('GraphDef', made.graphDef), options.fetch);
  const files = await graphFiles(result, form, target);
  const report: OptimizeReport = {
    file: path,
    inputs,
    outputs,
    passes: made.report,
    nodesBefore: view.graph.operations.length,
    nodesAfter: result.graph.operations.length,
    bytesBefore: proto.encodedSize('GraphDef', graphDef),
    bytesAfter: proto.encodedSize('GraphDef', result.loaded.graphDef),
    verified: verify !== false,
    to: form,
    written: await writeFiles(files, modelDirectory(form, target)),
  };
  terminal.print(options.json === true ? JSON.stringify(report, null, 2) : render(report, terminal));
}

function transformsOf({ passes, quantize }: OptimizeOptions): graphUtil.Transform[] {
  const named = passes?.split(',').map((name) => name.trim());
  const unknown = named?.filter((name) => !graphUtil.isTransform(name)) ?? [];
  if (unknown.length > 0) {
    throw new UsageError(
      `--passes: there is no pass "${unknown[0] ?? ''}"; there are ${graphUtil.TRANSFORMS.join(', ')}`,
    );
  }
  const list: graphUtil.Transform[] = [...(named ?? graphUtil.DEFAULT_TRANSFORMS)];
  return quantize === undefined ? list : [...list, { pass: 'quantizeWeights', to: quantize }];
}

function refuseVariables({ loaded }: GraphView, outputs: readonly string[]): void {
  const variables = graphPasses.variableNodes(graphPasses.extractSubGraph(loaded.graphDef, outputs));
  if (variables.length === 0) return;
  throw new FileError(
    `${loaded.path}: the values of ${variables.length} variables such as "${variables[0] ?? ''}" are not in the graph: forerun freeze first`,
  );
}

function render(report: OptimizeReport, terminal: Terminal): string {
  const { colors } = terminal;
  const { passes, nodesBefore, nodesAfter, bytesBefore, bytesAfter, verified } = report;
  const rows = passes.map(({ pass, nodesBefore: before, nodesAfter: after, difference, changes }): Cell[] => [
    { text: pass, paint: colors.cyan },
    before === after ? formatCount(after) : `${formatCount(before)} -> ${formatCount(after)}`,
    difference === null ? '' : difference === 0 ? 'same bits' : formatNumber(difference),
    changes.length === 0 ? 'nothing to do' : changes.join('; '),
  ]);
  const columns = [
    { title: 'pass' },
    { title: 'nodes', right: true },
    { title: 'difference', right: true },
    { title: '', flexible: true },
  ];
  const share = bytesBefore === 0 ? 1 : bytesAfter / bytesBefore;
  return [
    `${colors.bold(report.file)}: ${report.inputs.join(', ')} to ${report.outputs.join(', ')}`,
    ...table(columns, rows, terminal),
    `  ${formatCount(nodesBefore)} -> ${formatCount(nodesAfter)} nodes, ${formatBytes(bytesBefore)} -> ${formatBytes(bytesAfter)} (${Math.round(100 * share)}%)`,
    verified
      ? '  Differences are to the outputs before all passes, as a fraction of the largest value.'
      : colors.yellow('  not compared with the original'),
    describeWritten(report.to, report.written),
  ].join('\n');
}
