/** Names, options and help of the commands that make new graphs: `freeze` and `optimize`. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { addCommand, collect } from './commandHelp.js';
import type { FreezeCommandOptions } from './commands/freeze.js';
import type { OptimizeOptions } from './commands/optimize.js';
import { GRAPH_FORMS } from './forms.js';
import type { Terminal } from './terminal.js';

/** Adds `freeze` and `optimize`. */
export function addWriteCommands(program: Command, terminal: Terminal): void {
  addFreeze(program, terminal);
  addOptimize(program, terminal);
}

const TO = new Option('--to <form>', 'what to write, where the name does not say it').choices(GRAPH_FORMS);

function addFreeze(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'freeze',
    summary: 'a graph and its checkpoint as one graph with constants',
    description:
      'Keeps what the outputs need of a graph or SavedModel and puts the values of variables in place, as constants. Both graphs are run on the same ' +
      'values and must give the same bits before anything is written. The form is told by the ending of the new name, as for convert.',
    examples: [
      [
        'freeze graph.pb frozen.pb --weights model.ckpt-700 --fetch probabilities',
        'one output of a training graph',
      ],
      ['freeze saved_model frozen.pb', 'the outputs of its signature'],
      ['freeze saved_model web/model.json', 'a model for TensorFlow.js'],
      [
        'freeze model.meta frozen.pb --weights model.ckpt-700 --feed x=digit.npy',
        'compared on a value of your own',
      ],
    ],
  })
    .argument('<target>', 'file to write')
    .option('--weights <file>', 'checkpoint or file of weights for the variables')
    .option('--fetch <name>', 'output to keep, default those of the file; may be repeated', collect)
    .option('--feed <name=source>', 'value to compare on, random by default; may be repeated', collect)
    .option('--shape <name=dims>', 'shape of an input to compare on; may be repeated', collect)
    .addOption(TO)
    .option('--no-verify', 'do not compare with the original')
    .action(async (file: string, target: string, options: FreezeCommandOptions) => {
      const { freeze } = await import('./commands/freeze.js');
      await freeze(file, target, options, terminal);
    });
}

function addOptimize(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'optimize',
    summary: 'passes that make a frozen graph smaller and faster',
    description:
      'Prunes a frozen graph, removes debugging nodes, folds constants and batch normalizations, fuses convolutions with bias and activation, merges ' +
      'duplicates and sorts the nodes; on request stores weights in 16 or 8 bits. The graph is run after each pass and compared with the original ' +
      'before anything is written.',
    examples: [
      ['optimize frozen.pb small.pb', 'all passes but those that lose precision'],
      ['optimize frozen.pb small.pb --quantize uint8', 'weights in 8 bits, for download'],
      ['optimize frozen.pb out.pb --passes foldBatchNorms,fuseConvolutions', 'some passes, in this order'],
      ['optimize frozen.pb out.pb --input x --fetch logits', 'a part of the graph'],
    ],
  })
    .argument('<target>', 'file to write')
    .option('--passes <names>', 'names of passes, separated by commas, in place of all')
    .addOption(
      new Option('--quantize <dtype>', 'store weights in this dtype, after the other passes').choices([
        'float16',
        'uint8',
      ]),
    )
    .option('--input <name>', 'node that is fed, default those of the file; may be repeated', collect)
    .option('--fetch <name>', 'output to keep, default those of the file; may be repeated', collect)
    .option('--feed <name=source>', 'value to compare on, random by default; may be repeated', collect)
    .option('--shape <name=dims>', 'shape of an input to compare on; may be repeated', collect)
    .addOption(
      new Option(
        '--tolerance <fraction>',
        'largest difference allowed, of the largest value; default 1e-4, of float16 0.02, of uint8 0.2',
      ).argParser(fraction),
    )
    .addOption(TO)
    .option('--no-verify', 'do not compare with the original')
    .action(async (file: string, target: string, options: OptimizeOptions) => {
      const { optimize } = await import('./commands/optimize.js');
      await optimize(file, target, options, terminal);
    });
}

function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('expected a number, 0 or more.');
}
