/** Names, options and help of all commands. Nothing that reads files is loaded before a command runs. */
import { createRequire } from 'node:module';
import { Option, type Command } from 'commander';
import type { DotOptions, SvgOptions } from './commands/dot.js';
import type { InspectOptions } from './commands/inspect.js';
import type { OpsOptions } from './commands/ops.js';
import type { TreeOptions } from './commands/tree.js';
import type { TuneOptions } from './commands/tune.js';
import { addCommand, collect, wholeNumber, type CommonOptions } from './commandHelp.js';
import { addRunCommands } from './runCommands.js';
import type { Terminal } from './terminal.js';
import { addCompletion, addValueCommands } from './valueCommands.js';
import { addWriteCommands } from './writeCommands.js';

export type { CommonOptions } from './commandHelp.js';

const FILES = `
FILE is told by its content:
  GraphDef, MetaGraphDef (.meta)   binary, text (.pbtxt) or JSON
  SavedModel                       its directory, or saved_model.pb or .pbtxt
  checkpoint                       its prefix, its .index or .data file, or a
                                   directory with a "checkpoint" file (the latest)
  ONNX                             the file
  TensorFlow.js                    model.json of a graph or layers model, or the
                                   directory around it
  safetensors, npy, npz, PyTorch   weights of other frameworks`;

const EXIT_CODES = `
Exit codes:
  0  all went well
  1  the file is bad, or what was asked for is not there; files differ (diff)
  2  the command line is wrong

Environment:
  NO_COLOR       no colours; FORCE_COLOR: colours in pipes too
  COLUMNS        width of tables where the output is no terminal
  FORERUN_DEBUG  with an error, show where in the program it happened`;

/** Adds all commands to `program`; they print to `terminal`. */
export function addCommands(program: Command, terminal: Terminal): Command {
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
  program
    .description('Look into graph files, saved models, checkpoints and weights; run and convert them.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help; with a command, its own')
    .helpCommand(false)
    .addHelpText('after', `${FILES}\n${EXIT_CODES}`)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.replace(/\n$/, '')),
      writeErr: (text) => terminal.warn(text.replace(/\n$/, '')),
      outputError: (text, write) => write(text.replace(/^error: /, 'forerun: ')),
      getOutHelpWidth: () => helpWidth(terminal),
      getErrHelpWidth: () => helpWidth(terminal),
    })
    .showSuggestionAfterError();
  addInspect(program, terminal);
  addOps(program, terminal);
  addNode(program, terminal);
  addTree(program, terminal);
  addValueCommands(program, terminal);
  addWriteCommands(program, terminal);
  addRunCommands(program, terminal);
  addTune(program, terminal);
  addDot(program, terminal);
  addSvg(program, terminal);
  addCompletion(program, terminal);
  return program;
}

const HELP_WIDTH = 100;

function helpWidth({ width }: Terminal): number {
  return Math.min(width, HELP_WIDTH);
}

function addInspect(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'inspect',
    summary: 'what a file holds: inputs, outputs, parameters, ops, cost',
    description:
      'Tells what kind of file it is and what it holds: signatures, inputs, outputs, parameters, ops, and what a ' +
      'run costs in FLOPs and activation memory. Unknown batch sizes are taken for 1 unless --shape gives them.',
    examples: [
      ['inspect graph.pb', 'inputs, outputs, parameters, cost, ops'],
      ['inspect graph.pb --shape images=128,28,28,1', 'the cost with a batch of 128'],
      ['inspect saved_model --tags serve', 'one graph of a SavedModel'],
      ['inspect model.ckpt-700', 'the tensors of a checkpoint'],
      ['inspect graph.pb --json', 'everything, for programs'],
    ],
  })
    .option('--shape <name=dims>', 'shape of an input, for example x=128,784; may be repeated', collect)
    .option('--all', 'leave nothing out of long lists')
    .action(async (file: string, options: InspectOptions) => {
      const { inspect } = await import('./commands/inspect.js');
      await inspect(file, options, terminal);
    });
}

function addOps(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'ops',
    summary: 'op types with their numbers, or the nodes of one type',
    description:
      'Counts the op types of a graph and says which of them can run here; lists the nodes of one type.',
    examples: [
      ['ops graph.pb', 'all op types, the most frequent first'],
      ['ops graph.pb --type Conv2D', 'the nodes of one type with their shapes'],
      ['ops graph.pb --unsupported', 'only what cannot run'],
    ],
  })
    .option('--type <op>', 'list the nodes of this type')
    .option('--unsupported', 'only op types that cannot run')
    .action(async (file: string, options: OpsOptions) => {
      const { ops } = await import('./commands/ops.js');
      await ops(file, options, terminal);
    });
}

