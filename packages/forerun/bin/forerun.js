#!/usr/bin/env node
// The command of @forerun/cli under the name of this package, so that `npx forerun` finds it.
import { main } from '@forerun/cli';

process.exitCode = await main(process.argv.slice(2));
