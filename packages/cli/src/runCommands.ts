/** Names, options and help of the commands that compile and run graphs. */
import { Option, type Command } from 'commander';
import { addCommand, collect, wholeNumber } from './commandHelp.js';
import type { PlanOptions } from './commands/plan.js';
import type { RunCommandOptions } from './commands/run.js';
import type { Terminal } from './terminal.js';

/** Adds `run` and `plan`. */
export function addRunCommands(program: Command, terminal: Terminal): void {
  addRun(program, terminal);
  addPlan(program, terminal);
}

function addRun(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'run',
    summary: 'compute outputs for values from files',
    description:
      'Runs a graph. Inputs are fed from .npy, .npz, .png, .jpg or JSON files, from JSON on the command line, or with seeded random numbers; ' +
      'images are scaled to 0 to 1 for floating-point inputs. Variables come from --weights, or from the SavedModel. Outputs are printed, or written as .npy files.',
    examples: [
      ['run frozen.pb --feed x=digit.png', 'the outputs for an image'],
      ['run graph.pb --feed x=[[1,2,3]] --fetch y --json', 'values as JSON, in and out'],
      [
        'run graph.pb --feed x=random --shape x=128,784 --weights model.ckpt-700',
        'random numbers, variables from a checkpoint',
      ],
      ['run frozen.pb --feed x=in.npy --out results', 'results/NAME.npy for each output'],
      ['run frozen.pb --feed x=random:7 --repeat 50 --profile', 'times of runs and of kernels'],
    ],
  })
    .option('--feed <name=source>', 'value of an input; may be repeated', collect)
    .option('--fetch <name>', 'tensor or operation to compute, default the outputs; may be repeated', collect)
    .option('--shape <name=dims>', 'shape of an input that is fed random numbers; may be repeated', collect)
    .option('--weights <file>', 'checkpoint or file of weights for the variables')
    .option('--out <directory>', 'write outputs there as .npy files')
    .addOption(new Option('--repeat <runs>', 'further runs to measure').argParser(wholeNumber))
    .option('--profile', 'measure every kernel')
    .action(async (file: string, options: RunCommandOptions) => {
      const { run } = await import('./commands/run.js');
      await run(file, options, terminal);
    });
}

function addPlan(program: Command, terminal: Terminal): void {
  addCommand(program, {
    name: 'plan',
    summary: 'what a session would compile: kernels, WGSL, memory',
    description:
      'Compiles a graph for the given shapes on the adapter of this machine and shows the passes, the kernels with the nodes that were fused, ' +
      'their dispatches, and the memory plan as a chart: a line for each buffer, dark where it holds a value.',
    examples: [
      ['plan graph.pb --shape images=128,28,28,1', 'kernels and memory for a batch of 128'],
      ['plan graph.pb --fetch train --shape images=8,28,28,1 --shape labels=8', 'a training step'],
      ['plan graph.pb --wgsl conv1/Relu', 'the WGSL of the kernel that computes a node'],
    ],
  })
    .option('--shape <name=dims>', 'shape of an input, for example x=128,784; may be repeated', collect)
    .option('--fetch <name>', 'tensor or operation to compute, default the outputs; may be repeated', collect)
    .option('--wgsl <node>', 'print the WGSL of the kernel that computes this node')
    .option('--all', 'leave nothing out of long lists')
    .action(async (file: string, options: PlanOptions) => {
      const { plan } = await import('./commands/plan.js');
      await plan(file, options, terminal);
    });
}
