/** What the definitions of commands have in common: help with examples, and how options are read. */
import { InvalidArgumentError, type Command } from 'commander';

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly tags?: string;
}

/** What help says of a command. */
export interface Words {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly (readonly [command: string, what: string])[];
}

/** Adds a command that takes a file. */
export function addCommand(program: Command, { name, summary, description, examples }: Words): Command {
  const lines = exampleLines(examples.map(([command, what]) => [`forerun ${command}`, what]));
  return program
    .command(name)
    .summary(summary)
    .description(description)
    .argument('<file>', 'graph, model, checkpoint or weights; see forerun --help')
    .option('--json', 'print JSON')
    .option('--tags <tags>', 'which graph of a SavedModel, for example serve or serve,gpu')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', lines);
}

/** Lines are no longer than this; else what an example does stands above it. */
const WIDEST_EXAMPLE = 100;

/** The end of a command's help: examples, and what the exit codes mean. */
export function exampleLines(examples: Words['examples']): string {
  const widest = Math.max(...examples.map(([command]) => command.length));
  const fits = examples.every(([, what]) => widest + what.length + 5 <= WIDEST_EXAMPLE);
  const lines = examples.map(([command, what]) =>
    fits ? `  ${command.padEnd(widest)}   ${what}` : `  # ${what}\n  ${command}`,
  );
  return `\nExamples:\n${lines.join('\n')}\n\nExit codes: 0 well, 1 bad file or nothing there, 2 wrong usage`;
}

/** Gathers the values of an option that may be repeated. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** Reads a number. Throws for anything that is not whole, or negative. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('expected a whole number, 0 or more.');
}
