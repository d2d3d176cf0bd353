/** `forerun path`: how one node reaches another. */
import type { Operation } from '@forerun/graph';
import { FileError } from '../errors.js';
import { formatShape, plural, table, type Cell } from '../format.js';
import { findNode, viewGraph } from '../graphView.js';
import { inFile } from '../inFile.js';
import { loadGraph } from '../load.js';
import type { CommonOptions } from '../program.js';
import { parseTags } from '../tags.js';
import type { Terminal } from '../terminal.js';

/** One node on the way and how it is reached from the one before. */
interface Step {
  readonly op: Operation;
  /** The output that the next node takes; -1 for a control dependency. */
  readonly output: number;
}

/**
 * Prints a shortest way from one node to another, along tensors where there is one, else along control dependencies too.
 * Throws `FileError` for a bad file, unknown nodes and where there is no way.
 */
export async function path(
  file: string,
  from: string,
  to: string,
  options: CommonOptions,
  terminal: Terminal,
): Promise<void> {
  const loaded = await loadGraph(file, 'nodes', { tags: parseTags(options.tags) });
  const view = viewGraph(loaded, { deferShapes: true });
  const [a, b] = [findNode(view, from), findNode(view, to)];
  const steps = shortest(b, a, false) ?? shortest(b, a, true);
  if (steps === undefined) {
    const back =
      shortest(a, b, true) === undefined ? '' : `; "${b.name}" reaches "${a.name}", the other way round`;
    throw new FileError(`${loaded.path}: "${a.name}" does not reach "${b.name}"${back}`);
  }
  const text = inFile(loaded.path, () =>
    options.json === true
      ? JSON.stringify({ file: loaded.path, from: a.name, to: b.name, nodes: stepsJson(steps) }, null, 2)
      : render(steps, `from ${a.name} to ${b.name}`, terminal),
  );
  terminal.print(text);
}

function stepsJson(steps: readonly Step[]): object[] {
  return steps.map(({ op, output }) => ({
    name: op.name,
    op: op.type,
    output: output < 0 ? null : output,
    shape: op.outputs[Math.max(0, output)]?.shape.dims ?? null,
  }));
}

function render(steps: readonly Step[], way: string, terminal: Terminal): string {
  const { colors } = terminal;
  const rows = steps.map(({ op, output }, i): Cell[] => {
    const tensor = op.outputs[Math.max(0, output)];
    const last = i === steps.length - 1;
    return [
      { text: op.name, paint: colors.cyan },
      op.type,
      output < 0 && !last ? 'control' : tensor === undefined ? '' : formatShape(tensor.shape),
    ];
  });
  const columns = [{ title: 'node', flexible: true }, { title: 'op' }, { title: 'output' }];
  return [`${plural(steps.length - 1, 'step')} ${way}`, ...table(columns, rows, terminal)].join('\n');
}

/** Searches backwards from `target`, breadth first. */
function shortest(target: Operation, source: Operation, controls: boolean): Step[] | undefined {
  const next = new Map<Operation, Step>([[target, { op: target, output: -1 }]]);
  const queue = [target];
  for (const op of queue) {
    if (op === source) return walk(source, target, next);
    const inputs = op.inputs.map((tensor) => ({ from: tensor.op, output: tensor.index }));
    const waits = controls ? op.controlInputs.map((from) => ({ from, output: -1 })) : [];
    for (const { from, output } of [...inputs, ...waits]) {
      if (next.has(from)) continue;
      next.set(from, { op, output });
      queue.push(from);
    }
  }
  return undefined;
}

function walk(source: Operation, target: Operation, next: ReadonlyMap<Operation, Step>): Step[] {
  const steps: Step[] = [];
  for (let op = source; ;) {
    const step = next.get(op);
    if (op === target || step === undefined)
      return [...steps, { op, output: op.outputs.length > 0 ? 0 : -1 }];
    steps.push({ op, output: step.output });
    op = step.op;
  }
}
