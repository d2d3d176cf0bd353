// Run by npm in a package's folder around `npm pack` and `npm publish`: `prepack` puts the one LICENSE of the
// repository into the package, `postpack` takes it out again, so that the repository keeps a single copy.
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const [step] = process.argv.slice(2);
const copy = join(process.cwd(), 'LICENSE');
if (step === 'prepack') copyFileSync(join(import.meta.dirname, '..', 'LICENSE'), copy);
else if (step === 'postpack') rmSync(copy, { force: true });
else throw new Error(`packLicense.mjs: expected "prepack" or "postpack", got "${step}"`);
