/** `forerun completion`: scripts that complete commands, options and files in shells. */
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import type { Terminal } from '../terminal.js';

interface Words {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly long: string; readonly description: string }[];
}

/** Prints the script for `shell`. Throws `UsageError` for a shell that there is no script for. */
export function completion(shell: string, program: Command, terminal: Terminal): void {
  const commands = program.commands.map((command): Words => ({
    name: command.name(),
    summary: command.summary(),
    options: [
      ...command.options.flatMap(({ long, description }) =>
        long === undefined ? [] : [{ long, description }],
      ),
      { long: '--help', description: 'print help' },
    ],
  }));
  const write = { bash, zsh, fish }[shell];
  if (write === undefined)
    throw new UsageError(`completion: there is no script for "${shell}"; bash, zsh and fish have one`);
  terminal.print(write(commands));
}

function bash(commands: readonly Words[]): string {
  const cases = commands.map(
    ({ name, options }) => `    ${name}) words="${options.map(({ long }) => long).join(' ')}" ;;`,
  );
  return [
    '# forerun completion for bash: eval "$(forerun completion bash)"',
    '_forerun() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" words=""',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} --help --version" -- "$current"))`,
    '    return',
    '  fi',
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    '  esac',
    '  if [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  else COMPREPLY=($(compgen -f -- "$current")); fi',
    '}',
    'complete -o filenames -F _forerun forerun',
  ].join('\n');
}

/** In single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function zsh(commands: readonly Words[]): string {
  const plain = (text: string): string => text.replace(/[[\]:]/g, ' ');
  return [
    '#compdef forerun',
    '# forerun completion for zsh: eval "$(forerun completion zsh)"',
    '_forerun() {',
    '  local -a commands',
    `  commands=(${commands.map(({ name, summary }) => quoted(`${name}:${plain(summary)}`)).join(' ')})`,
    '  if (( CURRENT == 2 )); then _describe command commands; return; fi',
    '  case "$words[2]" in',
    ...commands.map(({ name, options }) => {
      const list = options.map(({ long, description }) => quoted(`${long}[${plain(description)}]`));
      return `    ${name}) _arguments ${list.join(' ')} '*:file:_files' ;;`;
    }),
    '  esac',
    '}',
    'compdef _forerun forerun',
  ].join('\n');
}

function fish(commands: readonly Words[]): string {
  const first = '__fish_use_subcommand';
  return [
    '# forerun completion for fish: forerun completion fish | source',
    ...commands.map(
      ({ name, summary }) => `complete -c forerun -n ${first} -f -a ${name} -d ${quoted(summary)}`,
    ),
    ...commands.flatMap(({ name, options }) =>
      options.map(
        ({ long, description }) =>
          `complete -c forerun -n '__fish_seen_subcommand_from ${name}' -l ${long.slice(2)} -d ${quoted(description)}`,
      ),
    ),
  ].join('\n');
}
