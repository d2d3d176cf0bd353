/** `forerun node`: everything about one node. */
import type { Operation, Tensor } from '@forerun/graph';
import { formatFlops, formatShape, table, type Cell } from '../format.js';
import { flopsOf } from '../flops.js';
import { findNode, viewGraph, type GraphView, type Use } from '../graphView.js';
import { inFile } from '../inFile.js';
import { loadGraph } from '../load.js';
import type { CommonOptions } from '../program.js';
import { whyUnsupported } from '../support.js';
import { parseTags } from '../tags.js';
import type { Terminal } from '../terminal.js';
import { attrJson, formatAttr } from '../values.js';

/** Prints a node. Throws `FileError` for a bad file, and with the nearest names for a name that is not there. */
export async function node(
  file: string,
  name: string,
  options: CommonOptions,
  terminal: Terminal,
): Promise<void> {
  const loaded = await loadGraph(file, 'nodes', { tags: parseTags(options.tags) });
  const view = viewGraph(loaded, { deferShapes: true });
  const op = findNode(view, name);
  const text = inFile(loaded.path, () =>
    options.json === true ? JSON.stringify(nodeJson(op, view), null, 2) : render(op, view, terminal),
  );
  terminal.print(text);
}

function nodeJson(op: Operation, { uses }: GraphView): object {
  const reason = whyUnsupported(op);
  return {
    name: op.name,
    op: op.type,
    summary: op.def?.summary ?? null,
    supported: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    device: op.device,
    attributes: Object.fromEntries(
      [...op.attrs.values].map(([key, attr]) => [key, { kind: attr.kind, value: attrJson(attr) }]),
    ),
    inputs: op.inputs.map(tensorJson),
    controlInputs: op.controlInputs.map((control) => control.name),
    outputs: op.outputs.map(tensorJson),
    consumers: (uses.get(op) ?? []).map((use) => ({
      name: use.op.name,
      op: use.op.type,
      control: use.input < 0,
      ...(use.input < 0 ? {} : { output: use.output, input: use.input }),
    })),
    flops: flopsOf(op),
  };
}

function tensorJson(tensor: Tensor): object {
  const { name, dtype, shape, handle } = tensor;
  const variable = handle === null ? {} : { variable: { dtype: handle.dtype, shape: handle.shape.dims } };
  return { name, op: tensor.op.type, dtype, shape: shape.dims, ...variable };
}

function render(op: Operation, { uses }: GraphView, terminal: Terminal): string {
  const { colors } = terminal;
  const reason = whyUnsupported(op);
  const flops = flopsOf(op) ?? 0;
  const consumers = uses.get(op) ?? [];
  const lines = [
    `${colors.bold(op.name)}: ${op.type}`,
    `  ${colors.dim(op.def?.summary ?? 'An op that is not known here.')}`,
    ...(reason === undefined ? [] : [`  ${colors.yellow(`It cannot run: ${reason}.`)}`]),
    ...(op.device === '' ? [] : [`  device ${op.device}`]),
    ...(flops === 0 ? [] : [`  ${formatFlops(flops)} FLOPs a run`]),
    ...section('Attributes', attrRows(op, terminal), terminal),
    ...section(
      'Inputs',
      op.inputs.map((input, i) => tensorRow(input, argName(op, i), terminal)),
      terminal,
    ),
    ...section(
      'Control inputs',
      op.controlInputs.map((input) => opRow(input, terminal)),
      terminal,
    ),
    ...section(
      'Outputs',
      op.outputs.map((output) => tensorRow(output, `:${output.index}`, terminal)),
      terminal,
    ),
    ...section(
      'Consumers',
      consumers.map((use) => useRow(use, op, terminal)),
      terminal,
    ),
  ];
  return lines.join('\n');
}

function section(title: string, rows: readonly Cell[][], terminal: Terminal): string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const columns = first.map((_, i) => ({ title: '', flexible: i === 1 }));
  return ['', terminal.colors.bold(title), ...table(columns, rows, terminal)];
}

/** Attributes in the order of the alphabet; those that begin with _ belong to tools and come last. */
function attrRows(op: Operation, { colors }: Terminal): Cell[][] {
  const rank = (name: string): string => (name.startsWith('_') ? `~${name}` : name);
  return [...op.attrs.values]
    .sort(([a], [b]) => (rank(a) < rank(b) ? -1 : 1))
    .map(([name, attr]) => [
      { text: name, paint: colors.dim },
      formatAttr(attr),
      { text: attr.kind, paint: colors.dim },
    ]);
}

/** What the op calls its input `index`; the last argument may stand for several. */
function argName(op: Operation, index: number): string {
  const args = op.def?.inputs ?? [];
  const isRepeated = args.length > 0 && op.inputs.length !== args.length;
  if (isRepeated && args.length === 1) return `${args[0]?.name ?? ''}[${index}]`;
  return isRepeated ? String(index) : (args[index]?.name ?? String(index));
}

function tensorRow(tensor: Tensor, label: string, { colors }: Terminal): Cell[] {
  const { handle } = tensor;
  return [
    { text: label, paint: colors.dim },
    { text: tensor.index === 0 ? tensor.op.name : tensor.name, paint: colors.cyan },
    handle === null ? tensor.dtype : `variable ${handle.dtype}`,
    formatShape(handle?.shape ?? tensor.shape),
    { text: tensor.op.type, paint: colors.dim },
  ];
}

function opRow(op: Operation, { colors }: Terminal): Cell[] {
  return [
    { text: '^', paint: colors.dim },
    { text: op.name, paint: colors.cyan },
    { text: op.type, paint: colors.dim },
  ];
}

function useRow(use: Use, op: Operation, { colors }: Terminal): Cell[] {
  const label = use.input < 0 ? '^' : `:${use.output}`;
  return [
    { text: label, paint: colors.dim },
    { text: use.op.name, paint: colors.cyan },
    { text: use.op.type, paint: colors.dim },
    {
      text:
        use.input < 0
          ? 'runs after it'
          : `as ${argName(
              use.op,
              use.op.inputs.findIndex((t, i) => i === use.input && t.op === op),
            )}`,
      paint: colors.dim,
    },
  ];
}
