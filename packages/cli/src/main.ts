/** The command line: what it accepts, and how each way of failing ends. Commands are loaded when they run. */
import { Command, CommanderError } from 'commander';
import { CheckFailed, EXIT_FAILED, EXIT_OK, EXIT_USAGE, FileError, messageOf, UsageError } from './errors.js';
import { addCommands } from './program.js';
import { endOnClosedPipe, terminalOf, wantsColor } from './terminal.js';
import pc from 'picocolors';

/**
 * Runs the command line `args` (without `node` and the program's name), printing to the process's streams.
 * Returns the exit code: 0 when all went well, 1 for a bad file or a thing that is not there, 2 for wrong usage.
 */
export async function main(args: readonly string[]): Promise<number> {
  endOnClosedPipe(process.stdout);
  endOnClosedPipe(process.stderr);
  const program = addCommands(new Command('forerun'), terminalOf(process));
  try {
    await program.parseAsync([...args], { from: 'user' });
    return EXIT_OK;
  } catch (error) {
    if (error instanceof CheckFailed) return EXIT_FAILED;
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    explain(error);
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
  }
}

/** One line for what a user can mend; more only for what no user can, or on request. */
function explain(error: unknown): void {
  const { env, stderr } = process;
  const colors = pc.createColors(wantsColor(env, stderr.isTTY));
  stderr.write(`${colors.red('forerun:')} ${messageOf(error)}\n`);
  if (env.FORERUN_DEBUG !== undefined && error instanceof Error) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
      stderr.write(`${cause.stack}\n`);
  } else if (!(error instanceof FileError || error instanceof UsageError)) {
    stderr.write('This is a bug in forerun. FORERUN_DEBUG=1 shows where it happened.\n');
  }
}
