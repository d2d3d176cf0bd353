/** The report on a model that cannot become a graph, as text; and what models of other frameworks say of themselves. */
import { formatBytes, formatCount, formatShape, plural, table, wrapList, type Cell } from './format.js';
import type { Origin } from './load.js';
import type { ModelReport, ModelTensor } from './modelReport.js';
import { limitedTable } from './renderList.js';
import type { Terminal } from './terminal.js';

/** Lines for people; `all` leaves nothing out. */
export function renderModel(report: ModelReport, terminal: Terminal, all = false): string {
  const { colors } = terminal;
  const { file, format, fileBytes, origin, inputs, outputs, parameters, problem } = report;
  const { count, bytes } = parameters;
  return [
    `${colors.bold(file)}: ${format}, ${formatBytes(fileBytes)}`,
    ...wrapList(originFacts(origin), terminal),
    ...tensors('Inputs', inputs, terminal),
    ...tensors('Outputs', outputs, terminal),
    '',
    `${colors.bold('Parameters')}  ${colors.green(formatCount(parameters.parameters))} in ${plural(count, 'constant')}, ${formatBytes(bytes)}`,
    '',
    ...originTypes(origin, terminal, all),
    '',
    `${colors.yellow('It cannot be run or converted:')} ${problem}`,
    ...(inputs.some(({ shape }) => shape?.every((dim) => typeof dim === 'number') !== true)
      ? ['Shapes of its inputs may help: --shape NAME=DIM,DIM,...']
      : []),
  ].join('\n');
}

function tensors(title: string, list: readonly ModelTensor[], terminal: Terminal): string[] {
  if (list.length === 0) return [];
  const { colors } = terminal;
  const rows = list.map(({ name, dtype, shape }): Cell[] => [
    { text: name, paint: colors.cyan },
    dtype,
    formatShape(shape),
  ]);
  const columns = [{ title: '', flexible: true }, { title: '' }, { title: '' }];
  return ['', colors.bold(title), ...table(columns, rows, terminal)];
}

/** `operator set 17`, `IR version 8`. */
export function originFacts({ facts }: Origin): string[] {
  return Object.entries(facts).map(([key, value]) => `${key} ${value}`);
}

/** The types of op or layer that the file speaks of, the most frequent first. */
export function originTypes({ what = '', types = [] }: Origin, terminal: Terminal, all: boolean): string[] {
  if (types.length === 0) return [];
  const { colors } = terminal;
  const total = types.reduce((sum, { nodes }) => sum + nodes, 0);
  const bad = types.filter(({ supported }) => !supported).length;
  const verdict = bad === 0 ? 'all are known' : `${bad} of them not known`;
  const rows = [...types]
    .sort((a, b) => Number(a.supported) - Number(b.supported))
    .map(({ type, nodes, supported }): Cell[] => [
      { text: type, paint: supported ? (text) => text : colors.yellow },
      formatCount(nodes),
      { text: supported ? '' : 'not known', paint: colors.yellow },
    ]);
  const columns = [{ title: 'type', flexible: true }, { title: 'number', right: true }, { title: '' }];
  return [
    `${colors.bold(what)}  ${formatCount(total)} of ${plural(types.length, 'type')}; ${verdict}`,
    ...limitedTable(columns, rows, { what: 'types', all }, terminal),
  ];
}
