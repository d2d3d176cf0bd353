// `npm test`: the set-up, then all tests. Arguments go to jest (`npm test -- packages/graph`); a run of
// everything has to include GPU tests that passed.
import { runJest } from './jest.mjs';
import { setup } from './setup.mjs';

setup();
const args = process.argv.slice(2);
process.exitCode = runJest(args, args.length === 0 ? { FORERUN_REQUIRE_GPU_TESTS: '1' } : {});
