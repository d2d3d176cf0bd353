// The step under `npm run mnist` and `npm test`: makes a fresh clone ready to run, and costs well under a
// second when nothing is missing. Plain Node without dependencies, since it is what installs those.
import { ensureDependencies } from './setup/dependencies.mjs';
import { ensureBuild } from './setup/build.mjs';
import { ensureAdapter } from './setup/adapter.mjs';
import { SetupError } from './setup/report.mjs';

/**
 * Installs npm dependencies, builds, and sees to it that there is a WebGPU adapter.
 * Ends the process with exit code 1, after saying what to do, where one of these cannot be had.
 */
export async function setup() {
  try {
    ensureDependencies();
    ensureBuild();
    await ensureAdapter();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

if (process.argv[1] === import.meta.filename) await setup();
