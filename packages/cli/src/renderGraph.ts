/** The report on a graph as text. */
import {
  formatBytes,
  formatCount,
  formatFlops,
  formatShape,
  plural,
  table,
  wrapList,
  type Cell,
} from './format.js';
import type { Amount, GraphReport, TensorReport } from './graphReport.js';
import { limitedTable } from './renderList.js';
import { renderCost } from './renderCost.js';
import { originFacts, originTypes } from './renderModel.js';
import type { Terminal } from './terminal.js';

const ENCODINGS = { pb: 'binary', pbtxt: 'text', json: 'JSON' } as const;

/** Lines for people; `all` leaves nothing out. */
export function renderGraph(report: GraphReport, terminal: Terminal, all = false): string {
  const sections = [
    header(report, terminal),
    signatures(report, terminal),
    inputs(report, terminal, all),
    outputs(report, terminal, all),
    targets(report, terminal),
    parameters(report, terminal, all),
    renderCost(report, terminal, all),
    report.origin === undefined ? [] : originTypes(report.origin, terminal, all),
    ops(report, terminal, all),
    unsupported(report, terminal),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function header(report: GraphReport, terminal: Terminal): string[] {
  const { colors } = terminal;
  const { format, encoding, fileBytes, tags, tensorflowVersion, producer, minConsumer, origin } = report;
  const versions = [
    `GraphDef version ${producer}${minConsumer === 0 ? '' : `, needs a reader of version ${minConsumer}`}`,
    ...(tensorflowVersion === undefined ? [] : [`TensorFlow ${tensorflowVersion}`]),
  ];
  const facts = [
    plural(report.nodes, 'node'),
    ...(report.functions.length === 0 ? [] : [plural(report.functions.length, 'function')]),
    ...(origin === undefined ? versions : originFacts(origin)),
  ];
  const tagged = tags === undefined ? '' : ` with the tags [${tags.join(', ')}]`;
  const collections = report.collections.map(({ key, size }) => `${key} (${size})`);
  return [
    `${colors.bold(report.file)}: ${format}${tagged}${origin === undefined ? `, ${ENCODINGS[encoding]}` : ''}, ${formatBytes(fileBytes)}`,
    ...wrapList(facts, terminal),
    ...(collections.length === 0 ? [] : wrapList(collections, terminal, '  collections: ')),
  ];
}

function signatures({ signatures: list }: GraphReport, terminal: Terminal): string[] {
  const { colors } = terminal;
  return list.flatMap(({ name, method, inputs: from, outputs: to }) => [
    `${colors.bold('Signature')} ${name}${method === '' ? '' : colors.dim(`  ${method}`)}`,
    ...table(
      [UNTITLED, NAME, UNTITLED, UNTITLED, UNTITLED],
      [...from.map((tensor) => ['in', tensor] as const), ...to.map((tensor) => ['out', tensor] as const)].map(
        ([direction, { key, tensor, dtype, shape }]) => [
          { text: direction, paint: colors.dim },
          { text: key, paint: colors.cyan },
          dtype,
          formatShape(shape),
          { text: tensor, paint: colors.dim },
        ],
      ),
      terminal,
    ),
  ]);
}

function inputs(report: GraphReport, terminal: Terminal, all: boolean): string[] {
  const rows = report.inputs.map((input) =>
    tensorRow(input, input.default === undefined ? '' : `default ${input.default}`, terminal),
  );
  return tensorSection('Inputs', rows, terminal, all);
}

function outputs(report: GraphReport, terminal: Terminal, all: boolean): string[] {
  const rows = report.outputs.map((output) => tensorRow(output, output.op, terminal));
  return tensorSection('Outputs', rows, terminal, all);
}

function tensorRow({ name, dtype, shape }: TensorReport, note: string, { colors }: Terminal): Cell[] {
  return [{ text: name, paint: colors.cyan }, dtype, formatShape(shape), { text: note, paint: colors.dim }];
}

const UNTITLED = { title: '' };
const NAME = { title: '', flexible: true };

function tensorSection(title: string, rows: readonly Cell[][], terminal: Terminal, all: boolean): string[] {
  const { colors } = terminal;
  if (rows.length === 0) return [`${colors.bold(title)}  none`];
  const what = title.toLowerCase();
  return [
    colors.bold(title),
    ...limitedTable([NAME, UNTITLED, UNTITLED, UNTITLED], rows, { what, all }, terminal),
  ];
}

const SHOWN_TARGETS = 8;

function targets({ targets: list }: GraphReport, { colors }: Terminal): string[] {
  if (list.length === 0) return [];
  const names = list.slice(0, SHOWN_TARGETS).map(({ name }) => colors.cyan(name));
  const more = list.length > SHOWN_TARGETS ? `, ... ${list.length - SHOWN_TARGETS} more` : '';
  return [`${colors.bold('Targets')}  ${names.join(', ')}${more}`];
}

function parameters(report: GraphReport, terminal: Terminal, all: boolean): string[] {
  const { colors } = terminal;
  const { total, trained, slots, other, constants } = report.parameters;
  const amountOf = (amount: Amount, noun: string): string =>
    `${formatCount(amount.parameters)} in ${plural(amount.count, noun)}, ${formatBytes(amount.bytes)}`;
  const nouns = total === trained ? 'trained variable' : total === other ? 'variable' : 'constant';
  if (total.count === 0) return [`${colors.bold('Parameters')}  none`];
  const rest = [
    ...(slots.count === 0 ? [] : [`optimizer slots: ${amountOf(slots, 'variable')}`]),
    ...(other.count === 0 || total === other ? [] : [`not trained: ${amountOf(other, 'variable')}`]),
    ...(constants.count === 0 || total === constants
      ? []
      : [`constants: ${amountOf(constants, 'constant')}`]),
  ];
  return [
    `${colors.bold('Parameters')}  ${colors.green(formatCount(total.parameters))} in ${plural(total.count, nouns)}, ${formatBytes(total.bytes)}`,
    ...variableTable(report, terminal, all),
    ...rest.map((line) => `  ${line}`),
  ];
}

function variableTable(report: GraphReport, terminal: Terminal, all: boolean): string[] {
  const { trained, other, total } = report.parameters;
  const shown = report.variables.filter(
    ({ role }) => all || (total === trained ? role === 'trained' : total === other && role === 'other'),
  );
  if (shown.length === 0) return [];
  const rows = shown.map((variable): Cell[] => [
    { text: variable.name, paint: variable.role === 'slot' ? terminal.colors.dim : terminal.colors.cyan },
    variable.dtype,
    formatShape(variable.shape),
    formatCount(variable.parameters),
    formatBytes(variable.bytes),
  ]);
  const number = { title: '', right: true };
  return limitedTable([NAME, UNTITLED, UNTITLED, number, number], rows, { what: 'variables', all }, terminal);
}

function ops(report: GraphReport, terminal: Terminal, all: boolean): string[] {
  const { colors } = terminal;
  const lastRun = report.cost.runs.at(-1);
  const flops = new Map(lastRun?.flopsByType.map((cost) => [cost.type, cost.flops]));
  const costliest = [...report.ops].sort((a, b) => (flops.get(b.type) ?? 0) - (flops.get(a.type) ?? 0));
  const rows = costliest.map(({ type, nodes, supported }): Cell[] => [
    { text: type, paint: supported ? (text) => text : colors.yellow },
    formatCount(nodes),
    flops.has(type) ? formatFlops(flops.get(type) ?? 0) : '',
    { text: supported ? '' : 'not supported', paint: colors.yellow },
  ]);
  const columns = [
    { title: 'type', flexible: true },
    { title: 'nodes', right: true },
    { title: lastRun === undefined ? 'FLOPs' : `FLOPs of ${lastRun.name}`, right: true },
    { title: '' },
  ];
  if (rows.length === 0) return [`${colors.bold('Ops')}  none: the graph is empty`];
  const bad = report.ops.filter(({ supported }) => !supported).length;
  const verdict = bad > 0 ? `${bad} of them cannot run` : inFunctions(report);
  return [
    `${colors.bold('Ops')}  ${plural(report.nodes, 'node')} of ${plural(report.ops.length, 'type')}; ${verdict}`,
    ...limitedTable(columns, rows, { what: 'types', all }, terminal),
  ];
}

function inFunctions({ unsupported: { length } }: GraphReport): string {
  return length === 0 ? 'all can run' : `functions need ${plural(length, 'type')} that cannot run`;
}

function unsupported({ unsupported: list }: GraphReport, terminal: Terminal): string[] {
  const { colors } = terminal;
  if (list.length === 0) return [];
  const rows = list.map(({ type, nodes, reason = '' }): Cell[] => [
    { text: type, paint: colors.yellow },
    formatCount(nodes),
    { text: reason, paint: colors.dim },
  ]);
  const columns = [UNTITLED, { title: '', right: true }, NAME];
  return [colors.bold('Not supported'), ...table(columns, rows, terminal)];
}
