/**
 * Random programs through the whole compiler against the float64 interpreter: with every pass, with
 * none, with one left out; twice, because state and buffers outlive a run; and with another batch
 * size. `FORERUN_FUZZ=n` runs n programs, `FORERUN_FUZZ_SEED=s` starts at seed s.
 */
import * as fr from '@forerun/graph';
import {
  expectClose,
  hostValue,
  interpret,
  interpretWith,
  runReference,
  type Step,
  type Variables,
} from '@forerun/testing';
import { Session, type PassSwitches } from '../src/index.js';
import { NO_PASSES, ONE_ALONE, WITHOUT_ONE } from './support/passes.js';
import { checkShapes, FIRST_BATCH, randomProgram, type RandomProgram } from './support/randomProgram.js';

/** `long` is a switch of the parsers' tests; here it means as many as run in some minutes. */
const PROGRAMS = process.env.FORERUN_FUZZ === 'long' ? 1500 : Number(process.env.FORERUN_FUZZ ?? 150);
const FIRST_SEED = Number(process.env.FORERUN_FUZZ_SEED ?? 1);
const GROUPS = 10;

const CONFIGS: readonly PassSwitches[] = [{}, NO_PASSES, ...WITHOUT_ONE, ...ONE_ALONE];

/** One run in the session and in the interpreter, whose `variables` it changes. */
async function compareRun(
  sess: Session,
  program: RandomProgram,
  batch: number,
  variables: Variables,
): Promise<void> {
  const feeds = program.feeds(batch);
  const want = interpret(program.fetches, feeds, { variables });
  const fed = [...feeds].map(([tensor, value]) => [tensor, fr.fromHostValue(value)] as const);
  const got = await sess.run(program.fetches, fed);
  const atol = 4e-5 * program.magnitude;
  program.fetches.forEach((tensor, i) => {
    const [g, w] = [got[i], want[i]];
    if (g === undefined || w === undefined) throw new Error(`${tensor.name} was not fetched`);
    const inexact = program.exact[i] !== true;
    expectClose(
      hostValue(g),
      w,
      inexact ? { rtol: 1e-3, atol } : { rtol: 0, atol: 0 },
      `${tensor.name} (${tensor.op.type})`,
    );
  });
}

async function compareVariables(sess: Session, program: RandomProgram, variables: Variables): Promise<void> {
  const got = await sess.run(program.variables);
  program.variables.forEach((variable, i) => {
    const [g, w] = [got[i], variables.get(variable.handle.op)];
    if (g === undefined || w === undefined) throw new Error(`${variable.name} has no value`);
    expectClose(hostValue(g), w, { rtol: 1e-3, atol: 1e-4 * program.magnitude }, variable.name);
  });
}

async function check(seed: number, passes: PassSwitches): Promise<void> {
  const program = randomProgram(seed);
  const sess = await Session.create({ graph: program.graph, config: { passes } });
  try {
    await sess.run(program.initializer);
    const variables = program.state();
    await compareRun(sess, program, FIRST_BATCH, variables);
    await compareRun(sess, program, FIRST_BATCH, variables);
    await compareVariables(sess, program, variables);
    if (program.fedInside || !(await fitsBatch(program, variables))) return;
    await compareRun(sess, program, 2, variables);
    await compareRun(sess, program, FIRST_BATCH, variables);
  } catch (error) {
    throw new Error(`seed ${seed}, passes ${JSON.stringify(passes)}: ${String(error)}`, { cause: error });
  } finally {
    sess.close();
  }
}

/** The references, once the op's own rule accepts the shapes. */
function checked({ op, inputs }: Step): Promise<readonly fr.HostValue[]> {
  checkShapes(op, inputs);
  return Promise.resolve(runReference(op, inputs));
}

/** Whether the program makes sense with two rows, and stays small when it is run again. */
async function fitsBatch(program: RandomProgram, variables: Variables): Promise<boolean> {
  try {
    const trial = new Map(variables);
    for (const batch of [2, FIRST_BATCH]) {
      const values = await interpretWith(checked, program.fetches, program.feeds(batch), {
        variables: trial,
      });
      if (!values.every(({ data }) => data.every((x) => Math.abs(x) <= 2 * program.magnitude))) return false;
    }
    return true;
  } catch (error) {
    if (error instanceof fr.InvalidArgumentError || error instanceof RangeError) return false;
    throw error;
  }
}

describe.each(Array.from({ length: GROUPS }, (_, i) => i))('random programs, part %i', (group) => {
  test('agree with the interpreter', async () => {
    for (let i = group; i < PROGRAMS; i += GROUPS) {
      const seed = FIRST_SEED + i;
      await check(seed, {});
      await check(seed, CONFIGS[seed % CONFIGS.length] ?? {});
    }
  }, 600_000);
});
