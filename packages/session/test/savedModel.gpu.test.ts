/** SavedModels: what is written, what comes back in another session, and what is refused. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fr from '@forerun/graph';
import { savedModel, Session } from '../src/index.js';

const { predictSignatureDef, isValidSignature } = fr.savedModelSignatures;

let directory: string;
let sess: Session;
const opened: Session[] = [];

beforeEach(async () => {
  fr.resetDefaultGraph();
  directory = mkdtempSync(join(tmpdir(), 'forerun-saved-model-'));
  sess = await open();
});

afterEach(() => {
  for (const session of opened.splice(0)) session.close();
  rmSync(directory, { recursive: true });
});

async function open(graph: fr.Graph = fr.getDefaultGraph()): Promise<Session> {
  const session = await Session.create({ graph });
  opened.push(session);
  return session;
}

/** y = x w, with w set to something else than its initial value. */
async function model(): Promise<{ x: fr.Tensor; y: fr.Tensor; w: fr.Variable }> {
  const x = fr.placeholder('float32', [null, 2], { name: 'x' });
  const w = new fr.Variable(fr.zeros([2, 2]), { name: 'w' });
  const y = fr.matMul(x, w, { name: 'y' });
  await sess.run(w.initializer);
  const value = fr.constant([
    [1, 2],
    [3, 4],
  ]);
  await sess.run(w.assign(value).op);
  return { x, y, w };
}

const dir = (name = 'model'): string => join(directory, name);

test('simpleSave writes a graph with its variables, load serves it', async () => {
  const { x, y } = await model();
  const path = await savedModel.simpleSave(sess, dir(), { x }, { y });
  expect(path).toBe(join(directory, 'model/saved_model.pb'));
  expect(readdirSync(dir()).sort()).toEqual(['saved_model.pb', 'variables']);
  expect(readdirSync(join(dir(), 'variables')).sort()).toEqual([
    'variables.data-00000-of-00001',
    'variables.index',
  ]);
  const other = await open(new fr.Graph());
  const loaded = await savedModel.load(other, ['serve'], dir());
  const { inputs, outputs } = loaded.signature();
  const input = inputs.x;
  if (input === undefined || outputs.y === undefined) throw new Error('the signature lacks x or y');
  const result = await other.run(outputs.y, new Map([[input, [[1, 1]]]]));
  expect(result.toArray()).toEqual([[4, 6]]);
  expect(isValidSignature(loaded.signatureDefs.get('serving_default') ?? {})).toBe(true);
});

test('a loaded graph can be trained on: its variables are in the collections again', async () => {
  const { x, y } = await model();
  await savedModel.simpleSave(sess, dir(), { x }, { y });
  const graph = new fr.Graph();
  const other = await open(graph);
  await savedModel.load(other, ['serve'], dir(), { importScope: 'served' });
  const [w] = graph.asDefault(() => fr.trainableVariables());
  expect(w?.name).toBe('served/w:0');
  await other.run(graph.asDefault(() => w?.assignAdd(fr.ones([2, 2])).op ?? fr.noOp()));
  expect((await other.run('served/y:0', { 'served/x': [[1, 0]] })).toArray()).toEqual([[2, 3]]);
});

test('several graphs share the variables and are told apart by their tags', async () => {
  const { x, y, w } = await model();
  const builder = new savedModel.Builder(dir());
  await builder.addMetaGraphAndVariables(sess, ['train'], {
    signatureDefMap: { serving_default: predictSignatureDef({ x }, { y }) },
    trainOp: fr.group([w.assignAdd(fr.ones([2, 2])).op], { name: 'step' }),
  });
  const serving = new fr.Graph();
  const doubled = serving.asDefault(() => {
    const variable = new fr.Variable(fr.zeros([2, 2]), { name: 'w' });
    return fr.mul(variable, 2, { name: 'doubled' });
  });
  await builder.addMetaGraph(serving, ['serve', 'gpu'], {
    signatureDefMap: new Map([['double', predictSignatureDef({ w: doubled }, { y: doubled })]]),
  });
  await builder.save({ asText: true });
  expect(readdirSync(dir()).sort()).toEqual(['saved_model.pbtxt', 'variables']);
  const other = await open(new fr.Graph());
  const loaded = await savedModel.load(other, ['gpu', 'serve'], dir());
  const result = await other.run(loaded.signature('double').outputs.y ?? 'doubled:0');
  expect(result.toArray()).toEqual([
    [2, 4],
    [6, 8],
  ]);
  expect(() => loaded.signature()).toThrow(/no signature "serving_default"; it has "double"/);
  const train = await new savedModel.Loader(dir()).getMetaGraphDefFromTags(['train']);
  expect(train.collectionDef.get('saved_model_train_op')?.nodeList?.value).toEqual(['step']);
  await expect(savedModel.load(other, ['serve'], dir())).rejects.toThrow(
    /tags \[train\], \[serve, gpu\]; wanted \[serve\]/,
  );
});

test('assets are copied, and the initialization is given the paths of the copies', async () => {
  writeFileSync(dir('words.txt'), 'a\nb\n');
  mkdirSync(dir('other'));
  writeFileSync(dir('other/words.txt'), 'c\n');
  const paths = [dir('words.txt'), dir('other/words.txt')].map((path) =>
    fr.constant(path, { name: 'asset' }),
  );
  const printed: string[] = [];
  const session = await Session.create({ config: { onPrint: (text) => printed.push(text) } });
  opened.push(session);
  const { x, y } = await model();
  await session.run(fr.globalVariablesInitializer());
  const mainOp = fr.printV2(fr.stringFormat('{} {}', paths));
  const builder = new savedModel.Builder(dir());
  await builder.addMetaGraphAndVariables(session, ['serve'], {
    signatureDefMap: { serving_default: predictSignatureDef({ x }, { y }) },
    assetsCollection: paths,
    mainOp,
  });
  await builder.save();
  expect(readFileSync(join(dir(), 'assets/words.txt'), 'utf8')).toBe('a\nb\n');
  expect(readFileSync(join(dir(), 'assets/words.txt_1'), 'utf8')).toBe('c\n');
  const other = await Session.create({
    graph: new fr.Graph(),
    config: { onPrint: (text) => printed.push(text) },
  });
  opened.push(other);
  await savedModel.load(other, ['serve'], dir());
  expect(printed.join('')).toContain(join(dir(), 'assets/words.txt'));
  expect(printed.join('')).toContain(join(dir(), 'assets/words.txt_1'));
});

