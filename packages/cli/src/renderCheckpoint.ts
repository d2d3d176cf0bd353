/** The report on a checkpoint as text. */
import type { CheckpointReport } from './checkpointReport.js';
import { formatBytes, formatCount, formatShape, plural } from './format.js';
import { limitedTable } from './renderList.js';
import type { Terminal } from './terminal.js';

/** Lines for people; `all` leaves nothing out. */
export function renderCheckpoint(report: CheckpointReport, terminal: Terminal, all = false): string {
  const { colors } = terminal;
  const { parameters, slotParameters, tensors, bytes, shards, fileBytes, format } = report;
  const slots = slotParameters === 0 ? '' : `, and ${formatCount(slotParameters)} in optimizer slots`;
  const rows = tensors.map((tensor) => [
    { text: tensor.name, paint: tensor.slot ? colors.dim : colors.cyan },
    tensor.dtype,
    formatShape(tensor.shape),
    formatCount(tensor.elements),
    formatBytes(tensor.bytes),
  ]);
  const columns = [
    { title: 'name', flexible: true },
    { title: 'dtype' },
    { title: 'shape' },
    { title: 'elements', right: true },
    { title: 'bytes', right: true },
  ];
  return [
    `${colors.bold(report.file)}: ${format}, ${format === 'checkpoint V2' ? `${plural(shards, 'data shard')}, ` : ''}${formatBytes(fileBytes)}`,
    '',
    `${colors.bold('Parameters')}  ${formatCount(parameters)}${slots}`,
    '',
    `${colors.bold('Tensors')}  ${formatCount(tensors.length)}, ${formatBytes(bytes)}`,
    ...limitedTable(columns, rows, { what: 'tensors', all, limit: 60 }, terminal),
  ].join('\n');
}