function addNode(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'node',
    summary: 'one node: attributes, inputs, outputs, consumers',
    description: 'Shows a node with its attributes, inputs, outputs with their shapes, consumers and device.',
    examples: [
      ['node graph.pb conv1/Conv2D', 'everything about one node'],
      ['node graph.pb logits/BiasAdd:0', 'a tensor name means its node'],
    ],
  })
    .argument('<name>', 'name of the node')
    .action(async (file: string, name: string, options: CommonOptions) => {
      const { node } = await import('./commands/node.js');
      await node(file, name, options, terminal);
    });
}

function addTree(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'tree',
    summary: 'nodes and parameters by scope',
    description: 'Shows the scopes of a graph or a checkpoint with the nodes and parameters below each.',
    examples: [
      ['tree graph.pb', 'the outer two levels of scopes'],
      ['tree graph.pb --scope conv1 --nodes', 'one scope with all its nodes'],
      ['tree model.ckpt-700', 'the variables in a checkpoint by scope'],
    ],
  })
    .addOption(new Option('--depth <levels>', 'levels of scopes to show').argParser(wholeNumber).default(2))
    .option('--scope <name>', 'only what lies below this scope')
    .option('--nodes', 'show single nodes too, not scopes and variables only')
    .action(async (file: string, options: TreeOptions) => {
      const { tree } = await import('./commands/tree.js');
      await tree(file, options, terminal);
    });
}

function addDot(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'dot',
    summary: 'the graph as Graphviz text, by scope',
    description:
      'Prints the model, which is what its outputs need, for Graphviz. Scopes are clusters; those deeper than --depth ' +
      'are drawn as one box each. Control dependencies are dashed.',
    examples: [
      ['dot graph.pb | dot -Tsvg > graph.svg', 'a picture'],
      ['dot graph.pb --depth 0', 'only the outermost scopes and nodes'],
      ['dot graph.pb --depth 0 --all', 'with what trains and saves it'],
      ['dot graph.pb --scope conv1 --depth 3', 'one scope in detail'],
    ],
  })
    .addOption(new Option('--depth <levels>', 'levels of scopes to open').argParser(wholeNumber).default(1))
    .option('--scope <name>', 'only what lies below this scope, and its neighbours')
    .option('--all', 'draw gradients, updates, variables, initial values and savers too')
    .option('--constants', 'draw constants and variables too')
    .action(async (file: string, options: DotOptions) => {
      const { dot } = await import('./commands/dot.js');
      await dot(file, options, terminal);
    });
}

function addSvg(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'svg',
    summary: 'a picture of the graph, by scope',
    description:
      'Draws the model, which is what its outputs need, as SVG. Scopes are frames; those deeper than --depth are drawn as one box each. ' +
      'Control dependencies are dashed.',
    examples: [
      ['svg graph.pb --output graph.svg', 'a picture for the browser'],
      ['svg graph.pb --depth 0 > graph.svg', 'only the outermost scopes and nodes'],
      ['svg graph.pb --scope conv1 --depth 3 -o conv1.svg', 'one scope in detail'],
    ],
  })
    .addOption(new Option('--depth <levels>', 'levels of scopes to open').argParser(wholeNumber).default(1))
    .option('--scope <name>', 'only what lies below this scope, and its neighbours')
    .option('--all', 'draw gradients, updates, variables, initial values and savers too')
    .option('--constants', 'draw constants and variables too')
    .option('-o, --output <file>', 'file to write; default: the output stream')
    .action(async (file: string, options: SvgOptions) => {
      const { svg } = await import('./commands/dot.js');
      await svg(file, options, terminal);
    });
}

function addTune(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'tune',
    summary: "measure a graph's kernels on this machine, and keep the fastest",
    description:
      'Measures the forms of the matrix products and convolutions of a graph on the adapter of this machine, keeps the ' +
      'results in the cache directory ($XDG_CACHE_HOME/forerun/tuning, by default ~/.cache), where sessions find them, and ' +
      'prints what was chosen. Another call goes on where the time of the last one ended.',
    examples: [
      ['tune graph.pb --shape images=128,28,28,1', 'the outputs and the training step with a batch of 128'],
      ['tune graph.pb --fetch logits --seconds 300', 'one fetch, without hurry'],
    ],
  })
    .option('--shape <name=dims>', 'shape of an input, for example x=128,784; may be repeated', collect)
    .option('--fetch <name>', 'tensor or operation to run; may be repeated', collect)
    .addOption(
      new Option('--seconds <seconds>', 'the most time for measuring, for each run of the graph')
        .argParser(wholeNumber)
        .default(60),
    )
    .action(async (file: string, options: TuneOptions) => {
      const { tune } = await import('./commands/tune.js');
      await tune(file, options, terminal);
    });
}
