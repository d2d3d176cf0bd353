/** Names, options and help of the commands that compare, check and convert files. */
import { Option, type Command } from 'commander';
import { addCommand, collect, exampleLines, type CommonOptions } from './commandHelp.js';
import type { ConvertOptions } from './commands/convert.js';
import type { DiffOptions } from './commands/diff.js';
import type { WeightsOptions } from './commands/weights.js';
import { CheckFailed } from './errors.js';
import { FORMS } from './forms.js';
import type { Terminal } from './terminal.js';

/** Adds `weights`, `path`, `diff`, `validate` and `convert`. */
export function addValueCommands(program: Command, terminal: Terminal): void {
  addWeights(program, terminal);
  addPath(program, terminal);
  addDiff(program, terminal);
  addValidate(program, terminal);
  addConvert(program, terminal);
}

function addWeights(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'weights',
    summary: 'values with statistics and histograms, or one of them',
    description:
      'Lists the values in a checkpoint, a file of weights or a frozen graph: smallest, largest, mean, standard deviation, NaNs and a ' +
      'histogram of each. With a name, prints that value.',
    examples: [
      ['weights model.ckpt-700', 'all values'],
      ['weights model.safetensors layer1.0.conv1.weight', 'one of them, with a histogram'],
      ['weights frozen.pb --no-stats', 'names and shapes only'],
      ['weights resnet18.pth fc.bias --all --json', 'all elements of one value'],
    ],
  })
    .argument('[name]', 'the value to print')
    .option('--all', 'leave nothing out: all values, or all elements of one')
    .option('--no-stats', 'read no values, list names and shapes only')
    .action(async (file: string, name: string | undefined, options: WeightsOptions) => {
      const { weights } = await import('./commands/weights.js');
      await weights(file, name, options, terminal);
    });
}

function addPath(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'path',
    summary: 'how one node reaches another',
    description:
      'Shows a shortest way from one node to another, along tensors where there is one, else along control dependencies too.',
    examples: [
      ['path graph.pb images logits/BiasAdd', 'from an input to an output'],
      ['path graph.pb conv1/kernel train', 'how a variable is trained'],
    ],
  })
    .argument('<from>', 'node to begin at')
    .argument('<to>', 'node to reach')
    .action(async (file: string, from: string, to: string, options: CommonOptions) => {
      const { path } = await import('./commands/path.js');
      await path(file, from, to, options, terminal);
    });
}

function addDiff(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'diff',
    summary: 'what differs between two files',
    description:
      'Compares two graphs node by node, or two files of values: what was added, removed and changed, with norms of the differences. ' +
      'The exit code is 0 when they are equal and 1 when they differ.',
    examples: [
      ['diff before.pb after.pb', 'nodes, inputs, attributes and constants'],
      ['diff model.ckpt-100 model.ckpt-700', 'how far training moved the variables'],
      ['diff model.pth model.safetensors', 'the same weights in two formats'],
    ],
  })
    .argument('<other>', 'file to compare with')
    .option('--all', 'leave nothing out of long lists')
    .action(async (file: string, other: string, options: DiffOptions) => {
      const { diff } = await import('./commands/diff.js');
      if (await diff(file, other, options, terminal)) throw new CheckFailed();
    });
}

function addValidate(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'validate',
    summary: 'whether a file is sound and can run here',
    description:
      'Checks the structure, shapes, version and ops of a graph, or reads all values of another file, which verifies their checksums. ' +
      'The exit code is 0 when all is well and 1 otherwise.',
    examples: [
      ['validate graph.pb', 'structure, shapes, version, ops'],
      ['validate model.ckpt-700', 'every checksum'],
    ],
  }).action(async (file: string, options: CommonOptions) => {
    const { validate } = await import('./commands/validate.js');
    if (!(await validate(file, options, terminal))) throw new CheckFailed();
  });
}

function addConvert(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'convert',
    summary: 'one kind of file into another',
    description:
      'Writes what a file holds in another form, told by the ending of the new name: graphs as .pb, .pbtxt, .json, .meta, .onnx, ' +
      'a SavedModel (saved_model.pb, or --to saved_model for a directory) or a model of TensorFlow.js (model.json, or --to tfjs for a ' +
      'directory); values as .safetensors, .npz, .npy or a checkpoint (.ckpt). Of a graph, values are its constants, of a SavedModel its variables.',
    examples: [
      ['convert graph.pb graph.pbtxt', 'a graph to read'],
      ['convert model.pth model.safetensors', 'weights of PyTorch'],
      ['convert model.ckpt-700 weights.npz', 'a checkpoint for NumPy'],
      ['convert model.onnx model --to saved_model', 'a model for TensorFlow'],
      ['convert graph.pb model.onnx --weights model.ckpt-700', 'a model for ONNX Runtime'],
      ['convert frozen.pb web/model.json', 'a model for TensorFlow.js'],
      ['convert large.pb large.onnx --external-weights', 'weights in a file beside the model'],
      ['convert model.ckpt-700 bias.npy --name fc/bias', 'one value'],
    ],
  })
    .argument('<target>', 'file to write')
    .addOption(new Option('--to <form>', 'what to write, where the name does not say it').choices(FORMS))
    .option('--name <name>', 'the value to write')
    .option('--fetch <name>', 'output of the model, default those of the file; may be repeated', collect)
    .option('--weights <file>', 'checkpoint or file of weights for the variables, where the form holds them')
    .option('--external-weights', 'puts large constants of a GraphDef or ONNX model into a file beside it')
    .action(async (file: string, target: string, options: ConvertOptions) => {
      const { convert } = await import('./commands/convert.js');
      await convert(file, target, options, terminal);
    });
}

/** Adds `completion`. */
export function addCompletion(program: Command, terminal: Terminal): void {
  program
    .command('completion')
    .summary('completion of commands and options in a shell')
    .description('Prints a script that completes commands, options and files in bash, zsh or fish.')
    .argument('<shell>', 'bash, zsh or fish')
    .helpOption('-h, --help', 'print this help')
    .addHelpText(
      'after',
      exampleLines([
        ['eval "$(forerun completion bash)"', 'in ~/.bashrc'],
        ['eval "$(forerun completion zsh)"', 'in ~/.zshrc'],
        ['forerun completion fish | source', 'in ~/.config/fish/config.fish'],
      ]),
    )
    .action(async (shell: string) => {
      const { completion } = await import('./commands/completion.js');
      completion(shell, program, terminal);
    });
}
