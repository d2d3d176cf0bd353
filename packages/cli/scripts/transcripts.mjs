// Runs every `$ npx forerun …` line in docs/cli.md and puts what it prints below it, so that the page shows the
// truth. The files are those of `npm run mnist`: run it first, then this from the root of the repository, or from
// any folder with `out/mnist` in it. With names of commands it runs these alone.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const page = join(root, 'docs/cli.md');
const program = join(root, 'packages/cli/bin/forerun.js');
/** Lines beyond this are left out. */
const LONGEST = 60;

const wanted = process.argv.slice(2);

if (!existsSync('out/mnist/graph.pb')) {
  console.error('There is no out/mnist/graph.pb: run `npm run mnist` first.');
  process.exit(1);
}

/** What `line` prints, or the end of the process where it fails and is not expected to. */
function transcript(line) {
  const bin = `"${process.execPath}" "${program}"`;
  const command = line.replace('npx forerun', bin);
  const { stdout, stderr, status } = spawnSync(command, {
    shell: true,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '100' },
  });
  if (status !== 0 && !stderr.startsWith('forerun: ')) {
    console.error(`${line}\n${stderr}`);
    process.exit(1);
  }
  // Software adapters make the driver's library warn of limits, which says nothing of the command.
  const said = stderr.replace(/^Warning: maxDynamic.*\n/gm, '');
  const lines = (stdout + said).trimEnd().split('\n');
  return [...lines.slice(0, LONGEST), ...(lines.length > LONGEST ? ['...'] : [])].join('\n');
}

const text = readFileSync(page, 'utf8').replaceAll(/```console\n\$ ([^\n]+)\n[^]*?```/g, (block, line) => {
  const [, command] = /^npx forerun (\w+)/.exec(line) ?? [];
  if (wanted.length > 0 && !wanted.includes(command)) return block;
  return `\`\`\`console\n$ ${line}\n${transcript(line)}\n\`\`\``;
});
writeFileSync(page, text);
