/**
 * Pre-trained graphs that others published give what TensorFlow.js gives, and the same bits after being saved as GraphDef
 * and as SavedModel. Two of them by default, as shaders of large ones take minutes to compile on a software adapter:
 *
 *   FORERUN_MODELS=all npm test -- packages/session/test/publishedModels
 *   FORERUN_MODELS=iris,handtrack npm test -- packages/session/test/publishedModels
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Graph, importGraphDef, writeGraphDef, type Tensor, type TensorValue } from '@forerun/graph';
import { loadGraphModel, savedModel, Session, type LoadedModel } from '../src/index.js';
import { ALL_MODELS, imageFor, modelPath, SMALL_MODELS, tfjsOutputs } from './support/publishedModels.js';

const unknown = (names: readonly string[]): string[] =>
  names.filter((name) => !ALL_MODELS.some((known) => known === name));
const asked = process.env.FORERUN_MODELS ?? '';
const NAMES: readonly string[] =
  asked === '' ? SMALL_MODELS : asked === 'all' ? ALL_MODELS : asked.split(',');

if (unknown(NAMES).length > 0)
  throw new Error(`FORERUN_MODELS: there are ${ALL_MODELS.join(', ')}, not ${unknown(NAMES).join(', ')}`);

/** Time for a software driver that has compiled none of the shaders before. */
const TIMEOUT = asked === '' ? 120_000 : 1_200_000;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'forerun-models-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** The outputs of the model in `graph` for `image`, by the names of their nodes. */
async function outputsOf(
  graph: Graph,
  model: LoadedModel,
  image: TensorValue,
): Promise<{ session: Session; values: Map<string, TensorValue> }> {
  const session = await Session.create({ graph });
  return { session, values: await run(session, model, image) };
}

async function run(
  session: Session,
  model: LoadedModel,
  image: TensorValue,
): Promise<Map<string, TensorValue>> {
  const names = Object.values(model.outputs).map(({ op }) => op.name);
  const input = only(model).name;
  const values = await session.run(
    names.map((name) => `${name}:0`),
    { [input]: image },
  );
  return new Map(names.flatMap((name, i) => (values[i] === undefined ? [] : [[name, values[i]]])));
}

function only(model: LoadedModel): Tensor {
  const [input] = Object.values(model.inputs);
  if (input === undefined) throw new Error('the model has no input');
  return input;
}

/** |difference| <= 1e-3 |value| + 2e-5 of the largest value: outputs near 0 are differences of large numbers. */
function expectLike(name: string, got: TensorValue | undefined, want: TensorValue): void {
  expect([name, got?.shape]).toEqual([name, want.shape]);
  const wanted = Array.from(want.data, Number);
  const largest = wanted.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const off = wanted.findIndex(
    (x, i) => !(Math.abs(Number(got?.data[i]) - x) <= 1e-3 * Math.abs(x) + 2e-5 * largest),
  );
  if (off >= 0)
    throw new Error(`${name}[${off}]: got ${String(got?.data[off])}, TensorFlow.js gives ${wanted[off]}`);
}

test.each(NAMES)(
  '%s',
  async (name) => {
    const graph = new Graph();
    const model = await loadGraphModel(modelPath(name), { graph });
    const image = imageFor(only(model));
    const { session, values } = await outputsOf(graph, model, image);
    const wanted = tfjsOutputs(name, only(model), image, directory);
    expect([...values.keys()].sort()).toEqual([...wanted.keys()].sort());
    for (const [key, want] of wanted) expectLike(key, values.get(key), want);

    const reread = new Graph();
    importGraphDef(writeGraphDef(graph), { graph: reread, name: '' });
    const second = await outputsOf(reread, model, image);
    expect(second.values).toEqual(values);

    await savedModel.simpleSave(session, join(directory, 'model'), model.inputs, model.outputs);
    const third = await Session.create({ graph: new Graph() });
    await savedModel.load(third, ['serve'], join(directory, 'model'));
    expect(await run(third, model, image)).toEqual(values);
    for (const opened of [session, second.session, third]) opened.close();
  },
  TIMEOUT,
);
