/** The command line: what it accepts, and how each way of failing ends. Commands are loaded when they run. */
import { Command, CommanderError } from 'commander';
import { CheckFailed, EXIT_FAILED, EXIT_OK, EXIT_USAGE, FileError, messageOf, UsageError } from './errors.js';
import { addCommands } from './program.js';
import { endOnClosedPipe, terminalOf, wantsColor, type TerminalSource } from './terminal.js';
import { types } from 'node:util';
import pc from 'picocolors';

/**
 * Runs the command line `args` (without `node` and the program's name), printing to the streams of `host`, by default the
 * process's. Returns the exit code: 0 when all went well, 1 for a bad file or a thing that is not there, 2 for wrong usage.
 */
export async function main(args: readonly string[], host: TerminalSource = process): Promise<number> {
  endOnClosedPipe(host.stdout);
  endOnClosedPipe(host.stderr);
  const program = addCommands(new Command('forerun'), terminalOf(host));
  try {
    await program.parseAsync([...args], { from: 'user' });
    return EXIT_OK;
  } catch (error) {
    if (error instanceof CheckFailed) return EXIT_FAILED;
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    explain(error, host);
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
  }
}

/** One line for what a user can mend; more only for what no user can, or on request. */
function explain(error: unknown, { env, stderr }: TerminalSource): void {
  const colors = pc.createColors(wantsColor(env, stderr.isTTY));
  stderr.write(`${colors.red('forerun:')} ${messageOf(error)}\n`);
  if (env.FORERUN_DEBUG !== undefined && types.isNativeError(error)) {
    for (let cause: unknown = error; types.isNativeError(cause); cause = cause.cause)
      stderr.write(`${cause.stack}\n`);
  } else if (!(error instanceof FileError || error instanceof UsageError)) {
    stderr.write('This is a bug in forerun. FORERUN_DEBUG=1 shows where it happened.\n');
  }
}
