/** docs/cli.md speaks of every command and option that there is, and of no other. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { addCommands } from '../src/program.js';
import { terminalOf } from '../src/terminal.js';

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/cli.md'), 'utf8');

function program(): Command {
  const silent = { write: () => true };
  const host = { stdout: silent, stderr: silent, env: {}, platform: 'linux' };
  return addCommands(new Command('forerun'), terminalOf(host));
}

test('every command and option is documented', () => {
  for (const command of program().commands) {
    expect(page).toContain(`\n## ${command.name()}\n`);
    for (const { long } of command.options) expect(page).toContain(long ?? command.name());
  }
});

test('every example names a command and options that exist', () => {
  const examples = [...page.matchAll(/npx forerun ((?:[^`\n|]|\\\|)+)/g)].map(([, args = '']) =>
    args.trim().split(/\s+/),
  );
  expect(examples.length).toBeGreaterThan(8);
  for (const [name, ...args] of examples) {
    const command = program().commands.find((candidate) => candidate.name() === name);
    expect([name, command?.name()]).toEqual([name, name]);
    const options = command?.options.map(({ long }) => long);
    for (const arg of args.filter((text) => text.startsWith('--'))) expect(options).toContain(arg);
  }
});
