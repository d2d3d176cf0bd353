#!/usr/bin/env node
// The command itself. A plain file that is there before the build, so that npm can link it in a fresh clone.
import { main } from '../dist/index.js';

process.exitCode = await main(process.argv.slice(2));