test('a graph without variables needs no checkpoint', async () => {
  const x = fr.placeholder('float32', [2], { name: 'x' });
  await savedModel.simpleSave(sess, dir(), { x }, { y: fr.add(x, 1, { name: 'y' }) });
  expect(existsSync(join(dir(), 'variables'))).toBe(false);
  const other = await open(new fr.Graph());
  await savedModel.load(other, ['serve'], dir());
  expect((await other.run('y:0', { x: [1, 2] })).toArray()).toEqual([2, 3]);
});

describe('refused are', () => {
  test('a directory with content', async () => {
    const { x, y } = await model();
    mkdirSync(dir());
    writeFileSync(join(dir(), 'mine.txt'), '');
    await expect(savedModel.simpleSave(sess, dir(), { x }, { y })).rejects.toThrow(
      /has content \(mine\.txt\)/,
    );
  });

  test('a signature that names a tensor of another graph', async () => {
    await model();
    const other = new fr.Graph();
    const foreign = other.asDefault(() => fr.placeholder('float32', [1], { name: 'foreign' }));
    await expect(savedModel.simpleSave(sess, dir(), { a: foreign }, { y: foreign })).rejects.toThrow(
      /signature "serving_default", "a": the graph has no tensor "foreign:0"/,
    );
    expect(existsSync(dir())).toBe(false);
  });

  test('signatures without inputs or outputs, and operations in them', async () => {
    const { x, w } = await model();
    expect(() => predictSignatureDef({}, { x })).toThrow(/there are no inputs/);
    expect(() => predictSignatureDef({ x }, {})).toThrow(/there are no outputs/);
    expect(() => predictSignatureDef({ x }, { y: w.op as never })).toThrow(
      /is an operation: a signature names tensors/,
    );
  });

  test('a second graph with the same tags, graphs before variables, and a model without graphs', async () => {
    const { x, y } = await model();
    const builder = new savedModel.Builder(dir());
    await expect(builder.save()).rejects.toThrow(/has no graph/);
    await expect(builder.addMetaGraph(sess.graph, ['serve'])).rejects.toThrow(/addMetaGraphAndVariables/);
    await builder.addMetaGraphAndVariables(sess, ['serve'], {
      signatureDefMap: { a: predictSignatureDef({ x }, { y }) },
    });
    await expect(builder.addMetaGraph(sess.graph, ['serve'])).rejects.toThrow(
      /with the tags \[serve\] already/,
    );
    await expect(builder.addMetaGraphAndVariables(sess, ['train'])).rejects.toThrow(
      /has its variables already/,
    );
  });

  test('assets that are no constant paths or do not exist', async () => {
    const { x } = await model();
    const builder = new savedModel.Builder(dir());
    await expect(builder.addMetaGraphAndVariables(sess, ['a'], { assetsCollection: [x] })).rejects.toThrow(
      /the asset Placeholder "x" must be a string constant/,
    );
    const missing = fr.constant(dir('nowhere.txt'));
    await expect(
      builder.addMetaGraphAndVariables(sess, ['a'], { assetsCollection: [missing] }),
    ).rejects.toThrow(/there is no file ".*nowhere\.txt" for the asset/);
  });

  test('assets whose path leads out of the directory', async () => {
    const graph = new fr.Graph();
    graph.asDefault(() => fr.constant('a', { name: 'asset' }));
    const metaGraph = fr.exportMetaGraph({
      graph,
      metaInfo: { tags: ['serve'] },
      assetFileDefs: [{ tensorInfo: { name: 'asset:0' }, filename: '../../etc/passwd' }],
    });
    mkdirSync(dir());
    writeFileSync(
      join(dir(), 'saved_model.pb'),
      fr.writeSavedModel({ savedModelSchemaVersion: 1, metaGraphs: [metaGraph] }),
    );
    await expect(savedModel.load(await open(new fr.Graph()), ['serve'], dir())).rejects.toThrow(
      /asset "asset:0" has the path "\.\.\/\.\.\/etc\/passwd": it must be a relative path/,
    );
  });

  test('directories without a SavedModel, and other graphs in its place', async () => {
    await expect(savedModel.load(sess, ['serve'], dir())).rejects.toThrow(
      /no SavedModel in ".*": neither saved_model\.pb nor/,
    );
    expect(await savedModel.maybeSavedModelDirectory(dir())).toBe(false);
    mkdirSync(dir());
    fr.constant(1);
    writeFileSync(join(dir(), 'saved_model.pb'), fr.writeGraphDef(sess.graph));
    await expect(savedModel.load(sess, ['serve'], dir())).rejects.toThrow(
      /holds a GraphDef, not a SavedModel/,
    );
  });

  test('variables that are not initialized', async () => {
    const w = new fr.Variable(fr.zeros([1]), { name: 'w' });
    await expect(savedModel.simpleSave(sess, dir(), { w }, { y: w })).rejects.toThrow(/"w"/);
    expect(existsSync(join(dir(), 'saved_model.pb'))).toBe(false);
  });
});
