/** `forerun validate`: whether a file is sound and can run here. */
import { ForerunError, GRAPH_DEF_VERSION } from '@forerun/graph';
import { FileError, messageOf } from '../errors.js';
import { plural } from '../format.js';
import { countOps } from '../graphReport.js';
import { viewGraph } from '../graphView.js';
import { load, type Loaded } from '../load.js';
import { openValues, reading } from '../openValues.js';
import type { CommonOptions } from '../program.js';
import { parseTags } from '../tags.js';
import type { Terminal } from '../terminal.js';

/** One thing that was looked at. */
interface Check {
  readonly check: 'structure' | 'shapes' | 'version' | 'ops' | 'checksums';
  readonly ok: boolean;
  readonly message: string;
}

/**
 * Prints what was checked; returns whether all is well, which the exit code tells. Throws `FileError` only where the file
 * cannot be read at all.
 */
export async function validate(file: string, options: CommonOptions, terminal: Terminal): Promise<boolean> {
  const loaded = await load(file, { tags: parseTags(options.tags) });
  const checks = loaded.kind === 'graph' ? checkGraph(loaded) : [await checkValues(file)];
  const valid = checks.every(({ ok }) => ok);
  const { colors } = terminal;
  terminal.print(
    options.json === true
      ? JSON.stringify({ file: loaded.path, valid, checks }, null, 2)
      : [
          `${colors.bold(loaded.path)}: ${valid ? colors.green('valid') : colors.red('not valid')}`,
          ...checks.map(
            ({ check, ok, message }) =>
              `  ${ok ? colors.green('ok ') : colors.red('bad')}  ${check.padEnd(9)}  ${message}`,
          ),
        ].join('\n'),
  );
  return valid;
}

function checkGraph(loaded: Extract<Loaded, { kind: 'graph' }>): Check[] {
  const { versions, node } = loaded.graphDef;
  const version = checkVersion(versions?.producer ?? 0, versions?.minConsumer ?? 0);
  try {
    const { operations } = viewGraph(loaded).graph;
    const unknown = operations
      .flatMap(({ outputs }) => outputs)
      .filter(({ shape }) => shape.rank === null).length;
    const bad = countOps(operations).filter(({ supported }) => !supported);
    const named = bad.map(({ type, nodes }) => `${type} (${nodes})`).join(', ');
    return [
      { check: 'structure', ok: true, message: `${plural(node.length, 'node')}, every input is there` },
      { check: 'shapes', ok: true, message: `they agree; ${plural(unknown, 'output')} of unknown rank` },
      version,
      {
        check: 'ops',
        ok: bad.length === 0,
        message: bad.length === 0 ? 'all can run' : `cannot run: ${named}`,
      },
    ];
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const what = error.cause instanceof ForerunError ? error.cause.message : error.message;
    const isShape =
      /shape|dimension|rank|input|attr/i.test(what) && !/names a node|two nodes|cycle/.test(what);
    return [
      { check: isShape ? 'shapes' : 'structure', ok: false, message: what.split('\n')[0] ?? what },
      version,
    ];
  }
}

function checkVersion(producer: number, minConsumer: number): Check {
  const ok = minConsumer <= GRAPH_DEF_VERSION;
  const needs = minConsumer === 0 ? 'any reader' : `readers from version ${minConsumer}`;
  return {
    check: 'version',
    ok,
    message: `of producer ${producer}, for ${needs}; this one is ${GRAPH_DEF_VERSION}`,
  };
}

/** Reads every tensor, which verifies its checksum. */
async function checkValues(file: string): Promise<Check> {
  const { reader, close } = await openValues(file);
  try {
    await reading(file, async () => {
      for (const name of reader.entries.keys()) await reader.read(name);
    });
    return {
      check: 'checksums',
      ok: true,
      message: `${plural(reader.entries.size, 'tensor')} could be read`,
    };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return { check: 'checksums', ok: false, message: messageOf(error) };
  } finally {
    await close();
  }
}
