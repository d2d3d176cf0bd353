// The step under `npm run mnist` and `npm test`: makes a fresh clone ready to run, and costs well under a
// second when nothing is missing. Plain Node without dependencies, since it is what installs those.
// Arguments choose among its parts: `node scripts/setup.mjs adapter` looks for an adapter only.
import './setup/nodeVersion.mjs';
import { ensureDependencies } from './setup/dependencies.mjs';
import { ensureBuild } from './setup/build.mjs';
import { ensureAdapter } from './setup/adapter.mjs';
import { SetupError } from './setup/report.mjs';

const PARTS = { dependencies: ensureDependencies, build: ensureBuild, adapter: ensureAdapter };

/**
 * Installs npm dependencies, builds, and sees to it that there is a WebGPU adapter.
 * Ends the process with exit code 1, after saying what to do, where one of these cannot be had.
 * @param {string[]} [parts] those to do, in this order; all unless given
 */
export function setup(parts = Object.keys(PARTS)) {
  try {
    for (const part of parts) {
      if (!Object.hasOwn(PARTS, part)) throw new SetupError(`No such part of the set-up: ${part}`);
      PARTS[part]();
    }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

if (process.argv[1] === import.meta.filename)
  setup(process.argv.length > 2 ? process.argv.slice(2) : undefined);
